/*
 * Transactions that wait for a block: arrival order, one signer at a time in turn (network.md 2.4).
 * Holds what was admitted; whether a transaction may be included is the executor's answer.
 */
#ifndef NODE_MEMPOOL_MEMPOOL_H
#define NODE_MEMPOOL_MEMPOOL_H

#include "protocol/transaction/transaction.h"

enum {
    MEMPOOL_TRANSACTIONS_MAX = 9000,        /* the reference's default (consensus.md 9.5) */
    MEMPOOL_BYTES_MAX = 1024 * 1024 * 1024, /* likewise */
    MEMPOOL_DEFERRALS_MAX = 2               /* not includable this often: dropped */
};

struct mempool_limits {
    size_t transactions, bytes;
};

struct mempool_entry {
    struct transaction tx;
    unsigned deferrals; /* blocks that could not include it */
};

struct mempool;

/* limits NULL: the defaults above. */
struct mempool *mempool_new(const struct mempool_limits *limits);
void mempool_free(struct mempool *m);

size_t mempool_count(const struct mempool *m);
size_t mempool_bytes(const struct mempool *m);
const struct mempool_entry *mempool_find(const struct mempool *m, const struct hash32 *hash);

/*
 * Adds a transaction, decoding its bytes into memory of the pool. TM_ERR_RULE 35: it is there
 * already. TM_ERR_LIMIT: longer than the whole pool. When the pool is over a limit the oldest go;
 * `evicted` (may be NULL) is called for each before it is freed.
 */
enum tm_err mempool_add(struct mempool *m, struct bytes raw,
                        void (*evicted)(void *ctx, const struct mempool_entry *entry), void *ctx,
                        struct tm_error *e);

/* Entries in reaping order: each signer's oldest by arrival, then each signer's second, … Writes at
 * most `room`; borrowed until the pool changes. */
size_t mempool_reap(struct mempool *m, const struct mempool_entry **out, size_t room);

/* Removes one; false if it is not there. */
bool mempool_remove(struct mempool *m, const struct hash32 *hash);

/* A block could not include it: moves it to the end. True when that was once too often and it was
 * removed. */
bool mempool_defer(struct mempool *m, const struct hash32 *hash);

/* Entries of one signer, oldest first; for re-admission after its leaves changed. */
size_t mempool_of_signer(const struct mempool *m, struct bytes signer,
                         const struct mempool_entry **out, size_t room);

#endif
