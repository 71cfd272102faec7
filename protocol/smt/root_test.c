#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#include "../sha256/sha256.h"
#include "smt.h"

enum { LEAVES = 3000 };

static int by_path(const void *x, const void *y)
{
    return memcmp(x, y, sizeof(struct hash32));
}

/* Leaves whose paths agree in their first `same` bytes, sorted. */
static void make_leaves(struct smt_leaf *leaves, uint32_t count, size_t same)
{
    for (uint32_t i = 0; i < count; i++) {
        leaves[i].path = sha256(bytes_make(&i, sizeof i));
        leaves[i].value_hash = sha256(bytes_hash(&leaves[i].path));
        memset(leaves[i].path.b, 0x5a, same);
    }
    qsort(leaves, count, sizeof *leaves, by_path);
}

static unsigned first_bits(const struct smt_leaf *leaf, unsigned bits)
{
    return bits == 0 ? 0 : (leaf->path.b[0] << 8 | leaf->path.b[1]) >> (16 - bits);
}

/* The root by way of the subtrees below `depth`. */
static enum tm_err root_of_hashed(struct smt_leaf *leaves, size_t count, unsigned depth,
                                  struct hash32 *out)
{
    static const struct smt_leaf *pointers[LEAVES];
    static struct smt_subtree subtrees[LEAVES];
    size_t parts = 0;
    struct tm_error e;

    for (size_t i = 0; i < count; i++)
        pointers[i] = &leaves[i];
    smt_hash_leaves(leaves, count);
    for (size_t from = 0, to = 0; from < count; from = to) {
        enum tm_err err;

        while (to < count && first_bits(&leaves[to], depth) == first_bits(&leaves[from], depth))
            to++;
        err = smt_subtree_of_hashed(pointers + from, to - from, depth, &subtrees[parts++], &e);
        if (err != TM_OK)
            return err;
    }
    return smt_root_of_subtrees(subtrees, parts, out, &e);
}

static void is_the_root_of_the_same_leaves(void **state)
{
    static const uint32_t counts[] = {0, 1, 2, 3, 5, 8, 64, 257, 1000, LEAVES};
    static struct smt_leaf leaves[LEAVES];
    static struct hash32 scratch[LEAVES];

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (size_t same = 0; same < 28; same += 9)
            for (unsigned depth = 0; depth <= 12; depth += 4) {
                struct hash32 expected, found;
                struct tm_error e;

                make_leaves(leaves, counts[i], same);
                assert_int_equal(smt_root_of_sorted(leaves, counts[i], scratch, &expected, &e),
                                 TM_OK);
                assert_int_equal(root_of_hashed(leaves, counts[i], depth, &found), TM_OK);
                assert_memory_equal(&found, &expected, sizeof found);
            }
}

static void leaves_of_several_subtrees_are_refused(void **state)
{
    static struct smt_leaf leaves[LEAVES];
    const struct smt_leaf *two[2] = {&leaves[0], &leaves[LEAVES - 1]};
    struct smt_subtree out;
    struct tm_error e;

    (void)state;
    make_leaves(leaves, LEAVES, 0);
    assert_int_equal(smt_subtree_of_hashed(two, 2, 0, &out, &e), TM_OK);
    assert_int_equal(smt_subtree_of_hashed(two, 2, 8, &out, &e), TM_ERR_MALFORMED);
}

static void leaves_out_of_order_are_refused(void **state)
{
    static struct smt_leaf leaves[LEAVES];
    struct hash32 root;

    (void)state;
    for (size_t i = 1; i < LEAVES; i += 97) {
        struct smt_leaf kept;

        make_leaves(leaves, LEAVES, 0);
        kept = leaves[i];
        leaves[i] = leaves[i - 1];
        assert_int_equal(root_of_hashed(leaves, LEAVES, 0, &root), TM_ERR_MALFORMED);
        make_leaves(leaves, LEAVES, 0);
        leaves[i] = leaves[0];
        leaves[0] = kept;
        assert_int_equal(root_of_hashed(leaves, LEAVES, 0, &root), TM_ERR_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_root_of_the_same_leaves),
        cmocka_unit_test(leaves_out_of_order_are_refused),
        cmocka_unit_test(leaves_of_several_subtrees_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
