/* A whole state in memory behind a ledger_view: simulation, verification and tests. */
#ifndef PROTOCOL_LEDGER_LEDGER_MEMORY_H
#define PROTOCOL_LEDGER_LEDGER_MEMORY_H

#include "ledger.h"
#include "../block/block.h"

struct ledger_memory {
    struct arena arena;     /* the records */
    struct state_map state; /* every leaf; TREE_TRANSACTIONS by hash */
    uint32_t *actors;       /* indexes of the entries of actor trees */
    size_t actor_count, actor_capacity;
    const struct record **listed; /* the last answer of `unstaking` or `paused` */
    size_t listed_capacity;
    size_t live; /* bytes of the arena after it was last made compact */
    /* Optional: is a transaction that the memory does not hold in the transactions tree all the
     * same? For a state that was loaded without its transactions. */
    bool (*has_other)(void *ctx, const struct hash32 *hash);
    void *other_ctx;
};

void ledger_memory_init(struct ledger_memory *m);
void ledger_memory_free(struct ledger_memory *m);

/* Copies the records in. */
void ledger_memory_load(struct ledger_memory *m, const struct record *records, size_t count);

/* Copies the writes of a block in. Records that the view gave before may be gone afterwards. */
void ledger_memory_apply(struct ledger_memory *m, const struct ledger_write *writes, size_t count);

/* A view that stays valid while m lives; one user at a time. */
struct ledger_view ledger_memory_view(struct ledger_memory *m);

/* The validator set of this state (rules decide who counts), in the arena. */
struct validator_set ledger_memory_validators(struct ledger_memory *m, const struct rules *rules,
                                              struct arena *a);

#endif
