/* The leaves of one tree that one block touched, before and after it, and the proof that they are
 * what the roots of both heights say. */
#ifndef PG_EXTENSION_TOUCHED_H
#define PG_EXTENSION_TOUCHED_H

#include "height/height.h"
#include "table/reader.h"

#include "protocol/smt/smt.h"

struct touched_tree {
    enum tree_id tree;
    height_t height;
    const struct tip *tip;
    bool has_before;           /* the state before is kept (or the block is the first) */
    struct hash32 root_before; /* zero for the first block */
    struct hash32 root;
};

/*
 * Checks the leaves that ledger.change and ledger.transaction name for the block. With has_before:
 * the rows before the block are the leaves under the root before, and their changes to the rows
 * after it lead to its root and to the tree nodes as stored. Without: the rows after it are the
 * leaves under its root. Returns the number of touched leaves; *detail is NULL or the first thing
 * that does not hold.
 */
size_t touched_verify(struct arena *a, const struct touched_tree *tree, const char **detail);

#endif
