/*
 * The leaves of a tree on their way to its root: two digests each, in buckets by the first bits of
 * their paths. Each process that reads rows fills buckets of its own; then a bucket's leaves of all
 * of them become one subtree, which any process may hash, and the subtrees become the root. So
 * nothing but the buckets themselves, which can lie in shared memory, goes from one process to
 * another.
 */
#ifndef PG_EXTENSION_LEAF_BUCKETS_H
#define PG_EXTENSION_LEAF_BUCKETS_H

#include "value/compat.h"

#include "utils/dsa.h"

#include "protocol/smt/smt.h"

enum { LEAF_BUCKET_BITS = 8, LEAF_BUCKETS = 1 << LEAF_BUCKET_BITS };

/* The latest chunk of a bucket's leaves, which names the one before. */
struct leaf_bucket {
    dsa_pointer last;
    uint64 count;
};

/* What one process has collected; begins as zeros. */
struct leaf_buckets {
    struct leaf_bucket bucket[LEAF_BUCKETS];
    uint64 count;
};

/* Where the leaves lie. */
struct leaf_memory {
    MemoryContext context;
    dsa_area *area; /* NULL: in the context, and of this process alone */
};

/* Fills buckets: rows wait until there are enough of them to fill the kernels. */
struct leaf_writer;
struct leaf_writer *leaf_writer_new(struct leaf_memory memory, struct leaf_buckets *to);

/* Key and value are not kept. */
void leaf_writer_add(struct leaf_writer *w, struct bytes key, struct bytes value);

/* The same for a value of which only the SHA-256 is known. */
void leaf_writer_add_hash(struct leaf_writer *w, struct bytes key, const struct hash32 *value_hash);

/* Leaves with their digests, as leaf_buckets_copy gives them. */
void leaf_writer_add_hashed(struct leaf_writer *w, const struct smt_leaf *leaves, size_t count);

/* Those of other buckets in the same memory, which wait for nothing any more. */
void leaf_writer_append(struct leaf_writer *w, const struct leaf_buckets *from);

/* Puts the rows that still wait into their buckets. */
void leaf_writer_flush(struct leaf_writer *w);

/* All leaves one after the other, into room for `count` of them. */
void leaf_buckets_copy(struct leaf_memory memory, const struct leaf_buckets *from,
                       struct smt_leaf *to);

/* The subtree of the leaves that the sets have in one bucket; false if there are none. Raises when
 * a key occurs twice, with its path. */
bool leaf_buckets_subtree(struct leaf_memory memory, const struct leaf_buckets *sets, size_t count,
                          unsigned bucket, struct smt_subtree *out);

/* The root over the subtrees, indexed by bucket. */
struct hash32 leaf_buckets_root(const struct smt_subtree *subtrees, const bool *there);

#endif
