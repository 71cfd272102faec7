#include "proof.h"

#include "nodes.h"

/* The side nodes met so far, from the root down. */
struct walk {
    struct hash32 side[SMT_DEPTH];
    unsigned count;
};

/* The path leaves the run above a branch or stub at `bit`: all of that subtree is at its side. */
static void leave(const struct smt *t, uint32_t ref, unsigned bit, struct walk *w)
{
    while (w->count < bit)
        w->side[w->count++] = smt_zero;
    w->side[w->count++] = smt_digest_at(t, ref, bit + 1);
}

static enum tm_err walk_to(const struct smt_version *v, const struct hash32 *path, struct walk *w,
                           struct smt_proof *p)
{
    const struct smt *t = v->tree;
    uint32_t ref = v->root.child[0];

    while (smt_kind(ref) == SMT_BRANCH || smt_kind(ref) == SMT_STUB) {
        struct hash32 some = smt_some_path(t, ref);
        unsigned common = smt_common(some.b, path->b), depth = smt_depth(t, ref);
        const struct smt_branch *b;
        bool side;

        if (common < depth) {
            leave(t, ref, common, w);
            return TM_OK;
        }
        if (smt_kind(ref) == SMT_STUB)
            return TM_ERR_AGAIN;
        b = smt_branch_at(t, ref);
        side = smt_bit(path->b, depth);
        while (w->count < depth)
            w->side[w->count++] = smt_zero;
        w->side[w->count++] = b->digest[!side];
        ref = b->child[side];
    }
    if (smt_kind(ref) == SMT_LEAF) {
        p->other_leaf = *smt_leaf_at(t, ref);
        p->has_other_leaf = !hash32_equal(&p->other_leaf.path, path);
    }
    return TM_OK;
}

enum tm_err smt_prove(const struct smt_version *v, const struct hash32 *path, struct arena *a,
                      struct smt_proof *out)
{
    struct walk w;
    enum tm_err err;

    w.count = 0;
    memset(out, 0, sizeof *out);
    err = walk_to(v, path, &w, out);
    if (err != TM_OK)
        return err;
    if (!out->has_other_leaf)
        memset(&out->other_leaf, 0, sizeof out->other_leaf);
    out->side_count = (uint16_t)w.count;
    out->sides = arena_array(a, struct hash32, w.count);
    for (unsigned i = 0; i < w.count; i++)
        out->sides[i] = w.side[w.count - 1 - i];
    return TM_OK;
}
