#include "table/row_scan.h"

#include "table/query.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/visibilitymap.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_index.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* By the catalogue's entry alone: what is not the key is neither opened nor locked. */
static bool is_key(Oid index, const AttrNumber *columns, const struct row_scan_key *key)
{
    HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
    const FormData_pg_index *form;
    bool found;

    if (!HeapTupleIsValid(tuple))
        return false;
    form = (const FormData_pg_index *)GETSTRUCT(tuple);
    found = form->indisvalid && form->indnkeyatts == key->count &&
            form->indnatts == key->count + key->included &&
            heap_attisnull(tuple, Anum_pg_index_indpred, NULL);
    for (int i = 0; found && i < key->count + key->included; i++)
        found = form->indkey.values[i] == columns[i];
    ReleaseSysCache(tuple);
    return found;
}

static Relation open_index(Relation heap, const struct row_scan_key *key)
{
    AttrNumber columns[ROW_SCAN_COLUMNS_MAX];
    List *list = RelationGetIndexList(heap);
    Relation found = NULL;
    ListCell *cell;

    for (int i = 0; i < key->count + key->included; i++)
        columns[i] = key->columns[i] == NULL
                         ? 0
                         : (AttrNumber)SPI_fnumber(RelationGetDescr(heap), key->columns[i]);
    foreach (cell, list) {
        if (!is_key(lfirst_oid(cell), columns, key))
            continue;
        found = index_open(lfirst_oid(cell), AccessShareLock);
        if (found->rd_rel->relam == BTREE_AM_OID)
            break;
        index_close(found, AccessShareLock);
        found = NULL;
    }
    list_free(list);
    if (found == NULL)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                        errmsg("table \"%s\" lacks an index on %s", RelationGetRelationName(heap),
                               key->columns[0] == NULL ? "the path" : key->columns[0]),
                        errhint("Restore the database from a backup, or replay the chain.")));
    return found;
}

Relation row_scan_table(const char *table)
{
    Oid oid = get_relname_relid(table, query_ledger());
    AclResult allowed;

    if (!OidIsValid(oid))
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("there is no table \"ledger.%s\"", table),
                 errhint("Run `tidemark migrate`.")));
    allowed = pg_class_aclcheck(oid, GetUserId(), ACL_SELECT);
    if (allowed != ACLCHECK_OK)
        aclcheck_error(allowed, OBJECT_TABLE, table);
    return table_open(oid, AccessShareLock);
}

void row_scan_open(struct row_scan *s, const char *table, const struct row_scan_key *key,
                   int conditions)
{
    s->heap = row_scan_table(table);
    s->index = open_index(s->heap, key);
    s->slot = table_slot_create(s->heap, NULL);
    s->conditions = conditions;
    s->visibility = InvalidBuffer;
    s->scan = index_beginscan(s->heap, s->index, GetActiveSnapshot(), conditions, 0);
}

void row_scan_close(struct row_scan *s)
{
    if (BufferIsValid(s->visibility))
        ReleaseBuffer(s->visibility);
    index_endscan(s->scan);
    ExecDropSingleTupleTableSlot(s->slot);
    index_close(s->index, AccessShareLock);
    table_close(s->heap, AccessShareLock);
}

AttrNumber row_scan_attribute(Relation heap, const char *name)
{
    int n = SPI_fnumber(RelationGetDescr(heap), name);

    if (n <= 0)
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_COLUMN),
                 errmsg("table \"%s\" has no column \"%s\"", RelationGetRelationName(heap), name),
                 errhint("Run `tidemark migrate`.")));
    return (AttrNumber)n;
}

AttrNumber row_scan_column(const struct row_scan *s, const char *name)
{
    return row_scan_attribute(s->heap, name);
}

void row_scan_start(struct row_scan *s, ScanKey conditions)
{
    index_rescan(s->scan, conditions, s->conditions, NULL, 0);
}

bool row_scan_next(struct row_scan *s)
{
    return index_getnext_slot(s->scan, ForwardScanDirection, s->slot);
}

void row_scan_want_keys(struct row_scan *s)
{
    s->scan->xs_want_itup = true;
}

bool row_scan_next_key(struct row_scan *s)
{
    while (index_getnext_tid(s->scan, ForwardScanDirection) != NULL)
        if (row_scan_visible(s))
            return true;
    return false;
}

bool row_scan_visible(struct row_scan *s)
{
    BlockNumber block = ItemPointerGetBlockNumber(&s->scan->xs_heaptid);

    if (VM_ALL_VISIBLE(s->heap, block, &s->visibility)) {
        PredicateLockPage(s->heap, block, s->scan->xs_snapshot);
        return true;
    }
    if (!index_fetch_heap(s->scan, s->slot))
        return false;
    ExecClearTuple(s->slot);
    return true;
}

void row_scan_condition(const struct row_scan *s, ScanKey out, AttrNumber n,
                        StrategyNumber strategy, RegProcedure procedure, Datum value)
{
    ScanKeyInit(out, n, strategy, procedure, value);
    out->sk_collation = s->index->rd_indcollation[n - 1];
}

void row_scan_range(const struct row_scan *s, ScanKey out, int64 above, int64 until)
{
    row_scan_condition(s, &out[0], 1, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(above));
    row_scan_condition(s, &out[1], 1, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(until));
}
