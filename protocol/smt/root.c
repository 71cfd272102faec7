/*
 * Roots over sorted leaves alone. One path of a fold hashes one node after the other, each from
 * the one before; here several subtrees are folded side by side, so that their hashes fill the
 * lanes of the kernel.
 */
#include "fold.h"

#include "../sha256/sha256.h"

enum {
    TOP_BITS = 6,
    SUBTREES = 1 << TOP_BITS,
    LANES = 8,
    AHEAD = 4, /* leaves fetched before their turn: they come from several runs in memory */
    JOIN_ALL = -1
};

/* One subtree on its way: a fold that stops wherever it needs a hash. */
struct lane {
    struct smt_fold fold;
    const struct smt_leaf *const *next, *const *end;
    unsigned subtree;
    int apart;       /* bits the next leaf shares with the one before; JOIN_ALL: there is none */
    bool considered; /* apart is that of the next leaf */
    bool unsorted;
    struct hash32 *to; /* where `out` belongs */
    struct hash32 out;
};

/* The step up of a subtree along a one-sided run, if it stands deeper than `depth`. */
static bool wants_climb(struct lane *l, struct smt_part *p, unsigned depth,
                        const struct hash32 **left, const struct hash32 **right)
{
    bool is_right;

    if (p->depth == SMT_DEPTH || p->depth <= depth)
        return false;
    p->depth--;
    is_right = smt_bit(p->path.b, p->depth);
    *left = is_right ? &smt_zero : &p->digest;
    *right = is_right ? &p->digest : &smt_zero;
    l->to = &p->digest;
    return true;
}

/* How far the next leaf is from the last one; false if it should have come before. */
static bool consider(struct lane *l)
{
    const struct smt_fold *f = &l->fold;

    l->considered = true;
    l->apart = JOIN_ALL;
    if (l->next == l->end || f->count == 0)
        return true;
    l->apart = (int)smt_common(f->part[f->count - 1].path.b, (*l->next)->path.b);
    l->unsorted |=
        memcmp(f->part[f->count - 1].path.b, (*l->next)->path.b, sizeof(struct hash32)) >= 0;
    return !l->unsorted;
}

/* Goes on until a hash is needed: false if the subtree is finished, or not sorted. */
static bool wants_hash(struct lane *l, const struct hash32 **left, const struct hash32 **right)
{
    struct smt_fold *f = &l->fold;

    for (;;) {
        if (!l->considered && !consider(l))
            return false;
        if (f->count > 1 && (int)f->part[f->count - 1].apart > l->apart) {
            struct smt_part *last = &f->part[f->count - 1], *before = last - 1;
            unsigned bit = last->apart;

            if (wants_climb(l, before, bit + 1, left, right) ||
                wants_climb(l, last, bit + 1, left, right))
                return true;
            *left = &before->digest;
            *right = &last->digest;
            l->to = &before->digest;
            before->depth = (uint16_t)bit;
            f->count--;
            return true;
        }
        if (l->next == l->end)
            return false;
        f->part[f->count++] = (struct smt_part){.path = (*l->next)->path,
                                                .digest = (*l->next)->value_hash,
                                                .depth = SMT_DEPTH,
                                                .apart = (uint16_t)l->apart};
        l->next++;
        l->considered = false;
        if (l->end - l->next > AHEAD) {
            __builtin_prefetch(l->next[AHEAD]);
            __builtin_prefetch((const uint8_t *)l->next[AHEAD] + sizeof(struct smt_leaf) - 1);
        }
    }
}

static unsigned subtree_of(const struct smt_leaf *leaf, unsigned depth)
{
    return (unsigned)(smt_word(leaf->path.b, 0) << depth >> (64 - TOP_BITS));
}

/* The leaves of subtree n of the SUBTREES below `depth`, from *next on. */
static void give(struct lane *l, unsigned depth, unsigned n, const struct smt_leaf *const **next,
                 const struct smt_leaf *const *end)
{
    const struct smt_leaf *const *low = *next, *const *high = end;

    while (low < high) {
        const struct smt_leaf *const *middle = low + (high - low) / 2;

        if (subtree_of(*middle, depth) <= n)
            low = middle + 1;
        else
            high = middle;
    }
    smt_fold_begin(&l->fold, NULL);
    l->subtree = n;
    l->considered = false;
    /* Where the leaves are not sorted, the search may have ended anywhere. */
    l->unsorted =
        *next < low && (subtree_of(**next, depth) != n || subtree_of(low[-1], depth) != n);
    l->next = *next;
    l->end = *next = low;
}

enum tm_err smt_subtree_of_hashed(const struct smt_leaf *const *leaves, size_t count,
                                  unsigned depth, struct smt_subtree *out, struct tm_error *e)
{
    const struct smt_leaf *const *next = leaves, *const *end = leaves + count;
    struct smt_part top[SUBTREES];
    bool there[SUBTREES] = {false}, sorted = true;
    struct lane lane[LANES];
    unsigned given = 0, lanes = 0;
    struct smt_fold fold;
    struct smt_part whole;

    while (lanes < LANES)
        give(&lane[lanes++], depth, given++, &next, end);
    while (lanes > 0) {
        const struct hash32 *left[LANES], *right[LANES];
        struct hash32 *to[LANES];

        for (unsigned i = 0; i < lanes;) {
            struct lane *l = &lane[i];

            if (wants_hash(l, &left[i], &right[i])) {
                to[i++] = &l->out;
                continue;
            }
            sorted = sorted && !l->unsorted;
            there[l->subtree] = l->fold.count > 0;
            if (there[l->subtree])
                top[l->subtree] = l->fold.part[0];
            if (given < SUBTREES)
                give(l, depth, given++, &next, end);
            else if (i < --lanes)
                *l = lane[lanes];
        }
        sha256_nodes(1, left, right, to, lanes);
        for (unsigned i = 0; i < lanes; i++)
            *lane[i].to = lane[i].out;
    }
    smt_fold_begin(&fold, NULL);
    for (unsigned i = 0; i < SUBTREES; i++)
        if (there[i])
            smt_fold_add(&fold, top[i]);
    if (!sorted || next != end || smt_common(leaves[0]->path.b, end[-1]->path.b) < depth)
        return tm_fail(e, TM_ERR_MALFORMED, "leaves are not in the order of their paths");
    whole = smt_fold_end(&fold, depth);
    *out = (struct smt_subtree){whole.path, whole.digest, whole.depth};
    return TM_OK;
}

enum tm_err smt_root_of_subtrees(const struct smt_subtree *subtrees, size_t count,
                                 struct hash32 *out, struct tm_error *e)
{
    struct smt_fold fold;

    smt_fold_begin(&fold, NULL);
    for (size_t i = 0; i < count; i++)
        if (!smt_fold_add(&fold, (struct smt_part){.path = subtrees[i].path,
                                                   .digest = subtrees[i].digest,
                                                   .depth = subtrees[i].depth}))
            return tm_fail(e, TM_ERR_MALFORMED, "subtrees are not in the order of their paths");
    *out = smt_fold_end(&fold, 0).digest;
    return TM_OK;
}
