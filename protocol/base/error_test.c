#include "error.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void failures_are_described(void **state)
{
    struct tm_error e = {.code = 7};

    (void)state;
    assert_int_equal(tm_fail(&e, TM_ERR_LIMIT, "%d bytes, %s", 12, "at most 10"), TM_ERR_LIMIT);
    assert_int_equal(e.err, TM_ERR_LIMIT);
    assert_int_equal(e.code, 0);
    assert_string_equal(e.text, "12 bytes, at most 10");
    assert_int_equal(tm_refuse(&e, 42, "no such account"), TM_ERR_RULE);
    assert_int_equal(e.err, TM_ERR_RULE);
    assert_int_equal(e.code, 42);
    assert_string_equal(e.text, "no such account");
}

static void nobody_need_listen(void **state)
{
    (void)state;
    assert_int_equal(tm_fail(NULL, TM_ERR_IO, "disk"), TM_ERR_IO);
    assert_int_equal(tm_refuse(NULL, 1, "refused"), TM_ERR_RULE);
}

static void long_texts_are_cut(void **state)
{
    char text[2 * TM_ERROR_TEXT_MAX];
    struct tm_error e;

    (void)state;
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    tm_fail(&e, TM_ERR_USAGE, "%s", text);
    assert_int_equal(strlen(e.text), TM_ERROR_TEXT_MAX - 1);
}

static void every_kind_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = TM_OK; i <= TM_ERR_USAGE; i++) {
        assert_string_not_equal(tm_err_name((enum tm_err)i), "unknown");
        for (int k = TM_OK; k < i; k++)
            assert_string_not_equal(tm_err_name((enum tm_err)i), tm_err_name((enum tm_err)k));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_are_described),
        cmocka_unit_test(nobody_need_listen),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(every_kind_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
