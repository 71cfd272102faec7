/*
 * What the executor needs of a place where the chain is kept. Two implementations: PostgreSQL
 * (node/shell/store/store_pg.c) and memory (store_memory.h, for simulation). Neither decides
 * anything: rows out, rows in.
 *
 * Errors of every method: TM_ERR_IO: the outside world failed, nothing was changed, the call may be
 * repeated later. TM_ERR_MISMATCH: what is stored is not what it must be; the node has to stop.
 */
#ifndef NODE_STORE_STORE_H
#define NODE_STORE_STORE_H

#include "block_totals.h"
#include "protocol/base/error.h"
#include "protocol/block/block.h"
#include "protocol/genesis/genesis.h"
#include "protocol/ledger/ledger.h"
#include "protocol/smt/smt.h"

/* What genesis fixed for ever. */
struct store_chain {
    struct bytes chain_id;
    const struct rules *rules;
    uint64_t max_block_bytes;
    uint32_t block_interval_msec, empty_block_interval_msec;
};

/* A key to fetch and, afterwards, what the state after the tip holds there. */
struct store_key {
    enum tree_id tree;           /* any but TREE_TRANSACTIONS */
    struct bytes key;            /* as in struct record: the name for params and flags */
    const struct record *record; /* out; NULL: there is none */
};

/* A page to fetch and, afterwards, its content as smt_install takes it. */
struct store_page {
    enum tree_id tree;
    struct smt_page_id id;
    const struct smt_node_row *rows; /* out, ascending */
    size_t row_count;
    const struct smt_leaf *leaves; /* out, ascending by path; those no row covers */
    size_t leaf_count;
};

/* A transaction of a block with what it came to. */
struct store_transaction {
    struct bytes tx;
    struct hash32 hash;
    int code;
    struct bytes error;
    struct address signer;
    struct bytes recipient;   /* empty: none */
    const char *message_type; /* "MessageSend", … */
    bool is_new;              /* the tree gets this leaf now (`reference` may repeat one) */
};

/* One decided block, ready to be written. Everything is borrowed for the call. */
struct store_block {
    struct block_header header; /* with certificate; height 0: genesis */
    uint64_t round;             /* of the certificate */
    struct hash32 header_hash;
    const struct ledger_write *writes; /* net effect, ascending by (tree, key) */
    size_t write_count;
    const struct ledger_touch *touches;
    size_t touch_count;
    const struct store_transaction *transactions;
    size_t transaction_count;
    const struct smt_node_change *nodes[TREES]; /* ascending by (depth, prefix) */
    size_t node_count[TREES];
    /* Digests of the node's own write set, which the stored rows must give too. */
    struct hash32 tree_digests[TREES]; /* zero: the tree has no changed leaf */
    struct hash32 node_digest;         /* zero: no changed tree node */
    const struct block_totals *totals; /* NULL: none are kept of this block */
};

struct store {
    void *ctx;

    /* The chain's constants. TM_ERR_NOT_FOUND: no genesis was loaded. */
    enum tm_err (*chain)(void *ctx, struct arena *a, struct store_chain *out, struct tm_error *e);

    /* The whole block of a height with its certificate. TM_ERR_NOT_FOUND: no such height. */
    enum tm_err (*block)(void *ctx, struct arena *a, height_t height, struct block *out,
                         struct tm_error *e);

    /* Height and state hash of the last committed block. TM_ERR_NOT_FOUND: none. */
    enum tm_err (*tip)(void *ctx, height_t *height, struct hash32 *state_hash, struct tm_error *e);

    /*
     * The records every block may need: all parameters, flags, pools and validators, and the actors
     * of the other kinds that have a pause or unstaking height. In the arena, in any order.
     */
    enum tm_err (*base)(void *ctx, struct arena *a, const struct record *const **out, size_t *count,
                        struct tm_error *e);

    /* Fills in the record of each key, set-wise; keys may come in any order, each once. */
    enum tm_err (*fetch)(void *ctx, struct arena *a, struct store_key *keys, size_t count,
                         struct tm_error *e);

    /* Fills in the content of each page, set-wise. */
    enum tm_err (*pages)(void *ctx, struct arena *a, struct store_page *pages, size_t count,
                         struct tm_error *e);

    /*
     * Writes consecutive blocks, the first of height tip + 1, all or none, and makes them durable.
     * Blocks that are already there with the same state hash count as written, so that a call whose
     * outcome stayed unknown (TM_ERR_IO) is simply repeated.
     */
    enum tm_err (*apply)(void *ctx, const struct store_block *const *blocks, size_t count,
                         struct tm_error *e);
};

#endif
