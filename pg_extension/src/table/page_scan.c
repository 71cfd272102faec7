#include "table/page_scan.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

struct page_scan {
    Relation heap;
    Snapshot snapshot;
    struct page_scan_lifetime lifetime;
    bool is_plain; /* the key, valid_from, valid_to: found without the table's description */
    BufferAccessStrategy strategy;
    BlockNumber total;
    Bitmapset *blocks; /* of these, where an index was given */
    bool has_blocks;
    int64 block; /* the one that is read, -1 before the first */
    Buffer buffer;
    HeapTupleData tuple;
    int count, next;
    OffsetNumber rows[MaxHeapTuplesPerPage];
};

enum { KEY_COLUMN = 1, BEGINS_COLUMN, ENDS_COLUMN };

/* Is the row's key a value of varying length before its lifetime, as in every versioned pair? */
static bool is_plain(TupleDesc desc, const struct page_scan_lifetime *l)
{
    return desc->natts >= ENDS_COLUMN && TupleDescAttr(desc, KEY_COLUMN - 1)->attlen == -1 &&
           l->begins == BEGINS_COLUMN && (l->ends == 0 || l->ends == ENDS_COLUMN) &&
           TupleDescAttr(desc, BEGINS_COLUMN - 1)->attlen == sizeof(int64) &&
           (l->ends == 0 || TupleDescAttr(desc, ENDS_COLUMN - 1)->attlen == sizeof(int64));
}

static Bitmapset *find_blocks(Relation heap, Relation index, Snapshot snapshot, ScanKey conditions,
                              int count, BlockNumber total)
{
    IndexScanDesc scan = index_beginscan(heap, index, snapshot, count, 0);
    BlockNumber last = InvalidBlockNumber;
    Bitmapset *blocks = NULL;
    ItemPointer tid;

    if (total > 0) /* room for all of them at once */
        blocks = bms_del_member(bms_make_singleton((int)total - 1), (int)total - 1);
    index_rescan(scan, conditions, count, NULL, 0);
    while ((tid = index_getnext_tid(scan, ForwardScanDirection)) != NULL) {
        BlockNumber block = ItemPointerGetBlockNumber(tid);

        if (block == last)
            continue;
        CHECK_FOR_INTERRUPTS();
        last = block;
        if (block < total) /* what came later the snapshot does not see */
            blocks = bms_add_member(blocks, (int)block);
    }
    index_endscan(scan);
    return blocks;
}

struct page_scan *page_scan_begin(Relation heap, Snapshot snapshot,
                                  struct page_scan_lifetime lifetime, Relation index,
                                  ScanKey conditions, int count)
{
    struct page_scan *p = palloc0(sizeof *p);

    p->heap = heap;
    p->snapshot = snapshot;
    p->lifetime = lifetime;
    p->is_plain = is_plain(RelationGetDescr(heap), &lifetime);
    p->total = RelationGetNumberOfBlocks(heap);
    p->block = -1;
    p->tuple.t_tableOid = RelationGetRelid(heap);
    /* A scan larger than this leaves others' pages in the buffers, as the server's own does. */
    if (p->total > (BlockNumber)NBuffers / 4)
        p->strategy = GetAccessStrategy(BAS_BULKREAD);
    PredicateLockRelation(heap, snapshot);
    p->has_blocks = index != NULL;
    if (p->has_blocks)
        p->blocks = find_blocks(heap, index, snapshot, conditions, count, p->total);
    return p;
}

void page_scan_end(struct page_scan *p)
{
    if (BufferIsValid(p->buffer))
        ReleaseBuffer(p->buffer);
    if (p->strategy != NULL)
        FreeAccessStrategy(p->strategy);
    bms_free(p->blocks);
    pfree(p);
}

static int64 column(const struct page_scan *p, HeapTuple row, AttrNumber n)
{
    bool is_null;

    return DatumGetInt64(heap_getattr(row, n, RelationGetDescr(p->heap), &is_null));
}

