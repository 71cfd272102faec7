/*
 * The rows of a table that were true at a height, page by page: all of its pages, or those that a
 * range of an index points into. Lifetimes are looked at in the page, so that a row that is passed
 * over costs a tenth of what the server's own scans spend on it.
 */
#ifndef PG_EXTENSION_PAGE_SCAN_H
#define PG_EXTENSION_PAGE_SCAN_H

#include "value/compat.h"

#include "access/relscan.h"
#include "access/skey.h"
#include "executor/tuptable.h"
#include "utils/snapshot.h"

/* begins_after < begins <= height < ends; no column `ends` (0): still true; no column `begins` (0)
 * either: all rows. */
struct page_scan_lifetime {
    AttrNumber begins, ends;
    int64 height, begins_after;
};

struct page_scan;

/* What the snapshot sees. The table stays open until page_scan_end, the index until this returns.
 * index: NULL, or a B-tree with `count` conditions on it. */
struct page_scan *page_scan_begin(Relation heap, Snapshot snapshot,
                                  struct page_scan_lifetime lifetime, Relation index,
                                  ScanKey conditions, int count);

/* The next row in the slot, one of a table's own kind (table_slot_create). */
bool page_scan_next(struct page_scan *p, TupleTableSlot *slot);
void page_scan_end(struct page_scan *p);

#endif
