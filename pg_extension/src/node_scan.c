#include "node_scan.h"

#include "asof.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_index.h"
#include "nodes/pg_list.h"
#include "executor/tuptable.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"
#include "miscadmin.h"

enum {
    TABLES = 1 + ASOF_CLASSES, /* current rows first */
    KEYS_MAX = 5,
    HISTORY_KEY_COLUMNS = 6, /* tree, depth, prefix >> 6, valid_to, class, prefix */
    PAGE_COLUMN = 3,
    VALID_TO_COLUMN = 4,
    CURRENT_PREFIX_COLUMN = 3,
    HISTORY_PREFIX_COLUMN = 6
};

struct table {
    Relation heap, index;
    IndexScanDesc scan;
    TupleTableSlot *slot;
    AttrNumber valid_from, digest;
};

struct node_scan {
    struct table tables[TABLES];
};

static bool is_history_key(Relation index, AttrNumber valid_to)
{
    return index->rd_index->indnkeyatts == HISTORY_KEY_COLUMNS &&
           index->rd_index->indkey.values[PAGE_COLUMN - 1] == 0 &&
           index->rd_index->indkey.values[VALID_TO_COLUMN - 1] == valid_to;
}

static Relation open_index(Relation heap, bool current)
{
    AttrNumber valid_to = current ? 0 : get_attnum(RelationGetRelid(heap), "valid_to");
    List *list = RelationGetIndexList(heap);
    Relation found = NULL;
    ListCell *cell;

    foreach (cell, list) {
        Relation index = index_open(lfirst_oid(cell), AccessShareLock);

        if (index->rd_index->indisvalid && index->rd_rel->relam == BTREE_AM_OID &&
            (current ? index->rd_index->indisprimary : is_history_key(index, valid_to))) {
            found = index;
            break;
        }
        index_close(index, AccessShareLock);
    }
    list_free(list);
    if (found == NULL)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("table \"%s\" lacks the index of its key",
                               RelationGetRelationName(heap)),
                        errhint("Restore the database from a backup, or replay the chain.")));
    return found;
}

static void open_table(struct table *t, Oid schema, int place)
{
    char *name = place == 0 ? pstrdup("tree_node") : psprintf("tree_node_history_%d", place - 1);
    Oid oid = get_relname_relid(name, schema);
    AclResult allowed;

    if (!OidIsValid(oid))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                        errmsg("there is no table \"ledger.%s\"", name),
                        errhint("Run `tidemark migrate`.")));
    allowed = pg_class_aclcheck(oid, GetUserId(), ACL_SELECT);
    if (allowed != ACLCHECK_OK)
        aclcheck_error(allowed, OBJECT_TABLE, name);
    t->heap = table_open(oid, AccessShareLock);
    t->index = open_index(t->heap, place == 0);
    t->valid_from = get_attnum(oid, "valid_from");
    t->digest = get_attnum(oid, "digest");
    t->slot = table_slot_create(t->heap, NULL);
    t->scan = index_beginscan(t->heap, t->index, GetActiveSnapshot(), place == 0 ? 4 : KEYS_MAX, 0);
    t->scan->xs_want_itup = true;
    pfree(name);
}

struct node_scan *node_scan_begin(void)
{
    struct node_scan *s = palloc0(sizeof *s);
    Oid schema = get_namespace_oid("ledger", false);

    for (int i = 0; i < TABLES; i++)
        open_table(&s->tables[i], schema, i);
    return s;
}

void node_scan_end(struct node_scan *s)
{
    for (int i = 0; i < TABLES; i++) {
        struct table *t = &s->tables[i];

        index_endscan(t->scan);
        ExecDropSingleTupleTableSlot(t->slot);
        index_close(t->index, AccessShareLock);
        table_close(t->heap, AccessShareLock);
    }
    pfree(s);
}

