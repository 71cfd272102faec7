#include "chains.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static void standard_ids(void **state)
{
    (void)state;
    assert_true(chain_id_is_standard(bytes_of("0001")));
    assert_true(chain_id_is_standard(bytes_of("!~aZ")));
    assert_false(chain_id_is_standard(bytes_of("001")));
    assert_false(chain_id_is_standard(bytes_of("00001")));
    assert_false(chain_id_is_standard(bytes_of("")));
    assert_false(chain_id_is_standard(bytes_of("00 1")));
    assert_false(chain_id_is_standard(bytes_of("00\x7f"
                                               "1")));
    assert_false(chain_id_is_standard(bytes_of("a\xc3\xa4"
                                               "b")));
}

static void padded_ids(void **state)
{
    static const struct {
        const char *id, *padded; /* NULL: refused */
    } CASE[] = {
        {"0001", "0001"},
        {"1", "1   "},
        {"", "    "},
        {"00011", NULL},
        {"0001  ", "0001"},
        {"0001 x", NULL},
        {"\xc3\xa4", "\xc3\xa4   "},
        {"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"},
        {"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", NULL},
    };
    struct bytes out;

    (void)state;
    for (size_t i = 0; i < sizeof CASE / sizeof CASE[0]; i++) {
        bool ok = chain_id_pad(&arena, bytes_of(CASE[i].id), &out);

        assert_int_equal(ok, CASE[i].padded != NULL);
        if (ok)
            assert_true(bytes_equal(out, bytes_of(CASE[i].padded)));
    }
    assert_false(chain_id_pad(&arena, bytes_make("0\0001", 3), &out));
}

static void sorted_and_united(void **state)
{
    struct bytes ids[] = {bytes_of("0003"), bytes_of("0001"), bytes_of("0003"), bytes_of("0002")};
    struct bytes more[] = {bytes_of("0002"), bytes_of("0000")};
    struct chains x = chains_sorted(&arena, ids, 4), y = chains_sorted(&arena, more, 2);
    struct chains both = chains_union(&arena, x, y);

    (void)state;
    assert_int_equal(x.count, 3);
    assert_int_equal(both.count, 4);
    for (size_t i = 0; i < both.count; i++)
        assert_int_equal(both.ids[i].data[3], '0' + (int)i);
    assert_int_equal(chains_sorted(&arena, NULL, 0).count, 0);
    assert_int_equal(chains_union(&arena, (struct chains){0}, y).count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(standard_ids),
        cmocka_unit_test(padded_ids),
        cmocka_unit_test(sorted_and_united),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
