/* A proof out of the single proofs of its keys. */
#include "walk.h"

#include "../sha256/sha256.h"

#include <stdlib.h>

struct part {
    struct proof_item item;
    const struct smt_proof *single;
};

struct maker {
    struct part *parts;
    struct proof *p;
    struct buffer steps, digests;
    struct tm_error *e;
};

static int by_path(const void *x, const void *y)
{
    const struct part *a = x, *b = y;

    return memcmp(a->item.path.b, b->item.path.b, sizeof a->item.path.b);
}

static void add_step(struct maker *m, enum walk_step step)
{
    unsigned shift = 6 - 2 * (m->p->step_count % WALK_STEPS_PER_BYTE);

    if (m->p->step_count++ % WALK_STEPS_PER_BYTE == 0)
        *buffer_extend(&m->steps, 1) = 0;
    m->steps.data[m->steps.size - 1] |= (uint8_t)((unsigned)step << shift);
}

static void add_side(struct maker *m, const struct hash32 *side)
{
    static const struct hash32 zero;

    if (hash32_equal(side, &zero)) {
        add_step(m, WALK_EMPTY);
        return;
    }
    add_step(m, WALK_DIGEST);
    buffer_append(&m->digests, side, sizeof *side);
}

static void add_end(struct maker *m, size_t from, size_t to)
{
    bool present = false;

    for (size_t i = from; i < to; i++)
        present |= m->parts[i].item.present;
    if (!present && !m->parts[from].single->has_other_leaf) {
        add_step(m, WALK_EMPTY);
        return;
    }
    add_step(m, WALK_LEAF);
    if (present)
        return;
    buffer_append(&m->digests, &m->parts[from].single->other_leaf.path, sizeof(struct hash32));
    buffer_append(&m->digests, &m->parts[from].single->other_leaf.value_hash,
                  sizeof(struct hash32));
}

/* The subtree at this depth with parts [from, to), of which there is one. */
static enum tm_err add_subtree(struct maker *m, size_t from, size_t to, unsigned depth)
{
    const struct smt_proof *first = m->parts[from].single;
    const struct hash32 *side;
    enum tm_err err = TM_OK;
    size_t middle;

    for (size_t i = from; i < to; i++)
        if ((m->parts[i].single->side_count == depth) != (first->side_count == depth))
            return tm_fail(m->e, TM_ERR_MISMATCH, "the proofs are not of one tree");
    if (first->side_count == depth) {
        add_end(m, from, to);
        return TM_OK;
    }
    if (first->side_count < depth || first->side_count > SMT_DEPTH)
        return tm_fail(m->e, TM_ERR_MISMATCH, "a proof has %u levels", first->side_count);
    add_step(m, WALK_INNER);
    middle = walk_split(m->p->items, from, to, depth);
    side = &first->sides[first->side_count - 1u - depth];
    if (middle > from)
        err = add_subtree(m, from, middle, depth + 1);
    else
        add_side(m, side);
    if (err != TM_OK)
        return err;
    if (middle < to)
        err = add_subtree(m, middle, to, depth + 1);
    else
        add_side(m, side);
    return err;
}

enum tm_err proof_make(struct arena *a, const struct proof_item *items,
                       const struct smt_proof *paths, size_t count, struct proof *out,
                       struct tm_error *e)
{
    struct part *parts = arena_array(a, struct part, count);
    struct maker m = {.parts = parts, .p = out, .e = e};
    size_t n = 0;
    enum tm_err err;

    memset(out, 0, sizeof *out);
    if (count == 0)
        return tm_fail(e, TM_ERR_USAGE, "a proof of no key proves nothing");
    for (size_t i = 0; i < count; i++) {
        parts[i] = (struct part){items[i], &paths[i]};
        parts[i].item.path = sha256(items[i].key);
    }
    qsort(parts, count, sizeof *parts, by_path);
    out->items = arena_array(a, struct proof_item, count);
    for (size_t i = 0; i < count; i++) {
        if (n > 0 && hash32_equal(&out->items[n - 1].path, &parts[i].item.path))
            continue;
        parts[n] = parts[i];
        out->items[n++] = parts[i].item;
    }
    if (n > PROOF_ITEMS_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "a proof has at most %d keys", PROOF_ITEMS_MAX);
    out->item_count = n;
    buffer_init(&m.steps, a, 64);
    buffer_init(&m.digests, a, 1024);
    err = add_subtree(&m, 0, n, 0);
    if (err != TM_OK)
        return err;
    out->steps = buffer_bytes(&m.steps);
    out->digests = buffer_bytes(&m.digests);
    return walk_root(out, &out->root, e);
}