static void start(struct table *t, int place, enum tree_id tree, struct smt_page_id page,
                  height_t height)
{
    ScanKeyData keys[KEYS_MAX];
    int64 prefix = (int64)page.prefix;
    int count = 0;

    ScanKeyInit(&keys[count++], 1, BTEqualStrategyNumber, F_INT2EQ, Int16GetDatum((int16)tree));
    ScanKeyInit(&keys[count++], 2, BTEqualStrategyNumber, F_INT2EQ,
                Int16GetDatum((int16)(page.depth + SMT_PAGE_BITS)));
    if (place == 0) {
        ScanKeyInit(&keys[count++], CURRENT_PREFIX_COLUMN, BTGreaterEqualStrategyNumber, F_INT8GE,
                    Int64GetDatum(prefix * NODE_SCAN_SLOTS));
        ScanKeyInit(&keys[count++], CURRENT_PREFIX_COLUMN, BTLessEqualStrategyNumber, F_INT8LE,
                    Int64GetDatum(prefix * NODE_SCAN_SLOTS + NODE_SCAN_SLOTS - 1));
    } else {
        ScanKeyInit(&keys[count++], PAGE_COLUMN, BTEqualStrategyNumber, F_INT8EQ,
                    Int64GetDatum(prefix));
        ScanKeyInit(&keys[count++], VALID_TO_COLUMN, BTGreaterStrategyNumber, F_INT8GT,
                    Int64GetDatum(height));
        if (place < TABLES - 1)
            ScanKeyInit(&keys[count++], VALID_TO_COLUMN, BTLessEqualStrategyNumber, F_INT8LE,
                        Int64GetDatum(asof_latest_end(place - 1, height)));
    }
    /* The last class has no upper bound; a key that all rows satisfy keeps the number of keys. */
    if (place == TABLES - 1)
        ScanKeyInit(&keys[count++], VALID_TO_COLUMN, BTLessEqualStrategyNumber, F_INT8LE,
                    Int64GetDatum(PG_INT64_MAX));
    index_rescan(t->scan, keys, count, NULL, 0);
}

static bool take_digest(struct table *t, struct hash32 *out)
{
    bool is_null;
    Datum value = slot_getattr(t->slot, t->digest, &is_null);
    struct varlena *v;

    if (is_null)
        return false;
    v = pg_detoast_datum_packed((struct varlena *)DatumGetPointer(value));
    if (VARSIZE_ANY_EXHDR(v) != sizeof *out)
        return false;
    memcpy(out, VARDATA_ANY(v), sizeof *out);
    return true;
}

/*
 * The versions of one row do not overlap and come by their ends, so that in each table only the
 * first that ends after the height can have been true there: rows of the others are not fetched.
 */
static uint64_t scan_table(struct table *t, AttrNumber prefix_column, height_t height,
                           uint64_t found, struct hash32 digests[NODE_SCAN_SLOTS])
{
    uint64_t seen = found;

    while (seen != UINT64_MAX && index_getnext_tid(t->scan, ForwardScanDirection) != NULL) {
        bool is_null;
        int64 prefix = DatumGetInt64(
            index_getattr(t->scan->xs_itup, prefix_column, t->scan->xs_itupdesc, &is_null));
        int slot = (int)(prefix & (NODE_SCAN_SLOTS - 1));

        if ((seen >> slot & 1) != 0 || !index_fetch_heap(t->scan, t->slot))
            continue;
        seen |= UINT64_C(1) << slot;
        if (DatumGetInt64(slot_getattr(t->slot, t->valid_from, &is_null)) <= height &&
            take_digest(t, &digests[slot]))
            found |= UINT64_C(1) << slot;
    }
    ExecClearTuple(t->slot);
    return found;
}

size_t node_scan_page(struct node_scan *s, enum tree_id tree, struct smt_page_id page,
                      height_t height, struct smt_node_row *out)
{
    struct hash32 digests[NODE_SCAN_SLOTS];
    uint64_t found = 0;
    size_t count = 0;

    for (int i = 0; i < TABLES && found != UINT64_MAX; i++) {
        start(&s->tables[i], i, tree, page, height);
        found = scan_table(&s->tables[i], i == 0 ? CURRENT_PREFIX_COLUMN : HISTORY_PREFIX_COLUMN,
                           height, found, digests);
    }
    for (int slot = 0; slot < NODE_SCAN_SLOTS; slot++)
        if ((found >> slot & 1) != 0)
            out[count++] = (struct smt_node_row){(uint8_t)(page.depth + SMT_PAGE_BITS),
                                                 page.prefix << SMT_PAGE_BITS | (unsigned)slot,
                                                 digests[slot]};
    return count;
}
