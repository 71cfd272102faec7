#include "nodes.h"

enum {
    DEEPEST = SMT_PAGE_BITS * SMT_STORED_LEVELS,
    KEPT_SHARE = 8, /* of the limit, for the branches above all pages that go */
    FILL_SHARE = 4, /* of the limit: growing by that much counts as a round */
    RECENT = 2      /* made in this round or in the one before */
};

/*
 * Eviction goes round the tree in the order of the paths, a piece with each call, so that no block
 * waits for a walk through all of it. A round ends with the last path; what was made since the last
 * round but one began stays.
 */
struct eviction {
    struct smt *t;
    size_t limit;
    unsigned above; /* pages at this depth or below go */
    bool has_room;
};

static bool is_recent(const struct smt *t, const struct smt_branch *n)
{
    return (uint8_t)(t->epoch - n->epoch) < RECENT;
}

/* The last path below a branch, as far as a stem goes. */
static uint64_t last_stem(const struct smt_branch *n)
{
    uint64_t below = n->bit < SMT_STEM_BITS ? ((uint64_t)1 << (SMT_STEM_BITS - n->bit)) - 1 : 0;

    return n->stem | below;
}

/* Turns a page, `depth` deep, that hangs in b->child[side], `top` deep, into a stub. */
static void evict_page(struct eviction *x, struct smt_branch *b, int side, unsigned top,
                       unsigned depth)
{
    uint32_t ref = b->child[side];
    struct smt_stub stub = {
        .depth = (uint8_t)depth,
        .prefix = smt_first_bits(smt_word(smt_some_path(x->t, ref).b, 0), depth),
        .digest = depth == top ? b->digest[side] : smt_digest_at(x->t, ref, depth)};

    smt_release_subtree(x->t, ref);
    ref = smt_make(x->t, SMT_STUB);
    *smt_stub_at(x->t, ref) = stub;
    b->child[side] = ref;
    x->has_room = smt_memory(x->t) <= x->limit;
}

/* Evicts in the subtree in b->child[side], from where the last call stopped. */
static void evict_below(struct eviction *x, struct smt_branch *b, int side, unsigned top)
{
    uint32_t ref = b->child[side];
    struct smt_branch *n;
    unsigned depth;

    if (x->has_room || smt_kind(ref) != SMT_BRANCH)
        return;
    n = smt_branch_at(x->t, ref);
    if (last_stem(n) < x->t->hand)
        return;
    depth = n->bit < DEEPEST ? n->bit / SMT_PAGE_BITS * SMT_PAGE_BITS : DEEPEST;
    if (depth >= top && depth >= x->above && !is_recent(x->t, n)) {
        x->t->hand = last_stem(n) + 1;
        evict_page(x, b, side, top, depth);
        return;
    }
    evict_below(x, n, 0, n->bit + 1u);
    evict_below(x, n, 1, n->bit + 1u);
}

/* The deepest level of pages above which there is no more than a share of the limit. */
static unsigned first_level(size_t limit)
{
    size_t kept = limit / KEPT_SHARE / sizeof(struct smt_branch);
    unsigned depth = 0;

    while (depth < DEEPEST && (kept >>= SMT_PAGE_BITS) != 0)
        depth += SMT_PAGE_BITS;
    return depth;
}

/* A tree that fills has recent parts too, by the time it reaches its limit. */
static void note_growth(struct smt *t, size_t limit)
{
    size_t memory = smt_memory(t);

    if (memory <= t->filled || memory - t->filled < limit / FILL_SHARE)
        return;
    t->filled = memory;
    t->epoch++;
}

size_t smt_evict(struct smt *t, size_t limit)
{
    struct eviction x = {.t = t, .limit = limit, .above = first_level(limit)};

    note_growth(t, limit);
    /* What a proposal was made from, it shares all but its own paths with. */
    if (smt_memory(t) <= limit || t->base->children != NULL)
        return smt_memory(t);
    for (unsigned rounds = 0;; rounds++) {
        evict_below(&x, &t->base->root, 0, 0);
        if (x.has_room)
            break;
        t->hand = 0;
        t->epoch++;
        /* By then nothing is recent any more. */
        if (rounds >= RECENT) {
            if (x.above == 0)
                break;
            x.above -= SMT_PAGE_BITS;
        }
    }
    return smt_memory(t);
}
