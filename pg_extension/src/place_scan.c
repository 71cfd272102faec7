#include "place_scan.h"

#include "access/tableam.h"
#include "miscadmin.h"
#include "storage/itemptr.h"
#include "utils/memutils.h"

enum { FIRST_ROOM = 256 };

struct place_scan {
    struct row_scan *rows;
    IndexFetchTableData *fetch;
    ItemPointerData *places;
    size_t count, next;
};

static int by_place(const void *x, const void *y)
{
    return ItemPointerCompare((ItemPointer)x, (ItemPointer)y);
}

static void read_places(struct place_scan *p)
{
    MemoryContext context = GetMemoryChunkContext(p);
    bool in_order = true;
    size_t room = FIRST_ROOM;
    ItemPointer place;

    p->places = MemoryContextAlloc(context, room * sizeof *p->places);
    while ((place = index_getnext_tid(p->rows->scan, ForwardScanDirection)) != NULL) {
        CHECK_FOR_INTERRUPTS();
        if (p->count == room) {
            room *= 2;
            p->places = repalloc_huge(p->places, room * sizeof *p->places);
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
    row_scan_start(s, conditions);
    read_places(p);
    p->fetch = table_index_fetch_begin(s->heap);
    return p;
}

bool place_scan_next(struct place_scan *p)
{
    while (p->next < p->count) {
        ItemPointerData place = p->places[p->next++];
        bool again = false, is_dead;

        CHECK_FOR_INTERRUPTS();
        /* A snapshot of SQL sees one version of a row at most: no second one has to be asked for. */
        if (table_index_fetch_tuple(p->fetch, &place, p->rows->scan->xs_snapshot, p->rows->slot,
                                    &again, &is_dead))
            return true;
    }
    return false;
}

void place_scan_end(struct place_scan *p)
{
    ExecClearTuple(p->rows->slot);
    table_index_fetch_end(p->fetch);
    pfree(p->places);
    pfree(p);
}
