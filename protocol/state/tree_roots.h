/* Roots of a whole state held in memory: genesis, simulation, verification. */
#ifndef PROTOCOL_STATE_TREE_ROOTS_H
#define PROTOCOL_STATE_TREE_ROOTS_H

#include "../base/error.h"
#include "state_map.h"

/*
 * The root of each of the ten trees over the records of the map (absent ones are no leaves). Hashes
 * every leaf: for a state that changes block by block keep an smt instead. scratch may be reset
 * afterwards.
 */
enum tm_err tree_roots(struct arena *scratch, const struct state_map *state,
                       struct hash32 out[TREES], struct tm_error *e);

#endif
