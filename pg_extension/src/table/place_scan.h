/*
 * Rows that an index names, a million at a time in the order in which they lie in their table: each
 * page is then visited once, whatever the order of the index. For rows that are scattered over a
 * large table.
 */
#ifndef PG_EXTENSION_PLACE_SCAN_H
#define PG_EXTENSION_PLACE_SCAN_H

#include "table/row_scan.h"

struct place_scan;

/* The rows that meet the conditions, as many as s was opened for; s stays open until the end. */
struct place_scan *place_scan_begin(struct row_scan *s, ScanKey conditions);

/* The next row in s->slot; false after the last. */
bool place_scan_next(struct place_scan *p);

void place_scan_end(struct place_scan *p);

#endif
