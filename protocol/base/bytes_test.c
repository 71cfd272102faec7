#include "bytes.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static void equality(void **state)
{
    (void)state;
    assert_true(bytes_equal(bytes_of("pool"), bytes_of("pool")));
    assert_false(bytes_equal(bytes_of("pool"), bytes_of("pools")));
    assert_false(bytes_equal(bytes_of("pool"), bytes_of("poor")));
    assert_true(bytes_equal(bytes_make(NULL, 0), bytes_of("")));
}

static void byte_order(void **state)
{
    (void)state;
    assert_int_equal(bytes_compare(bytes_of("app"), bytes_of("app")), 0);
    assert_true(bytes_compare(bytes_of("app"), bytes_of("apps")) < 0);
    assert_true(bytes_compare(bytes_of("b"), bytes_of("app")) > 0);
    assert_true(bytes_compare(bytes_of("\x7f"), bytes_of("\x80")) < 0);
    assert_true(bytes_compare(bytes_make(NULL, 0), bytes_of("a")) < 0);
    assert_int_equal(bytes_compare(bytes_make(NULL, 0), bytes_make(NULL, 0)), 0);
}

static void wrapped_values(void **state)
{
    struct hash32 a = {{1, 2}}, b = {{1, 2}};
    struct address address = {{3}};

    (void)state;
    assert_true(hash32_equal(&a, &b));
    b.b[31] = 1;
    assert_false(hash32_equal(&a, &b));
    assert_ptr_equal(bytes_hash(&a).data, a.b);
    assert_int_equal(bytes_hash(&a).size, 32);
    assert_ptr_equal(bytes_address(&address).data, address.b);
    assert_int_equal(bytes_address(&address).size, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality),
        cmocka_unit_test(byte_order),
        cmocka_unit_test(wrapped_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
