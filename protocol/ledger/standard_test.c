/* Each line of rules.md "standard, exactly" that is the ledger's. */
#include "test_chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct test_chain chain;
static struct test_chain *const c = &chain;

static int set_up(void **state)
{
    (void)state;
    test_chain_init(c, &RULES_STANDARD);
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

/* The transaction is included with this result code. */
static void included(int signer, struct message m, int code)
{
    struct transaction tx = test_transaction(c, signer, &m);

    if (test_apply(c, &tx) != TM_OK)
        fail_msg("not includable: %d %s", c->error.code, c->error.text);
    if (c->result.code != code)
        fail_msg("code %d instead of %d: %.*s", c->result.code, code, (int)c->result.error.size,
                 (const char *)c->result.error.data);
    assert_int_equal(c->result.error.size == 0, code == 0);
    assert_memory_equal(c->result.signer.b, c->address[signer].b, 20);
}

/* It is not, with this code. */
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

    if (expected == NULL) {
        assert_null(r);
        return;
    }
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
    balance(TREE_POOL, pool_short_key(id), expected);
}

static const struct actor *actor(enum actor_kind kind, int n)
{
    const struct record *r = test_get(c, actor_tree(kind), test_address(c, n));

    assert_non_null(r);
    return &r->actor;
}

/* --- includable --------------------------------------------------------------------------------
 */

static void messages_are_checked(void **state)
{
    struct message m;

    (void)state;
    begin(1);
    refused(2, test_send(c, 2, 3, "-1"), 118);
    refused(2, test_send(c, 2, 3, "01"), 40);
    refused(2, test_send(c, 2, 3, ""), 51);
    m = test_send(c, 2, 3, "1");
    m.to = bytes_of("short");
    refused(2, m, 21);
    m = test_stake(c, ACTOR_APP, 2, 2, "15000000000");
    m.chain_count = 0;
    refused(2, m, 47);
    m.chain_count = 1;
    m.chains[0] = bytes_of("00001");
    refused(2, m, 48);
    m = test_stake(c, ACTOR_SERVICER, 2, 2, "15000000000");
    m.service_url = bytes_of("x");
    refused(2, m, 70);
    m.actor_type = 9;
    refused(2, m, 130);
    refused(2, test_ibc(c, 2, "", "v"), 144);
    refused(11, test_change(c, "app_max_chains", "0"), 87);
    refused(11, test_change(c, "no_such_parameter", "1"), 44);
}

static void duplicates(void **state)
{
    struct message m = test_send(c, 2, 3, "1");
    struct transaction tx = test_transaction(c, 2, &m);
    struct tm_error e = {0};

    (void)state;
    begin(1);
    assert_int_equal(ledger_admit(&c->block, c->rules, &c->view, 1, &tx, &e), TM_OK);
    assert_int_equal(test_apply(c, &tx), TM_OK);
    assert_int_equal(test_apply(c, &tx), TM_ERR_RULE);
    assert_int_equal(c->error.code, 35);
    end();
    begin(2);
    assert_int_equal(test_apply(c, &tx), TM_ERR_RULE);
    assert_int_equal(c->error.code, 95);
    assert_int_equal(ledger_admit(&c->block, c->rules, &c->view, 2, &tx, &e), TM_ERR_RULE);
    assert_int_equal(e.code, 95);
}

static void signers(void **state)
{
    struct message m;

    (void)state;
    test_actor(c, ACTOR_SERVICER, 4, 5, HEIGHT_NONE, HEIGHT_NONE);
    begin(1);
    refused(3, test_send(c, 2, 3, "1"), 3);
    refused(3, test_stake(c, ACTOR_APP, 4, 5, "15000000000"), 3);
    refused(3, test_ibc(c, 2, "k", "v"), 3);
    refused(3, test_change(c, "app_max_chains", "3"), 3);
    m = test_actor_message(c, MESSAGE_UNSTAKE, ACTOR_SERVICER, 4);
    refused(3, m, 3);
    m.actor_type = ACTOR_FISH;
    refused(4, m, 94);
    refused(4, test_actor_message(c, MESSAGE_EDIT_STAKE, ACTOR_APP, 4), 94);
    included(5, test_actor_message(c, MESSAGE_UNSTAKE, ACTOR_SERVICER, 4), 0);
}

