#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "transaction.h"

static const uint8_t BYTES[600];

static struct bytes run(size_t size)
{
    return bytes_make(BYTES, size);
}

static void assert_code(const struct message *m, int code)
{
    struct tm_error e = {TM_OK, 0, ""};
    enum tm_err err = message_check(m, &e);

    assert_int_equal(e.code, code);
    assert_int_equal(err, code == 0 ? TM_OK : TM_ERR_RULE);
    assert_true(code == 0 || e.text[0] != '\0');
}

static struct message send_message(void)
{
    return (struct message){
        .kind = MESSAGE_SEND, .from = run(20), .to = run(20), .amount = bytes_of("0")};
}

static struct message stake_message(int actor_type)
{
    static struct bytes chains[3];

    chains[0] = bytes_of("0002");
    chains[1] = bytes_of("0001");
    chains[2] = bytes_of("~!a\"");
    return (struct message){
        .kind = MESSAGE_STAKE,
        .actor_type = actor_type,
        .public_key = run(32),
        .address = run(20),
        .chains = chains,
        .chain_count = 3,
        .amount = bytes_of("15000000000"),
        .service_url = bytes_of("https://foo.bar:443"),
        .output = run(20),
    };
}

static void checks_sends(void **state)
{
    struct message m = send_message();

    (void)state;
    assert_code(&m, 0);
    m.to = run(19);
    m.amount = bytes_of("");
    assert_code(&m, 21);
    m.to = run(0);
    assert_code(&m, 20);
    m.from = run(21);
    assert_code(&m, 21);
    m.from = run(0);
    assert_code(&m, 20);
    m = send_message();
    m.to = run(600);
    assert_code(&m, 21);
}

static void checks_amounts(void **state)
{
    static const struct {
        const char *text;
        int code;
    } rows[] = {
        {"0", 0},   {"1", 0},   {"", 51},    {"-1", 118}, {"-0", 118}, {"-", 118}, {"+1", 40},
        {"00", 40}, {"01", 40}, {"1.0", 40}, {"1e3", 40}, {" 1", 40},  {"x", 40},
    };
    char digits[80];
    struct message m = send_message();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        m.amount = bytes_of(rows[i].text);
        assert_code(&m, rows[i].code);
    }
    memset(digits, '9', sizeof digits);
    m.amount = bytes_make(digits, 78);
    assert_code(&m, 0);
    m.amount = bytes_make(digits, 79);
    assert_code(&m, 40);
}

static void checks_stakes_in_order(void **state)
{
    struct message m;

    (void)state;
    for (int type = 1; type <= 4; type++) {
        m = stake_message(type);
        assert_code(&m, 0);
        m.kind = MESSAGE_EDIT_STAKE;
        m.public_key = m.output = run(0);
        assert_code(&m, 0);
    }
    m = stake_message(2);
    m.service_url = bytes_of("validator1:42069");
    assert_code(&m, 70);
    m.chain_count = 0;
    assert_code(&m, 47);
    m.amount = bytes_of("");
    assert_code(&m, 51);
    m.actor_type = 0;
    assert_code(&m, 130);
    m.output = run(21);
    assert_code(&m, 21);
    m.output = run(0);
    assert_code(&m, 49);
    m.public_key = run(31);
    assert_code(&m, 50);
    m.public_key = run(0);
    assert_code(&m, 31);
    m.kind = MESSAGE_EDIT_STAKE;
    assert_code(&m, 130);
    m.address = run(0);
    assert_code(&m, 20);
    m = stake_message(5);
    assert_code(&m, 130);
    m = stake_message(-1);
    assert_code(&m, 130);
}

static void checks_chains(void **state)
{
    static const struct {
        const char *chain;
        int code;
    } rows[] = {{"", 46},
                {"001", 48},
                {"00001", 48},
                {"00 1", 48},
                {"00\t1", 48},
                {"00\x7f"
                 "1",
                 48},
                {"\xc3\xa9"
                 "01",
                 48},
                {"0001", 48} /* listed twice */};
    struct message m = stake_message(1);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        m.chains[2] = bytes_of(rows[i].chain);
        m.actor_type = 1;
        assert_code(&m, rows[i].code);
        m.actor_type = 4; /* a validator's list is ignored */
        assert_code(&m, 0);
    }
    m.chain_count = 0;
    assert_code(&m, 0);
}

static void finds_a_repeated_chain_among_many(void **state)
{
    static char names[MESSAGE_CHAINS_MAX][5];
    static struct bytes chains[MESSAGE_CHAINS_MAX];
    struct message m = stake_message(1);

    (void)state;
    for (size_t i = 0; i < MESSAGE_CHAINS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "%04x", (unsigned)i);
        chains[i] = bytes_of(names[i]);
    }
    m.chains = chains;
    m.chain_count = MESSAGE_CHAINS_MAX;
    assert_code(&m, 0);
    chains[MESSAGE_CHAINS_MAX - 1] = chains[0];
    assert_code(&m, 48);
}

static void checks_service_urls(void **state)
{
    static char url[300];
    struct message m = stake_message(1);

    (void)state;
    m.service_url = bytes_of("anything");
    assert_code(&m, 0); /* not for applications */
    m.actor_type = 3;
    assert_code(&m, 70);
    memset(url, 'a', sizeof url);
    memcpy(url, "https://", 8);
    memcpy(url + 251, ".b:1", 4);
    m.service_url = bytes_make(url, 255);
    assert_code(&m, 0);
    url[250] = '.';
    memcpy(url + 251, "bc:12", 5);
    m.service_url = bytes_make(url, 256);
    assert_code(&m, 70);
}

