/*
 * Rows of one table of schema `ledger` through one of its indexes, without the executor: for reads
 * of a few rows from many tables, or of many single keys, where a plan costs more than the rows.
 * What the active snapshot sees is read.
 */
#ifndef PG_EXTENSION_ROW_SCAN_H
#define PG_EXTENSION_ROW_SCAN_H

#include "value/compat.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/skey.h"
#include "executor/tuptable.h"

enum { ROW_SCAN_COLUMNS_MAX = 8 };

/* Which index: its columns in order, NULL for an expression, then those that it includes. */
struct row_scan_key {
    int count;
    const char *columns[ROW_SCAN_COLUMNS_MAX];
    int included;
};

struct row_scan {
    Relation heap, index;
    IndexScanDesc scan;
    TupleTableSlot *slot;
    int conditions;
    Buffer visibility; /* page of the visibility map in use */
};

/* Locks the table of schema `ledger`; raises where it is missing or the user may not read it. */
Relation row_scan_table(const char *table);

/* Locks table and index until row_scan_close; raises where the user may not read the table or where
 * it has no such index. conditions: number of those that each start is given. */
void row_scan_open(struct row_scan *s, const char *table, const struct row_scan_key *key,
                   int conditions);
void row_scan_close(struct row_scan *s);

/* The table's column; raises where it has none of this name. */
AttrNumber row_scan_attribute(Relation heap, const char *name);
AttrNumber row_scan_column(const struct row_scan *s, const char *name);

/* Begins again under these conditions, ascending by the index's columns. */
void row_scan_start(struct row_scan *s, ScanKey conditions);

/* The next row in s->slot. */
bool row_scan_next(struct row_scan *s);

/* The next row's index tuple in s->scan->xs_itup; the table itself is read only where that is
 * needed to know whether the row is visible. Scans that want this say so first. */
void row_scan_want_keys(struct row_scan *s);
bool row_scan_next_key(struct row_scan *s);

/* The same for the entry that index_getnext_tid has just found. */
bool row_scan_visible(struct row_scan *s);

/* A condition on the index's column n (from 1). */
void row_scan_condition(const struct row_scan *s, ScanKey out, AttrNumber n,
                        StrategyNumber strategy, RegProcedure procedure, Datum value);

/* Two conditions on the first column, a height: above < height <= until. */
void row_scan_range(const struct row_scan *s, ScanKey out, int64 above, int64 until);

#endif
