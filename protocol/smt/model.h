/*
 * The definition of the tree (state.md 2.1 and 2.4, storage.md) taken at its word, for tests: sets
 * of leaves in arrays, everything computed from scratch with the plain SHA-256.
 */
#ifndef PROTOCOL_SMT_MODEL_H
#define PROTOCOL_SMT_MODEL_H

#include "proof.h"

#include <stdlib.h>

#include "../sha256/sha256.h"

struct model {
    struct smt_leaf *leaf; /* sorted by path */
    size_t count;
};

static inline bool model_bit(const struct hash32 *path, unsigned i)
{
    return (path->b[i / 8] >> (7 - i % 8) & 1) != 0;
}

static inline struct hash32 model_hash(uint8_t prefix, const struct hash32 *a,
                                       const struct hash32 *b)
{
    uint8_t message[SHA256_NODE_SIZE] = {prefix};

    memcpy(message + 1, a->b, 32);
    memcpy(message + 33, b->b, 32);
    return sha256(bytes_make(message, sizeof message));
}

/* How many of the leaves, which share `depth` bits, go left. */
static inline size_t model_left(const struct smt_leaf *leaf, size_t count, unsigned depth)
{
    size_t n = 0;

    while (n < count && !model_bit(&leaf[n].path, depth))
        n++;
    return n;
}

static inline struct hash32 model_digest(const struct smt_leaf *leaf, size_t count, unsigned depth)
{
    struct hash32 left, right;
    size_t n;

    if (count == 0)
        return (struct hash32){{0}};
    if (count == 1)
        return model_hash(0, &leaf->path, &leaf->value_hash);
    n = model_left(leaf, count, depth);
    left = model_digest(leaf, n, depth + 1);
    right = model_digest(leaf + n, count - n, depth + 1);
    return model_hash(1, &left, &right);
}

static inline struct hash32 model_root(const struct model *m)
{
    return model_digest(m->leaf, m->count, 0);
}

/* The place of a path among the leaves. */
static inline size_t model_find(const struct model *m, const struct hash32 *path)
{
    size_t i = 0;

    while (i < m->count && memcmp(m->leaf[i].path.b, path->b, sizeof path->b) < 0)
        i++;
    return i;
}

static inline bool model_has(const struct model *m, const struct hash32 *path)
{
    size_t i = model_find(m, path);

    return i < m->count && hash32_equal(&m->leaf[i].path, path);
}

/* The array has room for one more. */
static inline void model_apply(struct model *m, const struct smt_change *c)
{
    size_t i = model_find(m, &c->path);
    bool there = model_has(m, &c->path);

    if (!c->present && there) {
        memmove(m->leaf + i, m->leaf + i + 1, (m->count - i - 1) * sizeof *m->leaf);
        m->count--;
    } else if (c->present) {
        if (!there) {
            memmove(m->leaf + i + 1, m->leaf + i, (m->count - i) * sizeof *m->leaf);
            m->count++;
        }
        m->leaf[i] = (struct smt_leaf){c->path, c->value_hash};
    }
}

static inline uint64_t model_prefix(const struct hash32 *path, unsigned depth)
{
    uint64_t x = 0;

    for (int i = 0; i < 8; i++)
        x = x << 8 | path->b[i];
    return depth == 0 ? 0 : x >> (64 - depth);
}

/* The leaves whose paths start with a prefix. */
static inline struct model model_below(const struct model *m, unsigned depth, uint64_t prefix)
{
    size_t lo = 0, hi;

    while (lo < m->count && model_prefix(&m->leaf[lo].path, depth) < prefix)
        lo++;
    hi = lo;
    while (hi < m->count && model_prefix(&m->leaf[hi].path, depth) == prefix)
        hi++;
    return (struct model){m->leaf + lo, hi - lo};
}

/* The rows at one depth, ascending; `rows` has room for count / 2. */
static inline size_t model_rows(const struct model *m, unsigned depth, struct smt_node_row *rows)
{
    size_t n = 0;

    for (size_t i = 0; i < m->count;) {
        struct model group = model_below(m, depth, model_prefix(&m->leaf[i].path, depth));

        if (group.count >= 2)
            rows[n++] = (struct smt_node_row){
                .depth = (uint8_t)depth,
                .prefix = model_prefix(&m->leaf[i].path, depth),
                .digest = model_digest(group.leaf, group.count, depth),
            };
        i += group.count;
    }
    return n;
}

/* The content of a page; both arrays have room for all leaves. */
static inline void model_page(const struct model *m, struct smt_page_id page,
                              struct smt_node_row *rows, size_t *row_count, struct smt_leaf *leaves,
                              size_t *leaf_count)
{
    struct model here = model_below(m, page.depth, page.prefix);
    unsigned deeper = page.depth + SMT_PAGE_BITS;

    *row_count = *leaf_count = 0;
    if (page.depth < SMT_PAGE_BITS * SMT_STORED_LEVELS)
        *row_count = model_rows(&here, deeper, rows);
    for (size_t i = 0; i < here.count; i++) {
        bool covered = false;

        for (size_t r = 0; r < *row_count; r++)
            covered |= rows[r].prefix == model_prefix(&here.leaf[i].path, deeper);
        if (!covered)
            leaves[(*leaf_count)++] = here.leaf[i];
    }
}

/* Rows that differ, by (depth, prefix); `out` has room for those of both. */
static inline size_t model_changes(const struct model *old, const struct model *new,
                                   struct smt_node_change *out)
{
    struct smt_node_row *a = calloc(old->count + 1, sizeof *a);
    struct smt_node_row *b = calloc(new->count + 1, sizeof *b);
    size_t n = 0;

    for (unsigned depth = 6; depth <= 60; depth += 6) {
        size_t i = 0, j = 0, an = model_rows(old, depth, a), bn = model_rows(new, depth, b);

        while (i < an || j < bn) {
            if (j == bn || (i < an && a[i].prefix < b[j].prefix)) {
                out[n++] = (struct smt_node_change){.row = a[i++], .present = false};
            } else if (i == an || b[j].prefix < a[i].prefix) {
                out[n++] = (struct smt_node_change){.row = b[j++], .present = true};
            } else {
                if (!hash32_equal(&a[i].digest, &b[j].digest))
                    out[n++] = (struct smt_node_change){.row = b[j], .present = true};
                i++;
                j++;
            }
        }
    }
    free(a);
    free(b);
    return n;
}

/* state.md 2.4; sides has room for 256. */
static inline void model_prove(const struct model *m, const struct hash32 *path,
                               struct smt_proof *out)
{
    struct model now = *m;
    unsigned depth = 0;

    while (now.count >= 2) {
        size_t n = model_left(now.leaf, now.count, depth);
        struct model left = {now.leaf, n}, right = {now.leaf + n, now.count - n};
        bool side = model_bit(path, depth++);

        now = side ? right : left;
        memmove(out->sides + 1, out->sides, (depth - 1) * sizeof *out->sides);
        out->sides[0] = side ? model_digest(left.leaf, left.count, depth)
                             : model_digest(right.leaf, right.count, depth);
    }
    out->side_count = (uint16_t)depth;
    out->has_other_leaf = now.count == 1 && !hash32_equal(&now.leaf->path, path);
    if (out->has_other_leaf)
        out->other_leaf = *now.leaf;
}

#endif