static void checks_unstake_and_unpause(void **state)
{
    struct message m = {.kind = MESSAGE_UNSTAKE, .address = run(20)};

    (void)state;
    for (int kind = MESSAGE_UNSTAKE; kind <= MESSAGE_UNPAUSE; kind++) {
        m.kind = (enum message_kind)kind;
        m.address = run(20);
        assert_code(&m, 0);
        m.address = run(1);
        assert_code(&m, 21);
        m.address = run(0);
        assert_code(&m, 20);
    }
}

static struct message change_parameter(const char *name, const char *text)
{
    return (struct message){
        .kind = MESSAGE_CHANGE_PARAMETER,
        .owner = run(20),
        .parameter_key = bytes_of(name),
        .has_parameter_value = true,
        .wrapper = WRAPPER_STRING,
        .wrapper_decodes = true,
        .text_value = bytes_of(text),
    };
}

static void checks_parameter_changes_in_order(void **state)
{
    struct message m = change_parameter("blocks_per_session", "5");

    (void)state;
    assert_code(&m, 0);
    m.wrapper_decodes = false;
    assert_code(&m, 28);
    m.wrapper = WRAPPER_OTHER;
    assert_code(&m, 87);
    m.parameter_key = bytes_of("no_such_parameter");
    assert_code(&m, 44);
    m.parameter_key = run(600);
    assert_code(&m, 44);
    m.owner = run(19);
    assert_code(&m, 21);
    m.owner = run(0);
    assert_code(&m, 20);
    m.has_parameter_value = false;
    assert_code(&m, 93);
    m.parameter_key = run(0);
    assert_code(&m, 92);
}

static void checks_parameter_values(void **state)
{
    static const struct {
        const char *name, *text;
        int code;
    } rows[] = {
        {"blocks_per_session", "1", 0},
        {"blocks_per_session", "2147483647", 0},
        {"blocks_per_session", "0", 87},
        {"blocks_per_session", "2147483648", 87},
        {"blocks_per_session", "01", 87},
        {"blocks_per_session", "-1", 87},
        {"blocks_per_session", "five", 87},
        {"blocks_per_session", "", 87},
        {"proposer_percentage_of_fees", "100", 0},
        {"proposer_percentage_of_fees", "101", 87},
        {"message_send_fee", "0", 0},
        {"message_send_fee", "-1", 87},
        {"message_send_fee", "", 87},
        {"acl_owner", "da034209758b78eaea06dd99c07909ab54c99b45", 0},
        {"acl_owner", "DA034209758b78eaea06dd99c07909ab54c99b45", 87},
        {"acl_owner", "da", 87},
    };
    struct message m;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        m = change_parameter(rows[i].name, rows[i].text);
        assert_code(&m, rows[i].code);
    }
}

static void checks_parameter_wrappers(void **state)
{
    struct message m = change_parameter("blocks_per_session", "");

    (void)state;
    m.wrapper = WRAPPER_INT32;
    m.int32_value = 5;
    assert_code(&m, 0);
    m.int32_value = 0;
    assert_code(&m, 87);
    m.int32_value = INT32_MIN;
    assert_code(&m, 87);
    m.int32_value = INT32_MAX;
    assert_code(&m, 0);
    m.parameter_key = bytes_of("message_send_fee");
    assert_code(&m, 87);
    m.parameter_key = bytes_of("acl_owner");
    assert_code(&m, 87);
    m.wrapper = WRAPPER_BYTES;
    m.text_value = run(20);
    assert_code(&m, 0);
    m.text_value = run(19);
    assert_code(&m, 87);
    m.text_value = run(40);
    assert_code(&m, 87);
    m.parameter_key = bytes_of("blocks_per_session");
    m.text_value = run(20);
    assert_code(&m, 87);
}

static void checks_ibc_messages(void **state)
{
    struct message m = {.kind = MESSAGE_UPDATE_IBC_STORE, .key = run(1), .value = run(1)};

    (void)state;
    assert_code(&m, 0);
    m.key = run(512);
    assert_code(&m, 0);
    m.key = run(513);
    assert_code(&m, 144);
    m.key = run(0);
    assert_code(&m, 144);
    m.key = run(1);
    m.value = run(0);
    assert_code(&m, 144);
    m.kind = MESSAGE_PRUNE_IBC_STORE;
    assert_code(&m, 0);
    m.key = run(513);
    assert_code(&m, 144);
    m.key = run(0);
    assert_code(&m, 144);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_sends),
        cmocka_unit_test(checks_amounts),
        cmocka_unit_test(checks_stakes_in_order),
        cmocka_unit_test(checks_chains),
        cmocka_unit_test(finds_a_repeated_chain_among_many),
        cmocka_unit_test(checks_service_urls),
        cmocka_unit_test(checks_unstake_and_unpause),
        cmocka_unit_test(checks_parameter_changes_in_order),
        cmocka_unit_test(checks_parameter_values),
        cmocka_unit_test(checks_parameter_wrappers),
        cmocka_unit_test(checks_ibc_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
