#include "rollback/late_rows.h"

#include "value/memory.h"
#include "table/page_scan.h"
#include "table/rows.h"

#include "protocol/smt/smt.h"

#include "access/tableam.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

enum {
    KEYS_MAX = 1024 * 1024, /* some 80 MB; of more, pages are read, however many there are */
    PAGES_OF_A_LOOK_UP = 4, /* that can be gone through meanwhile */
    NODES_OF_A_KEY = 3,     /* on its path, about: as many look-ups */
    LAST_NODE_DEPTH = SMT_PAGE_BITS * SMT_STORED_LEVELS,
    PATH_BITS = 64 /* of a path, as many as are kept */
};

/* A changed key: what its row or the nodes on its path are looked up by. */
struct late_key {
    bytea *key; /* bytea and text lie in memory alike */
    enum tree_id tree;
    uint64_t path; /* first bits; for nodes only */
};

struct late_rows {
    const struct versioned_pair *pair;
    Relation current;
    AttrNumber valid_from;
    height_t height;
    bool is_by_key;
    MemoryContext context; /* of the keys */
    struct late_key *keys; /* each once, in order */
    size_t count, room;
};

static bool is_for_nodes(const struct late_rows *l)
{
    return l->pair->tree == TREES;
}

static struct bytes bytes_in(const bytea *key)
{
    return bytes_make(VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key));
}

