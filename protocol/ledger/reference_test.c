/* What `reference` does differently, defects included (rules.md, first table; state.md 8 and 9). */
#include "test_chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct test_chain chain;
static struct test_chain *const c = &chain;

static int set_up(void **state)
{
    (void)state;
    test_chain_init(c, &RULES_REFERENCE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_chain_free(c);
    return 0;
}

static void begin(height_t h)
{
    assert_int_equal(test_begin(c, h), TM_OK);
}

static void end(void)
{
    assert_int_equal(test_end(c), TM_OK);
}

static void included(int signer, struct message m, int code)
{
    struct transaction tx = test_transaction(c, signer, &m);

    if (test_apply(c, &tx) != TM_OK)
        fail_msg("not includable: %d %s", c->error.code, c->error.text);
    if (c->result.code != code)
        fail_msg("code %d instead of %d: %.*s", c->result.code, code, (int)c->result.error.size,
                 (const char *)c->result.error.data);
}

static void refused(int signer, struct message m, int code)
{
    struct transaction tx = test_transaction(c, signer, &m);

    assert_int_equal(test_apply(c, &tx), TM_ERR_RULE);
    if (c->error.code != code)
        fail_msg("code %d instead of %d: %s", c->error.code, code, c->error.text);
}

static void balance(enum tree_id tree, struct bytes key, const char *expected)
{
    const struct record *r = test_get(c, tree, key);

    assert_non_null(r);
    if (!bytes_equal(r->balance.text, bytes_of(expected)))
        fail_msg("%.*s instead of %s", (int)r->balance.text.size,
                 (const char *)r->balance.text.data, expected);
}

static void account(int n, const char *expected)
{
    balance(TREE_ACCOUNT, test_address(c, n), expected);
}

static void pool(enum pool_id id, const char *expected)
{
    balance(TREE_POOL, pool_long_key(id), expected);
}

static const struct actor *actor(enum actor_kind kind, int n)
{
    const struct record *r = test_get(c, actor_tree(kind), test_address(c, n));

    assert_non_null(r);
    return &r->actor;
}

/* U3: the table of utility.md 3.0. */
static void getters_see_the_block_before(void **state)
{
    (void)state;
    begin(1);
    included(2, test_send(c, 2, 3, "1"), 0); /* the fee is overwritten */
    included(4, test_send(c, 4, 3, "70000000000"), 0);
    included(4, test_send(c, 4, 5, "60000000000"), 0); /* spent twice */
    included(6, test_send(c, 6, 6, "9"), 0);           /* U4: destroys 9 */
    included(7, test_ibc(c, 7, "k", "v"), 0);
    included(7, test_ibc(c, 7, "k", "w"), 0); /* D16; the fee is paid once */
    included(8, test_send(c, 8, 3, "100000000001"), 41);
    end();
    account(2, "99999999999");
    account(4, "40000000000");
    account(5, "160000000000");
    account(6, "99999999991");
    account(7, "99999990000");
    account(8, "99999990000");
    account(3, "170000000001");
    account(0, "100000000000"); /* F is read as of the block before */
    pool(POOL_FEE_COLLECTOR, "0");
    pool(POOL_DAO, "1000000000000");
    assert_true(bytes_equal(test_get(c, TREE_IBC, bytes_of("k"))->value, bytes_of("w")));
}

/* D33: nothing looks at amounts and addresses. */
static void messages_are_not_checked(void **state)
{
    struct message m = test_send(c, 2, 3, "-5");
    uint8_t *huge = arena_alloc(&c->arena, ACCOUNT_ADDRESS_MAX + 1);

    (void)state;
    begin(1);
    included(2, m, 0);
    m = test_send(c, 4, 4, "+007");
    m.to = bytes_make(NULL, 0);
    included(4, m, 0);
    included(5, test_send(c, 5, 3, "1x"), 40);
    m = test_send(c, 6, 3, "1");
    memset(huge, 1, ACCOUNT_ADDRESS_MAX + 1);
    m.to = bytes_make(huge, ACCOUNT_ADDRESS_MAX + 1);
    included(6, m, 42);
    m.to.size--;
    included(7, (m.from = test_address(c, 7), m), 0);
    end();
    account(2, "100000000005");
    account(3, "99999999995");
    balance(TREE_ACCOUNT, bytes_make(NULL, 0), "7");
    account(6, "99999990000");
    account(7, "99999999999");
}

static void accounts_may_go_negative(void **state)
{
    (void)state;
    begin(1);
    included(2, test_send(c, 2, 3, "-300000000000"), 0);
    end();
    account(3, "-200000000000");
}

static void edit_stake_is_never_includable(void **state)
{
    (void)state;
    test_actor(c, ACTOR_APP, 4, 4, HEIGHT_NONE, HEIGHT_NONE);
    begin(1);
    refused(4, test_actor_message(c, MESSAGE_EDIT_STAKE, ACTOR_APP, 4), 6);
}

static void stakes(void **state)
{
    struct message m = test_stake(c, ACTOR_SERVICER, 4, 4, "+015000000000");
    struct bytes ids[3] = {bytes_of("2"), bytes_of("0001"), bytes_of("2")};

    (void)state;
    m.chains = ids;
    m.chain_count = 3;
    m.service_url = bytes_of("it's");
    begin(1);
    included(4, m, 0);
    included(5, test_stake(c, ACTOR_VAL, 5, 5, "015000000000x"), 40);
    refused(5, test_actor_message(c, MESSAGE_UNSTAKE, ACTOR_SERVICER, 5), 94);
    refused(4, test_actor_message(c, MESSAGE_UNSTAKE, ACTOR_SERVICER, 4), 94); /* not seen yet */
    end();
    account(4, "85000000000");
    pool(POOL_APP_STAKE, "1015000000000"); /* D23 */
    pool(POOL_SERVICER_STAKE, "1000000000000");
    assert_true(bytes_equal(actor(ACTOR_SERVICER, 4)->stake_text, bytes_of("+015000000000")));
    assert_int_equal(actor(ACTOR_SERVICER, 4)->chain_count, 2);
    assert_true(bytes_equal(actor(ACTOR_SERVICER, 4)->chains[1], bytes_of("2   ")));
    begin(2);
    included(4, test_stake(c, ACTOR_SERVICER, 4, 4, "15000000000"), 60);
    end();
}

/* Where the reference's INSERT fails the message does, and leaves nothing but its fee. */
static void what_no_row_can_hold(void **state)
{
    struct message m = test_stake(c, ACTOR_SERVICER, 4, 4, "15000000000");

    (void)state;
    begin(1);
    m.chains[0] = bytes_of("00001");
    included(4, m, 53);
    m.chains[0] = bytes_make("0\0001", 3);
    included(4, m, 53);
    m.chains[0] = bytes_of("0001");
    m.service_url = bytes_make("a\0b", 3);
    included(4, m, 53);
    end();
    account(4, "99999990000");
    pool(POOL_APP_STAKE, "1000000000000");
    assert_null(test_get(c, TREE_SERVICER, test_address(c, 4)));
}

/* An output address is no key before the stake returns to it; then the block fails. */
static void an_output_of_any_length(void **state)
{
    struct message m = test_stake(c, ACTOR_APP, 4, 4, "15000000000");
    uint8_t *huge = arena_zalloc(&c->arena, ACCOUNT_ADDRESS_MAX + 1);

    (void)state;
    test_param(c, "app_unstaking_blocks", "1");
    m.output = bytes_make(huge, ACCOUNT_ADDRESS_MAX + 1);
    begin(1);
    included(4, m, 0);
    end();
    assert_int_equal(actor(ACTOR_APP, 4)->output.size, ACCOUNT_ADDRESS_MAX + 1);
    begin(2);
    included(4, test_actor_message(c, MESSAGE_UNSTAKE, ACTOR_APP, 4), 0);
    end();
    begin(3);
    assert_int_equal(test_end(c), TM_ERR_RULE);
    assert_int_equal(c->error.code, 42);
}

/* D26 */
static void staked_twice_in_one_block(void **state)
{
    struct message first = test_stake(c, ACTOR_APP, 4, 5, "15000000000");
    struct message second = test_stake(c, ACTOR_APP, 4, 6, "16000000000");

    (void)state;
    second.chains[0] = bytes_of("0009");
    begin(1);
    included(5, first, 0);
    included(6, second, 0);
    end();
    assert_true(bytes_equal(actor(ACTOR_APP, 4)->output, test_address(c, 5)));
    assert_true(bytes_equal(actor(ACTOR_APP, 4)->stake_text, bytes_of("16000000000")));
    assert_int_equal(actor(ACTOR_APP, 4)->chain_count, 2);
    account(5, "85000000000");
    account(6, "84000000000");
    pool(POOL_APP_STAKE, "1031000000000");
}

/* D10, U7, D23 */
static void unbonding(void **state)
{
    (void)state;
    test_param(c, "servicer_unstaking_blocks", "2");
    test_actor(c, ACTOR_SERVICER, 4, 5, HEIGHT_NONE, HEIGHT_NONE);
    test_actor(c, ACTOR_SERVICER, 6, 6, HEIGHT_NONE, 9);
    begin(10);
    included(4, test_actor_message(c, MESSAGE_UNSTAKE, ACTOR_SERVICER, 4), 0);
    end();
    assert_int_equal(actor(ACTOR_SERVICER, 4)->unstaking_height, 12);
    assert_int_equal(actor(ACTOR_SERVICER, 4)->chain_count, 0);
    begin(11);
    included(4, test_actor_message(c, MESSAGE_UNSTAKE, ACTOR_SERVICER, 4), 54);
    end();
    for (height_t h = 12; h <= 13; h++) {
        begin(h);
        end();
        account(5, "120000000000"); /* once, though the row stays */
        pool(POOL_SERVICER_STAKE, "980000000000");
    }
    account(6, "100000000000"); /* its height was passed */
    assert_non_null(test_get(c, TREE_SERVICER, test_address(c, 4)));
}

/* U8: pushed on at every block, never due. */
static void long_pauses(void **state)
{
    (void)state;
    test_param(c, "app_max_pause_blocks", "10");
    test_param(c, "app_unstaking_blocks", "2");
    test_actor(c, ACTOR_APP, 4, 4, 0, HEIGHT_NONE);
    for (height_t h = 10; h <= 13; h++) {
        begin(h);
        end();
        assert_int_equal(actor(ACTOR_APP, 4)->unstaking_height, h == 10 ? HEIGHT_NONE : h + 2);
        assert_int_equal(actor(ACTOR_APP, 4)->chain_count, h == 10 ? 2 : 0);
    }
    begin(14); /* one UPDATE, which sees what the block wrote */
    included(4, test_actor_message(c, MESSAGE_UNPAUSE, ACTOR_APP, 4), 0);
    end();
    assert_int_equal(actor(ACTOR_APP, 4)->unstaking_height, 15);
    assert_int_equal(actor(ACTOR_APP, 4)->paused_height, HEIGHT_NONE);
    account(4, "99999990000");
    begin(15);
    end();
    account(4, "119999990000");
}

/* D15 */
static void ibc_prunes(void **state)
{
    (void)state;
    begin(1);
    included(2, test_ibc(c, 2, "never there", NULL), 0);
    end();
    assert_non_null(test_get(c, TREE_IBC, bytes_of("never there")));
    assert_int_equal(test_get(c, TREE_IBC, bytes_of("never there"))->value.size, 0);
}

/* D31 and the inputs beside it. */
static void parameter_wrappers(void **state)
{
    struct message m = test_change(c, "app_max_chains", "any \"text'");

    (void)state;
    begin(1);
    included(11, m, 0);
    m.wrapper = WRAPPER_OTHER;
    m.parameter_type_url = bytes_of("type.googleapis.com/google.protobuf.Int64Value");
    included(11, m, 87);
    m.parameter_type_url = bytes_of("type.googleapis.com/no.such.Type");
    included(11, m, 28);
    m.parameter_type_url = bytes_of("google.protobuf.Int32Value\xc3\xa9");
    included(11, m, 28);
    assert_null(memchr(c->result.error.data, 0xc3, c->result.error.size)); /* whole text or none */
    m.parameter_type_url = bytes_make(NULL, 0);
    included(11, m, 28);
    m.wrapper = WRAPPER_NONE;
    included(11, m, 28);
    m.wrapper = WRAPPER_INT32;
    m.wrapper_decodes = false;
    included(11, m, 28);
    m.wrapper = WRAPPER_STRING;
    m.wrapper_decodes = true;
    m.text_value = bytes_make("a\0b", 3);
    included(11, m, 88);
    m.wrapper = WRAPPER_INT32;
    m.int32_value = -7;
    m.parameter_key = bytes_of("servicer_max_chains");
    included(11, m, 0);
    m.wrapper = WRAPPER_BYTES;
    m.text_value = bytes_of("\xff\x01");
    m.parameter_key = bytes_of("acl_owner");
    included(11, m, 0);
    m.parameter_key = bytes_of("no_such_parameter");
    refused(11, m, 44);
    end();
    assert_true(
        bytes_equal(test_get(c, TREE_PARAMS, bytes_of("acl_owner"))->value, bytes_of("ff01")));
    assert_true(bytes_equal(test_get(c, TREE_PARAMS, bytes_of("servicer_max_chains"))->value,
                            bytes_of("-7")));
    begin(2);
    included(2, test_stake(c, ACTOR_APP, 2, 2, "15000000000"), 44);
    included(3, test_stake(c, ACTOR_SERVICER, 3, 3, "15000000000"), 52);
    refused(11, test_change(c, "blocks_per_session_owner", "x"), 3);
    end();
}

/* A value that the block's own machinery cannot use makes every later block impossible. */
static void unusable_parameters(void **state)
{
    static const struct {
        const char *name, *value;
        int begin, end;
    } CASE[] = {
        {"validator_maximum_missed_blocks", "x", 44, 0},
        {"proposer_percentage_of_fees", "101", 0, 84},
        {"proposer_percentage_of_fees", "-1", 0, 84},
        {"proposer_percentage_of_fees", "", 0, 44},
        {"fisherman_max_pause_blocks", "6 ", 0, 44},
        {"app_unstaking_blocks", "99999999999999999999", 0, 44},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASE / sizeof CASE[0]; i++) {
        struct test_chain own;

        test_chain_init(&own, &RULES_REFERENCE);
        test_param(&own, CASE[i].name, CASE[i].value);
        assert_int_equal(test_begin(&own, 1), CASE[i].begin == 0 ? TM_OK : TM_ERR_RULE);
        assert_int_equal(own.error.code, CASE[i].begin);
        if (CASE[i].begin == 0) {
            assert_int_equal(test_end(&own), TM_ERR_RULE);
            assert_int_equal(own.error.code, CASE[i].end);
        }
        test_chain_free(&own);
    }
}

static void unusable_fees(void **state)
{
    (void)state;
    test_param(c, "message_send_fee", "ten");
    begin(1);
    refused(2, test_send(c, 2, 3, "1"), 40);
}

/* D14: what a handler may run again is in the tree once. */
static void duplicates_are_executed_again(void **state)
{
    struct message m = test_send(c, 2, 3, "1");
    struct transaction tx = test_transaction(c, 2, &m);
    struct tm_error e = {0};

    (void)state;
    begin(1);
    assert_int_equal(test_apply(c, &tx), TM_OK);
    assert_int_equal(test_apply(c, &tx), TM_OK);
    end();
    begin(2);
    assert_int_equal(test_apply(c, &tx), TM_OK);
    assert_int_equal(ledger_admit(&c->block, c->rules, &c->view, 2, &tx, &e), TM_ERR_RULE);
    assert_int_equal(e.code, 95);
    end();
    account(3, "100000000003");
}

/* Parameters are unchecked, sums of heights wrap as Go's do. */
static void heights_may_wrap(void **state)
{
    (void)state;
    test_param(c, "app_unstaking_blocks", "9223372036854775807");
    test_actor(c, ACTOR_APP, 4, 4, HEIGHT_NONE, HEIGHT_NONE);
    begin(5);
    included(4, test_actor_message(c, MESSAGE_UNSTAKE, ACTOR_APP, 4), 0);
    end();
    assert_int_equal(actor(ACTOR_APP, 4)->unstaking_height, INT64_MIN + 4);
}

/* Fees that stood in the pool before the block are split with the reference's floats. */
static void proposer_share(void **state)
{
    (void)state;
    test_balance(c, TREE_POOL, pool_long_key(POOL_FEE_COLLECTOR), "1005");
    begin(1);
    end();
    account(0, "100000000100");
    pool(POOL_DAO, "1000000000905");
    pool(POOL_FEE_COLLECTOR, "0");
}

static void a_proposer_without_bounds(void **state)
{
    static uint8_t huge[ACCOUNT_ADDRESS_MAX + 1];

    (void)state;
    assert_int_equal(ledger_begin(&c->block, c->rules, &c->view, 1, bytes_make(huge, sizeof huge),
                                  &c->ledger, &c->error),
                     TM_ERR_LIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(getters_see_the_block_before),
        TEST(messages_are_not_checked),
        TEST(accounts_may_go_negative),
        TEST(edit_stake_is_never_includable),
        TEST(stakes),
        TEST(what_no_row_can_hold),
        TEST(an_output_of_any_length),
        TEST(staked_twice_in_one_block),
        TEST(unbonding),
        TEST(long_pauses),
        TEST(ibc_prunes),
        TEST(parameter_wrappers),
        TEST(unusable_parameters),
        TEST(unusable_fees),
        TEST(duplicates_are_executed_again),
        TEST(heights_may_wrap),
        TEST(proposer_share),
        TEST(a_proposer_without_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
