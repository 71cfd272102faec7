/* Apart from proof.c: checking a proof needs no memory and no tree, only SHA-256. */
#include "proof.h"

#include "nodes.h"

static bool leads_to(const struct smt_proof *p, struct hash32 digest, const struct hash32 *path,
                     const struct hash32 *root)
{
    if (p->side_count > SMT_DEPTH)
        return false;
    for (unsigned i = 0; i < p->side_count; i++) {
        const struct hash32 *side = &p->sides[i];

        digest = smt_bit(path->b, p->side_count - 1u - i) ? smt_hash_branch(side, &digest)
                                                          : smt_hash_branch(&digest, side);
    }
    return hash32_equal(&digest, root);
}

bool smt_verify_member(const struct smt_proof *p, const struct hash32 *root,
                       const struct hash32 *path, const struct hash32 *value_hash)
{
    struct smt_leaf leaf = {*path, *value_hash};

    return leads_to(p, smt_hash_leaf(&leaf), path, root);
}

bool smt_verify_absent(const struct smt_proof *p, const struct hash32 *root,
                       const struct hash32 *path)
{
    if (!p->has_other_leaf)
        return leads_to(p, smt_zero, path, root);
    if (hash32_equal(&p->other_leaf.path, path))
        return false;
    return leads_to(p, smt_hash_leaf(&p->other_leaf), path, root);
}