static void the_fee_must_be_there(void **state)
{
    struct message m = test_send(c, 2, 3, "0");
    struct transaction tx = test_transaction(c, 2, &m);
    struct tm_error e = {0};

    (void)state;
    test_balance(c, TREE_ACCOUNT, test_address(c, 2), "9999");
    begin(1);
    assert_int_equal(ledger_admit(&c->block, c->rules, &c->view, 1, &tx, &e), TM_ERR_RULE);
    assert_int_equal(e.code, 41);
    refused(2, m, 41);
    included(3, test_send(c, 3, 2, "1"), 0);
    included(2, m, 0);
    end();
    account(2, "0");
}

static void a_refused_transaction_leaves_nothing(void **state)
{
    const struct ledger_write *writes;

    (void)state;
    begin(1);
    refused(3, test_send(c, 2, 3, "1"), 3);
    refused(11, test_change(c, "app_max_chains", "x"), 87);
    assert_int_equal(ledger_writes(c->ledger, &writes), 0);
}

static void a_failed_handler_leaves_its_fee(void **state)
{
    const struct ledger_touch *touches;
    const struct ledger_write *writes;

    (void)state;
    begin(1);
    included(2, test_send(c, 2, 3, "100000000000"), 41);
    assert_memory_equal(c->result.error.data, "CODE: 41, ERROR: ", 17);
    assert_int_equal(ledger_writes(c->ledger, &writes), 3);
    assert_int_equal(ledger_touches(c->ledger, &touches), 3);
    assert_int_equal(touches[0].tree, TREE_ACCOUNT);
    assert_int_equal(touches[1].tree, TREE_POOL);
    assert_int_equal(touches[2].tree, TREE_TRANSACTIONS);
    end();
    account(2, "99999990000");
    account(3, "100000000000");
}

/* --- send --------------------------------------------------------------------------------------
 */

static void sends(void **state)
{
    struct address stranger = {{7}};
    struct message m;

    (void)state;
    begin(1);
    included(2, test_send(c, 2, 3, "99999990000"), 0);
    refused(2, test_send(c, 2, 3, "1"), 41); /* nothing is left for the fee */
    included(3, test_send(c, 3, 3, "5"), 0); /* to itself: only the fee */
    included(3, test_send(c, 3, 3, "300000000000"), 41);
    m = test_send(c, 4, 3, "0");
    m.to = bytes_address(&stranger);
    included(4, m, 0);
    end();
    account(2, "0");
    account(3, "199999970000");
    balance(TREE_ACCOUNT, bytes_address(&stranger), "0");
}

/* --- end of block: rewards ----------------------------------------------------------------------
 */

static void rewards(void **state)
{
    (void)state;
    test_param(c, "message_send_fee", "33");
    test_param(c, "proposer_percentage_of_fees", "10");
    begin(1);
    included(2, test_send(c, 2, 3, "1"), 0);
    included(2, test_send(c, 2, 3, "1"), 0);
    end();
    account(0, "100000000006"); /* floor(66 * 10 / 100) */
    pool(POOL_DAO, "1000000000060");
    pool(POOL_FEE_COLLECTOR, "0");
}

