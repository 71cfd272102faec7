/*
 * All leaves of one tree as of a height, read in pieces: runs of pages of a current table, runs of
 * heights of a history table. Any number of processes with the same snapshot can read the pieces in
 * any order; together they are the rows of storage.md's form.
 */
#ifndef PG_EXTENSION_TREE_SCAN_H
#define PG_EXTENSION_TREE_SCAN_H

#include "height/height.h"
#include "tree/leaf_buckets.h"
#include "table/rows.h"

struct tree_piece {
    int64 low, high; /* pages [low, high), or heights (low, high] at which versions ended */
    int source;
};

/* Splits the reading of a tree, in the current memory context. *blocks: pages there are to read, at
 * most. Between query_begin and query_end. */
struct tree_piece *tree_scan_pieces(enum tree_id tree, height_t height, const struct tip *tip,
                                    size_t *count, uint64 *blocks);

/* Reads one piece. Between query_begin and query_end. */
void tree_scan_read(enum tree_id tree, height_t height, const struct tree_piece *piece,
                    struct leaf_writer *to);

#endif
