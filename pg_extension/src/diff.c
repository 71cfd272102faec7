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
#include "height.h"
#include "page_scan.h"
#include "place_scan.h"
#include "row_scan.h"

#include "access/table.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(tidemark_diff_rows);

enum {
    COLUMNS = 11,
    FIRST_ROOM = 1024,
    /* The last height and, in its last bits, step: one number is compared faster than two. */
    STEP_BITS = 24,
    FIRST_STEP = -2,
    TABLE_NAME_MAX = 40
};

static const struct row_scan_key CHANGE_KEY = {4, {"height", "tree", "key", "step"}, 0};
static const struct row_scan_key TRANSACTION_KEY = {2, {"height", "tx_index"}, 0};
static const struct row_scan_key BEGIN_KEY = {1, {"valid_from"}, 0};
static const struct row_scan_key END_KEY = {1, {"valid_to"}, 0};

/* A changed key: its row at both heights, where it has one. */
struct entry {
    struct bytes key;
    uint32 hash;
    int64 last;
    HeapTuple low, high;
    int8 low_table, high_table;
};

struct columns {
    TupleDesc desc;
    AttrNumber key, valid_from, valid_to, shown_key, cells[DIFF_CELLS_MAX];
};

struct transaction_row {
    int64 height;
    int32 tx_index;
    Datum hash, message_type;
};

struct diff {
    enum tree_id tree;
    const struct diff_view *view;
    struct tip tip;
    int64 low, high;
    bool backwards;
    size_t missing; /* keys whose row at the later height was not found yet */
    MemoryContext kept, scratch;
    struct entry *entries;
    uint32 *places; /* open addressing: number of an entry, from 1 */
    size_t count, room;
    struct columns columns[ASOF_TABLES];
    struct transaction_row *transactions;
    size_t transaction_count, transaction_room;
    Datum names[DIFF_CELLS_MAX];
};

static uint32 *find_place(struct diff *d, struct bytes key, uint32 hash)
{
    size_t mask = 2 * d->room - 1;

    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        const struct entry *entry;

        if (d->places[i] == 0)
            return &d->places[i];
        entry = &d->entries[d->places[i] - 1];
        if (entry->hash == hash && entry->key.size == key.size &&
            memcmp(entry->key.data, key.data, key.size) == 0)
            return &d->places[i];
    }
}

static void index_entries(struct diff *d)
{
    d->places = MemoryContextAllocHuge(d->kept, 2 * d->room * sizeof *d->places);
    memset(d->places, 0, 2 * d->room * sizeof *d->places);
    for (size_t i = 0; i < d->count; i++)
        *find_place(d, d->entries[i].key, d->entries[i].hash) = (uint32)i + 1;
}

static struct entry *find_entry(struct diff *d, Datum key)
{
    struct varlena *v = PG_DETOAST_DATUM_PACKED(key);
    struct bytes b = bytes_make(VARDATA_ANY(v), VARSIZE_ANY_EXHDR(v));
    uint32 *place = find_place(d, b, hash_bytes((const unsigned char *)b.data, (int)b.size));

    return *place == 0 ? NULL : &d->entries[*place - 1];
}

static void add_change(struct diff *d, struct bytes key, int64 last)
{
    uint32 hash = hash_bytes(key.data, (int)key.size);
    uint32 *place = find_place(d, key, hash);
    uint8_t *copy;

    if (*place > 0) {
        struct entry *entry = &d->entries[*place - 1];

        entry->last = Max(entry->last, last);
        return;
    }
    if (d->count == d->room) {
        d->room *= 2;
        d->entries = repalloc_huge(d->entries, d->room * sizeof *d->entries);
        pfree(d->places);
        index_entries(d);
        place = find_place(d, key, hash);
    }
    copy = MemoryContextAlloc(d->kept, key.size + 1);
    memcpy(copy, key.data, key.size);
    d->entries[d->count] =
        (struct entry){.key = bytes_make(copy, key.size), .hash = hash, .last = last};
    *place = (uint32)++d->count;
}

/* Both ends of a range of heights, as conditions on the first column of an index. */
static void range(const struct row_scan *s, ScanKey out, int64 above, int64 until)
{
    row_scan_condition(s, &out[0], 1, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(above));
    row_scan_condition(s, &out[1], 1, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(until));
}

static void read_changes(struct diff *d)
{
    struct row_scan s;
    ScanKeyData keys[3];

    row_scan_open(&s, "change", &CHANGE_KEY, lengthof(keys));
    row_scan_want_keys(&s);
    range(&s, keys, d->low, d->high);
    row_scan_condition(&s, &keys[2], 2, BTEqualStrategyNumber, F_INT2EQ,
                       Int16GetDatum((int16)d->tree));
    row_scan_start(&s, keys);
    while (row_scan_next_key(&s)) {
        Datum values[4];
        bool nulls[4];
        struct varlena *key;

        CHECK_FOR_INTERRUPTS();
        index_deform_tuple(s.scan->xs_itup, s.scan->xs_itupdesc, values, nulls);
        key = PG_DETOAST_DATUM_PACKED(values[2]);
        add_change(d, bytes_make(VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key)),
                   (DatumGetInt64(values[0]) << STEP_BITS) + DatumGetInt32(values[3]) - FIRST_STEP);
    }
    row_scan_close(&s);
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

static void put_high(struct diff *d, struct entry *entry, const struct row_scan *s, int table)
{
    entry->high = ExecCopySlotHeapTuple(s->slot);
    entry->high_table = (int8)table;
    d->missing--;
}

/*
 * Rows of a class that were true at one of both heights: at the earlier one and ended in between,
 * or at the later one and began in between. Every one of them is of a changed key.
 */
