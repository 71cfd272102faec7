#include "amount.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct arena arena;

static void assert_text(struct amount x, const char *expected)
{
    assert_int_equal(x.text.size, strlen(expected));
    assert_memory_equal(x.text.data, expected, x.text.size);
}

static struct amount of(const char *text)
{
    struct amount x;

    assert_int_equal(amount_parse(&arena, bytes_of(text), &x), TM_OK);
    return x;
}

static void parses_as_go_does(void **state)
{
    static const char *const good[][2] = {
        {"0", "0"},
        {"-0", "0"},
        {"+0", "0"},
        {"000", "0"},
        {"-000", "0"},
        {"+015", "15"},
        {"-015", "-15"},
        {"1000", "1000"},
        {"100000000000000000000", "100000000000000000000"},
        {"-100000000000000000000", "-100000000000000000000"},
    };
    static const char *const bad[] = {"",    "+",   "-",   "--1", "+-1", " 1", "1 ", "1_0",
                                      "0x1", "1e3", "1.0", "abc", "١",   "1-", "\n"};
    struct amount x;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_text(of(good[i][0]), good[i][1]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(amount_parse(&arena, bytes_of(bad[i]), &x), TM_ERR_MALFORMED);
    assert_int_equal(amount_parse(&arena, bytes_make("1\0", 2), &x), TM_ERR_MALFORMED);
}

static void bounds_the_digits(void **state)
{
    size_t size = AMOUNT_DIGITS_MAX + 2;
    char *text = malloc(size);
    struct amount x, y;

    (void)state;
    memset(text, '9', size);
    assert_int_equal(amount_parse(&arena, bytes_make(text, AMOUNT_DIGITS_MAX), &x), TM_OK);
    assert_int_equal(amount_parse(&arena, bytes_make(text, AMOUNT_DIGITS_MAX + 1), &y),
                     TM_ERR_LIMIT);
    text[0] = '-';
    assert_int_equal(amount_parse(&arena, bytes_make(text, AMOUNT_DIGITS_MAX + 1), &y), TM_OK);
    assert_text(amount_add(&arena, x, y), "0");
    memset(text, '0', size);
    assert_int_equal(amount_parse(&arena, bytes_make(text, size), &x), TM_OK);
    assert_text(x, "0");
    free(text);
}

static void knows_the_standard_form(void **state)
{
    char text[AMOUNT_STANDARD_DIGITS_MAX + 2];

    (void)state;
    assert_true(amount_is_standard(bytes_of("0")));
    assert_true(amount_is_standard(bytes_of("10")));
    assert_false(amount_is_standard(bytes_of("")));
    assert_false(amount_is_standard(bytes_of("00")));
    assert_false(amount_is_standard(bytes_of("01")));
    assert_false(amount_is_standard(bytes_of("+1")));
    assert_false(amount_is_standard(bytes_of("-1")));
    memset(text, '9', sizeof text);
    assert_true(amount_is_standard(bytes_make(text, AMOUNT_STANDARD_DIGITS_MAX)));
    assert_false(amount_is_standard(bytes_make(text, AMOUNT_STANDARD_DIGITS_MAX + 1)));
}

static void adds_and_subtracts(void **state)
{
    static const char *const rows[][4] = {
        /* x, y, x + y, x - y */
        {"0", "0", "0", "0"},
        {"5", "-7", "-2", "12"},
        {"999999999999999999", "999999999999999999", "1999999999999999998", "0"},
        {"-999999999999999999", "999999999999999999", "0", "-1999999999999999998"},
        {"1000000000000000000", "1", "1000000000000000001", "999999999999999999"},
        {"1", "100000000000000000000", "100000000000000000001", "-99999999999999999999"},
        {"-340282366920938463463374607431768211456", "1",
         "-340282366920938463463374607431768211455", "-340282366920938463463374607431768211457"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_text(amount_add(&arena, of(rows[i][0]), of(rows[i][1])), rows[i][2]);
        assert_text(amount_subtract(&arena, of(rows[i][0]), of(rows[i][1])), rows[i][3]);
    }
    assert_text(amount_of_int(&arena, INT64_MIN), "-9223372036854775808");
    assert_text(amount_of_int(&arena, INT64_MAX), "9223372036854775807");
    assert_text(AMOUNT_ZERO, "0");
}

static void compares(void **state)
{
    static const char *const ascending[] = {"-100000000000000000000",
                                            "-12",
                                            "-11",
                                            "-2",
                                            "0",
                                            "1",
                                            "9",
                                            "10",
                                            "999999999999999999",
                                            "1000000000000000000",
                                            "100000000000000000000"};
    size_t n = sizeof ascending / sizeof ascending[0];

    (void)state;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            int c = amount_compare(of(ascending[i]), of(ascending[j]));

            assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
        }
    assert_true(amount_is_negative(of("-1")));
    assert_false(amount_is_negative(of("-0")));
}

static void takes_percentages_in_integers(void **state)
{
    (void)state;
    assert_text(amount_percent(&arena, of("0"), 10), "0");
    assert_text(amount_percent(&arena, of("10009"), 10), "1000");
    assert_text(amount_percent(&arena, of("999999999999999999"), 100), "999999999999999999");
    assert_text(amount_percent(&arena, of("15632393290034665546"), 98), "15319745424233972235");
    assert_text(amount_percent(&arena, of("100000000000000000000099"), 1),
                "1000000000000000000000");
}

/* Expected values from exact rationals rounded twice to max(64, bit length) bits; most of these
 * differ from the floor. */
static void takes_percentages_in_floats(void **state)
{
    static const struct {
        const char *x;
        int percent;
        const char *share;
    } rows[] = {
        {"0", 10, "0"},
        {"10009", 10, "1000"},
        {"-10009", 10, "-1000"},
        {"72057594037927935", 33, "23779006032516218"},
        {"144115188075855873", 99, "142674036195097314"},
        {"15632393290034665546", 98, "15319745424233972236"},
        {"17437166598339548353", 41, "7149238305319214825"},
        {"4063973882861458506", 49, "1991347202602114668"},
        {"401090261799689954544", 93, "373013943473711657726"},
        {"-1208925819614629174718521", 37, "-447302553257412794645852"},
        {"813616143173692936665308964907", 71, "577667461653321985032369365084"},
        {"859972885371685452644496858266256067647629877369029731290441", 70,
         "601981019760179816851147800786379247353340914158320811903309"},
        {"24995900211152784494571885310312801893988116939727581218520", 99,
         "24745941209041256649626166457209673875048235770330305406335"},
        {"100000000000000000000000000000000000000000000000000000000000000000000000000007", 10,
         "10000000000000000000000000000000000000000000000000000000000000000000000000000"},
        {"100000000000000000000", 0, "0"},
        {"100000000000000000001", 100, "100000000000000000001"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_text(amount_percent_float(&arena, of(rows[i].x), rows[i].percent), rows[i].share);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_as_go_does),
        cmocka_unit_test(bounds_the_digits),
        cmocka_unit_test(knows_the_standard_form),
        cmocka_unit_test(adds_and_subtracts),
        cmocka_unit_test(compares),
        cmocka_unit_test(takes_percentages_in_integers),
        cmocka_unit_test(takes_percentages_in_floats),
    };
    int failed;

    arena_init(&arena);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
