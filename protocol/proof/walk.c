#include "walk.h"

#include "../sha256/sha256.h"

struct walk {
    const struct proof *p;
    size_t step, digest;      /* those taken so far */
    struct smt_proof *single; /* of each item, filled on the way; or NULL */
    struct tm_error *e;
};

static struct hash32 hash_node(uint8_t prefix, const struct hash32 *left,
                               const struct hash32 *right)
{
    struct hash32 out, *to = &out;

    sha256_nodes(prefix, &left, &right, &to, 1);
    return out;
}

size_t walk_split(const struct proof_item *items, size_t from, size_t to, unsigned depth)
{
    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (walk_bit(&items[middle].path, depth))
            to = middle;
        else
            from = middle + 1;
    }
    return from;
}

static enum tm_err next_step(struct walk *w, enum walk_step *out)
{
    const struct proof *p = w->p;
    unsigned shift = 6 - 2 * (w->step % WALK_STEPS_PER_BYTE);

    if (w->step == p->step_count)
        return tm_fail(w->e, TM_ERR_MALFORMED, "the proof ends before its walk does");
    *out = (enum walk_step)(p->steps.data[w->step++ / WALK_STEPS_PER_BYTE] >> shift & 3);
    return TM_OK;
}

static enum tm_err next_digest(struct walk *w, struct hash32 *out)
{
    if (w->digest == w->p->digests.size / sizeof *out)
        return tm_fail(w->e, TM_ERR_MALFORMED, "the proof lacks a digest");
    memcpy(out, w->p->digests.data + w->digest++ * sizeof *out, sizeof *out);
    return TM_OK;
}

/* A subtree without items. */
static enum tm_err take_side(struct walk *w, enum walk_step step, struct hash32 *out)
{
    static const struct hash32 zero;
    enum tm_err err;

    memset(out, 0, sizeof *out);
    if (step == WALK_EMPTY)
        return TM_OK;
    if (step != WALK_DIGEST)
        return tm_fail(w->e, TM_ERR_MALFORMED,
                       "the proof enters a subtree that it says nothing of");
    err = next_digest(w, out);
    if (err == TM_OK && hash32_equal(out, &zero))
        return tm_fail(w->e, TM_ERR_MALFORMED, "the proof has an empty subtree as a digest");
    return err;
}

/* The leaf at which the walk towards items [from, to) ends: one of them, or another. */
static enum tm_err take_leaf(struct walk *w, size_t from, size_t to, unsigned depth,
                             struct smt_leaf *leaf)
{
    const struct proof_item *items = w->p->items;
    size_t present = to;
    enum tm_err err;

    for (size_t i = from; i < to; i++) {
        if (!items[i].present)
            continue;
        if (present != to)
            return tm_fail(w->e, TM_ERR_MALFORMED, "the proof has two keys in one leaf");
        present = i;
    }
    if (present != to) {
        *leaf = (struct smt_leaf){items[present].path, sha256(items[present].value)};
        return TM_OK;
    }
    err = next_digest(w, &leaf->path);
    if (err == TM_OK)
        err = next_digest(w, &leaf->value_hash);
    if (err != TM_OK)
        return err;
    for (unsigned i = 0; i < depth; i++)
        if (walk_bit(&leaf->path, i) != walk_bit(&items[from].path, i))
            return tm_fail(w->e, TM_ERR_MALFORMED, "the proof has a leaf where it cannot be");
    for (size_t i = from; i < to; i++)
        if (hash32_equal(&leaf->path, &items[i].path))
            return tm_fail(w->e, TM_ERR_MALFORMED, "the proof has the leaf of an absent key");
    return TM_OK;
}

