#include "planner/diff_scan.h"

#include "diff/diff.h"
#include "planner/scan_tuple.h"

#include "commands/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"

/*
 * CustomScan.custom_exprs is the call as it stood in the query: of it the arguments are computed,
 * and a plan that is kept knows by it which function it depends on. CustomScan.custom_private is
 * the function's column for each column of the scan tuple, from 0.
 */
struct diff_scan {
    CustomScanState css;
    List *arguments;   /* of ExprState */
    Bitmapset *params; /* that they depend on */
    bool has_subplan;  /* so that they may depend on others as well */
    int *columns;
    struct diff *diff; /* NULL before the first row */
};

static Node *create_state(CustomScan *plan);

static const CustomScanMethods plan_methods = {DIFF_SCAN_NAME, create_state};

void diff_scan_init(void)
{
    RegisterCustomScanMethods(&plan_methods);
}

void diff_scan_describe(CustomScan *scan, const FuncExpr *call)
{
    List *columns = NIL;
    ListCell *cell;

    foreach (cell, scan->custom_scan_tlist) {
        const Var *v = (const Var *)((const TargetEntry *)lfirst(cell))->expr;

        columns = lappend_int(columns, v->varattno - 1);
    }
    scan->custom_exprs = list_make1(copyObject((FuncExpr *)call));
    scan->custom_private = columns;
    scan->methods = &plan_methods;
}

static const FuncExpr *call_of(const CustomScanState *node)
{
    return linitial(((const CustomScan *)node->ss.ps.plan)->custom_exprs);
}

static bool collect_params(Node *node, Bitmapset **params)
{
    if (node != NULL && IsA(node, Param) && ((const Param *)node)->paramkind == PARAM_EXEC)
        *params = bms_add_member(*params, ((const Param *)node)->paramid);
    return expression_tree_walker(node, collect_params, params);
}

static void begin(CustomScanState *node, EState *estate, int flags)
{
    struct diff_scan *s = (struct diff_scan *)node;
    const List *columns = ((const CustomScan *)node->ss.ps.plan)->custom_private;
    const FuncExpr *call = call_of(node);

    (void)estate;
    (void)flags;
    scan_tuple_check_function(call->funcid);
    s->arguments = ExecInitExprList(call->args, &node->ss.ps);
    s->has_subplan = contain_subplans((Node *)call->args);
    collect_params((Node *)call->args, &s->params);
    s->columns = palloc(sizeof *s->columns * (size_t)Max(list_length(columns), 1));
    for (int i = 0; i < list_length(columns); i++)
        s->columns[i] = list_nth_int(columns, i);
}

static void forget(struct diff_scan *s)
{
    if (s->diff != NULL)
        diff_end(s->diff);
    s->diff = NULL;
}

static void restart(CustomScanState *node)
{
    struct diff_scan *s = (struct diff_scan *)node;
    const Bitmapset *changed = node->ss.ps.chgParam;

    ExecScanReScan(&node->ss);
    /* Under the same snapshot the same arguments find the same rows. */
    if (bms_overlap(changed, s->params) || (s->has_subplan && !bms_is_empty(changed)))
        forget(s);
    else if (s->diff != NULL)
        diff_rewind(s->diff);
}

static void end(CustomScanState *node)
{
    forget((struct diff_scan *)node);
}

static void start(struct diff_scan *s)
{
    EState *estate = s->css.ss.ps.state;
    ExprContext *context = s->css.ss.ps.ps_ExprContext;
    MemoryContext caller = MemoryContextSwitchTo(context->ecxt_per_tuple_memory);
    LOCAL_FCINFO(call, DIFF_ARGUMENTS);
    ListCell *cell;
    int n = 0;

    InitFunctionCallInfoData(*call, NULL, DIFF_ARGUMENTS, InvalidOid, NULL, NULL);
    foreach (cell, s->arguments) {
        call->args[n].value = ExecEvalExpr(lfirst(cell), context, &call->args[n].isnull);
        n++;
    }
    /* Whatever else is going on where the first row is asked for. */
    PushActiveSnapshot(estate->es_snapshot);
    s->diff = diff_begin(call, estate->es_query_cxt);
    PopActiveSnapshot();
    MemoryContextSwitchTo(caller);
}

static TupleTableSlot *next(ScanState *node)
{
    struct diff_scan *s = (struct diff_scan *)node;
    TupleTableSlot *out = node->ss_ScanTupleSlot;
    const struct diff_row *row;

    if (s->diff == NULL)
        start(s);
    row = diff_next(s->diff);
    ExecClearTuple(out);
    if (row == NULL)
        return out;
    for (int i = 0; i < out->tts_tupleDescriptor->natts; i++) {
        out->tts_values[i] = row->values[s->columns[i]];
        out->tts_isnull[i] = row->nulls[s->columns[i]];
    }
    return ExecStoreVirtualTuple(out);
}

static TupleTableSlot *execute(CustomScanState *node)
{
    return ExecScan(&node->ss, next, scan_tuple_recheck);
}

static void explain(CustomScanState *node, List *ancestors, ExplainState *es)
{
    static const char *const NAMES[DIFF_ARGUMENTS] = {"View", "From", "To"};
    List *context = set_deparse_context_plan(es->deparse_cxt, node->ss.ps.plan, ancestors);
    bool prefix = list_length(es->rtable) > 1 || es->verbose;

    for (int i = 0; i < DIFF_ARGUMENTS; i++)
        ExplainPropertyText(
            NAMES[i], deparse_expression(list_nth(call_of(node)->args, i), context, prefix, false),
            es);
}

static Node *create_state(CustomScan *plan)
{
    static const CustomExecMethods methods = {.CustomName = DIFF_SCAN_NAME,
                                              .BeginCustomScan = begin,
                                              .ExecCustomScan = execute,
                                              .EndCustomScan = end,
                                              .ReScanCustomScan = restart,
                                              .ExplainCustomScan = explain};
    struct diff_scan *s = (struct diff_scan *)newNode(sizeof *s, T_CustomScanState);

    (void)plan;
    s->css.methods = &methods;
    return (Node *)s;
}
