/*
 * Rows of ledger.tree_node as of a height, read through the tables' indexes without the executor: a
 * proof needs a handful of pages of 64 rows, and a plan over seven tables costs more than those.
 */
#ifndef PG_EXTENSION_NODE_SCAN_H
#define PG_EXTENSION_NODE_SCAN_H

#include "value/compat.h"

#include "protocol/smt/smt.h"
#include "protocol/state/record.h"

enum { NODE_SCAN_SLOTS = 1 << SMT_PAGE_BITS };

struct node_scan;

/* Locks tables and indexes; raises where the user may not read them or where they are missing. */
struct node_scan *node_scan_begin(void);
void node_scan_end(struct node_scan *s);

/* The rows at depth + 6 below the page that are true at the height, ascending by prefix, in `out`
 * with room for all NODE_SCAN_SLOTS. As the active snapshot sees them. */
size_t node_scan_page(struct node_scan *s, enum tree_id tree, struct smt_page_id page,
                      height_t height, struct smt_node_row *out);

#endif
