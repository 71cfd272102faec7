/* The verifier's state, shared by its parts. */
#ifndef NODE_VERIFY_VERIFIER_H
#define NODE_VERIFY_VERIFIER_H

#include "node_map.h"
#include "protocol/ledger/ledger_memory.h"
#include "verify_compare.h"

struct verifier {
    const struct genesis *genesis;
    struct findings found;
    height_t next;
    struct ledger_memory state; /* after height next - 1 */
    struct smt *trees[TREES];
    struct node_map nodes;
    struct block_header previous;
    struct arena kept;               /* what `previous` and `validators` point to */
    struct validator_set validators; /* set after next - 1 */
    struct verify_totals totals;
};

/* Decodes and checks the stored transactions, executes the block on the state before it, and
 * compares results, provenance and rows with what comes out (verify_rows.c). */
void verify_rows(struct verifier *v, struct arena *a, const struct verify_height *rows,
                 struct verify_execution *out);

/* Header, links, set hashes, transactions hash and certificate (verify_header.c). after: the
 * validator set after this block. */
void verify_header(struct verifier *v, struct arena *a, const struct verify_height *rows,
                   const struct validator_set *after);

/* The header of a pruned height (verify_header.c). */
void verify_link(struct verifier *v, struct arena *a, const struct verify_height *rows);

/* Builds the trees from a whole state and checks roots and tree nodes (verify_trees.c). */
void verify_resumed_trees(struct verifier *v, struct arena *a, const struct verify_resume *from);

/* Roots from the rows against the header, and stored tree nodes against the trees (verify_trees.c).
 * On success the trees are at this height. */
void verify_trees(struct verifier *v, struct arena *a, const struct verify_height *rows);

#endif
