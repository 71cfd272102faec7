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

static enum tm_err root_of_hashed(struct smt_leaf *leaves, size_t count, struct hash32 *out)
{
    const struct smt_leaf *pointers[LEAVES];
    struct tm_error e;

    for (size_t i = 0; i < count; i++)
        pointers[i] = &leaves[i];
    smt_hash_leaves(leaves, count);
    return smt_root_of_hashed(pointers, count, out, &e);
}

static void is_the_root_of_the_same_leaves(void **state)
{
    static const uint32_t counts[] = {0, 1, 2, 3, 5, 8, 64, 257, 1000, LEAVES};
    static struct smt_leaf leaves[LEAVES];
    static struct hash32 scratch[LEAVES];

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (size_t same = 0; same < 28; same += 9) {
            struct hash32 expected, found;
            struct tm_error e;

            make_leaves(leaves, counts[i], same);
            assert_int_equal(smt_root_of_sorted(leaves, counts[i], scratch, &expected, &e), TM_OK);
            assert_int_equal(root_of_hashed(leaves, counts[i], &found), TM_OK);
            assert_memory_equal(&found, &expected, sizeof found);
        }
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
        assert_int_equal(root_of_hashed(leaves, LEAVES, &root), TM_ERR_MALFORMED);
        make_leaves(leaves, LEAVES, 0);
        leaves[i] = leaves[0];
        leaves[0] = kept;
        assert_int_equal(root_of_hashed(leaves, LEAVES, &root), TM_ERR_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_the_root_of_the_same_leaves),
                                       cmocka_unit_test(leaves_out_of_order_are_refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
