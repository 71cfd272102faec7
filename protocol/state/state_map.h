/*
 * A set of records by (tree, key): the write layers of a block, the store's read cache, and the
 * whole state where it is kept in memory (simulation, verification, tests). Records are borrowed:
 * they live in the arena the caller chose. Iteration order is insertion order of the key.
 */
#ifndef PROTOCOL_STATE_STATE_MAP_H
#define PROTOCOL_STATE_STATE_MAP_H

#include "record.h"

struct state_entry {
    enum tree_id tree;
    struct bytes key;
    const struct record *record; /* NULL: known to be absent (a deletion in a layer) */
};

struct state_map {
    struct state_entry *entries;
    size_t count, capacity;
    uint32_t *slots; /* open addressing over entries; index + 1 */
    size_t slot_count;
    struct arena *arena; /* NULL: memory of its own */
};

void state_map_init(struct state_map *m);
/* A map that lives as long as an arena and needs no state_map_free. */
void state_map_init_in(struct state_map *m, struct arena *a);
void state_map_free(struct state_map *m);
void state_map_clear(struct state_map *m);

/* The entry of (tree, key), or NULL when the map says nothing about it. */
const struct state_entry *state_map_find(const struct state_map *m, enum tree_id tree,
                                         struct bytes key);

/* Sets (tree, key) to record or, with NULL, to known-absent. key must live as long as the map;
 * a NULL record keeps the key that is already there. */
void state_map_put(struct state_map *m, enum tree_id tree, struct bytes key,
                   const struct record *record);

#endif
