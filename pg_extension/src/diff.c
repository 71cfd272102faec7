/*
 * tidemark.diff: which rows differ between two heights, found from ledger.change.
 *
 * The keys come from ledger.change between the heights. A row that changed between them was ended
 * there as it was at the lower one and began there as it is at the higher one: two narrow ranges of
 * the history's indexes on valid_to and valid_from. What has not ended since is looked up by its
 * key. So the cost is that of the changes in between, not of the state.
 */
#include "argument.h"
#include "asof.h"
#include "diff_cells.h"
#include "diff_entries.h"
#include "height.h"
#include "memory.h"
#include "page_scan.h"
#include "place_scan.h"
#include "row_scan.h"

#include "access/table.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(tidemark_diff_rows);

enum { COLUMNS = 11, STEPS = 7, FIRST_ROOM = 1024, TABLE_NAME_MAX = 40, GATHERED = 512 };

static const struct row_scan_key TRANSACTION_KEY = {2, {"height", "tx_index"}, 0};
static const struct row_scan_key BEGIN_KEY = {1, {"valid_from"}, 0};
static const struct row_scan_key END_KEY = {1, {"valid_to"}, 0};

struct columns {
    TupleDesc desc;
    AttrNumber key, valid_from, valid_to, shown_key, cells[DIFF_CELLS_MAX];
};

struct transaction_row {
    int64 height;
    int32 tx_index;
    Datum hash, message_type;
};

/* Texts that many rows of the result have. */
struct words {
    Datum insert, update, delete;
    Datum steps[STEPS], cells[DIFF_CELLS_MAX];
};

struct diff {
    enum tree_id tree;
    const struct diff_view *view;
    struct tip tip;
    int64 low, high;
    bool backwards;
    size_t missing; /* keys whose row at the later height was not found yet */
    MemoryContext scratch;
    struct arena arena; /* keys and rows: they go with the call */
    struct diff_entries entries;
    struct columns columns[ASOF_TABLES];
    struct transaction_row *transactions;
    size_t transaction_count, transaction_room;
    struct words words;
};

/* Both ends of a range of heights, as conditions on the first column of an index. */
static void range(const struct row_scan *s, ScanKey out, int64 above, int64 until)
{
    row_scan_condition(s, &out[0], 1, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(above));
    row_scan_condition(s, &out[1], 1, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(until));
}

struct table_name {
    char text[TABLE_NAME_MAX];
};

static struct table_name table_name(const struct diff *d, int table)
{
    struct table_name name;

    if (table == ASOF_CURRENT)
        snprintf(name.text, sizeof name.text, "%s", d->view->table);
    else
        snprintf(name.text, sizeof name.text, "%s_history_%d", d->view->table, table);
    return name;
}

static void open_table(struct diff *d, int table, const struct row_scan_key *key, int conditions,
                       struct row_scan *s)
{
    struct columns *c = &d->columns[table];

    row_scan_open(s, table_name(d, table).text, key, conditions);
    if (c->desc != NULL)
        return;
    c->desc = CreateTupleDescCopy(RelationGetDescr(s->heap));
    c->key = row_scan_column(s, d->view->key);
    c->shown_key = d->tree == TREE_IBC ? row_scan_column(s, "key") : c->key;
    c->valid_from = row_scan_column(s, "valid_from");
    c->valid_to = table == ASOF_CURRENT ? 0 : row_scan_column(s, "valid_to");
    for (int i = 0; i < d->view->cell_count; i++)
        c->cells[i] = row_scan_column(s, d->view->cells[i].column);
}

/* A copy of the row in the slot, which comes from a page. */
static HeapTuple keep_row(struct diff *d, TupleTableSlot *slot)
{
    HeapTuple row = ExecFetchSlotHeapTuple(slot, false, NULL);
    HeapTuple copy = arena_alloc(&d->arena, HEAPTUPLESIZE + row->t_len);

    *copy = *row;
    copy->t_data = (HeapTupleHeader)((char *)copy + HEAPTUPLESIZE);
    memcpy(copy->t_data, row->t_data, row->t_len);
    return copy;
}