static int by_key(const void *x, const void *y)
{
    struct bytes a = bytes_in(((const struct late_key *)x)->key);
    struct bytes b = bytes_in(((const struct late_key *)y)->key);
    int order = memcmp(a.data, b.data, Min(a.size, b.size));

    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int by_path(const void *x, const void *y)
{
    const struct late_key *a = x, *b = y;

    return a->tree != b->tree ? (a->tree > b->tree) - (a->tree < b->tree)
                              : (a->path > b->path) - (a->path < b->path);
}

static uint64_t path_bits(enum tree_id tree, struct bytes key)
{
    struct hash32 path = rows_path(tree, key);

    return (uint64_t)path64(&path) ^ UINT64_C(1) << 63;
}

static void add(struct late_rows *l, enum tree_id tree, bytea *key)
{
    struct late_key *last = l->count > 0 ? &l->keys[l->count - 1] : NULL;
    struct late_key added = {.key = key, .tree = tree};

    /* Several steps of one block stand side by side. */
    if (last != NULL && last->tree == tree && by_key(last, &added) == 0)
        return;
    l->keys =
        memory_grow(l->context, l->keys, l->count, 1, &l->room, sizeof *l->keys, "changed keys");
    if (is_for_nodes(l))
        added.path = path_bits(tree, bytes_in(key));
    added.key = memcpy(MemoryContextAlloc(l->context, VARSIZE_ANY(key)), key, VARSIZE_ANY(key));
    l->keys[l->count++] = added;
}

static void sort(struct late_rows *l)
{
    int (*order)(const void *, const void *) = is_for_nodes(l) ? by_path : by_key;
    size_t kept = 0;

    if (l->count == 0)
        return;
    qsort(l->keys, l->count, sizeof *l->keys, order);
    for (size_t i = 1; i < l->count; i++)
        if (order(&l->keys[kept], &l->keys[i]) != 0)
            l->keys[++kept] = l->keys[i];
    l->count = kept + 1;
}

/* Reads what ledger.change names above the height; false where that is more than `most`. Entries of
 * the index whose rows nobody sees cost a look-up, and nothing else. */
static bool read_keys(struct late_rows *l, size_t most)
{
    static const struct row_scan_key CHANGES = {4, {"height", "tree", "key", "step"}, 0};
    enum { TREE_COLUMN = 2, KEY_COLUMN };
    struct row_scan changes;
    ScanKeyData condition;

    row_scan_open(&changes, "change", &CHANGES, 1);
    row_scan_want_keys(&changes);
    row_scan_condition(&changes, &condition, 1, BTGreaterStrategyNumber, F_INT8GT,
                       Int64GetDatum(l->height));
    row_scan_start(&changes, &condition);
    while (l->count <= most && index_getnext_tid(changes.scan, ForwardScanDirection) != NULL) {
        IndexTuple entry = changes.scan->xs_itup;
        TupleDesc columns = changes.scan->xs_itupdesc;
        bool is_null;
        int16 tree = DatumGetInt16(index_getattr(entry, TREE_COLUMN, columns, &is_null));
        Datum key = index_getattr(entry, KEY_COLUMN, columns, &is_null);

        CHECK_FOR_INTERRUPTS();
        if (!is_for_nodes(l) && tree != (int16)l->pair->tree)
            continue;
        add(l, (enum tree_id)tree, DatumGetByteaPP(key));
    }
    row_scan_close(&changes);
    return l->count <= most;
}

struct late_rows *late_rows_open(const struct versioned_pair *pair, Relation current,
                                 height_t height, enum late_rows_way way, size_t ended)
{
    struct late_rows *l = palloc0(sizeof *l);
    size_t look_ups = RelationGetNumberOfBlocks(current) / PAGES_OF_A_LOOK_UP;

    l->pair = pair;
    l->current = current;
    l->valid_from = row_scan_attribute(current, "valid_from");
    l->height = height;
    l->context =
        AllocSetContextCreate(CurrentMemoryContext, "changed keys", ALLOCSET_DEFAULT_SIZES);
    switch (way) {
    case LATE_ROWS_CHEAPER:
        l->is_by_key =
            ended < look_ups &&
            read_keys(l, Min(is_for_nodes(l) ? look_ups / NODES_OF_A_KEY : look_ups, KEYS_MAX));
        break;
    case LATE_ROWS_BY_PAGE:
        break;
    case LATE_ROWS_BY_KEY:
        l->is_by_key = read_keys(l, SIZE_MAX - 1);
        break;
    }
    if (l->is_by_key)
        sort(l);
    else
        MemoryContextReset(l->context);
    return l;
}

void late_rows_close(struct late_rows *l)
{
    MemoryContextDelete(l->context);
    pfree(l);
}

/* One pass over the rows. */
struct pass {
    const struct late_rows *l;
    struct row_scan rows;
    void (*found)(void *context, TupleTableSlot *row);
    void *context;
};

/* Whether there is a row under the conditions on the primary key, late or not. */
static bool look_up(struct pass *p, ScanKey conditions)
{
    bool is_null;

    CHECK_FOR_INTERRUPTS();
    row_scan_start(&p->rows, conditions);
    if (!row_scan_next(&p->rows))
        return false;
    if (DatumGetInt64(slot_getattr(p->rows.slot, p->l->valid_from, &is_null)) > p->l->height)
        p->found(p->context, p->rows.slot);
    return true;
}

static void look_up_row(struct pass *p, const struct late_key *key)
{
    bool is_text = TupleDescAttr(RelationGetDescr(p->rows.index), 0)->atttypid == TEXTOID;
    ScanKeyData condition;

    row_scan_condition(&p->rows, &condition, 1, BTEqualStrategyNumber,
                       is_text ? F_TEXTEQ : F_BYTEAEQ, PointerGetDatum(key->key));
    look_up(p, &condition);
}

static bool look_up_node(struct pass *p, const struct late_key *key, int depth)
{
    int64 prefix = (int64)(key->path >> (PATH_BITS - depth));
    ScanKeyData conditions[3];

    row_scan_condition(&p->rows, &conditions[0], 1, BTEqualStrategyNumber, F_INT2EQ,
                       Int16GetDatum((int16)key->tree));
    row_scan_condition(&p->rows, &conditions[1], 2, BTEqualStrategyNumber, F_INT2EQ,
                       Int16GetDatum((int16)depth));
    row_scan_condition(&p->rows, &conditions[2], 3, BTEqualStrategyNumber, F_INT8EQ,
                       Int64GetDatum(prefix));
    return look_up(p, conditions);
}

/*
 * A node changes only where a leaf below it does, and above a node there is one at every depth.
 * What a path has in common with the one before, to whose last node `last` is the depth, is known.
 */
static int look_up_path(struct pass *p, const struct late_key *key, const struct late_key *before,
                        int last)
{
    int depth;

    for (depth = SMT_PAGE_BITS; depth <= LAST_NODE_DEPTH; depth += SMT_PAGE_BITS) {
        bool is_known = before != NULL && before->tree == key->tree &&
                        before->path >> (PATH_BITS - depth) == key->path >> (PATH_BITS - depth);

        if (is_known ? depth > last : !look_up_node(p, key, depth))
            break;
    }
    return depth - SMT_PAGE_BITS;
}

static void find_by_key(struct pass *p)
{
    const struct late_rows *l = p->l;
    int last = 0;

    row_scan_open(&p->rows, l->pair->table, &l->pair->key, l->pair->key.count);
    for (size_t i = 0; i < l->count; i++)
        if (is_for_nodes(l))
            last = look_up_path(p, &l->keys[i], i > 0 ? &l->keys[i - 1] : NULL, last);
        else
            look_up_row(p, &l->keys[i]);
    row_scan_close(&p->rows);
}

static void find_by_page(const struct pass *p)
{
    struct page_scan_lifetime lifetime = {
        .begins = p->l->valid_from, .height = PG_INT64_MAX, .begins_after = p->l->height};
    TupleTableSlot *row = table_slot_create(p->l->current, NULL);
    struct page_scan *pages =
        page_scan_begin(p->l->current, GetActiveSnapshot(), lifetime, NULL, NULL, 0);

    while (page_scan_next(pages, row))
        p->found(p->context, row);
    ExecDropSingleTupleTableSlot(row);
    page_scan_end(pages);
}

void late_rows_each(const struct late_rows *l, void (*found)(void *context, TupleTableSlot *row),
                    void *context)
{
    struct pass p = {.l = l, .found = found, .context = context};

    if (l->is_by_key)
        find_by_key(&p);
    else
        find_by_page(&p);
}
