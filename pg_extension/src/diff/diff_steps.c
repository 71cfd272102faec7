#include "diff/diff_steps.h"

#include "table/row_scan.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"

enum { FIRST_ROOM = 1024 };

static const struct row_scan_key TRANSACTION_KEY = {2, {"height", "tx_index"}, 0};

/* Words for ledger.change.step, those of ledger.step_name. */
static const char *const NAMES[DIFF_STEP_NAMES] = {"begin_of_block", "genesis",   "transaction",
                                                   "rewards",        "unbonding", "long_pause",
                                                   "end_of_block"};

static void add(struct diff_steps *s, struct diff_transaction t)
{
    if (s->count == s->room) {
        s->room = Max(FIRST_ROOM, 2 * s->room);
        s->list = s->list == NULL ? palloc(s->room * sizeof *s->list)
                                  : repalloc_huge(s->list, s->room * sizeof *s->list);
    }
    s->list[s->count++] = t;
}

void diff_steps_read(struct diff_steps *s, int64 low, int64 high)
{
    AttrNumber columns[4];
    ScanKeyData keys[2];
    struct row_scan scan;

    *s = (struct diff_steps){.height = -1};
    for (int i = 0; i < DIFF_STEP_NAMES; i++)
        s->names[i] = CStringGetTextDatum(NAMES[i]);
    row_scan_open(&scan, "transaction", &TRANSACTION_KEY, lengthof(keys));
    columns[0] = row_scan_column(&scan, "height");
    columns[1] = row_scan_column(&scan, "tx_index");
    columns[2] = row_scan_column(&scan, "hash");
    columns[3] = row_scan_column(&scan, "message_type");
    row_scan_range(&scan, keys, low, high);
    row_scan_start(&scan, keys);
    while (row_scan_next(&scan)) {
        struct diff_transaction t;
        bool is_null;

        CHECK_FOR_INTERRUPTS();
        t.height = DatumGetInt64(slot_getattr(scan.slot, columns[0], &is_null));
        t.tx_index = DatumGetInt32(slot_getattr(scan.slot, columns[1], &is_null));
        t.hash = datumCopy(slot_getattr(scan.slot, columns[2], &is_null), false, -1);
        t.message_type = datumCopy(slot_getattr(scan.slot, columns[3], &is_null), false, -1);
        add(s, t);
    }
    row_scan_close(&scan);
}

static int by_place(const void *x, const void *y)
{
    const struct diff_transaction *a = x, *b = y;

    if (a->height != b->height)
        return a->height < b->height ? -1 : 1;
    return (a->tx_index > b->tx_index) - (a->tx_index < b->tx_index);
}

const struct diff_transaction *diff_steps_find(struct diff_steps *s, int64 height, int32 step)
{
    struct diff_transaction wanted = {.height = height, .tx_index = step};
    const struct diff_transaction *found;

    if (s->count == 0 || step < 0)
        return NULL;
    /* Most look-ups are in the block of the one before. */
    if (height == s->height && s->first + (size_t)step < s->count &&
        by_place(&wanted, &s->list[s->first + (size_t)step]) == 0)
        return &s->list[s->first + (size_t)step];
    found = bsearch(&wanted, s->list, s->count, sizeof wanted, by_place);
    if (found != NULL && found - s->list >= step) {
        s->height = height;
        s->first = (size_t)(found - s->list - step);
    }
    return found;
}

Datum diff_steps_name(const struct diff_steps *s, int32 step)
{
    switch (step) {
    case -2:
        return s->names[0];
    case -1:
        return s->names[1];
    case 1000001:
        return s->names[3];
    case 1000002:
        return s->names[4];
    case 1000003:
        return s->names[5];
    default:
        return s->names[step >= 0 && step < 1000000 ? 2 : 6];
    }
}
