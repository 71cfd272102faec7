#include "nodes.h"

enum {
    DEEPEST = SMT_PAGE_BITS * SMT_STORED_LEVELS,
    /* Pages go from here upwards: a tree of a million leaves has nearly all of them below 18. */
    FIRST = 24
};

struct eviction {
    struct smt *t;
    size_t target;
    unsigned above;    /* pages at this depth or below go */
    bool spare_recent; /* but not those touched since the last eviction */
};

/* Turns the subtree that hangs in b->child[side], `top` deep, into a stub where it is a page. */
static void evict_below(struct eviction *x, struct smt_branch *b, int side, unsigned top)
{
    uint32_t ref = b->child[side], stub_ref;
    unsigned depth;
    struct smt_branch *n;
    struct smt_stub stub = {.wanted = 0};

    if (smt_kind(ref) != SMT_BRANCH || smt_memory(x->t) <= x->target)
        return;
    n = smt_branch_at(x->t, ref);
    depth = n->bit < DEEPEST ? n->bit / SMT_PAGE_BITS * SMT_PAGE_BITS : DEEPEST;
    if (depth < top || depth < x->above || (x->spare_recent && n->epoch == x->t->epoch)) {
        evict_below(x, n, 0, n->bit + 1u);
        evict_below(x, n, 1, n->bit + 1u);
        return;
    }
    stub.depth = (uint8_t)depth;
    stub.prefix = smt_first_bits(smt_word(smt_some_path(x->t, ref).b, 0), depth);
    stub.digest = depth == top ? b->digest[side] : smt_digest_at(x->t, ref, depth);
    smt_release_subtree(x->t, ref);
    stub_ref = smt_make(x->t, SMT_STUB);
    *smt_stub_at(x->t, stub_ref) = stub;
    b->child[side] = stub_ref;
}

size_t smt_evict(struct smt *t, size_t limit)
{
    struct eviction x = {.t = t, .target = limit - limit / 8};

    /* What a proposal was made from, it shares all but its own paths with. */
    if (smt_memory(t) <= limit || t->base->children != NULL)
        return smt_memory(t);
    for (int sweep = 0; sweep < 2; sweep++) {
        x.spare_recent = sweep == 0;
        for (x.above = FIRST;; x.above -= SMT_PAGE_BITS) {
            evict_below(&x, &t->base->root, 0, 0);
            if (x.above == 0)
                break;
        }
    }
    t->epoch++;
    return smt_memory(t);
}
