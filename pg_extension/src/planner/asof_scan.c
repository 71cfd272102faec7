#include "planner/asof_scan.h"

#include "planner/asof_tables.h"
#include "planner/scan_tuple.h"
#include "table/page_scan.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"

/*
 * What travels in CustomScan.custom_private: for each table, as ranked (asof_tables.h), its class,
 * the permission to read it, its oid, that of the index to use and the numbers of valid_from,
 * valid_to and the scan tuple's columns in it; then how many of a thousand versions are current.
 */
enum { PLAN_CLASSES, PLAN_PERMISSIONS, PLAN_TABLES, PLAN_INDEXES, PLAN_COLUMNS, PLAN_CURRENT };

/* Before the columns of the scan tuple in PLAN_COLUMNS. */
enum { BEGINS, ENDS, FIRST_COLUMN };

/* In place of a column's number. */
enum { HEIGHT_COLUMN = 0 };

/* By a key: valid_to above the height and, but for the last class, not above the window. */
enum { KEY_CONDITIONS_MAX = 3 };

struct table {
    int class;
    Oid oid, index_oid;
    AttrNumber begins, ends;
    AttrNumber last;     /* of those that are read */
    AttrNumber *columns; /* of the scan tuple */
    Relation heap, index;
    TupleTableSlot *slot;
    IndexScanDesc lookup;    /* by the key */
    struct page_scan *pages; /* without a key */
};

struct asof_scan {
    CustomScanState css;
    ExprState *key_value;
    bool has_key;
    bool is_started, is_done;
    Datum key;                        /* until the next row is asked for */
    struct table tables[ASOF_TABLES]; /* as ranked: the current one first */
    struct asof_tables read;          /* of these, and at which height */
    int now;                          /* the table that is read, of those in order */
};

static Node *create_state(CustomScan *plan);

static const CustomScanMethods plan_methods = {ASOF_SCAN_NAME, create_state};

void asof_scan_init(void)
{
    RegisterCustomScanMethods(&plan_methods);
}

void asof_scan_describe(CustomScan *scan, const struct asof_match *m, Index entry, bool has_key)
{
    List *permissions = NIL, *tables = NIL, *indexes = NIL, *columns = NIL, *order = NIL;
    int classes[ASOF_TABLES];
    int current_share = asof_tables_rank(m, classes);

    for (int i = 0; i < ASOF_TABLES; i++) {
        const struct asof_branch *b = &m->branches[classes[i]];
        List *numbers = list_make2_int(b->begins, b->ends);
        ListCell *cell;

        foreach (cell, scan->custom_scan_tlist) {
            const Var *v = (const Var *)((const TargetEntry *)lfirst(cell))->expr;

            numbers = lappend_int(numbers, v->varno != (int)entry
                                               ? HEIGHT_COLUMN
                                               : list_nth_int(b->columns, v->varattno - 1));
        }
        order = lappend_int(order, classes[i]);
        permissions = lappend(permissions, copyObject(b->permission));
        tables = lappend_oid(tables, b->table->relid);
        indexes = lappend_oid(indexes, has_key ? b->by_key : b->by_end);
        columns = lappend(columns, numbers);
    }
    scan->custom_private = list_make5(order, permissions, tables, indexes, columns);
    scan->custom_private = lappend(scan->custom_private, makeInteger(current_share));
    scan->methods = &plan_methods;
}

static void close_table(struct table *t)
{
    if (t->lookup != NULL)
        index_endscan(t->lookup);
    if (t->slot != NULL)
        ExecDropSingleTupleTableSlot(t->slot);
    if (t->pages != NULL)
        page_scan_end(t->pages);
    if (t->index != NULL)
        index_close(t->index, NoLock);
    if (t->heap != NULL)
        table_close(t->heap, NoLock);
    t->lookup = NULL;
    t->pages = NULL;
    t->slot = NULL;
    t->index = NULL;
    t->heap = NULL;
}

/* A plan that was kept may be older than the table, whose lock it takes only now. */
static void check_column(const struct table *t, AttrNumber n, Oid type)
{
    TupleDesc desc = RelationGetDescr(t->heap);

    if (n > desc->natts || TupleDescAttr(desc, n - 1)->attisdropped ||
        TupleDescAttr(desc, n - 1)->atttypid != type)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("table \"%s\" was changed after this statement was planned",
                               RelationGetRelationName(t->heap)),
                        errhint("Run the statement again.")));
}

