#include "table/node_scan.h"

#include "table/row_scan.h"

#include "utils/fmgroids.h"

enum {
    CURRENT_CONDITIONS = 4,
    HISTORY_CONDITIONS = 5,
    PAGE_COLUMN = 3, /* of the history's index */
    VALID_TO_COLUMN = 4,
    CURRENT_PREFIX_COLUMN = 3,
    HISTORY_PREFIX_COLUMN = 6,
    VALID_FROM_COLUMN = 7,
    DIGEST_COLUMN = 8
};

static const struct row_scan_key CURRENT_KEY = {3, {"tree", "depth", "prefix"}, 0};
static const struct row_scan_key HISTORY_KEY = {
    6, {"tree", "depth", NULL, "valid_to", "class", "prefix", "valid_from", "digest"}, 2};

struct table {
    bool is_open;
    struct row_scan rows;
    AttrNumber valid_from, digest;
};

struct node_scan {
    struct table tables[ASOF_TABLES];
};

struct node_scan *node_scan_begin(void)
{
    return palloc0(sizeof(struct node_scan));
}

static void open_table(struct table *t, int table)
{
    bool current = table == ASOF_CURRENT;

    row_scan_open(&t->rows, asof_table("tree_node", table).text,
                  current ? &CURRENT_KEY : &HISTORY_KEY,
                  current ? CURRENT_CONDITIONS : HISTORY_CONDITIONS);
    t->is_open = true;
    row_scan_want_keys(&t->rows);
    t->valid_from = row_scan_column(&t->rows, "valid_from");
    t->digest = row_scan_column(&t->rows, "digest");
}

void node_scan_end(struct node_scan *s)
{
    for (int i = 0; i < ASOF_TABLES; i++)
        if (s->tables[i].is_open)
            row_scan_close(&s->tables[i].rows);
    pfree(s);
}

static void start(struct table *t, int table, enum tree_id tree, struct smt_page_id page,
                  height_t height)
{
    struct row_scan *s = &t->rows;
    ScanKeyData keys[HISTORY_CONDITIONS];
    int64 prefix = (int64)page.prefix;

    row_scan_condition(s, &keys[0], 1, BTEqualStrategyNumber, F_INT2EQ, Int16GetDatum((int16)tree));
    row_scan_condition(s, &keys[1], 2, BTEqualStrategyNumber, F_INT2EQ,
                       Int16GetDatum((int16)(page.depth + SMT_PAGE_BITS)));
    if (table == ASOF_CURRENT) {
        row_scan_condition(s, &keys[2], CURRENT_PREFIX_COLUMN, BTGreaterEqualStrategyNumber,
                           F_INT8GE, Int64GetDatum(prefix * NODE_SCAN_SLOTS));
        row_scan_condition(s, &keys[3], CURRENT_PREFIX_COLUMN, BTLessEqualStrategyNumber, F_INT8LE,
                           Int64GetDatum(prefix * NODE_SCAN_SLOTS + NODE_SCAN_SLOTS - 1));
    } else {
        row_scan_condition(s, &keys[2], PAGE_COLUMN, BTEqualStrategyNumber, F_INT8EQ,
                           Int64GetDatum(prefix));
        row_scan_condition(s, &keys[3], VALID_TO_COLUMN, BTGreaterStrategyNumber, F_INT8GT,
                           Int64GetDatum(height));
        row_scan_condition(s, &keys[4], VALID_TO_COLUMN, BTLessEqualStrategyNumber, F_INT8LE,
                           Int64GetDatum(asof_latest_end(table, height)));
    }
    row_scan_start(s, keys);
}

static bool take_digest(Datum value, bool is_null, struct hash32 *out)
{
    struct varlena *v;

    if (is_null)
        return false;
    v = pg_detoast_datum_packed((struct varlena *)DatumGetPointer(value));
    if (VARSIZE_ANY_EXHDR(v) != sizeof *out)
        return false;
    memcpy(out, VARDATA_ANY(v), sizeof *out);
    return true;
}

static Datum entry_column(const struct table *t, int column, bool *is_null)
{
    return index_getattr(t->rows.scan->xs_itup, column, t->rows.scan->xs_itupdesc, is_null);
}

/* The entry's row: when it began, and its digest where that is not after the height. The history's
 * index holds both, that of the current rows neither. */
static bool read_entry(struct table *t, bool current, height_t height, struct hash32 *digest,
                       bool *is_there)
{
    bool is_null;
    int64 begins;

    *is_there = current ? index_fetch_heap(t->rows.scan, t->rows.slot) : row_scan_visible(&t->rows);
    if (!*is_there)
        return false;
    begins = DatumGetInt64(current ? slot_getattr(t->rows.slot, t->valid_from, &is_null)
                                   : entry_column(t, VALID_FROM_COLUMN, &is_null));
    if (begins > height)
        return false;
    if (current) {
        Datum value = slot_getattr(t->rows.slot, t->digest, &is_null);

        return take_digest(value, is_null, digest);
    } else {
        Datum value = entry_column(t, DIGEST_COLUMN, &is_null);

        return take_digest(value, is_null, digest);
    }
}

/*
 * The versions of one row do not overlap and come by their ends, so that in each table only the
 * first that ends after the height can have been true there: the others are passed over.
 */
static uint64_t scan_table(struct table *t, bool current, height_t height, uint64_t found,
                           struct hash32 digests[NODE_SCAN_SLOTS])
{
    uint64_t seen = found;

    while (seen != UINT64_MAX && index_getnext_tid(t->rows.scan, ForwardScanDirection) != NULL) {
        bool is_null, is_there;
        int64 prefix = DatumGetInt64(
            entry_column(t, current ? CURRENT_PREFIX_COLUMN : HISTORY_PREFIX_COLUMN, &is_null));
        int slot = (int)(prefix & (NODE_SCAN_SLOTS - 1));

        if ((seen >> slot & 1) != 0)
            continue;
        if (read_entry(t, current, height, &digests[slot], &is_there))
            found |= UINT64_C(1) << slot;
        if (is_there)
            seen |= UINT64_C(1) << slot;
    }
    ExecClearTuple(t->rows.slot);
    return found;
}

void node_scan_page(struct node_scan *s, enum tree_id tree, struct smt_page_id page,
                    height_t height, int first_table, struct node_scan_rows *out)
{
    struct hash32 digests[NODE_SCAN_SLOTS];
    uint8 tables[NODE_SCAN_SLOTS];
    uint64_t found = 0;

    for (int i = first_table; i < ASOF_TABLES && found != UINT64_MAX; i++) {
        struct table *t = &s->tables[i];
        uint64_t before = found;

        if (!t->is_open)
            open_table(t, i);
        start(t, i, tree, page, height);
        found = scan_table(t, i == ASOF_CURRENT, height, found, digests);
        for (int slot = 0; slot < NODE_SCAN_SLOTS; slot++)
            if (((found ^ before) >> slot & 1) != 0)
                tables[slot] = (uint8)i;
    }
    out->count = 0;
    for (int slot = 0; slot < NODE_SCAN_SLOTS; slot++)
        if ((found >> slot & 1) != 0) {
            out->list[out->count] =
                (struct smt_node_row){(uint8_t)(page.depth + SMT_PAGE_BITS),
                                      page.prefix << SMT_PAGE_BITS | (unsigned)slot, digests[slot]};
            out->tables[out->count++] = tables[slot];
        }
}