static void an_empty_block_writes_its_balances(void **state)
{
    static const struct address nobody = {{9}};
    const struct ledger_write *writes;

    (void)state;
    assert_int_equal(ledger_begin(&c->block, c->rules, &c->view, 1, bytes_address(&nobody),
                                  &c->ledger, &c->error),
                     TM_OK);
    assert_int_equal(ledger_end(c->ledger, &c->error), TM_OK);
    /* Everything but the proposer's account is there already, with these values. */
    assert_int_equal(ledger_writes(c->ledger, &writes), 1);
    assert_int_equal(writes[0].tree, TREE_ACCOUNT);
    assert_null(writes[0].before);
    assert_true(bytes_equal(writes[0].after->balance.text, bytes_of("0")));
    assert_int_equal(writes[0].after->valid_from, 1);
}

/* --- stake -------------------------------------------------------------------------------------
 */

static void stakes(void **state)
{
    struct message m = test_stake(c, ACTOR_SERVICER, 2, 3, "15000000001");
    struct bytes ids[3] = {bytes_of("0003"), bytes_of("0001"), bytes_of("0002")};

    (void)state;
    m.chains = ids;
    m.chain_count = 3;
    begin(1);
    included(3, m, 0);
    included(2, test_stake(c, ACTOR_SERVICER, 2, 2, "15000000000"), 60); /* in this block */
    included(2, test_stake(c, ACTOR_APP, 2, 2, "14999999999"), 45);
    included(2, test_stake(c, ACTOR_APP, 2, 2, "99999990001"), 41);
    included(4, test_stake(c, ACTOR_VAL, 4, 4, "15000000000"), 0);
    included(5, test_stake(c, ACTOR_APP, 5, 5, "15000000000"), 0);
    included(6, test_stake(c, ACTOR_FISH, 6, 6, "15000000002"), 0);
    end();
    begin(2);
    included(2, test_stake(c, ACTOR_SERVICER, 2, 2, "15000000000"), 60);
    end();
    account(3, "84999989999");
    pool(POOL_SERVICER_STAKE, "1015000000001");
    pool(POOL_VALIDATOR_STAKE, "1015000000000");
    pool(POOL_APP_STAKE, "1015000000000");
    pool(POOL_FISHERMAN_STAKE, "1015000000002");
    assert_int_equal(actor(ACTOR_SERVICER, 2)->chain_count, 3);
    assert_true(bytes_equal(actor(ACTOR_SERVICER, 2)->chains[0], bytes_of("0001")));
    assert_true(bytes_equal(actor(ACTOR_SERVICER, 2)->output, test_address(c, 3)));
    assert_int_equal(actor(ACTOR_VAL, 4)->chain_count, 0);
    assert_int_equal(actor(ACTOR_APP, 5)->service_url.size, 0);
    assert_int_equal(actor(ACTOR_FISH, 6)->paused_height, HEIGHT_NONE);
    assert_int_equal(actor(ACTOR_FISH, 6)->unstaking_height, HEIGHT_NONE);
}

static void too_many_chains(void **state)
{
    struct message m = test_stake(c, ACTOR_APP, 2, 2, "15000000000");
    struct bytes ids[2] = {bytes_of("0001"), bytes_of("0002")};

    (void)state;
    m.chains = ids;
    m.chain_count = 2;
    begin(1);
    included(11, test_change(c, "app_max_chains", "1"), 0);
    included(2, m, 52); /* in force for the next transaction */
    m.actor_type = ACTOR_VAL;
    m.service_url = bytes_of("https://v.example:443");
    included(2, m, 0); /* the list of a validator is ignored */
    end();
}