static void open_table(struct asof_scan *s, struct table *t)
{
    TupleDesc wanted = s->css.ss.ss_ScanTupleSlot->tts_tupleDescriptor;

    t->heap = table_open(t->oid, AccessShareLock);
    check_column(t, t->begins, INT8OID);
    if (t->ends != 0)
        check_column(t, t->ends, INT8OID);
    for (int i = 0; i < wanted->natts; i++)
        if (t->columns[i] != HEIGHT_COLUMN)
            check_column(t, t->columns[i], TupleDescAttr(wanted, i)->atttypid);
    if (OidIsValid(t->index_oid))
        t->index = index_open(t->index_oid, AccessShareLock);
    t->slot = table_slot_create(t->heap, NULL);
}

static void begin(CustomScanState *node, EState *estate, int flags)
{
    struct asof_scan *s = (struct asof_scan *)node;
    const CustomScan *plan = (const CustomScan *)node->ss.ps.plan;

    (void)estate;
    (void)flags;
    /* No other node of the plan names these tables, so nobody else has asked. */
    compat_check_permissions(list_nth(plan->custom_private, PLAN_PERMISSIONS));
    asof_tables_begin(&s->read, &node->ss, linitial(plan->custom_exprs),
                      intVal(list_nth(plan->custom_private, PLAN_CURRENT)));
    if (list_length(plan->custom_exprs) > 1) {
        s->key_value = ExecInitExpr(lsecond(plan->custom_exprs), &node->ss.ps);
        s->has_key = true;
    }
    for (int i = 0; i < ASOF_TABLES; i++) {
        struct table *t = &s->tables[i];
        List *numbers = list_nth(list_nth(plan->custom_private, PLAN_COLUMNS), i);
        int count = list_length(numbers) - FIRST_COLUMN;

        t->class = list_nth_int(list_nth(plan->custom_private, PLAN_CLASSES), i);
        t->oid = list_nth_oid(list_nth(plan->custom_private, PLAN_TABLES), i);
        t->index_oid = list_nth_oid(list_nth(plan->custom_private, PLAN_INDEXES), i);
        t->begins = (AttrNumber)list_nth_int(numbers, BEGINS);
        t->ends = (AttrNumber)list_nth_int(numbers, ENDS);
        t->last = Max(t->begins, t->ends);
        t->columns = palloc(sizeof *t->columns * (size_t)Max(count, 1));
        for (int k = 0; k < count; k++) {
            t->columns[k] = (AttrNumber)list_nth_int(numbers, FIRST_COLUMN + k);
            t->last = Max(t->last, t->columns[k]);
        }
    }
}

static void restart(CustomScanState *node)
{
    struct asof_scan *s = (struct asof_scan *)node;

    s->is_started = false;
    s->is_done = false;
    /* With a key the tables stay open: the next one is looked up in the same indexes. */
    for (int i = 0; i < ASOF_TABLES && !s->has_key; i++)
        close_table(&s->tables[i]);
}

static void end(CustomScanState *node)
{
    struct asof_scan *s = (struct asof_scan *)node;

    for (int i = 0; i < ASOF_TABLES; i++)
        close_table(&s->tables[i]);
}

/* Values of the scan's expressions; false where there can be no row. */
static bool start(struct asof_scan *s)
{
    bool is_null = false;

    s->is_started = true;
    s->now = -1;
    if (!asof_tables_find(&s->read))
        return false;
    if (s->has_key)
        s->key = ExecEvalExprSwitchContext(s->key_value, s->css.ss.ps.ps_ExprContext, &is_null);
    return !is_null;
}

/* The table's row in t->slot as the scan's. */
static void put(const struct asof_scan *s, const struct table *t, TupleTableSlot *out)
{
    TupleTableSlot *in = t->slot;
    int count = out->tts_tupleDescriptor->natts;

    slot_getsomeattrs(in, t->last);
    for (int i = 0; i < count; i++) {
        int place = t->columns[i] - 1;

        if (t->columns[i] == HEIGHT_COLUMN) {
            out->tts_values[i] = Int64GetDatum(s->read.height);
            out->tts_isnull[i] = false;
        } else {
            out->tts_values[i] = in->tts_values[place];
            out->tts_isnull[i] = in->tts_isnull[place];
        }
    }
    /* As ExecClearTuple and ExecStoreVirtualTuple leave it, without two calls a row. */
    out->tts_flags &= ~TTS_FLAG_EMPTY;
    out->tts_nvalid = (AttrNumber)count;
}

/* Conditions on valid_to, column `column` of an index; returns how many there are. */
static int end_conditions(const struct asof_scan *s, int class, AttrNumber column, ScanKey out)
{
    if (class == ASOF_CURRENT)
        return 0;
    ScanKeyInit(&out[0], column, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(s->read.height));
    if (class == ASOF_CLASSES - 1)
        return 1;
    ScanKeyInit(&out[1], column, BTLessEqualStrategyNumber, F_INT8LE,
                Int64GetDatum(asof_latest_end(class, s->read.height)));
    return 2;
}