/* Where the walk towards items [from, to) ends. */
static enum tm_err take_end(struct walk *w, enum walk_step step, size_t from, size_t to,
                            unsigned depth, struct hash32 *out)
{
    const struct proof_item *items = w->p->items;
    struct smt_leaf leaf = {0};
    enum tm_err err = TM_OK;

    memset(out, 0, sizeof *out);
    if (step == WALK_LEAF) {
        err = take_leaf(w, from, to, depth, &leaf);
        *out = hash_node(0, &leaf.path, &leaf.value_hash);
    }
    for (size_t i = from; i < to && err == TM_OK; i++) {
        if (step == WALK_EMPTY && items[i].present)
            return tm_fail(w->e, TM_ERR_MALFORMED, "the proof has a key in an empty subtree");
        if (w->single == NULL)
            continue;
        w->single[i].side_count = (uint16_t)depth;
        w->single[i].has_other_leaf = step == WALK_LEAF && !items[i].present;
        if (w->single[i].has_other_leaf)
            w->single[i].other_leaf = leaf;
    }
    return err;
}

/* Notes what lies beside items [from, to) below a node at this depth. */
static void note_side(struct walk *w, size_t from, size_t to, unsigned depth,
                      const struct hash32 *side)
{
    for (size_t i = from; i < to && w->single != NULL; i++)
        if (w->single[i].sides != NULL)
            w->single[i].sides[w->single[i].side_count - 1u - depth] = *side;
}

/* The digest of the subtree at this depth with items [from, to). */
static enum tm_err walk_subtree(struct walk *w, size_t from, size_t to, unsigned depth,
                                struct hash32 *out)
{
    struct hash32 left, right;
    enum walk_step step = WALK_EMPTY;
    enum tm_err err = next_step(w, &step);
    size_t middle;

    if (err != TM_OK)
        return err;
    if (from == to)
        return take_side(w, step, out);
    if (step == WALK_DIGEST)
        return tm_fail(w->e, TM_ERR_MALFORMED, "the proof ends above one of its keys");
    if (step != WALK_INNER)
        return take_end(w, step, from, to, depth, out);
    if (depth == SMT_DEPTH)
        return tm_fail(w->e, TM_ERR_LIMIT, "the proof is deeper than %d levels", SMT_DEPTH);
    middle = walk_split(w->p->items, from, to, depth);
    err = walk_subtree(w, from, middle, depth + 1, &left);
    if (err == TM_OK)
        err = walk_subtree(w, middle, to, depth + 1, &right);
    if (err != TM_OK)
        return err;
    note_side(w, from, middle, depth, &right);
    note_side(w, middle, to, depth, &left);
    *out = hash_node(1, &left, &right);
    return TM_OK;
}

static enum tm_err walk_all(struct walk *w, struct hash32 *root)
{
    enum tm_err err = walk_subtree(w, 0, w->p->item_count, 0, root);

    if (err == TM_OK &&
        (w->step != w->p->step_count || w->digest * sizeof(struct hash32) != w->p->digests.size))
        return tm_fail(w->e, TM_ERR_MALFORMED, "the proof goes on after its walk");
    return err;
}

enum tm_err walk_root(const struct proof *p, struct hash32 *root, struct tm_error *e)
{
    struct walk w = {.p = p, .e = e};

    return walk_all(&w, root);
}

enum tm_err proof_expand(struct arena *a, const struct proof *p, struct smt_proof *out,
                         struct tm_error *e)
{
    struct walk w = {.p = p, .single = out, .e = e};
    struct hash32 root;
    size_t sides = 0;
    enum tm_err err;

    memset(out, 0, p->item_count * sizeof *out);
    err = walk_all(&w, &root);
    for (size_t i = 0; i < p->item_count && err == TM_OK; i++)
        sides += out[i].side_count;
    if (sides > PROOF_SIDES_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "the single proofs of %zu keys have more than %d digests",
                       p->item_count, PROOF_SIDES_MAX);
    for (size_t i = 0; i < p->item_count && err == TM_OK; i++)
        out[i].sides = arena_array(a, struct hash32, out[i].side_count);
    w.step = w.digest = 0;
    return err == TM_OK ? walk_all(&w, &root) : err;
}
