#include "hex.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static void there_and_back(void **state)
{
    uint8_t all[256], back[256];
    char text[513];
    struct arena a;

    (void)state;
    arena_init(&a);
    for (int i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    text[512] = '#';
    hex_encode(bytes_make(all, sizeof all), text);
    assert_int_equal(text[512], '#');
    text[512] = '\0';
    assert_memory_equal(text, "000102", 6);
    assert_string_equal(text + 506, "fdfeff");
    assert_string_equal(hex_text(&a, bytes_make(all, sizeof all)), text);
    assert_string_equal(hex_text(&a, bytes_make(NULL, 0)), "");
    assert_true(hex_decode(bytes_of(text), back));
    assert_memory_equal(all, back, sizeof all);
    arena_free(&a);
}

static void either_case(void **state)
{
    uint8_t out[3];

    (void)state;
    assert_true(hex_decode(bytes_of("aBCdEf"), out));
    assert_memory_equal(out, "\xab\xcd\xef", 3);
    assert_true(hex_decode(bytes_of(""), out));
}

static void nothing_else(void **state)
{
    static const char *const wrong[] = {"a", "abc", "0g", "g0", " 0", "0x", "-1", "a:", "/0", "`0"};
    uint8_t out[2];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(hex_decode(bytes_of(wrong[i]), out));
    assert_false(hex_decode(bytes_make("0\0", 2), out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(either_case),
        cmocka_unit_test(nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
