#include "table/path_rows.h"

#include "table/asof.h"
#include "table/row_scan.h"

#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/float.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"

enum { CURRENT_CONDITIONS = 2, HISTORY_CONDITIONS = 4, FIRST_ROOM = 64 };

/* path64 of the key is an expression. */
static const struct row_scan_key CURRENT_KEY = {1, {NULL}, 0};
static const struct row_scan_key HISTORY_KEY = {2, {NULL, "valid_to", "valid_from"}, 1};

enum { BEGINS_COLUMN = 3 }; /* of the history's index */

/* What is asked for, and what was found. */
struct search {
    struct arena *a;
    enum tree_id tree;
    height_t height;
    size_t *left; /* of each range: rows that can still lie in it */
    const struct record **found;
    size_t count, room;
    MemoryContext row; /* values fetched or made for one row */
};

int64 first_path64(uint64_t prefix, int depth)
{
    uint64_t bits = depth == 0 ? 0 : prefix << (64 - depth);

    return (int64)(bits ^ UINT64_C(1) << 63);
}

int64 last_path64(uint64_t prefix, int depth)
{
    uint64_t bits = depth == 0 ? 0 : prefix << (64 - depth);

    return (int64)((bits | UINT64_MAX >> depth) ^ UINT64_C(1) << 63);
}

void path_ranges_add(struct path_ranges *r, uint64_t prefix, int depth, size_t most,
                     int first_table)
{
    struct path_range added = {first_path64(prefix, depth), last_path64(prefix, depth), most,
                               first_table};
    struct path_range *before = r->count > 0 ? &r->list[r->count - 1] : NULL;

    if (before == NULL || before->last == PG_INT64_MAX || before->last + 1 != added.first) {
        r->list[r->count++] = added;
        return;
    }
    before->last = added.last;
    before->first_table = Min(before->first_table, first_table);
    before->most = most < SIZE_MAX - before->most ? before->most + most : SIZE_MAX;
}

static void keep(struct search *s, const struct record *record)
{
    if (s->count == s->room) {
        const struct record **old = s->found;

        s->room = Max(FIRST_ROOM, 2 * s->room);
        s->found = arena_array(s->a, const struct record *, s->room);
        if (s->count > 0)
            memcpy(s->found, old, sizeof *old * s->count);
    }
    s->found[s->count++] = record;
}

static void take_row(struct search *s, TupleTableSlot *slot, const struct rows_columns *columns)
{
    MemoryContext before = MemoryContextSwitchTo(s->row);
    Datum values[ROWS_COLUMNS_MAX];
    bool nulls[ROWS_COLUMNS_MAX];
    struct record row;

    for (int i = 0; i < columns->count; i++)
        values[i] = slot_getattr(slot, columns->at[i], &nulls[i]);
    rows_read(s->tree, values, nulls, &row);
    keep(s, record_copy(s->a, &row));
    MemoryContextSwitchTo(before);
    MemoryContextReset(s->row);
}

/* The current rows or a class of the history. */
struct table {
    int class;
    double share; /* asof_share; the current rows come before all */
    struct row_scan rows;
    struct rows_columns columns;
    AttrNumber valid_from;
};

static void open_table(struct search *s, int class, struct table *t)
{
    bool is_current = class == ASOF_CURRENT;

    t->class = class;
    row_scan_open(&t->rows, asof_table(rows_table(s->tree)->table, class).text,
                  is_current ? &CURRENT_KEY : &HISTORY_KEY,
                  is_current ? CURRENT_CONDITIONS : HISTORY_CONDITIONS);
    if (!is_current)
        row_scan_want_keys(&t->rows);
    t->columns = rows_find_columns(s->tree, t->rows.heap);
    t->valid_from = row_scan_column(&t->rows, "valid_from");
    t->share =
        is_current ? get_float8_infinity() : asof_share(class, t->rows.heap->rd_rel->reltuples);
}

