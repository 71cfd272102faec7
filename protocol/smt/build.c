#include "fold.h"

#include "../sha256/sha256.h"

enum { HASHED_TOGETHER = 256 };

static void hash_leaves(const struct smt_leaf *leaves, size_t count, struct hash32 *digests)
{
    const struct hash32 *left[HASHED_TOGETHER], *right[HASHED_TOGETHER];
    struct hash32 *out[HASHED_TOGETHER];

    for (size_t done = 0; done < count;) {
        size_t n = count - done < HASHED_TOGETHER ? count - done : HASHED_TOGETHER;

        for (size_t i = 0; i < n; i++) {
            left[i] = &leaves[done + i].path;
            right[i] = &leaves[done + i].value_hash;
            out[i] = &digests[done + i];
        }
        sha256_nodes(0, left, right, out, n);
        done += n;
    }
}

static enum tm_err unsorted(struct tm_error *e)
{
    return tm_fail(e, TM_ERR_MALFORMED, "leaves are not in the order of their paths");
}

enum tm_err smt_build(struct smt *t, const struct smt_leaf *leaves, size_t count,
                      struct tm_error *e)
{
    struct hash32 digests[HASHED_TOGETHER];
    struct smt_fold fold;
    struct smt_part whole;

    smt_clear(t);
    smt_fold_begin(&fold, t);
    for (size_t i = 0; i < count; i++) {
        size_t at = i % HASHED_TOGETHER;
        struct smt_part part = {.path = leaves[i].path, .depth = SMT_DEPTH};

        if (at == 0)
            hash_leaves(leaves + i, count - i < HASHED_TOGETHER ? count - i : HASHED_TOGETHER,
                        digests);
        part.digest = digests[at];
        part.ref = smt_make(t, SMT_LEAF);
        *smt_leaf_at(t, part.ref) = leaves[i];
        if (!smt_fold_add(&fold, part)) {
            smt_clear(t);
            return unsorted(e);
        }
    }
    whole = smt_fold_end(&fold, 0);
    t->base->root.child[0] = whole.ref;
    t->base->root.digest[0] = whole.digest;
    return TM_OK;
}

enum tm_err smt_root_of_sorted(const struct smt_leaf *leaves, size_t count, struct hash32 *scratch,
                               struct hash32 *out, struct tm_error *e)
{
    struct smt_fold fold;

    hash_leaves(leaves, count, scratch);
    smt_fold_begin(&fold, NULL);
    for (size_t i = 0; i < count; i++)
        if (!smt_fold_add(&fold, (struct smt_part){.path = leaves[i].path,
                                                   .digest = scratch[i],
                                                   .depth = SMT_DEPTH}))
            return unsorted(e);
    *out = smt_fold_end(&fold, 0).digest;
    return TM_OK;
}

void smt_hash_leaves(struct smt_leaf *leaves, size_t count)
{
    struct hash32 digests[HASHED_TOGETHER];

    for (size_t done = 0; done < count;) {
        size_t n = count - done < HASHED_TOGETHER ? count - done : HASHED_TOGETHER;

        hash_leaves(leaves + done, n, digests);
        for (size_t i = 0; i < n; i++)
            leaves[done + i].value_hash = digests[i];
        done += n;
    }
}