/* Rows of one table on their way to their keys. */
struct gathered {
    int table;
    bool is_low;
    size_t count;
    HeapTuple rows[GATHERED];
    Datum keys[GATHERED];
};

static void put_row(struct diff *d, struct diff_entry *entry, HeapTuple row, int table, bool is_low)
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

static void put_gathered(struct diff *d, struct gathered *g)
{
    struct diff_entry *entries[GATHERED];

    diff_entries_find(&d->entries, g->keys, g->count, entries);
    for (size_t i = 0; i < g->count; i++)
        if (entries[i] != NULL)
            put_row(d, entries[i], g->rows[i], g->table, g->is_low);
    g->count = 0;
}

static void gather(struct diff *d, struct gathered *g, TupleTableSlot *slot)
{
    const struct columns *c = &d->columns[g->table];
    bool is_null;

    g->rows[g->count] = keep_row(d, slot);
    g->keys[g->count] = heap_getattr(g->rows[g->count], c->key, c->desc, &is_null);
    if (++g->count == GATHERED)
        put_gathered(d, g);
}

/*
 * Rows of a class that were true at one of both heights: at the earlier one and ended in between,
 * or at the later one and began in between. Every one of them is of a changed key.
 */
static void read_class(struct diff *d, int class, bool is_low)
{
    const struct columns *c = &d->columns[class];
    struct gathered g = {.table = class, .is_low = is_low};
    struct place_scan *rows;
    ScanKeyData between[2];
    struct row_scan s;

    open_table(d, class, is_low ? &END_KEY : &BEGIN_KEY, lengthof(between), &s);
    range(&s, between, d->low, d->high);
    rows = place_scan_begin(&s, between);
    while (place_scan_next(rows)) {
        bool is_null;

        if (is_low ? DatumGetInt64(slot_getattr(s.slot, c->valid_from, &is_null)) <= d->low
                   : DatumGetInt64(slot_getattr(s.slot, c->valid_to, &is_null)) > d->high)
            gather(d, &g, s.slot);
    }
    put_gathered(d, &g);
    place_scan_end(rows);
    row_scan_close(&s);
}

/* Rows that are true still: what is missing, key by key, or, where those are more than the table
 * has pages, page by page: a page costs about what looking up a key does. */
static void read_current_pages(struct diff *d, const struct row_scan *s)
{
    const struct columns *c = &d->columns[ASOF_CURRENT];
    struct page_scan_lifetime lifetime = {
        .begins = c->valid_from, .height = d->high, .begins_after = d->low};
    struct gathered g = {.table = ASOF_CURRENT};
    struct page_scan *pages =
        page_scan_begin(s->heap, GetActiveSnapshot(), lifetime, NULL, NULL, 0);

    while (page_scan_next(pages, s->slot))
        gather(d, &g, s->slot);
    put_gathered(d, &g);
    page_scan_end(pages);
}

