#include "nodes.h"

#include <stdlib.h>

enum { DEEPEST = SMT_PAGE_BITS * SMT_STORED_LEVELS };

/* A subtree seen from some depth: the digest is known there or has to be hashed. */
struct view {
    uint32_t ref;
    const struct hash32 *digest;
};

struct rows {
    struct smt_node_change *row;
    size_t count, room;
};

struct difference {
    const struct smt *t;
    struct rows at[SMT_STORED_LEVELS];
};

static bool has_row(struct view v)
{
    return smt_kind(v.ref) == SMT_BRANCH || smt_kind(v.ref) == SMT_STUB;
}

static struct hash32 digest_of(const struct smt *t, struct view v, unsigned depth)
{
    return v.digest != NULL ? *v.digest : smt_digest_at(t, v.ref, depth);
}

static void add_row(struct rows *r, struct smt_node_change change)
{
    if (r->count == r->room) {
        r->room = r->room == 0 ? 16 : 2 * r->room;
        r->row = smt_grown(r->row, r->room, sizeof *r->row);
    }
    r->row[r->count++] = change;
}

static void compare_rows(struct difference *d, struct view old, struct view new, unsigned depth,
                         uint64_t prefix)
{
    struct smt_node_change change = {.row = {.depth = (uint8_t)depth}, .present = has_row(new)};

    if (!has_row(old) && !has_row(new))
        return;
    change.row.prefix = prefix >> (64 - depth);
    if (has_row(new)) {
        change.row.digest = digest_of(d->t, new, depth);
        if (has_row(old)) {
            struct hash32 before = digest_of(d->t, old, depth);

            if (hash32_equal(&before, &change.row.digest))
                return;
        }
    }
    add_row(&d->at[depth / SMT_PAGE_BITS - 1], change);
}

/* What of the subtree, whose paths start with `prefix`, lies on one side of the bit at `depth`. */
static struct view child(const struct smt *t, struct view v, unsigned depth, bool side)
{
    uint64_t prefix = 0;

    switch (smt_kind(v.ref)) {
    case SMT_EMPTY:
        return v;
    case SMT_LEAF:
        prefix = smt_word(((const struct smt_leaf *)smt_at(t, v.ref))->path.b, 0);
        break;
    case SMT_BRANCH: {
        const struct smt_branch *b = smt_at(t, v.ref);

        if (b->bit == depth)
            return (struct view){b->child[side], &b->digest[side]};
        prefix = b->prefix;
        break;
    }
    case SMT_STUB:
        prefix = ((const struct smt_stub *)smt_at(t, v.ref))->prefix;
        break;
    }
    if ((prefix >> (63 - depth) & 1) != side)
        return (struct view){0, NULL};
    return (struct view){v.ref, NULL};
}

static void compare(struct difference *d, struct view old, struct view new, unsigned depth,
                    uint64_t prefix)
{
    for (;;) {
        struct view o[2], n[2];
        bool differs[2];

        if (depth > 0 && depth % SMT_PAGE_BITS == 0)
            compare_rows(d, old, new, depth, prefix);
        if (depth == DEEPEST || (!has_row(old) && !has_row(new)))
            return;
        for (int side = 0; side < 2; side++) {
            o[side] = child(d->t, old, depth, side);
            n[side] = child(d->t, new, depth, side);
            differs[side] = o[side].ref != n[side].ref;
        }
        if (differs[0] && differs[1])
            compare(d, o[0], n[0], depth + 1, prefix);
        else if (!differs[0] && !differs[1])
            return;
        old = o[differs[1]];
        new = n[differs[1]];
        if (differs[1])
            prefix |= (uint64_t)1 << (63 - depth);
        depth++;
    }
}

size_t smt_node_changes(const struct smt_version *v, struct arena *a, struct smt_node_change **out)
{
    struct difference d = {.t = v->tree};
    size_t count = 0;

    if (v->parent != NULL && v->parent->root.child[0] != v->root.child[0])
        compare(&d, (struct view){v->parent->root.child[0], &v->parent->root.digest[0]},
                (struct view){v->root.child[0], &v->root.digest[0]}, 0, 0);
    for (int i = 0; i < SMT_STORED_LEVELS; i++)
        count += d.at[i].count;
    *out = arena_array(a, struct smt_node_change, count);
    count = 0;
    for (int i = 0; i < SMT_STORED_LEVELS; i++) {
        if (d.at[i].count > 0)
            memcpy(*out + count, d.at[i].row, d.at[i].count * sizeof **out);
        count += d.at[i].count;
        free(d.at[i].row);
    }
    return count;
}
