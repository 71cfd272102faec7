/* Comparing headers field by field. */
#ifndef NODE_EXECUTOR_HEADER_DIFFERENCE_H
#define NODE_EXECUTOR_HEADER_DIFFERENCE_H

#include "protocol/block/block.h"

/* The first tree whose roots differ, or -1. */
int header_tree_difference(const struct block_header *x, const struct block_header *y);

/* Name of the first field that differs, the certificate apart; trees before the state hash, which
 * follows from them. NULL: none. */
const char *header_difference(const struct block_header *x, const struct block_header *y);

#endif
