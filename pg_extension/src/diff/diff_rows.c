#include "diff/diff_rows.h"

#include "value/memory.h"
#include "table/page_scan.h"
#include "table/place_scan.h"
#include "table/row_scan.h"

#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

enum { GATHERED = 512, ROWS_PASSED_OVER = 16 };

static const struct row_scan_key BEGIN_KEY = {1, {"valid_from"}, 0};
static const struct row_scan_key END_KEY = {1, {"valid_to"}, 0};

static void open_table(struct diff_rows *d, int table, const struct row_scan_key *key,
                       int conditions, struct row_scan *s)
{
    struct diff_columns *c = &d->columns[table];

    row_scan_open(s, asof_table(d->view->table, table).text, key, conditions);
    if (c->desc != NULL)
        return;
    LockRelationOid(RelationGetRelid(s->heap), AccessShareLock);
    c->desc = CreateTupleDescCopy(RelationGetDescr(s->heap));
    c->key = row_scan_column(s, d->view->key);
    c->shown_key = d->tree == TREE_IBC ? row_scan_column(s, "key") : c->key;
    c->valid_from = row_scan_column(s, "valid_from");
    c->valid_to = table == ASOF_CURRENT ? 0 : row_scan_column(s, "valid_to");
    for (int i = 0; i < d->view->cell_count; i++)
        c->cells[i] = row_scan_column(s, d->view->cells[i].column);
}

/* A copy of the row in the slot, which comes from a page. */
static HeapTupleHeader keep_row(struct diff_rows *d, TupleTableSlot *slot)
{
    HeapTuple row = ExecFetchSlotHeapTuple(slot, false, NULL);
    HeapTupleHeader copy = arena_alloc(&d->arena, row->t_len);

    memcpy(copy, row->t_data, row->t_len);
    return copy;
}

/* Rows of one table on their way to their keys. */
struct gathered {
    int table;
    bool is_low;
    size_t count;
    HeapTupleHeader rows[GATHERED];
    Datum keys[GATHERED];
};

static void put_row(struct diff_rows *d, struct diff_entry *entry, HeapTupleHeader row, int table,
                    bool is_low)
{
    if (is_low) {
        entry->low = row;
        entry->low_table = (int8)table;
    } else {
        entry->high = row;
        entry->high_table = (int8)table;
        d->missing--;
    }
}

static void put_gathered(struct diff_rows *d, struct gathered *g)
{
    struct diff_entry *entries[GATHERED];

    diff_entries_find(&d->entries, g->keys, g->count, entries);
    for (size_t i = 0; i < g->count; i++)
        if (entries[i] != NULL)
            put_row(d, entries[i], g->rows[i], g->table, g->is_low);
    g->count = 0;
}

static void gather(struct diff_rows *d, struct gathered *g, TupleTableSlot *slot)
{
    const struct diff_columns *c = &d->columns[g->table];
    bool is_null;

    g->rows[g->count] = keep_row(d, slot);
    g->keys[g->count] = diff_rows_value(g->rows[g->count], c->key, c->desc, &is_null);
    if (++g->count == GATHERED)
        put_gathered(d, g);
}

/* Rows that the index names for the heights in between. */
static void read_places(struct diff_rows *d, struct gathered *g, struct row_scan *s)
{
    const struct diff_columns *c = &d->columns[g->table];
    int64 above = d->low, until = d->high;
    struct place_scan *rows;
    ScanKeyData between[2];

    if (g->is_low)
        until = Min(until, asof_latest_end(g->table, d->low));
    else
        above = Max(above, asof_earliest_begin(g->table, d->high));
    row_scan_range(s, between, above, until);
    rows = place_scan_begin(s, between);
    while (place_scan_next(rows)) {
        bool is_null;

        if (g->is_low ? DatumGetInt64(slot_getattr(s->slot, c->valid_from, &is_null)) <= d->low
                      : DatumGetInt64(slot_getattr(s->slot, c->valid_to, &is_null)) > d->high)
            gather(d, g, s->slot);
    }
    place_scan_end(rows);
}

