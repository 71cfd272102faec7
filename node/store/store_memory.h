/* The chain in memory behind `struct store`: simulation and tests. */
#ifndef NODE_STORE_STORE_MEMORY_H
#define NODE_STORE_STORE_MEMORY_H

#include "store.h"

struct store_memory;

/* An empty store. */
struct store_memory *store_memory_new(void);
void store_memory_free(struct store_memory *m);

/* Loads the chain's constants and its block 0 (executor/genesis.h makes it). */
enum tm_err store_memory_genesis(struct store_memory *m, const struct genesis *genesis,
                                 const struct store_block *block, struct tm_error *e);

/* The interface; valid while m lives. */
struct store store_memory_store(struct store_memory *m);

/* The next `count` calls of apply fail with TM_ERR_IO, having written nothing. */
void store_memory_fail(struct store_memory *m, unsigned count);

/* Number of method calls since the start, to show that keys are fetched set-wise. */
unsigned store_memory_calls(const struct store_memory *m);

#endif
