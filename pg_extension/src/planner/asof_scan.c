#include "planner/asof_scan.h"

#include "height/height.h"
#include "height/height_guard.h"
#include "table/page_scan.h"
#include "planner/scan_tuple.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/nodeFuncs.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"

/*
 * What travels in CustomScan.custom_private: for each table, in the order in which they are read,
 * its class, the permission to read it, its oid, that of the index to use and the numbers of
 * valid_from, valid_to and the scan tuple's columns in it; then how many of a thousand versions are
 * current.
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
    ExprState *height_value, *key_value; /* the height's: of the argument where it is a call */
    bool is_call, is_setting;            /* of tidemark.height; without an argument */
    bool is_fixed;                       /* the height is that of the whole query */
    bool has_key;
    bool is_started, is_done, has_height;
    int64 height;
    Datum key;                        /* until the next row is asked for */
    int now;                          /* the table that is read, of those in order */
    struct table tables[ASOF_TABLES]; /* the current one first */
    struct table *order[ASOF_TABLES]; /* in which they are read */
    int count;                        /* of these: no other can have a row */
};

static Node *create_state(CustomScan *plan);

static const CustomScanMethods plan_methods = {ASOF_SCAN_NAME, create_state};

void asof_scan_init(void)
{
    RegisterCustomScanMethods(&plan_methods);
}

static double share(const struct asof_match *m, int class)
{
    return asof_share(class, m->branches[class].rel->tuples);
}

/* The current table, then the classes, those first that most likely have a key's row. */
static void order_classes(const struct asof_match *m, int classes[ASOF_TABLES])
{
    classes[0] = ASOF_CURRENT;
    for (int class = 0; class < ASOF_CLASSES; class ++) {
        int place = class + 1;

        for (; place > 1 && share(m, classes[place - 1]) < share(m, class); place--)
            classes[place] = classes[place - 1];
        classes[place] = class;
    }
}

/* How many of all versions are current. */
static double current_share(const struct asof_match *m)
{
    double all = 0;

    for (int table = 0; table < ASOF_TABLES; table++)
        all += Max(m->branches[table].rel->tuples, 0);
    return all == 0 ? 1 : Max(m->branches[ASOF_CURRENT].rel->tuples, 0) / all;
}

