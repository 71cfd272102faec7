#include "rollback/row_writer.h"

#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/acl.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

struct row_writer {
    EState *estate;
    ResultRelInfo *table;
    EPQState recheck; /* asked for by signature; only row triggers use it */
    TupleTableSlot *row;
};

static void require_rights(Relation table, AclMode wanted)
{
    if (pg_class_aclmask(RelationGetRelid(table), GetUserId(), wanted, ACLMASK_ALL) != wanted)
        aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RelationGetRelationName(table));
}

/* All but the primary key: an index on what does not change then knows of it. */
static Bitmapset *updated_columns(Relation table)
{
    Bitmapset *key = RelationGetIndexAttrBitmap(table, INDEX_ATTR_BITMAP_PRIMARY_KEY);
    Bitmapset *columns = NULL;

    for (int n = 1; n <= RelationGetNumberOfAttributes(table); n++)
        columns = bms_add_member(columns, n - FirstLowInvalidHeapAttributeNumber);
    return bms_del_members(columns, key);
}

static RangeTblEntry *entry_of(Relation table)
{
    RangeTblEntry *entry = makeNode(RangeTblEntry);

    entry->rtekind = RTE_RELATION;
    entry->relid = RelationGetRelid(table);
    entry->relkind = table->rd_rel->relkind;
    entry->rellockmode = RowExclusiveLock;
    return entry;
}

struct row_writer *row_writer_begin(Relation table, AclMode wanted)
{
    struct row_writer *w;

    require_rights(table, wanted);
    w = palloc0(sizeof *w);
    w->estate = CreateExecutorState();
    compat_init_range_table(w->estate, entry_of(table), updated_columns(table));
    w->table = makeNode(ResultRelInfo);
    InitResultRelInfo(w->table, table, 1, NULL, 0);
    ExecOpenIndices(w->table, false);
    compat_init_recheck(&w->recheck, w->estate);
    w->row = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsHeapTuple);
    AfterTriggerBeginQuery();
    return w;
}

void row_writer_end(struct row_writer *w)
{
    AfterTriggerEndQuery(w->estate);
    ExecDropSingleTupleTableSlot(w->row);
    EvalPlanQualEnd(&w->recheck);
    ExecCloseIndices(w->table);
    FreeExecutorState(w->estate);
    pfree(w);
}

/* What is made for one row lives until the next. */
static MemoryContext begin_row(const struct row_writer *w)
{
    ResetPerTupleExprContext(w->estate);
    return MemoryContextSwitchTo(GetPerTupleMemoryContext(w->estate));
}

void row_writer_insert(struct row_writer *w, HeapTuple row)
{
    MemoryContext before = begin_row(w);

    ExecStoreHeapTuple(row, w->row, true);
    ExecSimpleRelationInsert(w->table, w->estate, w->row);
    ExecClearTuple(w->row);
    MemoryContextSwitchTo(before);
}

void row_writer_update(struct row_writer *w, TupleTableSlot *old, HeapTuple row)
{
    MemoryContext before = begin_row(w);

    ExecStoreHeapTuple(row, w->row, true);
    ExecSimpleRelationUpdate(w->table, w->estate, &w->recheck, old, w->row);
    ExecClearTuple(w->row);
    MemoryContextSwitchTo(before);
}

void row_writer_delete(struct row_writer *w, TupleTableSlot *old)
{
    MemoryContext before = begin_row(w);

    ExecSimpleRelationDelete(w->table, w->estate, &w->recheck, old);
    MemoryContextSwitchTo(before);
}
