/* What the two passes of smt_update share; see update.c. */
#ifndef PROTOCOL_SMT_BATCH_H
#define PROTOCOL_SMT_BATCH_H

#include "nodes.h"

#include "../sha256/sha256.h"

enum {
    SMT_NONE = UINT32_MAX,
    SMT_HASHED_TOGETHER = 256 /* nodes; enough to fill all lanes, few enough for L1 */
};

/* Changes lo … hi - 1 belong below the node that is child `side` of an item's branch. */
struct smt_task {
    uint32_t ref, lo, hi;
    uint32_t parent; /* item, or SMT_NONE: the version's root */
    uint16_t depth;
    uint8_t side;
    bool moved; /* hangs at another depth than before: its digest there is not known */
};

/* A subtree of two leaves or more whose digest is to be worked out. */
struct smt_item {
    struct smt_branch *from; /* its two digests lie here; NULL for a stub */
    struct smt_branch *to;   /* where result and digest go … */
    uint32_t parent;         /* … and the item of that branch, or SMT_NONE */
    uint32_t made, old;      /* copy or new branch; the node it stands for, if any: 0 = none */
    uint32_t result;
    uint32_t lo; /* a change whose path starts like this subtree's, from the root to its bit */
    uint8_t bit, top, side;
    bool changed, moved;
    struct hash32 digest;
};

struct smt_scratch {
    struct smt_task *task;
    struct smt_item *item;
    uint32_t *by_depth, *climbing, *climbed;
    size_t task_count, task_room, item_count, item_room, order_room;
};

struct smt_batch {
    struct smt *t;
    struct smt_version *v;
    const struct smt_change *change;
    struct smt_scratch *s;
    uint32_t waiting[SMT_HASHED_TOGETHER];
    const struct hash32 *left[SMT_HASHED_TOGETHER], *right[SMT_HASHED_TOGETHER];
    struct hash32 *out[SMT_HASHED_TOGETHER];
    size_t waiting_count;
};

/* One child at least of the item's branch is another node than before. */
static inline void smt_mark_changed(struct smt_batch *u, uint32_t item)
{
    if (item != SMT_NONE)
        u->s->item[item].changed = true;
}

static inline void smt_hash_waiting(struct smt_batch *u, uint8_t prefix)
{
    sha256_nodes(prefix, u->left, u->right, u->out, u->waiting_count);
    u->waiting_count = 0;
}

/* Down: takes tasks from *next on until none is left or `parts` of them wait, and leaves items.
 * False if a page is missing. */
bool smt_descend(struct smt_batch *u, size_t *next, size_t parts);

/* Up: finishes the items from `start` on. */
void smt_ascend(struct smt_batch *u, size_t start);

#endif