/* Opens the table for its pages or for look-ups; what that needs lives as long as the query. */
static void open_scan(struct asof_scan *s, struct table *t)
{
    EState *estate = s->css.ss.ps.state;
    MemoryContext caller = MemoryContextSwitchTo(estate->es_query_cxt);
    struct page_scan_lifetime lifetime = {asof_tables_only_current(&s->read) ? 0 : t->begins,
                                          t->ends, s->read.height, PG_INT64_MIN};
    ScanKeyData conditions[KEY_CONDITIONS_MAX];
    int count = end_conditions(s, t->class, s->has_key ? 2 : 1, conditions);

    open_table(s, t);
    if (s->has_key)
        t->lookup = index_beginscan(t->heap, t->index, estate->es_snapshot, 1 + count, 0);
    else
        t->pages =
            page_scan_begin(t->heap, estate->es_snapshot, lifetime, t->index, conditions, count);
    MemoryContextSwitchTo(caller);
}

static struct table *table_now(struct asof_scan *s)
{
    return &s->tables[s->read.order[s->now]];
}

static bool next_row(struct asof_scan *s, TupleTableSlot *out)
{
    for (;;) {
        if (s->now >= 0) {
            struct table *t = table_now(s);

            if (page_scan_next(t->pages, t->slot)) {
                put(s, t, out);
                return true;
            }
            close_table(t);
        }
        if (++s->now == s->read.count)
            return false;
        open_scan(s, table_now(s));
    }
}

/* The one row of a key: no two versions of it are true at one height. */
static bool find_row(struct asof_scan *s, TupleTableSlot *out)
{
    ScanKeyData conditions[KEY_CONDITIONS_MAX];

    while (++s->now < s->read.count) {
        struct table *t = table_now(s);
        int count;

        if (t->heap == NULL)
            open_scan(s, t);
        ScanKeyInit(&conditions[0], 1, BTEqualStrategyNumber, F_BYTEAEQ, s->key);
        count = 1 + end_conditions(s, t->class, 2, &conditions[1]);
        index_rescan(t->lookup, conditions, count, NULL, 0);
        while (index_getnext_slot(t->lookup, ForwardScanDirection, t->slot)) {
            bool is_null;

            if (DatumGetInt64(slot_getattr(t->slot, t->begins, &is_null)) <= s->read.height) {
                put(s, t, out);
                return true;
            }
        }
    }
    return false;
}

static TupleTableSlot *next(ScanState *node)
{
    struct asof_scan *s = (struct asof_scan *)node;
    TupleTableSlot *out = node->ss_ScanTupleSlot;

    if (!s->is_started)
        s->is_done = !start(s);
    if (s->is_done)
        return ExecClearTuple(out);
    if (s->has_key) {
        s->is_done = true;
        return find_row(s, out) ? out : ExecClearTuple(out);
    }
    if (next_row(s, out))
        return out;
    s->is_done = true;
    return ExecClearTuple(out);
}

static TupleTableSlot *execute(CustomScanState *node)
{
    const struct asof_scan *s = (const struct asof_scan *)node;
    const PlanState *plan = &node->ss.ps;

    /* Rows that are handed up as they are need none of what ExecScan does for each. */
    if (!s->has_key && plan->qual == NULL && plan->ps_ProjInfo == NULL &&
        plan->state->es_epq_active == NULL)
        return next(&node->ss);
    return ExecScan(&node->ss, next, scan_tuple_recheck);
}

static void explain(CustomScanState *node, List *ancestors, ExplainState *es)
{
    const CustomScan *plan = (const CustomScan *)node->ss.ps.plan;
    List *context = set_deparse_context_plan(es->deparse_cxt, node->ss.ps.plan, ancestors);
    const struct asof_scan *s = (const struct asof_scan *)node;
    bool prefix = list_length(es->rtable) > 1 || es->verbose;

    ExplainPropertyText("Pair", get_rel_name(s->tables[0].oid), es);
    ExplainPropertyText(
        "Height", deparse_expression(linitial(plan->custom_exprs), context, prefix, false), es);
    if (s->has_key)
        ExplainPropertyText(
            "Key", deparse_expression(lsecond(plan->custom_exprs), context, prefix, false), es);
}

static Node *create_state(CustomScan *plan)
{
    static const CustomExecMethods methods = {.CustomName = ASOF_SCAN_NAME,
                                              .BeginCustomScan = begin,
                                              .ExecCustomScan = execute,
                                              .EndCustomScan = end,
                                              .ReScanCustomScan = restart,
                                              .ExplainCustomScan = explain};
    struct asof_scan *s = (struct asof_scan *)newNode(sizeof *s, T_CustomScanState);

    (void)plan;
    s->css.methods = &methods;
    return (Node *)s;
}