static bool is_true(const struct page_scan *p, HeapTuple row)
{
    const struct page_scan_lifetime *l = &p->lifetime;
    int64 begins, ends = 0;

    if (p->is_plain) {
        /* None of the first columns is ever NULL. */
        const char *key = (const char *)row->t_data + row->t_data->t_hoff;
        const int64 *found = (const int64 *)MAXALIGN(key + VARSIZE_ANY(key));

        begins = found[0];
        if (l->ends != 0)
            ends = found[1];
    } else {
        begins = column(p, row, l->begins);
        if (l->ends != 0)
            ends = column(p, row, l->ends);
    }
    return begins > l->begins_after && begins <= l->height && (l->ends == 0 || ends > l->height);
}

/* Finds the page's rows; it stays pinned. */
static void read_page(struct page_scan *p)
{
    bool is_serializable = IsolationIsSerializable(), all_visible;
    bool is_any = p->lifetime.begins == 0;
    OffsetNumber last;
    Page page;

    CHECK_FOR_INTERRUPTS();
    if (BufferIsValid(p->buffer))
        ReleaseBuffer(p->buffer);
    p->buffer =
        ReadBufferExtended(p->heap, MAIN_FORKNUM, (BlockNumber)p->block, RBM_NORMAL, p->strategy);
    heap_page_prune_opt(p->heap, p->buffer);
    LockBuffer(p->buffer, BUFFER_LOCK_SHARE);
    page = BufferGetPage(p->buffer);
    compat_test_for_old_snapshot(p->snapshot, p->heap, page);
    last = PageGetMaxOffsetNumber(page);
    /* On a standby the flag may be set before the snapshot knows of the writer's commit. */
    all_visible = PageIsAllVisible(page) && !p->snapshot->takenDuringRecovery;
    p->count = 0;
    p->next = 0;
    for (OffsetNumber n = FirstOffsetNumber; n <= last; n++) {
        ItemId item = PageGetItemId(page, n);
        bool is_visible;

        if (!ItemIdIsNormal(item))
            continue;
        p->tuple.t_data = (HeapTupleHeader)PageGetItem(page, item);
        p->tuple.t_len = ItemIdGetLength(item);
        if (!is_any && !is_serializable && !is_true(p, &p->tuple))
            continue;
        ItemPointerSet(&p->tuple.t_self, (BlockNumber)p->block, n);
        is_visible = all_visible || HeapTupleSatisfiesVisibility(&p->tuple, p->snapshot, p->buffer);
        if (is_serializable) {
            HeapCheckForSerializableConflictOut(is_visible, p->heap, &p->tuple, p->buffer,
                                                p->snapshot);
            is_visible = is_visible && (is_any || is_true(p, &p->tuple));
        }
        if (is_visible)
            p->rows[p->count++] = n;
    }
    LockBuffer(p->buffer, BUFFER_LOCK_UNLOCK);
}

static bool next_block(struct page_scan *p)
{
    p->block = p->has_blocks ? bms_next_member(p->blocks, (int)p->block) : p->block + 1;
    return p->block >= 0 && p->block < p->total;
}

bool page_scan_next(struct page_scan *p, TupleTableSlot *slot)
{
    Page page;
    ItemId item;
    OffsetNumber n;

    while (p->next == p->count) {
        ExecClearTuple(slot); /* its page is about to be released */
        if (!next_block(p))
            return false;
        read_page(p);
    }
    n = p->rows[p->next++];
    page = BufferGetPage(p->buffer);
    item = PageGetItemId(page, n);
    p->tuple.t_data = (HeapTupleHeader)PageGetItem(page, item);
    p->tuple.t_len = ItemIdGetLength(item);
    ItemPointerSet(&p->tuple.t_self, (BlockNumber)p->block, n);
    ExecStoreBufferHeapTuple(&p->tuple, slot, p->buffer);
    return true;
}