void asof_scan_describe(CustomScan *scan, const struct asof_match *m, Index entry, bool has_key)
{
    List *permissions = NIL, *tables = NIL, *indexes = NIL, *columns = NIL, *order = NIL;
    int classes[ASOF_TABLES];

    order_classes(m, classes);
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
    scan->custom_private =
        lappend(scan->custom_private, makeInteger((int)(1000 * current_share(m))));
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

static bool depends_on_row(Node *node, void *context)
{
    if (node == NULL)
        return false;
    if (IsA(node, Var) || IsA(node, SubPlan) || IsA(node, AlternativeSubPlan) ||
        (IsA(node, Param) && ((const Param *)node)->paramkind == PARAM_EXEC))
        return true;
    return expression_tree_walker(node, depends_on_row, context);
}

/* What tidemark.height does is done without the expression around it: that also tells the tip. */
static void init_height(struct asof_scan *s, Node *height)
{
    const FuncExpr *call = (const FuncExpr *)height;

    s->is_call = IsA(height, FuncExpr);
    s->is_setting = s->is_call && call->args == NIL;
    if (s->is_call)
        scan_tuple_check_function(call->funcid);
    s->is_fixed = s->is_call && !depends_on_row(height, NULL);
    if (!s->is_setting)
        s->height_value =
            ExecInitExpr(s->is_call ? linitial(call->args) : (Expr *)height, &s->css.ss.ps);
}

static void begin(CustomScanState *node, EState *estate, int flags)
{
    struct asof_scan *s = (struct asof_scan *)node;
    const CustomScan *plan = (const CustomScan *)node->ss.ps.plan;

    (void)estate;
    (void)flags;
    /* No other node of the plan names these tables, so nobody else has asked. */
    compat_check_permissions(list_nth(plan->custom_private, PLAN_PERMISSIONS));
    init_height(s, linitial(plan->custom_exprs));
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

/*
 * The current table comes before the classes, but where a row more likely has ended since: further
 * from the tip than a version lives on average. Without a tip nothing is known of that.
 */
static void put_in_order(struct asof_scan *s, const struct tip *tip)
{
    const CustomScan *plan = (const CustomScan *)s->css.ss.ps.plan;

    for (int i = 0; i < ASOF_TABLES; i++)
        s->order[i] = &s->tables[i];
    s->count = ASOF_TABLES;
    if (tip == NULL)
        return;
    if (height_is_last(tip, s->height))
        s->count = 1;
    else if ((tip->height - s->height) * 1000 >
             (tip->height - tip->earliest) * intVal(list_nth(plan->custom_private, PLAN_CURRENT))) {
        s->order[0] = &s->tables[1];
        s->order[1] = &s->tables[0];
    }
}

/* Finds the height, and the tables for it; false where it is NULL. */
static bool find_height(struct asof_scan *s)
{
    EState *estate = s->css.ss.ps.state;
    bool is_null = false;
    int64 given = 0;
    struct tip tip;

    if (s->is_setting)
        height_guard_check_query(estate);
    else
        given = DatumGetInt64(
            ExecEvalExprSwitchContext(s->height_value, s->css.ss.ps.ps_ExprContext, &is_null));
    if (is_null && s->is_call)
        height_raise_null();
    if (is_null)
        return false;
    s->height = given;
    if (s->is_call) {
        /* Whatever else is going on where the first row is asked for. */
        PushActiveSnapshot(estate->es_snapshot);
        s->height = height_resolve(s->is_setting ? NULL : &given, &tip);
        PopActiveSnapshot();
    }
    put_in_order(s, s->is_call ? &tip : NULL);
    return true;
}

/* Values of the scan's expressions; false where there can be no row. */
static bool start(struct asof_scan *s)
{
    bool is_null = false;

    s->is_started = true;
    s->now = -1;
    if (!s->has_height && !find_height(s))
        return false;
    s->has_height = s->is_fixed;
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
            out->tts_values[i] = Int64GetDatum(s->height);
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
    ScanKeyInit(&out[0], column, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(s->height));
    if (class == ASOF_CLASSES - 1)
        return 1;
    ScanKeyInit(&out[1], column, BTLessEqualStrategyNumber, F_INT8LE,
                Int64GetDatum(asof_latest_end(class, s->height)));
    return 2;
}

/* Opens the table for its pages or for look-ups; what that needs lives as long as the query. */
static void open_scan(struct asof_scan *s, struct table *t)
{
    EState *estate = s->css.ss.ps.state;
    MemoryContext caller = MemoryContextSwitchTo(estate->es_query_cxt);
    /* Of the one table that can have a row at the tip, every row is true. */
    struct page_scan_lifetime lifetime = {s->count == 1 ? 0 : t->begins, t->ends, s->height,
                                          PG_INT64_MIN};
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

static bool next_row(struct asof_scan *s, TupleTableSlot *out)
{
    for (;;) {
        if (s->now >= 0) {
            struct table *t = s->order[s->now];

            if (page_scan_next(t->pages, t->slot)) {
                put(s, t, out);
                return true;
            }
            close_table(t);
        }
        if (++s->now == s->count)
            return false;
        open_scan(s, s->order[s->now]);
    }
}

/* The one row of a key: no two versions of it are true at one height. */
static bool find_row(struct asof_scan *s, TupleTableSlot *out)
{
    ScanKeyData conditions[KEY_CONDITIONS_MAX];

    while (++s->now < s->count) {
        struct table *t = s->order[s->now];
        int count;

        if (t->heap == NULL)
            open_scan(s, t);
        ScanKeyInit(&conditions[0], 1, BTEqualStrategyNumber, F_BYTEAEQ, s->key);
        count = 1 + end_conditions(s, t->class, 2, &conditions[1]);
        index_rescan(t->lookup, conditions, count, NULL, 0);
        while (index_getnext_slot(t->lookup, ForwardScanDirection, t->slot)) {
            bool is_null;

            if (DatumGetInt64(slot_getattr(t->slot, t->begins, &is_null)) <= s->height) {
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
