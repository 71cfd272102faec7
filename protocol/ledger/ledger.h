/*
 * The state machine: one block is begun, given transactions, ended; the result is a set of writes.
 * Reads go to a view of the state after the previous block; writes go to layers in memory, so a
 * dropped proposal leaves no trace (utility.md 2 and 3, state.md 8.1, rules.md).
 */
#ifndef PROTOCOL_LEDGER_LEDGER_H
#define PROTOCOL_LEDGER_LEDGER_H

#include "../base/error.h"
#include "../rules/rules.h"
#include "../state/record.h"
#include "../state/state_map.h"
#include "../transaction/transaction.h"

/*
 * The state after block height - 1. Getters return TM_OK with the answer, or an error that ends the
 * block (TM_ERR_IO: the store failed; TM_ERR_AGAIN: the key was not fetched, see ledger_keys).
 */
struct ledger_view {
    void *ctx;
    /* The record or NULL in *out. For params and flags key is the name. Records stay as they are
     * until the block is over; key is borrowed for the call. */
    enum tm_err (*get)(void *ctx, enum tree_id tree, struct bytes key, const struct record **out,
                       struct tm_error *e);
    /* Is a transaction with this hash in the transactions tree? */
    enum tm_err (*has_transaction)(void *ctx, const struct hash32 *hash, bool *out,
                                   struct tm_error *e);
    /* Actors of a kind with 0 <= unstaking_height <= height, ascending by key; the list is borrowed
     * until the next call. */
    enum tm_err (*unstaking)(void *ctx, enum tree_id tree, height_t height,
                             const struct record *const **out, size_t *count, struct tm_error *e);
    /* Actors of a kind with 0 <= paused_height < before; likewise. */
    enum tm_err (*paused)(void *ctx, enum tree_id tree, height_t before,
                          const struct record *const **out, size_t *count, struct tm_error *e);
    /* Number of validators with paused_height = unstaking_height = -1. */
    enum tm_err (*active_validators)(void *ctx, size_t *out, struct tm_error *e);
};

/* Steps of ledger.change (storage.md). */
enum {
    STEP_BEGIN_OF_BLOCK = -2,
    STEP_GENESIS = -1,
    STEP_END_OF_BLOCK = 1000000 /* + 1 rewards, + 2 unbonding, + 3 long pauses */
};

/* Which step wrote which leaf; one entry per (tree, key, step). */
struct ledger_touch {
    enum tree_id tree;
    struct bytes key; /* record key */
    int32_t step;
};

struct ledger_write {
    enum tree_id tree;
    struct bytes key;
    const struct record *before; /* NULL: was not there */
    const struct record *after;  /* NULL: is gone; valid_from = the block's height */
};

/* What a transaction in the block came to. */
struct ledger_result {
    int code;           /* 0 or the handler's code */
    struct bytes error; /* "" or "CODE: n, ERROR: text" */
    struct address signer;
    struct amount fee; /* what it paid; borrowed until the block is over */
};

/* What the end of a block moved. */
struct ledger_end_sums {
    struct amount fees, reward; /* shared out, and the proposer's part of it */
    /* Stakes returned to actors that stay in their tree (`reference`), by enum actor_kind. */
    int64_t stayed[ACTOR_VAL + 1];
    struct amount stayed_upokt[ACTOR_VAL + 1];
};

struct ledger;

/* Begin of block (utility.md 3.2). Everything the ledger makes lives in `a`. `proposer` is
 * borrowed. */
enum tm_err ledger_begin(struct arena *a, const struct rules *rules, const struct ledger_view *view,
                         height_t height, struct bytes proposer, struct ledger **out,
                         struct tm_error *e);

/*
 * Executes one transaction that passed transaction_check and transaction_verify. TM_ERR_RULE: not
 * includable, with the code, and the ledger is as before. TM_OK: it is in the block; a handler's
 * failure is in *result. Order of checks: rules.md "Includable". Any other error ends the block.
 */
enum tm_err ledger_apply(struct ledger *l, const struct transaction *tx,
                         struct ledger_result *result, struct tm_error *e);

/* End of block: rewards, unbonding, long pauses (utility.md 3.3, rules.md "End of block"). */
enum tm_err ledger_end(struct ledger *l, struct tm_error *e);

/* The sums of ledger_end, once it was called. */
const struct ledger_end_sums *ledger_end_moved(const struct ledger *l);

/*
 * The net effect after ledger_end, sorted by (tree, key): only leaves whose bytes differ; born and
 * dead in the block is nothing. Included transactions are writes too (TREE_TRANSACTIONS, key =
 * hash).
 */
size_t ledger_writes(struct ledger *l, const struct ledger_write **out);

/* Provenance of those writes (touches of leaves without net effect are left out), sorted. */
size_t ledger_touches(struct ledger *l, const struct ledger_touch **out);

/*
 * Includability on the state at the tip, for admission: every check of ledger_apply that comes
 * before the handler, nothing written (rules.md "Includable").
 */
enum tm_err ledger_admit(struct arena *a, const struct rules *rules, const struct ledger_view *view,
                         height_t height, const struct transaction *tx, struct tm_error *e);

/*
 * Keys a transaction's execution can read, so that a store fetches them set-wise: calls want() with
 * (tree, key), possibly twice for one key; the key is borrowed for the call. TREE_TRANSACTIONS asks
 * for has_transaction. Parameters and pools are not named: a store keeps all of them.
 */
typedef void ledger_want(void *ctx, enum tree_id tree, struct bytes key);
void ledger_keys(const struct transaction *tx, ledger_want *want, void *ctx);

/*
 * The same for ledger_end: the proposer's account and the output accounts of actors that unbond in
 * this block. Asks the view for `unstaking`; may be called at any time between begin and end.
 */
enum tm_err ledger_end_keys(struct ledger *l, ledger_want *want, void *ctx, struct tm_error *e);

#endif
