/* The walk that a proof's steps describe; nobody outside protocol/proof includes this. */
#ifndef PROTOCOL_PROOF_WALK_H
#define PROTOCOL_PROOF_WALK_H

#include "proof.h"

/*
 * From the root down, left before right, one step for each subtree that is met. A subtree with
 * items of the proof below it is empty, a leaf or an inner node; one without is empty or given by
 * its digest. A leaf that is none of the items stands as two digests: its path, its value hash.
 */
enum walk_step { WALK_EMPTY = 0, WALK_LEAF = 1, WALK_INNER = 2, WALK_DIGEST = 3 };

enum { WALK_STEPS_PER_BYTE = 4 };

static inline bool walk_bit(const struct hash32 *path, unsigned i)
{
    return (path->b[i / 8] >> (7 - i % 8) & 1) != 0;
}

/* The first item of [from, to) whose path has bit `depth` set; all share the bits before. */
size_t walk_split(const struct proof_item *items, size_t from, size_t to, unsigned depth);

/* Goes over the whole proof: all steps and digests must be used, nothing may be missing. Sets the
 * root. */
enum tm_err walk_root(const struct proof *p, struct hash32 *root, struct tm_error *e);

#endif
