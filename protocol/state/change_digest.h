/*
 * Digests of what a block changed. The node computes them from its write set, the database from
 * the rows it wrote; a block is sealed only when both agree (architecture.md 3).
 */
#ifndef PROTOCOL_STATE_CHANGE_DIGEST_H
#define PROTOCOL_STATE_CHANGE_DIGEST_H

#include "../base/bytes.h"

/* A row that changed: its key, and its leaf as it is now. */
struct change_entry {
    struct bytes key;
    struct bytes leaf;
    bool present; /* false: the row is gone, leaf is not looked at */
};

/*
 * SHA-256 over the entries ascending by key: LE4(key length) key, then 0x00 for a row that is gone
 * or 0x01 LE4(leaf length) leaf. No entries: 32 zero bytes. Sorts the entries in place. False when
 * a key occurs twice or a length does not fit 32 bits; *out is then undefined.
 */
bool change_digest(struct change_entry *entries, size_t count, struct hash32 *out);

/* A row of ledger.tree_node that changed. */
struct node_entry {
    uint8_t tree, depth;
    uint64_t prefix;
    bool present; /* false: gone */
    struct hash32 digest;
};

/*
 * SHA-256 over the entries ascending by (tree, depth, prefix as unsigned): tree, depth,
 * LE8(prefix), then 0x00 for gone or 0x01 digest. The rest as for change_digest.
 */
bool node_digest(struct node_entry *entries, size_t count, struct hash32 *out);

#endif