static void read_class(struct diff *d, int class, bool is_low)
{
    const struct columns *c = &d->columns[class];
    struct place_scan *rows;
    ScanKeyData between[2];
    struct row_scan s;

    open_table(d, class, is_low ? &END_KEY : &BEGIN_KEY, lengthof(between), &s);
    range(&s, between, d->low, d->high);
    rows = place_scan_begin(&s, between);
    while (place_scan_next(rows)) {
        bool is_null;
        struct entry *entry;

        if (is_low ? DatumGetInt64(slot_getattr(s.slot, c->valid_from, &is_null)) > d->low
                   : DatumGetInt64(slot_getattr(s.slot, c->valid_to, &is_null)) <= d->high)
            continue;
        entry = find_entry(d, slot_getattr(s.slot, c->key, &is_null));
        if (entry == NULL)
            continue;
        if (is_low) {
            entry->low = ExecCopySlotHeapTuple(s.slot);
            entry->low_table = (int8)class;
        } else {
            put_high(d, entry, &s, class);
        }
    }
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
    struct page_scan *pages =
        page_scan_begin(s->heap, GetActiveSnapshot(), lifetime, NULL, NULL, 0);

    while (page_scan_next(pages, s->slot)) {
        bool is_null;
        struct entry *entry = find_entry(d, slot_getattr(s->slot, c->key, &is_null));

        if (entry != NULL)
            put_high(d, entry, s, ASOF_CURRENT);
    }
    page_scan_end(pages);
}

static void read_current_keys(struct diff *d, struct row_scan *s)
{
    const struct columns *c = &d->columns[ASOF_CURRENT];
    bool text = d->view->key_type == TEXTOID;
    ScanKeyData condition;

    for (size_t i = 0; i < d->count && d->missing > 0; i++) {
        struct entry *entry = &d->entries[i];
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
                put_high(d, entry, s, ASOF_CURRENT);
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
    d->missing = d->count;
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

/* First bytes of a key as a number, and which entry it is. */
struct sorted {
    uint64 prefix;
    const struct entry *entry;
};

static int by_key(const void *x, const void *y)
{
    const struct sorted *s = x, *t = y;
    const struct bytes *a = &s->entry->key, *b = &t->entry->key;
    int order;

    if (s->prefix != t->prefix)
        return s->prefix < t->prefix ? -1 : 1;
    order = memcmp(a->data, b->data, Min(a->size, b->size));
    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

/* All entries by their keys. */
static const struct sorted *sort_entries(struct diff *d)
{
    struct sorted *list = MemoryContextAllocHuge(d->kept, d->count * sizeof *list);

    for (size_t i = 0; i < d->count; i++) {
        const struct bytes *key = &d->entries[i].key;
        uint64 prefix = 0;

        memcpy(&prefix, key->data, Min(key->size, sizeof prefix));
        list[i] = (struct sorted){pg_ntoh64(prefix), &d->entries[i]};
    }
    qsort(list, d->count, sizeof *list, by_key);
    return list;
}

/* Words for ledger.change.step, those of ledger.step_name. */
static const char *step_name(int32 step)
{
    switch (step) {
    case -2:
        return "begin_of_block";
    case -1:
        return "genesis";
    case 1000001:
        return "rewards";
    case 1000002:
        return "unbonding";
    case 1000003:
        return "long_pause";
    default:
        return step >= 0 && step < 1000000 ? "transaction" : "end_of_block";
    }
}

/* What all rows of one key have in common. */
static void describe(struct diff *d, const struct entry *entry, Datum values[COLUMNS],
                     bool nulls[COLUMNS])
{
    struct transaction_row wanted = {.height = entry->last >> STEP_BITS,
                                     .tx_index = (int32)(entry->last & ((1 << STEP_BITS) - 1)) +
                                                 FIRST_STEP};
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
    values[2] = CStringGetTextDatum(begins ? "insert" : ends ? "delete" : "update");
    values[6] = Int64GetDatum(wanted.height);
    values[7] = CStringGetTextDatum(step_name(wanted.tx_index));
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

static void put_entry(struct diff *d, const struct entry *entry, ReturnSetInfo *result)
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
        values[3] = d->names[i];
        values[4] = d->backwards ? high_text : low_text;
        values[5] = d->backwards ? low_text : high_text;
        nulls[4] = !(d->backwards ? has_high : has_low);
        nulls[5] = !(d->backwards ? has_low : has_high);
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
}

static void put_rows(struct diff *d, ReturnSetInfo *result)
{
    const struct sorted *list = sort_entries(d);

    for (int i = 0; i < d->view->cell_count; i++)
        d->names[i] = CStringGetTextDatum(d->view->cells[i].name);
    for (size_t i = 0; i < d->count; i++) {
        MemoryContext caller = MemoryContextSwitchTo(d->scratch);

        CHECK_FOR_INTERRUPTS();
        put_entry(d, list[i].entry, result);
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
    struct diff d = {.count = 0};
    MemoryContext caller;

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
    d.kept = AllocSetContextCreate(CurrentMemoryContext, "tidemark diff", ALLOCSET_DEFAULT_SIZES);
    d.scratch = AllocSetContextCreate(d.kept, "tidemark diff, one key", ALLOCSET_DEFAULT_SIZES);
    caller = MemoryContextSwitchTo(d.kept);
    d.room = FIRST_ROOM;
    d.entries = palloc(d.room * sizeof *d.entries);
    index_entries(&d);
    if (d.low < d.high)
        read_changes(&d);
    if (d.count > 0) {
        read_rows(&d);
        read_transactions(&d);
        put_rows(&d, (ReturnSetInfo *)fcinfo->resultinfo);
    }
    MemoryContextSwitchTo(caller);
    MemoryContextDelete(d.kept);
    PG_RETURN_VOID();
}
