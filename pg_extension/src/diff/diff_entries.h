/* The keys that changed between two heights, each with its row at both. */
#ifndef PG_EXTENSION_DIFF_ENTRIES_H
#define PG_EXTENSION_DIFF_ENTRIES_H

#include "value/compat.h"

#include "access/htup.h"

#include "protocol/base/arena.h"
#include "protocol/state/record.h"

/* A changed key: where it changed last, and its row at both heights, where it has one. */
struct diff_entry {
    struct bytes key;
    HeapTupleHeader low, high;
    int64 height;
    int32 step; /* of ledger.change */
    int8 low_table, high_table;
};

struct diff_slot;

struct diff_entries {
    struct arena *arena; /* of the keys */
    MemoryContext context;
    struct diff_entry *list; /* by the height of their first change, then by their keys */
    struct diff_slot *slots; /* open addressing */
    size_t count, room;
};

/* Reads the keys of one tree out of ledger.change: those of heights above low, up to high. The
 * arena belongs to the current memory context. */
void diff_entries_read(struct diff_entries *entries, struct arena *a, enum tree_id tree, int64 low,
                       int64 high);

/* The entries of many keys (bytea or text), NULL where there is none. */
void diff_entries_find(const struct diff_entries *entries, const Datum *keys, size_t count,
                       struct diff_entry **found);

#endif
