/* What the files of the executor share. */
#ifndef NODE_EXECUTOR_EXECUTOR_STATE_H
#define NODE_EXECUTOR_EXECUTOR_STATE_H

#include "proposal.h"

struct executor {
    struct store store;
    struct executor_workers workers;
    struct executor_options options;
    struct arena constants; /* chain, first tip and set */
    struct store_chain chain;
    struct block_header first_tip;
    struct validator_set first_set;
    struct hash32 set_hash; /* of the set after the tip */
    const struct block_header *tip;
    const struct validator_set *set;
    struct state_cache cache;
    struct trees trees;
    struct proposal *proposals[EXECUTOR_PROPOSALS_MAX];
    size_t proposal_count;
    struct proposal **queue; /* decided, not written; options.batch long */
    size_t queued, queued_bytes;
    struct proposal *last;      /* the last decided one: tip and set may lie in its arena */
    struct proposal *set_owner; /* the one whose next_set is in force, kept apart from `last` */
    struct arena admission;     /* of the last executor_admit */
};

/* Decodes and checks transactions on the workers, in order, for a body or a replayed block. */
struct transaction_checks {
    struct transaction *transactions;
    struct tm_error *errors; /* err TM_OK: passed */
    size_t count;
};

/* Work that a worker does beside the checks. */
struct side_job {
    void (*run)(void *arg);
    void *arg;
};

/* Decoding, transaction_check, message_check and signature of `count` raw transactions, and a side
 * job unless that is NULL. */
struct transaction_checks check_transactions(struct executor *x, struct arena *a,
                                             const struct bytes *raw, size_t count,
                                             const struct side_job *beside);

/* The same checks of decoded candidates that are not verified yet; sets `verified` or the code. */
void check_candidates(struct executor *x, struct arena *a, struct executor_candidate *candidates,
                      size_t count);

/* Executes a given list of transactions as block tip + 1 proposed by `proposer`. On TM_ERR_RULE,
 * *failed is the index of the transaction that is not includable. */
enum tm_err execute_block(struct executor *x, struct proposal *p, struct bytes proposer,
                          const struct transaction_checks *checks, size_t *failed,
                          struct tm_error *e);

/* Header of the executed proposal: fields that follow from execution and the previous block. */
void fill_header(struct executor *x, struct proposal *p);

/* Adds a finished proposal to those alive; TM_ERR_LIMIT if there are too many. */
enum tm_err keep_proposal(struct executor *x, struct proposal *p, struct tm_error *e);

/* Makes a checked proposal the tip; it leaves the list of those alive. Then flushes if due. */
enum tm_err adopt_proposal(struct executor *x, struct proposal *p, struct bytes certificate,
                           uint64_t round, struct tm_error *e);

#endif
