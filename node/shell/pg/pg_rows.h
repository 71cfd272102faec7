/* Rows going out as one array a column, for `unnest` in a statement. */
#ifndef NODE_SHELL_PG_PG_ROWS_H
#define NODE_SHELL_PG_PG_ROWS_H

#include "pg_binary.h"

/*
 * Written row by row, cell by cell: the cells of the first row decide how many columns there are
 * and of which types, those of all others are the same in the same order.
 */
struct pg_rows {
    struct arena *arena;
    size_t count;
    int columns, next; /* next: the column of the next cell */
    struct pg_array column[PG_PARAMS_MAX];
};

void pg_rows_init(struct pg_rows *r, struct arena *a);
/* Begins a row. */
void pg_rows_add(struct pg_rows *r);
void pg_cell_bytea(struct pg_rows *r, struct bytes b);
void pg_cell_text(struct pg_rows *r, struct bytes b);
void pg_cell_bool(struct pg_rows *r, bool v);
void pg_cell_int64(struct pg_rows *r, int64_t n);
void pg_cell_int32(struct pg_rows *r, int32_t n);
/* Canonical decimal text of any length. */
void pg_cell_numeric(struct pg_rows *r, struct bytes decimal);

/* Ends the rows, one or more, and adds their columns as parameters in the order of the cells. */
void pg_param_rows(struct pg_params *p, struct pg_rows *r);

#endif
