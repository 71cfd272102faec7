#include "params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void table_has_every_name_once(void **state)
{
    (void)state;
    for (int i = 0; i < PARAMS_COUNT; i++)
        assert_int_equal(param_index(bytes_of(PARAMS[i].name)), i);
    assert_int_equal(param_index(bytes_of("")), -1);
    assert_int_equal(param_index(bytes_of("blocks_per_sessio")), -1);
    assert_int_equal(param_index(bytes_of("blocks_per_sessions")), -1);
    assert_int_equal(param_index(bytes_of("zzz")), -1);
    assert_int_equal(param_index(bytes_make("acl_owner\0", 10)), -1);
}

static void fields_have_their_numbers(void **state)
{
    (void)state;
    assert_string_equal(PARAMS[0].name, "blocks_per_session");
    assert_string_equal(PARAMS[25].name, "proposer_percentage_of_fees");
    assert_string_equal(PARAMS[53].name, "message_change_parameter_fee");
    assert_string_equal(PARAMS[54].name, "acl_owner");
    assert_string_equal(PARAMS[108].name, "message_change_parameter_fee_owner");
}

static void owners_are_parameters(void **state)
{
    int irregular = 0;

    (void)state;
    for (int i = 0; i < PARAMS_COUNT; i++) {
        const struct param_info *p = &PARAMS[i];
        int owner = param_index(bytes_of(p->owner));

        assert_true(owner >= 54);
        assert_int_equal(PARAMS[owner].kind, PARAM_ADDRESS);
        if (i >= 54) {
            assert_int_equal(p->kind, PARAM_ADDRESS);
            assert_string_equal(p->owner, "acl_owner");
        } else if (strncmp(p->owner, p->name, strlen(p->name)) != 0) {
            irregular++;
        } else {
            assert_string_equal(p->owner + strlen(p->name), "_owner");
        }
    }
    assert_int_equal(irregular, 4);
}

static void defaults_pass_the_check(void **state)
{
    (void)state;
    for (int i = 0; i < PARAMS_COUNT; i++) {
        struct tm_error e;

        assert_int_equal(param_check(&PARAMS[i], bytes_of(PARAMS[i].default_value), &e), TM_OK);
    }
}

static void values_are_checked(void **state)
{
    static const struct {
        const char *name, *value;
        bool ok;
    } CASE[] = {
        {"blocks_per_session", "0", false},
        {"blocks_per_session", "1", true},
        {"blocks_per_session", "01", false},
        {"blocks_per_session", "+1", false},
        {"blocks_per_session", "-1", false},
        {"blocks_per_session", "", false},
        {"blocks_per_session", "1 ", false},
        {"blocks_per_session", "2147483647", true},
        {"blocks_per_session", "2147483648", false},
        {"blocks_per_session", "99999999999", false},
        {"servicers_per_session", "0", true},
        {"app_minimum_pause_blocks", "0", true},
        {"app_max_chains", "0", false},
        {"fisherman_unstaking_blocks", "0", false},
        {"validator_max_pause_blocks", "0", false},
        {"validator_maximum_missed_blocks", "0", false},
        {"validator_max_evidence_age_in_blocks", "0", false},
        {"proposer_percentage_of_fees", "0", true},
        {"proposer_percentage_of_fees", "100", true},
        {"proposer_percentage_of_fees", "101", false},
        {"missed_blocks_burn_percentage", "101", false},
        {"double_sign_burn_percentage", "101", false},
        {"message_send_fee", "0", true},
        {"message_send_fee", "007", false},
        {"message_send_fee", "-1", false},
        {"message_send_fee",
         "9999999999999999999999999999999999999999"
         "99999999999999999999999999999999999999",
         true},
        {"message_send_fee",
         "1000000000000000000000000000000000000000"
         "000000000000000000000000000000000000000",
         false},
        {"acl_owner", "da034209758b78eaea06dd99c07909ab54c99b45", true},
        {"acl_owner", "DA034209758b78eaea06dd99c07909ab54c99b45", false},
        {"acl_owner", "da034209758b78eaea06dd99c07909ab54c99b4", false},
        {"acl_owner", "da034209758b78eaea06dd99c07909ab54c99b4g", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASE / sizeof CASE[0]; i++) {
        const struct param_info *info = &PARAMS[param_index(bytes_of(CASE[i].name))];
        struct tm_error e = {0};
        enum tm_err err = param_check(info, bytes_of(CASE[i].value), &e);

        assert_int_equal(err, CASE[i].ok ? TM_OK : TM_ERR_RULE);
        if (!CASE[i].ok) {
            assert_int_equal(e.code, 87);
            assert_non_null(strstr(e.text, CASE[i].name));
        }
    }
}

/* strconv.Atoi */
static void integers_as_the_reference_reads_them(void **state)
{
    static const struct {
        const char *text;
        int64_t n;
    } GOOD[] = {{"0", 0},
                {"-0", 0},
                {"+5", 5},
                {"0000000000000000000000007", 7},
                {"-12", -12},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN}};
    static const char *const BAD[] = {"",
                                      "+",
                                      "-",
                                      " 5",
                                      "5 ",
                                      "1_0",
                                      "0x",
                                      "+-1",
                                      "1.0",
                                      "9223372036854775808",
                                      "99999999999999999999"};
    int64_t n;

    (void)state;
    for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++) {
        assert_true(param_read_integer(bytes_of(GOOD[i].text), &n));
        assert_true(n == GOOD[i].n);
    }
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_false(param_read_integer(bytes_of(BAD[i]), &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_has_every_name_once),
        cmocka_unit_test(fields_have_their_numbers),
        cmocka_unit_test(owners_are_parameters),
        cmocka_unit_test(defaults_pass_the_check),
        cmocka_unit_test(values_are_checked),
        cmocka_unit_test(integers_as_the_reference_reads_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
