#include "nodes.h"

#include "../sha256/sha256.h"

const struct hash32 smt_zero;

static struct hash32 hash_node(uint8_t prefix, const struct hash32 *left,
                               const struct hash32 *right)
{
    struct hash32 out, *to = &out;

    sha256_nodes(prefix, &left, &right, &to, 1);
    return out;
}

struct hash32 smt_hash_leaf(const struct smt_leaf *leaf)
{
    return hash_node(0, &leaf->path, &leaf->value_hash);
}

struct hash32 smt_hash_branch(const struct hash32 *left, const struct hash32 *right)
{
    return hash_node(1, left, right);
}

void smt_chain(struct hash32 *d, const uint8_t *path, unsigned from, unsigned to)
{
    for (unsigned i = from; i-- > to;)
        *d = smt_bit(path, i) ? smt_hash_branch(&smt_zero, d) : smt_hash_branch(d, &smt_zero);
}
