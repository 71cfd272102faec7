/*
 * The rows a block reads, in memory: parameters, flags, pools, validators and paused or unstaking
 * actors always, all else as it is asked for. Holds what decided blocks wrote, so it is right while
 * blocks wait to be written to the store.
 */
#ifndef NODE_EXECUTOR_STATE_CACHE_H
#define NODE_EXECUTOR_STATE_CACHE_H

#include "node/store/store.h"

struct state_cache {
    const struct store *store;
    struct arena arena;      /* the records */
    struct state_map rows;   /* (tree, key) -> record, or known to be absent */
    struct state_map actors; /* all validators, and every other actor that is or was due */
    size_t validators;       /* with neither a pause nor an unstaking height */
    struct arena retired;    /* what the last trim replaced; the last block may still point there */
};

/* Loads what is always kept. */
enum tm_err state_cache_open(struct state_cache *c, const struct store *store, struct tm_error *e);
void state_cache_free(struct state_cache *c);

/* Keys to have at hand before they are read one by one. */
struct cache_keys {
    struct state_cache *cache;
    struct arena arena;      /* the keys */
    struct state_map wanted; /* those the cache knows nothing about */
};

void cache_keys_init(struct cache_keys *k, struct state_cache *c);
/* A ledger_want: adds a key unless it is known; the key is borrowed for the call. */
void cache_keys_want(void *keys, enum tree_id tree, struct bytes key);
/* Output accounts of the actors that end their unstaking at `height`. */
void cache_keys_want_due(struct cache_keys *k, height_t height);
/* Fetches all of them in one call of the store and frees the list. */
enum tm_err cache_keys_fetch(struct cache_keys *k, struct tm_error *e);

/*
 * The state after the tip as the ledger reads it; a key that was not fetched is fetched then.
 * has_transaction asks the transactions tree, whose pages must be loaded for the paths asked.
 */
struct cache_view {
    struct state_cache *cache;
    struct arena *arena; /* of lists of due actors */
    const struct smt_version *transactions;
};

struct ledger_view cache_view_ledger(struct cache_view *v);

/* Takes over what a decided block wrote. */
void state_cache_apply(struct state_cache *c, const struct ledger_write *writes, size_t count);

/* Forgets everything that is not always kept, once the store has all of it; records stay readable
 * until the next state_cache_apply. Where the store cannot be read the cache stays as it is. */
void state_cache_trim(struct state_cache *c, size_t limit);

/* The validator set after the given writes on top of the cache (rules decide who counts). */
struct validator_set state_cache_validators(const struct state_cache *c, const struct rules *rules,
                                            const struct ledger_write *writes, size_t count,
                                            struct arena *a);

#endif
