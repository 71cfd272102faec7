/*
 * The columns that tidemark.diff compares, as text, in the order of the views. tidemark.blame has
 * the same in SQL (sql/60_diff.sql); tests/sql/compared_columns_test.sh holds the two against each
 * other.
 */
#ifndef PG_EXTENSION_DIFF_CELLS_H
#define PG_EXTENSION_DIFF_CELLS_H

#include "value/compat.h"

#include "protocol/state/record.h"

enum { DIFF_CELLS_MAX = 8 };

/* How a stored value is written. */
enum diff_cell_kind {
    CELL_NUMERIC,
    CELL_BYTES,  /* \x… */
    CELL_TEXT,   /* as it is */
    CELL_URL,    /* the same, '' is NULL */
    CELL_TEXTS,  /* as an array literal */
    CELL_HEIGHT, /* -1 is NULL */
    CELL_NUMBER,
    CELL_FLAG
};

struct diff_cell {
    const char *name, *column;
    enum diff_cell_kind kind;
};

struct diff_view {
    const char *table, *key; /* current table, its primary key */
    Oid key_type;
    const struct diff_cell *cells;
    int cell_count;
};

/* Not for transactions. */
const struct diff_view *diff_view(enum tree_id tree);

/* True where both are certainly written alike: equal bytes. */
bool diff_cell_same(const struct diff_cell *cell, Datum a, Datum b);

/* The value as text; false: NULL. */
bool diff_cell_text(const struct diff_cell *cell, Datum value, Datum *out);

#endif
