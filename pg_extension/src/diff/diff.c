#include "diff/diff.h"

#include "value/argument.h"
#include "diff/diff_rows.h"
#include "diff/diff_steps.h"
#include "height/height.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

enum { AHEAD = 8, LINE = 64 };

struct diff {
    MemoryContext context, scratch; /* scratch: what the rows of one key are made of */
    bool backwards;                 /* from the later height to the earlier one */
    struct diff_rows rows;
    struct diff_steps steps;
    Datum insert, update, delete, cells[DIFF_CELLS_MAX]; /* texts that many rows have */
    size_t entry;                                        /* the one that is compared */
    int cell;                                            /* of its cells, the next */
    bool is_described;
    struct diff_row row;
};

/* What all rows of one key have in common. */
static void describe(struct diff *d, const struct diff_entry *entry)
{
    const struct diff_transaction *t = diff_steps_find(&d->steps, entry->height, entry->step);
    bool begins = (d->backwards ? entry->high : entry->low) == NULL;
    bool ends = (d->backwards ? entry->low : entry->high) == NULL;
    HeapTupleHeader row = entry->low != NULL ? entry->low : entry->high;
    const struct diff_columns *c =
        &d->rows.columns[entry->low != NULL ? entry->low_table : entry->high_table];
    Datum *values = d->row.values;
    bool *nulls = d->row.nulls;

    memset(nulls, 0, sizeof d->row.nulls);
    /* Text and bytea have the same form. */
    values[DIFF_KEY] = diff_rows_value(row, c->shown_key, c->desc, &nulls[DIFF_KEY]);
    values[DIFF_NAME] = values[DIFF_KEY];
    nulls[DIFF_NAME] = d->rows.view->key_type != TEXTOID;
    values[DIFF_OP] = begins ? d->insert : ends ? d->delete : d->update;
    values[DIFF_HEIGHT] = Int64GetDatum(entry->height);
    values[DIFF_STEP] = diff_steps_name(&d->steps, entry->step);
    nulls[DIFF_TX_INDEX] = nulls[DIFF_HASH] = nulls[DIFF_MESSAGE_TYPE] = t == NULL;
    if (t == NULL)
        return;
    values[DIFF_TX_INDEX] = Int32GetDatum(t->tx_index);
    values[DIFF_HASH] = t->hash;
    values[DIFF_MESSAGE_TYPE] = t->message_type;
}

static bool read_cell(const struct diff *d, HeapTupleHeader row, int table, int cell, Datum *value)
{
    bool is_null = true;

    if (row != NULL)
        *value = diff_rows_value(row, d->rows.columns[table].cells[cell],
                                 d->rows.columns[table].desc, &is_null);
    return !is_null;
}

static bool equal_texts(Datum a, Datum b)
{
    const struct varlena *x = (const struct varlena *)DatumGetPointer(a);
    const struct varlena *y = (const struct varlena *)DatumGetPointer(b);

    return VARSIZE_ANY_EXHDR(x) == VARSIZE_ANY_EXHDR(y) &&
           memcmp(VARDATA_ANY(x), VARDATA_ANY(y), VARSIZE_ANY_EXHDR(x)) == 0;
}

/* Makes the row of one cell; false where both heights have the same. */
static bool put_cell(struct diff *d, const struct diff_entry *entry, int place)
{
    const struct diff_cell *cell = &d->rows.view->cells[place];
    Datum low = 0, high = 0, low_text = 0, high_text = 0;
    bool has_low = read_cell(d, entry->low, entry->low_table, place, &low);
    bool has_high = read_cell(d, entry->high, entry->high_table, place, &high);

    if (has_low && has_high && diff_cell_same(cell, low, high))
        return false;
    has_low = has_low && diff_cell_text(cell, low, &low_text);
    has_high = has_high && diff_cell_text(cell, high, &high_text);
    if (has_low == has_high && (!has_low || equal_texts(low_text, high_text)))
        return false;
    if (!d->is_described)
        describe(d, entry);
    d->is_described = true;
    d->row.values[DIFF_COLUMN_NAME] = d->cells[place];
    d->row.values[DIFF_FROM_VALUE] = d->backwards ? high_text : low_text;
    d->row.values[DIFF_TO_VALUE] = d->backwards ? low_text : high_text;
    d->row.nulls[DIFF_FROM_VALUE] = !(d->backwards ? has_high : has_low);
    d->row.nulls[DIFF_TO_VALUE] = !(d->backwards ? has_low : has_high);
    return true;
}

/* Rows lie scattered: those of an entry further on are asked for meanwhile. */
static void ask(const struct diff_entry *entry)
{
    __builtin_prefetch(entry->low);
    __builtin_prefetch((const char *)entry->low + LINE);
    __builtin_prefetch(entry->high);
    __builtin_prefetch((const char *)entry->high + LINE);
}

static bool next_cell(struct diff *d)
{
    const struct diff_entry *entry = &d->rows.entries.list[d->entry];

    while (d->cell < d->rows.view->cell_count)
        if (put_cell(d, entry, d->cell++))
            return true;
    return false;
}

struct diff_row *diff_next(struct diff *d)
{
    MemoryContext caller = MemoryContextSwitchTo(d->scratch);

    while (d->entry < d->rows.entries.count && !next_cell(d)) {
        CHECK_FOR_INTERRUPTS();
        MemoryContextReset(d->scratch);
        d->entry++;
        d->cell = 0;
        d->is_described = false;
        if (d->entry + AHEAD < d->rows.entries.count)
            ask(&d->rows.entries.list[d->entry + AHEAD]);
    }
    MemoryContextSwitchTo(caller);
    return d->entry < d->rows.entries.count ? &d->row : NULL;
}

void diff_rewind(struct diff *d)
{
    MemoryContextReset(d->scratch);
    d->entry = 0;
    d->cell = 0;
    d->is_described = false;
}

void diff_end(struct diff *d)
{
    MemoryContextDelete(d->context);
}

static void make_words(struct diff *d)
{
    const struct diff_view *view = d->rows.view;

    d->insert = CStringGetTextDatum("insert");
    d->update = CStringGetTextDatum("update");
    d->delete = CStringGetTextDatum("delete");
    for (int i = 0; i < view->cell_count; i++)
        d->cells[i] = CStringGetTextDatum(view->cells[i].name);
}

struct diff *diff_begin(FunctionCallInfo call, MemoryContext parent)
{
    text *name = DatumGetTextPP(argument_present(call, 0, "the view"));
    int tree = tree_by_name(bytes_make(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)));
    MemoryContext context, caller;
    int64 h1, h2;
    struct tip tip;
    struct diff *d;

    if (tree < 0 || tree == TREE_TRANSACTIONS)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("there is no such versioned view"),
                        errhint("tidemark.diff takes the names of views and trees.")));
    tip = height_tip();
    h1 = height_argument(call, 1, &tip);
    h2 = height_argument(call, 2, &tip);
    context = AllocSetContextCreate(parent, "tidemark diff", ALLOCSET_DEFAULT_SIZES);
    caller = MemoryContextSwitchTo(context);
    d = palloc0(sizeof *d);
    d->context = context;
    d->scratch = AllocSetContextCreate(context, "tidemark diff, one key", ALLOCSET_DEFAULT_SIZES);
    d->backwards = h1 > h2;
    diff_rows_read(&d->rows, (enum tree_id)tree, Min(h1, h2), Max(h1, h2), tip);
    if (d->rows.entries.count > 0) {
        diff_steps_read(&d->steps, d->rows.low, d->rows.high);
        make_words(d);
    }
    MemoryContextSwitchTo(caller);
    return d;
}
