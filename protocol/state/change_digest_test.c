#include "change_digest.h"

#include "../base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void assert_hash(const struct hash32 *h, const char *expected)
{
    char text[65] = {0};

    hex_encode(bytes_hash(h), text);
    assert_string_equal(text, expected);
}

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static void nothing_is_zero(void **state)
{
    struct hash32 h;

    (void)state;
    assert_true(change_digest(NULL, 0, &h));
    assert_hash(&h, ZEROS);
    assert_true(node_digest(NULL, 0, &h));
    assert_hash(&h, ZEROS);
}

/* Expected values: Python's hashlib over the layout of the header. */
static void changes_in_any_order(void **state)
{
    struct change_entry x = {bytes_of("alpha"), bytes_of("leaf"), true};
    struct change_entry y = {bytes_of("alphabet"), bytes_of("ignored"), false};
    struct change_entry z = {bytes_of("b"), bytes_of(""), true};
    struct change_entry one[] = {x, y, z}, two[] = {z, y, x};
    struct hash32 h;

    (void)state;
    assert_true(change_digest(one, 3, &h));
    assert_hash(&h, "73dbbbd67bed5e918d361ea69b6b15959c8b452030503bfa72234d3d09b3b19d");
    assert_true(change_digest(two, 3, &h));
    assert_hash(&h, "73dbbbd67bed5e918d361ea69b6b15959c8b452030503bfa72234d3d09b3b19d");
}

static void nodes_in_any_order(void **state)
{
    struct node_entry x = {4, 6, 63, true, {{0}}};
    struct node_entry y = {4, 60, (UINT64_C(1) << 60) - 1, false, {{0}}};
    struct node_entry z = {4, 60, 1, true, {{0}}};
    struct node_entry w = {3, 12, 5, true, {{0}}};
    struct hash32 h;

    (void)state;
    memset(x.digest.b, 1, 32);
    memset(y.digest.b, 2, 32);
    memset(z.digest.b, 3, 32);
    memset(w.digest.b, 4, 32);
    assert_true(node_digest((struct node_entry[]){y, x, z, w}, 4, &h));
    assert_hash(&h, "15c0d98ea0fcb3ef406694a2d1fbbb73c39ebece7d8a9add19f2276225b8adae");
    assert_true(node_digest((struct node_entry[]){w, z, y, x}, 4, &h));
    assert_hash(&h, "15c0d98ea0fcb3ef406694a2d1fbbb73c39ebece7d8a9add19f2276225b8adae");
}

static void repeated_keys_are_refused(void **state)
{
    struct change_entry changes[] = {{bytes_of("k"), bytes_of("1"), true},
                                     {bytes_of("j"), bytes_of("1"), true},
                                     {bytes_of("k"), bytes_of("2"), false}};
    struct node_entry nodes[] = {{1, 6, 2, true, {{0}}}, {1, 6, 2, false, {{0}}}};
    struct hash32 h;

    (void)state;
    assert_false(change_digest(changes, 3, &h));
    assert_false(node_digest(nodes, 2, &h));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_zero),
        cmocka_unit_test(changes_in_any_order),
        cmocka_unit_test(nodes_in_any_order),
        cmocka_unit_test(repeated_keys_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
