/*
 * The rows that changed between two heights, as they were at both: which keys, out of
 * ledger.change, and for each of them its row at the earlier and at the later height.
 *
 * A row that changed between them was ended there as it was at the lower one and began there as it
 * is at the higher one: two ranges of the history's indexes on valid_to and valid_from, or, where
 * the heights lie far apart, its pages one after the other. What has not ended since is looked up
 * by its key. So the cost is that of the changes in between, not of the state.
 */
#ifndef PG_EXTENSION_DIFF_ROWS_H
#define PG_EXTENSION_DIFF_ROWS_H

#include "table/asof.h"
#include "diff/diff_cells.h"
#include "diff/diff_entries.h"
#include "height/height.h"

#include "access/htup_details.h"

/* Where one table of a pair has what is read of it. */
struct diff_columns {
    TupleDesc desc; /* NULL: no row of it was read */
    AttrNumber key, valid_from, valid_to, shown_key, cells[DIFF_CELLS_MAX];
};

struct diff_rows {
    enum tree_id tree;
    const struct diff_view *view;
    struct tip tip;
    int64 low, high;
    size_t missing;     /* keys whose row at the later height was not found yet */
    struct arena arena; /* keys and rows */
    struct diff_entries entries;
    struct diff_columns columns[ASOF_TABLES]; /* by the tables of an entry's rows */
};

/*
 * Reads what the active snapshot sees into the current memory context. The tables stay locked until
 * the end of the transaction, since rows may point to values that lie beside them.
 */
void diff_rows_read(struct diff_rows *d, enum tree_id tree, int64 low, int64 high, struct tip tip);

/* A column of an entry's row. */
static inline Datum diff_rows_value(HeapTupleHeader row, AttrNumber n, TupleDesc desc,
                                    bool *is_null)
{
    HeapTupleData tuple = {.t_data = row};

    return heap_getattr(&tuple, n, desc, is_null);
}

#endif