static void edits(void **state)
{
    struct message m = test_actor_message(c, MESSAGE_EDIT_STAKE, ACTOR_SERVICER, 4);
    struct bytes ids[2] = {bytes_of("0005"), bytes_of("0004")};

    (void)state;
    test_actor(c, ACTOR_SERVICER, 4, 5, 7, HEIGHT_NONE);
    test_actor(c, ACTOR_SERVICER, 6, 6, HEIGHT_NONE, 90);
    begin(8);
    included(6, test_actor_message(c, MESSAGE_EDIT_STAKE, ACTOR_SERVICER, 6), 54);
    m.amount = bytes_of("19999999999");
    included(4, m, 128);
    m.amount = bytes_of("120000000000");
    included(4, m, 41);
    m.amount = bytes_of("20000000100");
    m.chains = ids;
    m.chain_count = 2;
    included(5, m, 0); /* paused is allowed; the output address pays */
    included(11, test_change(c, "servicer_max_chains", "1"), 0);
    included(4, m, 52);
    m.chain_count = 1;
    m.amount = bytes_of("20000000100");
    m.service_url = bytes_of("https://again.example:443");
    included(4, m, 0); /* the same stake costs the fee */
    end();
    account(5, "99999989900");
    account(4, "99999960000");
    pool(POOL_SERVICER_STAKE, "1000000000100");
    assert_true(bytes_equal(actor(ACTOR_SERVICER, 4)->stake_text, bytes_of("20000000100")));
    assert_int_equal(actor(ACTOR_SERVICER, 4)->chain_count, 1);
    assert_true(bytes_equal(actor(ACTOR_SERVICER, 4)->chains[0], bytes_of("0005")));
    assert_true(
        bytes_equal(actor(ACTOR_SERVICER, 4)->service_url, bytes_of("https://again.example:443")));
    assert_int_equal(actor(ACTOR_SERVICER, 4)->paused_height, 7);
}

static void unstakes(void **state)
{
    (void)state;
    test_actor(c, ACTOR_SERVICER, 4, 5, 7, HEIGHT_NONE);
    test_param(c, "servicer_unstaking_blocks", "2");
    begin(8);
    included(4, test_actor_message(c, MESSAGE_UNSTAKE, ACTOR_SERVICER, 4), 0);
    included(5, test_actor_message(c, MESSAGE_UNSTAKE, ACTOR_SERVICER, 4), 54);
    end();
    assert_int_equal(actor(ACTOR_SERVICER, 4)->unstaking_height, 10);
    assert_int_equal(actor(ACTOR_SERVICER, 4)->chain_count, 2); /* kept */
    begin(9);
    end();
    pool(POOL_SERVICER_STAKE, "1000000000000");
    begin(10);
    end();
    assert_null(test_get(c, TREE_SERVICER, test_address(c, 4)));
    pool(POOL_SERVICER_STAKE, "980000000000");
    account(5, "119999990000");
    begin(11); /* the key may stake again */
    included(4, test_stake(c, ACTOR_SERVICER, 4, 4, "15000000000"), 0);
    end();
    assert_int_equal(actor(ACTOR_SERVICER, 4)->unstaking_height, HEIGHT_NONE);
}

static void heights_that_were_missed_unbond_too(void **state)
{
    (void)state;
    test_actor(c, ACTOR_APP, 4, 5, HEIGHT_NONE, 3);
    begin(7);
    end();
    assert_null(test_get(c, TREE_APP, test_address(c, 4)));
    account(5, "120000000000");
}

static void the_last_validator_stays(void **state)
{
    (void)state;
    test_actor(c, ACTOR_VAL, 4, 4, 5, HEIGHT_NONE); /* paused: no member of the set */
    begin(8);
    included(4, test_actor_message(c, MESSAGE_UNSTAKE, ACTOR_VAL, 4), 0);
    included(0, test_actor_message(c, MESSAGE_UNSTAKE, ACTOR_VAL, 0), 0);
    included(1, test_actor_message(c, MESSAGE_UNSTAKE, ACTOR_VAL, 1), 54);
    included(5, test_stake(c, ACTOR_VAL, 5, 5, "15000000000"), 0);
    included(1, test_actor_message(c, MESSAGE_UNSTAKE, ACTOR_VAL, 1), 0);
    included(5, test_actor_message(c, MESSAGE_UNSTAKE, ACTOR_VAL, 5), 54);
    end();
    assert_int_equal(ledger_memory_validators(&c->memory, c->rules, &c->arena).count, 1);
    begin(9);
    included(5, test_actor_message(c, MESSAGE_UNSTAKE, ACTOR_VAL, 5), 54);
    end();
}