/* The same rows out of all pages of the table; the current one has no index for them. */
static void read_pages(struct diff_rows *d, struct gathered *g, const struct row_scan *s)
{
    const struct diff_columns *c = &d->columns[g->table];
    struct page_scan_lifetime lifetime = {.begins = c->valid_from,
                                          .ends = c->valid_to,
                                          .height = g->is_low ? d->low : d->high,
                                          .begins_after = g->is_low ? -1 : d->low};
    struct page_scan *pages =
        page_scan_begin(s->heap, GetActiveSnapshot(), lifetime, NULL, NULL, 0);

    while (page_scan_next(pages, s->slot)) {
        bool is_null;

        if (!g->is_low || DatumGetInt64(slot_getattr(s->slot, c->valid_to, &is_null)) <= d->high)
            gather(d, g, s->slot);
    }
    page_scan_end(pages);
}

/* As many rows begin and end at each height, and to fetch one costs what looking at some sixteen
 * in their page does. */
static bool is_wide(const struct diff_rows *d)
{
    return (d->high - d->low) * ROWS_PASSED_OVER > d->tip.height - d->tip.earliest;
}

/*
 * Rows of a class that were true at one of both heights: at the earlier one and ended in between,
 * or at the later one and began in between. Every one of them is of a changed key.
 */
static void read_class(struct diff_rows *d, int class, bool is_low)
{
    struct gathered g = {.table = class, .is_low = is_low};
    struct row_scan s;

    open_table(d, class, is_low ? &END_KEY : &BEGIN_KEY, 2, &s);
    if (is_wide(d))
        read_pages(d, &g, &s);
    else
        read_places(d, &g, &s);
    put_gathered(d, &g);
    row_scan_close(&s);
}

static void read_current_keys(struct diff_rows *d, struct row_scan *s)
{
    const struct diff_columns *c = &d->columns[ASOF_CURRENT];
    bool text = d->view->key_type == TEXTOID;
    ScanKeyData condition;

    for (size_t i = 0; i < d->entries.count && d->missing > 0; i++) {
        struct diff_entry *entry = &d->entries.list[i];
        struct varlena *value;
        bool is_null;
        int64 begins;

        if (entry->high != NULL)
            continue;
        CHECK_FOR_INTERRUPTS();
        value = palloc(VARHDRSZ + entry->key.size);
        SET_VARSIZE(value, VARHDRSZ + entry->key.size);
        memcpy(VARDATA(value), entry->key.data, entry->key.size);
        row_scan_condition(s, &condition, 1, BTEqualStrategyNumber, text ? F_TEXTEQ : F_BYTEAEQ,
                           PointerGetDatum(value));
        row_scan_start(s, &condition);
        if (row_scan_next(s)) {
            begins = DatumGetInt64(slot_getattr(s->slot, c->valid_from, &is_null));
            if (begins > d->low && begins <= d->high)
                put_row(d, entry, keep_row(d, s->slot), ASOF_CURRENT, false);
        }
        pfree(value);
    }
}

static void read_current(struct diff_rows *d)
{
    struct row_scan_key key = {1, {d->view->key}, 0};
    struct gathered g = {.table = ASOF_CURRENT};
    struct row_scan s;

    open_table(d, ASOF_CURRENT, &key, 1, &s);
    /* A page costs about what looking up a key does. */
    if (RelationGetNumberOfBlocks(s.heap) <= d->missing)
        read_pages(d, &g, &s);
    else
        read_current_keys(d, &s);
    put_gathered(d, &g);
    row_scan_close(&s);
}

static void read_rows(struct diff_rows *d)
{
    for (int class = 0; class < ASOF_CLASSES; class ++)
        read_class(d, class, true);
    d->missing = d->entries.count;
    /* A version that began after the earlier height has ended in these classes only. */
    for (int class = 0; class < ASOF_CLASSES && d->missing > 0; class ++)
        if (d->low + asof_shortest_life(class) < d->tip.height)
            read_class(d, class, false);
    if (d->missing > 0)
        read_current(d);
}

void diff_rows_read(struct diff_rows *d, enum tree_id tree, int64 low, int64 high, struct tip tip)
{
    *d = (struct diff_rows){
        .tree = tree, .view = diff_view(tree), .tip = tip, .low = low, .high = high};
    memory_arena(&d->arena, CurrentMemoryContext);
    diff_entries_read(&d->entries, &d->arena, tree, low, high);
    if (d->entries.count > 0)
        read_rows(d);
}
