#include "nodes.h"

#include <stdlib.h>

enum {
    DEEPEST = SMT_PAGE_BITS * SMT_STORED_LEVELS,
    LOOK_AHEAD = 8 /* pairs; enough to hide the latency of memory */
};

/* A subtree seen from some depth: the digest is known there or has to be hashed. */
struct view {
    uint32_t ref;
    const struct hash32 *digest;
};

/* One subtree in both versions. */
struct pair {
    struct view old, new;
    uint64_t prefix; /* left-aligned */
};

struct pairs {
    struct pair *pair;
    size_t count, room;
};

static bool has_row(struct view v)
{
    return smt_kind(v.ref) == SMT_BRANCH || smt_kind(v.ref) == SMT_STUB;
}

static struct hash32 digest_of(const struct smt *t, struct view v, unsigned depth)
{
    return v.digest != NULL ? *v.digest : smt_digest_at(t, v.ref, depth);
}

static void add_pair(struct pairs *l, struct pair p)
{
    if (l->count == l->room) {
        l->room = l->room == 0 ? 64 : 2 * l->room;
        l->pair = smt_grown(l->pair, l->room, sizeof *l->pair);
    }
    l->pair[l->count++] = p;
}

/* True and *change filled if the row at this depth is not the same in both. */
static bool differs(const struct smt *t, const struct pair *p, unsigned depth,
                    struct smt_node_change *change)
{
    struct hash32 before;

    if (!has_row(p->old) && !has_row(p->new))
        return false;
    *change = (struct smt_node_change){
        .row = {.depth = (uint8_t)depth, .prefix = p->prefix >> (64 - depth)},
        .present = has_row(p->new),
    };
    if (!change->present)
        return true;
    change->row.digest = digest_of(t, p->new, depth);
    if (!has_row(p->old))
        return true;
    before = digest_of(t, p->old, depth);
    return !hash32_equal(&before, &change->row.digest);
}

/* What of the subtree, whose paths start with `prefix`, lies on one side of the bit at `depth`. */
static struct view child(const struct smt *t, struct view v, unsigned depth, bool side)
{
    uint64_t prefix = 0;

    switch (smt_kind(v.ref)) {
    case SMT_EMPTY:
        return v;
    case SMT_LEAF:
        prefix = smt_word(smt_leaf_at(t, v.ref)->path.b, 0);
        break;
    case SMT_BRANCH: {
        const struct smt_branch *b = smt_branch_at(t, v.ref);

        if (b->bit == depth)
            return (struct view){b->child[side], &b->digest[side]};
        if (depth < SMT_STEM_BITS)
            prefix = (uint64_t)b->stem << (64 - SMT_STEM_BITS);
        else
            prefix = smt_word(smt_some_path(t, v.ref).b, 0);
        break;
    }
    case SMT_STUB:
        prefix = smt_stub_at(t, v.ref)->prefix;
        break;
    }
    if ((prefix >> (63 - depth) & 1) != side)
        return (struct view){0, NULL};
    return (struct view){v.ref, NULL};
}

static void step_down(const struct smt *t, const struct pair *p, unsigned depth,
                      struct pairs *below)
{
    if (!has_row(p->old) && !has_row(p->new))
        return;
    for (int side = 0; side < 2; side++) {
        struct pair q = {child(t, p->old, depth, side), child(t, p->new, depth, side),
                         p->prefix | (uint64_t)side << (63 - depth)};

        if (q.old.ref != q.new.ref)
            add_pair(below, q);
    }
}

/* Depth by depth, so that memory is read ahead and the rows come out in order. */
size_t smt_node_changes(const struct smt_version *v, struct arena *a, struct smt_node_change **out)
{
    const struct smt *t = v->tree;
    struct pairs here = {0}, below = {0};
    struct buffer rows;

    buffer_init(&rows, a, sizeof **out);
    if (v->parent != NULL && v->parent->root.child[0] != v->root.child[0])
        add_pair(&here, (struct pair){.old = {v->parent->root.child[0], NULL},
                                      .new = {v->root.child[0], NULL}});
    for (unsigned depth = 0; depth <= DEEPEST && here.count > 0; depth++) {
        struct pairs swap = here;

        for (size_t i = 0; i < here.count; i++) {
            struct smt_node_change change;

            if (i + LOOK_AHEAD < here.count) {
                smt_prefetch(t, here.pair[i + LOOK_AHEAD].old.ref);
                smt_prefetch(t, here.pair[i + LOOK_AHEAD].new.ref);
            }
            if (depth > 0 && depth % SMT_PAGE_BITS == 0 &&
                differs(t, &here.pair[i], depth, &change))
                buffer_append(&rows, &change, sizeof change);
            step_down(t, &here.pair[i], depth, &below);
        }
        here = below;
        below = swap;
        below.count = 0;
    }
    free(here.pair);
    free(below.pair);
    *out = (struct smt_node_change *)(void *)rows.data;
    return rows.size / sizeof **out;
}
