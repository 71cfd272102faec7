#include "watchdog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

static enum watchdog_verdict judge(struct watchdog_limits l, int64_t statement, int64_t transaction,
                                   int64_t idle)
{
    const struct watchdog_session s = {statement, transaction, idle};

    return watchdog_judge(&l, &s);
}

static void test_each_limit(void **state)
{
    const struct watchdog_limits l = {100, 200, 300};

    (void)state;
    assert_int_equal(judge(l, -1, -1, -1), WATCHDOG_KEEP);
    assert_int_equal(judge(l, 100, 200, -1), WATCHDOG_KEEP);
    assert_int_equal(judge(l, -1, -1, 300), WATCHDOG_KEEP);
    assert_int_equal(judge(l, 101, 101, -1), WATCHDOG_STATEMENT);
    assert_int_equal(judge(l, 5, 201, -1), WATCHDOG_TRANSACTION);
    assert_int_equal(judge(l, -1, 201, -1), WATCHDOG_TRANSACTION);
    assert_int_equal(judge(l, -1, -1, 301), WATCHDOG_IDLE);
    /* idle for the server, but still handing over notifications */
    assert_int_equal(judge(l, -1, 201, 250), WATCHDOG_TRANSACTION);
}

static void test_no_limit(void **state)
{
    const struct watchdog_limits none = {0, 0, 0};

    (void)state;
    assert_int_equal(judge(none, INT64_MAX, INT64_MAX, INT64_MAX), WATCHDOG_KEEP);
    assert_int_equal(watchdog_interval(&none), 0);
}

static void test_reason(void **state)
{
    const struct watchdog_limits l = watchdog_defaults();
    const struct watchdog_session s = {120250, 300000, -1};
    char text[WATCHDOG_TEXT_MAX];

    (void)state;
    watchdog_reason(WATCHDOG_STATEMENT, &l, &s, text);
    assert_string_equal(text, "a statement ran for 120.2 s; the limit is 120.0 s");
    for (enum watchdog_verdict v = WATCHDOG_STATEMENT; v <= WATCHDOG_IDLE; v++)
        assert_true(strlen(watchdog_hint(v)) > 10);
}

static void test_interval(void **state)
{
    const struct watchdog_limits l = watchdog_defaults();
    const struct watchdog_limits quick = {1000, 0, 100}, tiny = {0, 4, 0};

    (void)state;
    assert_int_equal(watchdog_interval(&l), 5000);
    assert_int_equal(watchdog_interval(&quick), 100);
    assert_int_equal(watchdog_interval(&tiny), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_limit),
        cmocka_unit_test(test_no_limit),
        cmocka_unit_test(test_reason),
        cmocka_unit_test(test_interval),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
