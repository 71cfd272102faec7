/*
 * The leaves an aggregate collects: two digests each in a flat array. A worker sorts and hashes its
 * share before it hands it over, so that what is left for one process alone is to merge these runs
 * and to hash the inner nodes.
 */
#ifndef PG_EXTENSION_LEAF_SET_H
#define PG_EXTENSION_LEAF_SET_H

#include "compat.h"

#include "protocol/smt/smt.h"

enum { LEAF_RUNS_MAX = 8 }; /* more are sorted into one; a server gives a query a few workers */

struct leaf_set {
    MemoryContext context;
    struct smt_leaf *leaves;
    size_t count, capacity;
    /* Sorted runs from the front, their leaves hashed; what follows them is as it was added. */
    size_t run_end[LEAF_RUNS_MAX];
    int run_count;
};

struct leaf_set *leaf_set_new(MemoryContext context);

/* Hashes and appends; key and value are not kept. */
void leaf_set_add(struct leaf_set *set, struct bytes key, struct bytes value);

/* The same for a value of which only the SHA-256 is known. */
void leaf_set_add_hash(struct leaf_set *set, struct bytes key, const struct hash32 *value_hash);

/* Appends the leaves of another set. */
void leaf_set_append(struct leaf_set *set, const struct leaf_set *other);

/* The set as one value for another process, and back; the set that was read borrows the bytes.
 * Raises when it exceeds what a value holds, or when the bytes are no such value. */
bytea *leaf_set_write(struct leaf_set *set);
struct leaf_set *leaf_set_read(MemoryContext context, struct bytes bytes);

/* The root over all leaves. Raises when a key occurs twice, with its path. */
struct hash32 leaf_set_root(struct leaf_set *set);

#endif
