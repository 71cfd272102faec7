/* Lists of relay chain ids as they stand in leaves: ascending by byte, each once. */
#ifndef PROTOCOL_STATE_CHAINS_H
#define PROTOCOL_STATE_CHAINS_H

#include "../base/arena.h"

/* Characters of a chain id (state.md 4.1: CHAR(4)). */
enum { CHAIN_ID_SIZE = 4 };

struct chains {
    struct bytes *ids;
    size_t count;
};

/* `standard`: four bytes of printable ASCII without blank. */
bool chain_id_is_standard(struct bytes id);

/*
 * `reference`: what a CHAR(4) column makes of an id: short ones are padded with blanks, blanks
 * beyond the fourth character are cut. False for one the column refuses (longer, or with a NUL).
 */
bool chain_id_pad(struct arena *a, struct bytes id, struct bytes *out);

/* The ids in ascending order, each once, in the arena; the bytes are borrowed. */
struct chains chains_sorted(struct arena *a, const struct bytes *ids, size_t count);

/* Both lists together, sorted. */
struct chains chains_union(struct arena *a, struct chains x, struct chains y);

#endif