static void unpauses(void **state)
{
    (void)state;
    test_actor(c, ACTOR_FISH, 4, 4, 6, 50);
    test_actor(c, ACTOR_FISH, 5, 5, HEIGHT_NONE, HEIGHT_NONE);
    begin(9);
    included(5, test_actor_message(c, MESSAGE_UNPAUSE, ACTOR_FISH, 5), 67);
    included(4, test_actor_message(c, MESSAGE_UNPAUSE, ACTOR_FISH, 4), 68);
    end();
    begin(10); /* 6 + the minimum of 4 */
    included(4, test_actor_message(c, MESSAGE_UNPAUSE, ACTOR_FISH, 4), 0);
    included(4, test_actor_message(c, MESSAGE_UNPAUSE, ACTOR_FISH, 4), 67);
    end();
    assert_int_equal(actor(ACTOR_FISH, 4)->paused_height, HEIGHT_NONE);
    assert_int_equal(actor(ACTOR_FISH, 4)->unstaking_height, 50); /* not cleared */
    assert_int_equal(actor(ACTOR_FISH, 4)->chain_count, 2);
}

static void long_pauses(void **state)
{
    (void)state;
    test_param(c, "app_max_pause_blocks", "10");
    test_param(c, "app_unstaking_blocks", "5");
    test_actor(c, ACTOR_APP, 4, 4, 7, HEIGHT_NONE);
    test_actor(c, ACTOR_APP, 5, 5, 7, 40);
    begin(17); /* 7 < 17 - 10 does not hold yet */
    end();
    assert_int_equal(actor(ACTOR_APP, 4)->unstaking_height, HEIGHT_NONE);
    begin(18);
    end();
    assert_int_equal(actor(ACTOR_APP, 4)->unstaking_height, 23);
    assert_int_equal(actor(ACTOR_APP, 4)->chain_count, 2);
    assert_int_equal(actor(ACTOR_APP, 5)->unstaking_height, 40);
    begin(19);
    end();
    assert_int_equal(actor(ACTOR_APP, 4)->unstaking_height, 23); /* set once */
    begin(23);
    end();
    assert_null(test_get(c, TREE_APP, test_address(c, 4)));
}

static void unpaused_in_time(void **state)
{
    (void)state;
    test_param(c, "app_max_pause_blocks", "10");
    test_actor(c, ACTOR_APP, 4, 4, 7, HEIGHT_NONE);
    begin(18);
    included(4, test_actor_message(c, MESSAGE_UNPAUSE, ACTOR_APP, 4), 0);
    end();
    assert_int_equal(actor(ACTOR_APP, 4)->unstaking_height, HEIGHT_NONE);
}

/* --- parameters and IBC ------------------------------------------------------------------------
 */

static const struct record *param(const char *name)
{
    return test_get(c, TREE_PARAMS, bytes_of(name));
}

static void parameters(void **state)
{
    struct message m = test_change(c, "acl_owner", "");

    (void)state;
    begin(4);
    included(11, test_change(c, "message_send_fee", "20000"), 0);
    included(2, test_send(c, 2, 3, "0"), 0);
    included(11, test_change(c, "app_max_chains", "15"), 0);
    m.wrapper = WRAPPER_BYTES;
    m.text_value = test_address(c, 5);
    included(11, m, 0);
    m.parameter_key = bytes_of("message_stake_app_fee_owner");
    included(5, m, 0); /* the new owner of owners */
    m = test_change(c, "message_stake_app_fee", "");
    m.wrapper = WRAPPER_STRING;
    m.text_value = bytes_of("77");
    refused(11, m, 3);
    included(5, m, 0);
    m = test_change(c, "blocks_per_session", "");
    m.wrapper = WRAPPER_INT32;
    m.int32_value = 9;
    included(11, m, 0);
    end();
    account(2, "99999980000");
    assert_true(bytes_equal(param("blocks_per_session")->value, bytes_of("9")));
    assert_int_equal(param("acl_owner")->value.size, 40);
    assert_int_equal(param("app_max_chains")->valid_from, 4); /* the same value, a new leaf */
    assert_int_equal(param("servicer_max_chains")->valid_from, 0);
}

