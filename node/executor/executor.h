/*
 * Executes blocks on top of the committed state: it turns transactions or a given block into a
 * *proposal* (ten roots, state hash, header, writes, tree nodes, digests) that stays in memory
 * until it is decided or dropped. Several proposals coexist, keyed by header hash. No I/O of its
 * own: rows come and go through `struct store` only (architecture.md 3).
 *
 * One owner, one thread; only signature checks are spread over the workers it is given.
 */
#ifndef NODE_EXECUTOR_EXECUTOR_H
#define NODE_EXECUTOR_EXECUTOR_H

#include "node/store/store.h"
#include "protocol/certificate/certificate.h"

/* Runs job(arg, 0 … count - 1), in any order and on any thread, and returns when all are done. */
struct executor_workers {
    void *ctx;
    void (*run)(void *ctx, void (*job)(void *arg, size_t index), void *arg, size_t count);
};

struct executor_options {
    size_t tree_memory;  /* bytes the ten trees may keep after a commit; 0: the default */
    size_t cache_memory; /* bytes of cached rows kept between blocks; 0: the default */
    unsigned batch;      /* decided blocks written in one transaction; 0 and 1: each at once */
};

enum {
    EXECUTOR_TREE_MEMORY_DEFAULT = 256 * 1024 * 1024,
    EXECUTOR_CACHE_MEMORY_DEFAULT = 64 * 1024 * 1024,
    EXECUTOR_PROPOSALS_MAX = 8,             /* alive at once; more is a broken caller */
    EXECUTOR_BATCH_MAX = 1000,              /* more makes hot rows slow (architecture.md 3) */
    EXECUTOR_BATCH_BYTES = 64 * 1024 * 1024 /* queued blocks are written above that in any case */
};

struct executor;

/*
 * Opens the chain of the store at its tip. store and workers (NULL: none) are borrowed until
 * executor_close. TM_ERR_NOT_FOUND: the store has no genesis.
 */
enum tm_err executor_open(struct executor **out, const struct store *store,
                          const struct executor_workers *workers,
                          const struct executor_options *options, struct tm_error *e);
void executor_close(struct executor *x);

/* All of these are valid until the next decision. The tip is the last *decided* block. */
const struct store_chain *executor_chain(const struct executor *x);
height_t executor_height(const struct executor *x);
const struct block_header *executor_tip(const struct executor *x);
/* The set after the tip: it signs the next block. */
const struct validator_set *executor_validators(const struct executor *x);
/* Bytes the ten trees use. */
size_t executor_tree_memory(const struct executor *x);

/* A transaction offered to a proposal. */
struct executor_candidate {
    const struct transaction *tx;
    bool verified; /* transaction_check, message_check and transaction_verify have passed */
    /* out: */
    bool included;
    bool tried;        /* false: the block was full or time was up before its turn */
    int code;          /* why it is not includable */
    const char *error; /* text of that, valid while the proposal lives */
};

/* A proposal; lives until it is decided or dropped, or until a block of its height is decided. */
struct executor_proposal {
    struct hash32 key;          /* header hash */
    struct block_header header; /* field 6 empty */
    struct bytes body;          /* encode(Block without field 6) */
    const struct store_transaction *transactions;
    size_t transaction_count;
};

struct executor_prepare_input {
    struct bytes proposer; /* address */
    int64_t seconds;       /* the proposer's clock */
    int32_t nanos;
    struct executor_candidate *candidates; /* in reaping order */
    size_t count;
    /* NULL, or tells that time for executing transactions is up. */
    bool (*stop)(void *ctx);
    void *stop_ctx;
};

/*
 * Makes the proposal for height tip + 1 out of candidates (`standard` only). A candidate that is
 * not includable is left out with its code; the block ends at max_block_bytes.
 */
enum tm_err executor_prepare(struct executor *x, const struct executor_prepare_input *in,
                             const struct executor_proposal **out, struct tm_error *e);

/*
 * Executes a body (encode(Block without field 6)) somebody proposed and checks it by every rule of
 * block.md but the certificate. TM_ERR_RULE, _MALFORMED, _MISMATCH: the proposal is invalid, with
 * the reason. Applying a body twice gives the same proposal.
 */
enum tm_err executor_apply(struct executor *x, struct bytes body,
                           const struct executor_proposal **out, struct tm_error *e);

/* The proposal with this key, or NULL. */
const struct executor_proposal *executor_find(const struct executor *x, const struct hash32 *key);

/* Forgets a proposal; the state is as if it had never been. */
void executor_drop(struct executor *x, const struct hash32 *key);

/*
 * Checks the encoded commit certificate against the proposal, makes the proposal the tip, drops all
 * others, and writes it (or, with options.batch > 1, queues it; see executor_flush).
 * TM_ERR_MISMATCH for a certificate that does not hold: nothing happened. TM_ERR_IO: the block *is*
 * decided and queued but could not be written: executor_flush tries again.
 */
enum tm_err executor_decide(struct executor *x, const struct hash32 *key, struct bytes certificate,
                            struct tm_error *e);

/* Writes the queued blocks; TM_OK when none is left. */
enum tm_err executor_flush(struct executor *x, struct tm_error *e);
/* Decided blocks that are not written yet. */
size_t executor_queued(const struct executor *x);

/* Where a replayed block differs from what execution gives. */
struct executor_difference {
    height_t height;
    const char *field; /* header field: "stateHash", "quorumCertificate", …; or "tree" */
    int tree;          /* enum tree_id, or -1 */
    char expected[160], found[160];    /* hashes as hex, or text */
    const struct ledger_write *writes; /* of that tree, in the arena given */
    size_t write_count;
};

/*
 * Replays a recorded block of height tip + 1, whole (with certificate), under either rule set:
 * verifies the certificate, executes, compares every header field, decides. On a difference returns
 * TM_ERR_MISMATCH (or TM_ERR_RULE for a transaction that is not includable, TM_ERR_MALFORMED) with
 * *difference filled as far as it applies, and the state is as before.
 */
enum tm_err executor_replay(struct executor *x, struct bytes raw, struct arena *a,
                            struct executor_difference *difference, struct tm_error *e);

/*
 * Would the next block include these transactions? For admission: every check up to the handler
 * (rules.md "Includable"), each on the state after the tip alone. Sets `included`, `code` and
 * `error` (valid until the next call) of each candidate; one of them being refused is no error.
 */
enum tm_err executor_admit(struct executor *x, struct executor_candidate *candidates, size_t count,
                           struct tm_error *e);

/* The block of the last decision, or NULL before the first; valid until the next. The body of a
 * replayed one is left empty. */
const struct executor_proposal *executor_last(const struct executor *x);

/* Leaves the last decision changed; valid until the next decision. */
size_t executor_last_writes(const struct executor *x, const struct ledger_write **out);

#endif
