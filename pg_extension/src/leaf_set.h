/*
 * The leaves an aggregate collects: two digests each in a flat array, sorted once when the root is
 * asked for. The keys are kept beside them only to name the one that occurs twice.
 */
#ifndef PG_EXTENSION_LEAF_SET_H
#define PG_EXTENSION_LEAF_SET_H

#include "compat.h"

#include "protocol/smt/smt.h"

struct leaf_set {
    MemoryContext context;
    struct smt_leaf *leaves;
    size_t count, capacity;
    uint8_t *keys; /* LE4 length and bytes of each, in order of arrival */
    size_t key_bytes, key_capacity;
};

struct leaf_set *leaf_set_new(MemoryContext context);

/* Hashes and appends; key and value are not kept. */
void leaf_set_add(struct leaf_set *set, struct bytes key, struct bytes value);

/* The same for a value of which only the SHA-256 is known. */
void leaf_set_add_hash(struct leaf_set *set, struct bytes key, const struct hash32 *value_hash);

/* Appends the leaves of another set. */
void leaf_set_append(struct leaf_set *set, const struct leaf_set *other);

/* The set as one value for another process, and back. Raises when it exceeds what a value holds,
 * or when the bytes are no such value. */
bytea *leaf_set_write(const struct leaf_set *set);
struct leaf_set *leaf_set_read(MemoryContext context, struct bytes bytes);

/* Sorts by path and gives the root. Raises naming the key when one occurs twice. */
struct hash32 leaf_set_root(struct leaf_set *set);

#endif
