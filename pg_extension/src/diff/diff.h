/*
 * tidemark.diff: which columns of which rows differ between two heights, one row after the other.
 * What is read is read at the beginning; each row of the answer is made when it is asked for.
 */
#ifndef PG_EXTENSION_DIFF_H
#define PG_EXTENSION_DIFF_H

#include "value/compat.h"

/* Columns of tidemark.diff_rows, in order. */
enum diff_column {
    DIFF_KEY,
    DIFF_NAME,
    DIFF_OP,
    DIFF_COLUMN_NAME,
    DIFF_FROM_VALUE,
    DIFF_TO_VALUE,
    DIFF_HEIGHT,
    DIFF_STEP,
    DIFF_TX_INDEX,
    DIFF_HASH,
    DIFF_MESSAGE_TYPE,
    DIFF_COLUMNS
};

struct diff_row {
    Datum values[DIFF_COLUMNS];
    bool nulls[DIFF_COLUMNS];
};

struct diff;

/*
 * Reads what the active snapshot sees. The arguments of the call are those of tidemark.diff_rows;
 * raises where they are wrong. What it needs lies in a context below `parent`; no table stays open.
 */
struct diff *diff_begin(FunctionCallInfo call, MemoryContext parent);

/* The next row, valid until the next call; NULL after the last. */
struct diff_row *diff_next(struct diff *d);

/* The first row is the next again. */
void diff_rewind(struct diff *d);

void diff_end(struct diff *d);

#endif