static void read_current_keys(struct diff *d, struct row_scan *s)
{
    const struct columns *c = &d->columns[ASOF_CURRENT];
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

static void read_current(struct diff *d)
{
    struct row_scan_key key = {1, {d->view->key}, 0};
    struct row_scan s;

    open_table(d, ASOF_CURRENT, &key, 1, &s);
    if (RelationGetNumberOfBlocks(s.heap) <= d->missing)
        read_current_pages(d, &s);
    else
        read_current_keys(d, &s);
    row_scan_close(&s);
}

static void read_rows(struct diff *d)
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

static void read_transactions(struct diff *d)
{
    AttrNumber columns[4];
    ScanKeyData keys[2];
    struct row_scan s;

    row_scan_open(&s, "transaction", &TRANSACTION_KEY, lengthof(keys));
    columns[0] = row_scan_column(&s, "height");
    columns[1] = row_scan_column(&s, "tx_index");
    columns[2] = row_scan_column(&s, "hash");
    columns[3] = row_scan_column(&s, "message_type");
    range(&s, keys, d->low, d->high);
    row_scan_start(&s, keys);
    while (row_scan_next(&s)) {
        struct transaction_row *t;
        bool is_null;

        CHECK_FOR_INTERRUPTS();
        if (d->transaction_count == d->transaction_room) {
            d->transaction_room = Max(FIRST_ROOM, 2 * d->transaction_room);
            d->transactions = d->transactions == NULL
                                  ? palloc(d->transaction_room * sizeof *t)
                                  : repalloc_huge(d->transactions, d->transaction_room * sizeof *t);
        }
        t = &d->transactions[d->transaction_count++];
        t->height = DatumGetInt64(slot_getattr(s.slot, columns[0], &is_null));
        t->tx_index = DatumGetInt32(slot_getattr(s.slot, columns[1], &is_null));
        t->hash = datumCopy(slot_getattr(s.slot, columns[2], &is_null), false, -1);
        t->message_type = datumCopy(slot_getattr(s.slot, columns[3], &is_null), false, -1);
    }
    row_scan_close(&s);
}

static int by_place(const void *x, const void *y)
{
    const struct transaction_row *a = x, *b = y;

    if (a->height != b->height)
        return a->height < b->height ? -1 : 1;
    return (a->tx_index > b->tx_index) - (a->tx_index < b->tx_index);
}

/* Words for ledger.change.step, those of ledger.step_name. */
static const char *const STEP_NAMES[STEPS] = {"begin_of_block", "genesis",   "transaction",
                                              "rewards",        "unbonding", "long_pause",
                                              "end_of_block"};

static int step_name(int32 step)
{
    switch (step) {
    case -2:
        return 0;
    case -1:
        return 1;
    case 1000001:
        return 3;
    case 1000002:
        return 4;
    case 1000003:
        return 5;
    default:
        return step >= 0 && step < 1000000 ? 2 : 6;
    }
}

/* What all rows of one key have in common. */
static void describe(struct diff *d, const struct diff_entry *entry, Datum values[COLUMNS],
                     bool nulls[COLUMNS])
{
    struct transaction_row wanted = {.height = entry->height, .tx_index = entry->step};
    const struct transaction_row *t =
        d->transaction_count == 0
            ? NULL
            : bsearch(&wanted, d->transactions, d->transaction_count, sizeof wanted, by_place);
    bool begins = (d->backwards ? entry->high : entry->low) == NULL;
    bool ends = (d->backwards ? entry->low : entry->high) == NULL;
    HeapTuple row = entry->low != NULL ? entry->low : entry->high;
    const struct columns *c =
        &d->columns[entry->low != NULL ? entry->low_table : entry->high_table];
    bool named = d->view->key_type == TEXTOID;

    memset(nulls, 0, COLUMNS * sizeof *nulls);
    /* Text and bytea have the same form. */
    values[0] = heap_getattr(row, c->shown_key, c->desc, &nulls[0]);
    values[1] = values[0];
    nulls[1] = !named;
    values[2] = begins ? d->words.insert : ends ? d->words.delete : d->words.update;
    values[6] = Int64GetDatum(wanted.height);
    values[7] = d->words.steps[step_name(wanted.tx_index)];
    nulls[8] = nulls[9] = nulls[10] = t == NULL;
    if (t == NULL)
        return;
    values[8] = Int32GetDatum(t->tx_index);
    values[9] = t->hash;
    values[10] = t->message_type;
}

static bool read_cell(struct diff *d, HeapTuple row, int table, int cell, Datum *value)
{
    bool is_null = true;

    if (row != NULL)
        *value = heap_getattr(row, d->columns[table].cells[cell], d->columns[table].desc, &is_null);
    return !is_null;
}

static bool equal_texts(Datum a, Datum b)
{
    const struct varlena *x = (const struct varlena *)DatumGetPointer(a);
    const struct varlena *y = (const struct varlena *)DatumGetPointer(b);

    return VARSIZE_ANY_EXHDR(x) == VARSIZE_ANY_EXHDR(y) &&
           memcmp(VARDATA_ANY(x), VARDATA_ANY(y), VARSIZE_ANY_EXHDR(x)) == 0;
}

static void put_entry(struct diff *d, const struct diff_entry *entry, ReturnSetInfo *result)
{
    Datum values[COLUMNS];
    bool nulls[COLUMNS], described = false;

    for (int i = 0; i < d->view->cell_count; i++) {
        const struct diff_cell *cell = &d->view->cells[i];
        Datum low, high, low_text = 0, high_text = 0;
        bool has_low = read_cell(d, entry->low, entry->low_table, i, &low);
        bool has_high = read_cell(d, entry->high, entry->high_table, i, &high);

        if (has_low && has_high && diff_cell_same(cell, low, high))
            continue;
        has_low = has_low && diff_cell_text(cell, low, &low_text);
        has_high = has_high && diff_cell_text(cell, high, &high_text);
        if (has_low == has_high && (!has_low || equal_texts(low_text, high_text)))
            continue;
        if (!described)
            describe(d, entry, values, nulls);
        described = true;
        values[3] = d->words.cells[i];
        values[4] = d->backwards ? high_text : low_text;
        values[5] = d->backwards ? low_text : high_text;
        nulls[4] = !(d->backwards ? has_high : has_low);
        nulls[5] = !(d->backwards ? has_low : has_high);
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
}

static void make_words(struct diff *d)
{
    d->words.insert = CStringGetTextDatum("insert");
    d->words.update = CStringGetTextDatum("update");
    d->words.delete = CStringGetTextDatum("delete");
    for (int i = 0; i < STEPS; i++)
        d->words.steps[i] = CStringGetTextDatum(STEP_NAMES[i]);
    for (int i = 0; i < d->view->cell_count; i++)
        d->words.cells[i] = CStringGetTextDatum(d->view->cells[i].name);
}

static void put_rows(struct diff *d, ReturnSetInfo *result)
{
    make_words(d);
    for (size_t i = 0; i < d->entries.count; i++) {
        MemoryContext caller = MemoryContextSwitchTo(d->scratch);

        CHECK_FOR_INTERRUPTS();
        put_entry(d, &d->entries.list[i], result);
        MemoryContextSwitchTo(caller);
        MemoryContextReset(d->scratch);
    }
}

/* view, h1, h2 */
Datum tidemark_diff_rows(PG_FUNCTION_ARGS)
{
    text *name = DatumGetTextPP(argument_present(fcinfo, 0, "the view"));
    int64 h1, h2;
    int tree = tree_by_name(bytes_make(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)));
    struct diff d = {.missing = 0};
    MemoryContext caller, kept;

    if (tree < 0 || tree == TREE_TRANSACTIONS)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("there is no such versioned view"),
                        errhint("tidemark.diff takes the names of views and trees.")));
    d.tip = height_tip();
    h1 = height_argument(fcinfo, 1, &d.tip);
    h2 = height_argument(fcinfo, 2, &d.tip);
    d.low = Min(h1, h2);
    d.high = Max(h1, h2);
    d.backwards = h1 > h2;
    InitMaterializedSRF(fcinfo, 0);
    d.tree = (enum tree_id)tree;
    d.view = diff_view(d.tree);
    kept = AllocSetContextCreate(CurrentMemoryContext, "tidemark diff", ALLOCSET_DEFAULT_SIZES);
    d.scratch = AllocSetContextCreate(kept, "tidemark diff, one key", ALLOCSET_DEFAULT_SIZES);
    caller = MemoryContextSwitchTo(kept);
    memory_arena(&d.arena, kept);
    diff_entries_read(&d.entries, &d.arena, d.tree, d.low, d.high);
    if (d.entries.count > 0) {
        read_rows(&d);
        read_transactions(&d);
        put_rows(&d, (ReturnSetInfo *)fcinfo->resultinfo);
    }
    MemoryContextSwitchTo(caller);
    MemoryContextDelete(kept);
    PG_RETURN_VOID();
}