static int by_share(const void *x, const void *y)
{
    const struct table *const *a = x, *const *b = y;

    return ((*a)->share < (*b)->share) - ((*a)->share > (*b)->share);
}

/* The next row that had begun at the height: the history's index tells without the row. */
static bool next_begun(const struct search *s, struct table *t)
{
    struct row_scan *rows = &t->rows;
    bool is_null;

    if (t->class == ASOF_CURRENT) {
        while (row_scan_next(rows))
            if (DatumGetInt64(slot_getattr(rows->slot, t->valid_from, &is_null)) <= s->height)
                return true;
        return false;
    }
    while (index_getnext_tid(rows->scan, ForwardScanDirection) != NULL) {
        IndexTuple entry = rows->scan->xs_itup;

        if (DatumGetInt64(index_getattr(entry, BEGINS_COLUMN, rows->scan->xs_itupdesc, &is_null)) <=
                s->height &&
            index_fetch_heap(rows->scan, rows->slot))
            return true;
    }
    return false;
}

static void start(const struct search *s, struct table *t, const struct path_range *range)
{
    ScanKeyData keys[HISTORY_CONDITIONS];

    row_scan_condition(&t->rows, &keys[0], 1, BTGreaterEqualStrategyNumber, F_INT8GE,
                       Int64GetDatum(range->first));
    row_scan_condition(&t->rows, &keys[1], 1, BTLessEqualStrategyNumber, F_INT8LE,
                       Int64GetDatum(range->last));
    if (t->class != ASOF_CURRENT) {
        row_scan_condition(&t->rows, &keys[2], 2, BTGreaterStrategyNumber, F_INT8GT,
                           Int64GetDatum(s->height));
        row_scan_condition(&t->rows, &keys[3], 2, BTLessEqualStrategyNumber, F_INT8LE,
                           Int64GetDatum(asof_latest_end(t->class, s->height)));
    }
    row_scan_start(&t->rows, keys);
}

static void read_table(struct search *s, struct table *t, const struct path_ranges *ranges)
{
    if (RelationGetNumberOfBlocks(t->rows.heap) == 0)
        return;
    for (size_t i = 0; i < ranges->count; i++) {
        if (s->left[i] == 0 || t->class < ranges->list[i].first_table)
            continue;
        CHECK_FOR_INTERRUPTS();
        start(s, t, &ranges->list[i]);
        /* Until there is one row more than can lie in the range. */
        while (next_begun(s, t)) {
            take_row(s, t->rows.slot, &t->columns);
            if (s->left[i] == 0)
                break;
            s->left[i]--;
        }
    }
}

const struct record **path_rows_at(struct arena *a, enum tree_id tree, height_t height,
                                   const struct path_ranges *ranges, size_t *count)
{
    struct search s = {
        .a = a,
        .tree = tree,
        .height = height,
        .left = palloc(sizeof(size_t) * (ranges->count + 1)),
        .row = AllocSetContextCreate(CurrentMemoryContext, "row", ALLOCSET_SMALL_SIZES),
    };
    struct table tables[ASOF_TABLES], *order[ASOF_TABLES];
    int first_table = ASOF_CURRENT;
    size_t open = 0;

    for (size_t i = 0; i < ranges->count; i++) {
        s.left[i] = ranges->list[i].most;
        first_table = Min(first_table, ranges->list[i].first_table);
    }
    for (int i = first_table; i < ASOF_TABLES; i++) {
        open_table(&s, i, &tables[open]);
        order[open] = &tables[open];
        open++;
    }
    qsort(order, open, sizeof *order, by_share);
    for (size_t i = 0; i < open; i++)
        read_table(&s, order[i], ranges);
    for (size_t i = 0; i < open; i++)
        row_scan_close(&tables[i].rows);
    MemoryContextDelete(s.row);
    pfree(s.left);
    *count = s.count;
    return s.found;
}