static void ibc_entries(void **state)
{
    const struct ledger_write *writes;
    size_t count, ibc = 0;

    (void)state;
    begin(1);
    included(2, test_ibc(c, 2, "a", "1"), 0);
    included(2, test_ibc(c, 2, "a", "2"), 0);
    included(2, test_ibc(c, 2, "b", "3"), 0);
    included(2, test_ibc(c, 2, "b", NULL), 0); /* born and dead in the block */
    included(2, test_ibc(c, 2, "never", NULL), 0);
    assert_int_equal(ledger_end(c->ledger, &c->error), TM_OK);
    count = ledger_writes(c->ledger, &writes);
    for (size_t i = 0; i < count; i++)
        ibc += writes[i].tree == TREE_IBC;
    assert_int_equal(ibc, 1);
    ledger_memory_apply(&c->memory, writes, count);
    begin(2);
    included(2, test_ibc(c, 2, "a", NULL), 0);
    end();
    assert_null(test_get(c, TREE_IBC, bytes_of("a")));
}

/* --- provenance --------------------------------------------------------------------------------
 */

static void touches_name_their_step(void **state)
{
    const struct ledger_touch *t;
    const struct ledger_write *w;
    size_t writes, touches;
    int32_t steps[3];
    int n = 0;

    (void)state;
    test_actor(c, ACTOR_APP, 4, 2, HEIGHT_NONE, 3);
    begin(3);
    included(2, test_send(c, 2, 3, "5"), 0);
    included(3, test_send(c, 3, 2, "5"), 0);
    assert_int_equal(ledger_end(c->ledger, &c->error), TM_OK);
    writes = ledger_writes(c->ledger, &w);
    touches = ledger_touches(c->ledger, &t);
    for (size_t i = 1; i < writes; i++)
        assert_true(w[i - 1].tree < w[i].tree ||
                    (w[i - 1].tree == w[i].tree && bytes_compare(w[i - 1].key, w[i].key) < 0));
    for (size_t i = 0; i < touches; i++) {
        if (t[i].tree == TREE_ACCOUNT && bytes_equal(t[i].key, test_address(c, 2))) {
            assert_true(n < 3);
            steps[n++] = t[i].step;
        }
        /* FeeCollector is 0 before and after: no net effect, no provenance. */
        assert_false(t[i].tree == TREE_POOL &&
                     bytes_equal(t[i].key, pool_short_key(POOL_FEE_COLLECTOR)));
    }
    assert_int_equal(n, 3);
    assert_int_equal(steps[0], 0);
    assert_int_equal(steps[1], 1);
    assert_int_equal(steps[2], STEP_END_OF_BLOCK + 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(messages_are_checked),
        TEST(duplicates),
        TEST(signers),
        TEST(the_fee_must_be_there),
        TEST(a_refused_transaction_leaves_nothing),
        TEST(a_failed_handler_leaves_its_fee),
        TEST(sends),
        TEST(rewards),
        TEST(an_empty_block_writes_its_balances),
        TEST(stakes),
        TEST(too_many_chains),
        TEST(edits),
        TEST(unstakes),
        TEST(heights_that_were_missed_unbond_too),
        TEST(the_last_validator_stays),
        TEST(unpauses),
        TEST(long_pauses),
        TEST(unpaused_in_time),
        TEST(parameters),
        TEST(ibc_entries),
        TEST(touches_name_their_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
