/* Block 0: the state of a genesis file, its trees and its header (state.md 5, block.md). */
#ifndef NODE_EXECUTOR_GENESIS_BLOCK_H
#define NODE_EXECUTOR_GENESIS_BLOCK_H

#include "node/store/store.h"

/* Everything of *out lives in the arena; a store takes it like any other block. */
enum tm_err genesis_block(struct arena *a, const struct genesis *genesis, struct store_block *out,
                          struct tm_error *e);

#endif
