/* Builds a tree from subtrees given from left to right, with no more memory than its depth. */
#ifndef PROTOCOL_SMT_FOLD_H
#define PROTOCOL_SMT_FOLD_H

#include "nodes.h"

/* One finished subtree. */
struct smt_part {
    struct hash32 path; /* of some leaf below; of a stub, its prefix and zeros */
    struct hash32 digest;
    uint32_t ref;
    uint16_t depth; /* at which the digest stands; SMT_DEPTH for a leaf, which stands anywhere */
    uint16_t apart; /* bits shared with the part to the left of it */
};

struct smt_fold {
    struct smt *tree; /* NULL: only digests are wanted */
    struct smt_part part[SMT_DEPTH + 1];
    unsigned count;
};

static inline void smt_fold_begin(struct smt_fold *f, struct smt *t)
{
    f->tree = t;
    f->count = 0;
}

/* The next part (apart is filled in here). False, and nothing added, if its path is not greater
 * than that of the part before. */
bool smt_fold_add(struct smt_fold *f, struct smt_part part);

/* The one part that all have become, its digest brought up to depth `top`; without parts, the empty
 * tree. The caller has made sure that all paths share `top` bits. */
struct smt_part smt_fold_end(struct smt_fold *f, unsigned top);

/* Frees the nodes of an unfinished fold. */
void smt_fold_drop(struct smt_fold *f);

#endif
