#include "pg_rows.h"

#include <assert.h>

void pg_rows_init(struct pg_rows *r, struct arena *a)
{
    r->arena = a;
    r->count = 0;
    r->columns = r->next = 0;
}

void pg_rows_add(struct pg_rows *r)
{
    assert(r->next == r->columns);
    r->count++;
    r->next = 0;
}

/* The array the next cell belongs to. */
static struct pg_array *cell(struct pg_rows *r, enum pg_type type)
{
    if (r->count == 1) {
        assert(r->columns < PG_PARAMS_MAX);
        pg_array_begin(&r->column[r->columns++], r->arena, type);
    }
    assert(r->next < r->columns);
    return &r->column[r->next++];
}

void pg_cell_bytea(struct pg_rows *r, struct bytes b)
{
    pg_array_bytes(cell(r, PG_BYTEA), b);
}

void pg_cell_text(struct pg_rows *r, struct bytes b)
{
    pg_array_bytes(cell(r, PG_TEXT), b);
}

void pg_cell_bool(struct pg_rows *r, bool v)
{
    pg_array_bool(cell(r, PG_BOOL), v);
}

void pg_cell_int64(struct pg_rows *r, int64_t n)
{
    pg_array_int64(cell(r, PG_INT8), n);
}

void pg_cell_int32(struct pg_rows *r, int32_t n)
{
    pg_array_int32(cell(r, PG_INT4), n);
}

void pg_cell_numeric(struct pg_rows *r, struct bytes decimal)
{
    pg_array_numeric(cell(r, PG_NUMERIC), decimal);
}

void pg_param_rows(struct pg_params *p, struct pg_rows *r)
{
    assert(r->count > 0 && r->next == r->columns);
    for (int i = 0; i < r->columns; i++)
        pg_param_array(p, &r->column[i]);
}
