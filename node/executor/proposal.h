/* One executed block in memory: what the ledger wrote, the trees after it, its header. */
#ifndef NODE_EXECUTOR_PROPOSAL_H
#define NODE_EXECUTOR_PROPOSAL_H

#include "executor.h"
#include "state_cache.h"
#include "trees.h"

struct proposal {
    struct executor_proposal public;
    struct arena arena; /* of everything below and of `public` */
    struct block block; /* header without certificate; transactions */
    struct store_block result;
    struct store_transaction *results; /* = result.transactions, while they are being added */
    struct block_totals totals;
    struct trees_version trees;
    struct validator_set next_set; /* after this block */
    bool set_changed;              /* else next_set is the executor's */
};

struct proposal *proposal_new(void);
/* Drops the trees too. NULL is allowed. */
void proposal_free(struct proposal *p);

/* Room for `count` transactions. */
void proposal_reserve(struct proposal *p, size_t count);

/* Records a transaction that is in the block with its result; copies what it needs. */
void proposal_add(struct proposal *p, const struct transaction *tx,
                  const struct ledger_result *result);

/* Net writes and touches of the ended ledger, digests of the writes, and from them the new trees.
 */
enum tm_err proposal_finish(struct proposal *p, struct ledger *l, struct trees *trees,
                            struct hash32 roots[TREES], struct tm_error *e);

/* Digests and tree changes of a write set; shared with genesis. changes live in the arena. */
enum tm_err write_set_changes(struct arena *a, const struct ledger_write *writes, size_t count,
                              struct tree_changes changes[TREES], struct hash32 digests[TREES],
                              struct tm_error *e);

/* Digest over all changed tree nodes of a block. */
enum tm_err node_changes_digest(struct arena *a, const struct store_block *b, struct hash32 *out,
                                struct tm_error *e);

#endif
