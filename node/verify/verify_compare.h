/* Stored rows of one height against what executing its block gives. Differences are findings. */
#ifndef NODE_VERIFY_VERIFY_COMPARE_H
#define NODE_VERIFY_VERIFY_COMPARE_H

#include "node/store/store.h"
#include "node_map.h"
#include "verify.h"

/* What executing the block gives. */
struct verify_execution {
    bool done; /* false: the block could not be executed (a finding says why) */
    const struct ledger_write *writes; /* for comparison in the order of verify_compare_writes */
    size_t write_count;
};

/* For qsort: by tree, then key. */
int verify_compare_writes(const void *x, const void *y);

/* Versions that begin and versions that end. */
void verify_births(struct findings *f, struct arena *a, const struct verify_height *rows,
                   const struct verify_execution *x);
void verify_ends(struct findings *f, struct arena *a, const struct verify_height *rows,
                 const struct verify_execution *x);

/* Rows of ledger.change; sorts them. */
void verify_touches(struct findings *f, struct arena *a, const struct verify_height *rows,
                    const struct ledger_touch *touches, size_t count);

/* One transaction; of `executed` result, signer, recipient and message type are looked at. */
void verify_result(struct findings *f, struct arena *a, height_t h,
                   const struct verify_transaction *row, const struct store_transaction *executed);
/* Puts the rows into the order of their index. */
void verify_sort_transactions(const struct verify_height *rows);

/* Stored nodes of one tree against the changes of the tree, ascending by (depth, prefix). live:
 * what was there before; it is brought to this height. */
void verify_nodes(struct findings *f, struct arena *a, struct node_map *live,
                  const struct verify_height *rows, enum tree_id tree,
                  const struct smt_node_change *changes, size_t count);

/*
 * All rows of a block against the block as the executor made it, its header apart, which was
 * compared before. The rows hold versions and nodes that begin here for the keys the block wrote,
 * and everything that ends here; live holds the nodes of those places after the block before.
 */
void verify_executed(struct findings *f, struct arena *a, const struct verify_height *rows,
                     struct node_map *live, const struct store_block *executed);

#endif
