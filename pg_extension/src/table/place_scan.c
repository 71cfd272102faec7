#include "table/place_scan.h"

#include "access/heapam.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/itemptr.h"

enum {
    FIRST_ROOM = 256,
    PLACES_AT_ONCE = 1024 * 1024, /* 6 MB */
    BATCH = 32,
    LINE = 64 /* bytes of memory that are read together */
};

/*
 * Scattered rows cost little but waiting for memory. So pages are pinned a batch ahead, their
 * headers and then their rows asked for together, before the first of them is looked at. Rows of
 * one page are looked at under one lock.
 */
struct place_scan {
    struct row_scan *rows;
    ItemPointerData *places; /* a run of them, in order */
    size_t count, next, room;
    bool is_last;               /* the index has no more places */
    Buffer buffers[BATCH];      /* each pinned for itself */
    HeapTupleData found[BATCH]; /* what the snapshot sees of them; no t_data: nothing */
    int in_batch, at;
};

static inline int by_place(const ItemPointerData *a, const ItemPointerData *b)
{
    uint64 x = (uint64)ItemPointerGetBlockNumberNoCheck(a) << 16 | a->ip_posid;
    uint64 y = (uint64)ItemPointerGetBlockNumberNoCheck(b) << 16 | b->ip_posid;

    return (x > y) - (x < y);
}

/* The server's sort with the comparison inside it: there are thousands of places, each small. */
#define ST_SORT          sort_places
#define ST_ELEMENT_TYPE  ItemPointerData
#define ST_COMPARE(a, b) by_place(a, b)
#define ST_SCOPE         static
#define ST_DEFINE
#include "lib/sort_template.h"

/* The next run. */
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
        sort_places(p->places, p->count);
}

struct place_scan *place_scan_begin(struct row_scan *s, ScanKey conditions)
{
    struct place_scan *p = palloc0(sizeof *p);

    p->rows = s;
    p->room = FIRST_ROOM;
    p->places = palloc(p->room * sizeof *p->places);
    row_scan_start(s, conditions);
    return p;
}

static void release_batch(struct place_scan *p)
{
    for (int i = 0; i < p->in_batch; i++)
        ReleaseBuffer(p->buffers[i]);
    p->in_batch = p->at = 0;
}

static void pin(struct place_scan *p, const ItemPointerData *places, int count)
{
    for (int i = 0; i < count; i++) {
        BlockNumber block = ItemPointerGetBlockNumber(&places[i]);
        Page page;

        if (i > 0 && block == ItemPointerGetBlockNumber(&places[i - 1])) {
            p->buffers[i] = p->buffers[i - 1];
            IncrBufferRefCount(p->buffers[i]);
        } else {
            p->buffers[i] = ReadBuffer(p->rows->heap, block);
        }
        p->in_batch++;
        page = BufferGetPage(p->buffers[i]);
        __builtin_prefetch(page);
        __builtin_prefetch(PageGetItemId(page, ItemPointerGetOffsetNumber(&places[i])));
    }
    for (int i = 0; i < count; i++) {
        Page page = BufferGetPage(p->buffers[i]);
        /* Without a lock: where the row is by now is looked up when it is read. */
        const char *row =
            (const char *)page +
            ItemIdGetOffset(PageGetItemId(page, ItemPointerGetOffsetNumber(&places[i])));

        __builtin_prefetch(row);
        __builtin_prefetch(row + LINE);
    }
}

/* Seen rows stay where they are while their pages are pinned. */
static void look_up(struct place_scan *p, const ItemPointerData *places, int count)
{
    for (int i = 0; i < count; i++) {
        HeapTuple row = &p->found[i];
        ItemPointerData place = places[i];
        bool is_dead;

        if (i == 0 || p->buffers[i] != p->buffers[i - 1])
            LockBuffer(p->buffers[i], BUFFER_LOCK_SHARE);
        if (!heap_hot_search_buffer(&place, p->rows->heap, p->buffers[i],
                                    p->rows->scan->xs_snapshot, row, &is_dead, true))
            row->t_data = NULL;
        row->t_self = place;
        row->t_tableOid = RelationGetRelid(p->rows->heap);
        if (i == count - 1 || p->buffers[i] != p->buffers[i + 1])
            LockBuffer(p->buffers[i], BUFFER_LOCK_UNLOCK);
    }
}

static bool read_batch(struct place_scan *p)
{
    const ItemPointerData *places;
    int count;

    CHECK_FOR_INTERRUPTS();
    release_batch(p);
    if (p->next == p->count)
        read_places(p);
    places = &p->places[p->next];
    count = (int)Min(p->count - p->next, BATCH);
    pin(p, places, count);
    look_up(p, places, count);
    p->next += (size_t)count;
    return count > 0;
}

bool place_scan_next(struct place_scan *p)
{
    TupleTableSlot *slot = p->rows->slot;

    while (p->at < p->in_batch || read_batch(p)) {
        HeapTuple found = &p->found[p->at];
        Buffer buffer = p->buffers[p->at++];

        if (found->t_data == NULL)
            continue;
        ExecStoreBufferHeapTuple(found, slot, buffer);
        return true;
    }
    ExecClearTuple(slot);
    return false;
}

void place_scan_end(struct place_scan *p)
{
    ExecClearTuple(p->rows->slot);
    release_batch(p);
    pfree(p->places);
    pfree(p);
}
