/* The ten state trees with their pages loaded from the store as updates need them. */
#ifndef NODE_EXECUTOR_TREES_H
#define NODE_EXECUTOR_TREES_H

#include "node/store/store.h"

struct trees {
    const struct store *store;
    struct smt *tree[TREES];
};

/* One root over each tree; NULL: as committed. */
struct trees_version {
    struct smt_version *version[TREES];
};

void trees_open(struct trees *t, const struct store *store, const struct hash32 roots[TREES]);
void trees_free(struct trees *t);

/* Loads all pages that looking up or changing these paths needs. */
enum tm_err trees_load(struct trees *t, enum tree_id tree, const struct hash32 *paths, size_t count,
                       struct tm_error *e);

/* Leaf changes of one tree, sorted by path; count 0: none. */
struct tree_changes {
    struct smt_change *changes;
    size_t count;
};

/* Loads what is missing and makes the version with the changes; roots of all ten. */
enum tm_err trees_update(struct trees *t, const struct tree_changes changes[TREES],
                         struct trees_version *out, struct hash32 roots[TREES], struct tm_error *e);

void trees_commit(struct trees_version *v);
void trees_drop(struct trees_version *v);

/* Bytes in use. trees_evict, after each block, gives back down to the limit: large trees in
 * proportion to their size. */
size_t trees_memory(const struct trees *t);
void trees_evict(struct trees *t, size_t limit);

#endif
