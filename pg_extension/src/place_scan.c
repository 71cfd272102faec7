#include "place_scan.h"

#include "access/tableam.h"
#include "miscadmin.h"
#include "storage/itemptr.h"

enum { FIRST_ROOM = 256, PLACES_AT_ONCE = 1024 * 1024 /* 6 MB */ };

struct place_scan {
    struct row_scan *rows;
    IndexFetchTableData *fetch;
    ItemPointerData *places;
    size_t count, next, room;
    bool is_last; /* the index has no more places */
};

static int by_place(const void *x, const void *y)
{
    return ItemPointerCompare((ItemPointer)x, (ItemPointer)y);
}

/* The next run of places, in order. */
static void read_places(struct place_scan *p)
{
    bool in_order = true;

    p->count = 0;
    p->next = 0;
    while (p->count < PLACES_AT_ONCE && !p->is_last) {
        ItemPointer place = index_getnext_tid(p->rows->scan, ForwardScanDirection);

        CHECK_FOR_INTERRUPTS();
        p->is_last = place == NULL;
        if (p->is_last)
            break;
        if (p->count == p->room) {
            p->room *= 2;
            p->places = repalloc(p->places, p->room * sizeof *p->places);
        }
        if (p->count > 0 && by_place(&p->places[p->count - 1], place) > 0)
            in_order = false;
        p->places[p->count++] = *place;
    }
    if (!in_order)
        qsort(p->places, p->count, sizeof *p->places, by_place);
}

struct place_scan *place_scan_begin(struct row_scan *s, ScanKey conditions)
{
    struct place_scan *p = palloc0(sizeof *p);

    p->rows = s;
    p->room = FIRST_ROOM;
    p->places = palloc(p->room * sizeof *p->places);
    row_scan_start(s, conditions);
    p->fetch = table_index_fetch_begin(s->heap);
    return p;
}

bool place_scan_next(struct place_scan *p)
{
    for (;;) {
        ItemPointerData place;
        bool again = false, is_dead;

        CHECK_FOR_INTERRUPTS();
        if (p->next == p->count)
            read_places(p);
        if (p->count == 0)
            return false;
        place = p->places[p->next++];
        /* A snapshot of SQL sees one version of a row at most: no second one has to be asked for.
         */
        if (table_index_fetch_tuple(p->fetch, &place, p->rows->scan->xs_snapshot, p->rows->slot,
                                    &again, &is_dead))
            return true;
    }
}

void place_scan_end(struct place_scan *p)
{
    ExecClearTuple(p->rows->slot);
    table_index_fetch_end(p->fetch);
    pfree(p->places);
    pfree(p);
}
