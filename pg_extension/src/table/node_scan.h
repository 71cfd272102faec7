/*
 * Rows of ledger.tree_node as of a height, read through the tables' indexes without the executor: a
 * proof needs a handful of pages of 64 rows, and a plan over seven tables costs more than those.
 */
#ifndef PG_EXTENSION_NODE_SCAN_H
#define PG_EXTENSION_NODE_SCAN_H

#include "table/asof.h"

#include "protocol/smt/smt.h"
#include "protocol/state/record.h"

enum { NODE_SCAN_SLOTS = 1 << SMT_PAGE_BITS };

struct node_scan;

/* Locks tables and indexes as they are needed; raises then where the user may not read them or
 * where they are missing. */
struct node_scan *node_scan_begin(void);
void node_scan_end(struct node_scan *s);

/* The rows of a page. */
struct node_scan_rows {
    struct smt_node_row list[NODE_SCAN_SLOTS]; /* ascending by prefix */
    uint8 tables[NODE_SCAN_SLOTS];             /* in which each was found (asof.h) */
    size_t count;
};

/*
 * The rows at depth + 6 below the page that are true at the height, as the active snapshot sees
 * them. first_table: of the tables, those before it are not asked. A node changes whenever one
 * below it does, so that none below lives in an earlier table than the node itself.
 */
void node_scan_page(struct node_scan *s, enum tree_id tree, struct smt_page_id page,
                    height_t height, int first_table, struct node_scan_rows *out);

#endif
