#include "table/place_scan.h"

#include "access/heapam.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/itemptr.h"

enum {
    FIRST_ROOM = 256,
    PLACES_AT_ONCE = 1024 * 1024, /* 8 MB */
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
    uint64 *places; /* a run of them, in order */
    size_t count, next, room;
    bool is_last;               /* the index has no more places */
    Buffer buffers[BATCH];      /* each pinned for itself */
    HeapTupleData found[BATCH]; /* what the snapshot sees of them; no t_data: nothing */
    int in_batch, at;
};

/* A place as one number, in the order in which rows lie. */
static inline uint64 place_of(const ItemPointerData *row)
{
    return (uint64)ItemPointerGetBlockNumberNoCheck(row) << 16 | row->ip_posid;
}

static inline BlockNumber block_of(uint64 place)
{
    return (BlockNumber)(place >> 16);
}

static inline OffsetNumber offset_of(uint64 place)
{
    return (OffsetNumber)place;
}

/* The server's sort with the comparison inside it: there are thousands of places, each small. */
#define ST_SORT          sort_places
#define ST_ELEMENT_TYPE  uint64
#define ST_COMPARE(a, b) ((*(a) > *(b)) - (*(a) < *(b)))
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
        ItemPointer row = index_getnext_tid(p->rows->scan, ForwardScanDirection);
        uint64 place;

        CHECK_FOR_INTERRUPTS();
        p->is_last = row == NULL;
        if (p->is_last)
            break;
        place = place_of(row);
        if (p->count == p->room) {
            p->room *= 2;
            p->places = repalloc(p->places, p->room * sizeof *p->places);
        }
        if (p->count > 0 && p->places[p->count - 1] > place)
            in_order = false;
        p->places[p->count++] = place;
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

static void pin(struct place_scan *p, const uint64 *places, int count)
{
    for (int i = 0; i < count; i++) {
        BlockNumber block = block_of(places[i]);
        Page page;

        if (i > 0 && block == block_of(places[i - 1])) {
            p->buffers[i] = p->buffers[i - 1];
            IncrBufferRefCount(p->buffers[i]);
        } else {
            p->buffers[i] = ReadBuffer(p->rows->heap, block);
        }
        p->in_batch++;
        page = BufferGetPage(p->buffers[i]);
        __builtin_prefetch(page);
        __builtin_prefetch(PageGetItemId(page, offset_of(places[i])));
    }
    for (int i = 0; i < count; i++) {
        Page page = BufferGetPage(p->buffers[i]);
        /* Without a lock: where the row is by now is looked up when it is read. */
        const char *row =
            (const char *)page + ItemIdGetOffset(PageGetItemId(page, offset_of(places[i])));

        __builtin_prefetch(row);
        __builtin_prefetch(row + LINE);
    }
}

/* Seen rows stay where they are while their pages are pinned. */
static void look_up(struct place_scan *p, const uint64 *places, int count)
{
    for (int i = 0; i < count; i++) {
        HeapTuple row = &p->found[i];
        ItemPointerData place;
        bool is_dead;

        ItemPointerSet(&place, block_of(places[i]), offset_of(places[i]));
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
    const uint64 *places;
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
