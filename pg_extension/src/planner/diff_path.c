#include "planner/diff_path.h"

#include "diff/diff.h"
#include "planner/diff_scan.h"
#include "planner/scan_tuple.h"

#include "access/htup_details.h"
#include "catalog/pg_language_d.h"
#include "catalog/pg_proc.h"
#include "nodes/extensible.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/syscache.h"

static bool enabled = true;

static Plan *make_plan(PlannerInfo *root, RelOptInfo *rel, CustomPath *best, List *columns,
                       List *conditions, List *plans);

static const CustomPathMethods methods = {.CustomName = DIFF_SCAN_NAME,
                                          .PlanCustomPath = make_plan};

/* Is this the function of this library, called as no more than itself? */
static bool is_diff_rows(Oid function)
{
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    const FormData_pg_proc *p;
    bool is_null, found = false;

    if (!HeapTupleIsValid(tuple))
        return false;
    p = (const FormData_pg_proc *)GETSTRUCT(tuple);
    if (p->prolang == ClanguageId && p->pronargs == DIFF_ARGUMENTS && !p->prosecdef &&
        heap_attisnull(tuple, Anum_pg_proc_proconfig, NULL)) {
        Datum symbol = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &is_null);

        found = !is_null && strcmp(TextDatumGetCString(symbol), "tidemark_diff_rows") == 0;
    }
    ReleaseSysCache(tuple);
    return found;
}

/* The call, where that alone is the range table's entry. */
static const FuncExpr *diff_call(const RangeTblEntry *rte)
{
    const RangeTblFunction *f;
    const FuncExpr *call;

    if (rte->rtekind != RTE_FUNCTION || rte->funcordinality || list_length(rte->functions) != 1)
        return NULL;
    f = linitial(rte->functions);
    call = (const FuncExpr *)f->funcexpr;
    if (!IsA(call, FuncExpr) || !call->funcretset || f->funccolnames != NIL ||
        f->funccolcount != DIFF_COLUMNS || list_length(call->args) != DIFF_ARGUMENTS ||
        !is_diff_rows(call->funcid))
        return NULL;
    return call;
}

/* As a FunctionScan costs, without writing rows down and reading them again. */
static void estimate(PlannerInfo *root, Path *path, const FuncExpr *call)
{
    List *clauses = list_copy(path->parent->baserestrictinfo);
    QualCost read, check;

    if (path->param_info != NULL)
        clauses = list_concat(clauses, path->param_info->ppi_clauses);
    path->rows = path->param_info != NULL ? path->param_info->ppi_rows : path->parent->rows;
    cost_qual_eval_node(&read, (Node *)call, root);
    cost_qual_eval(&check, clauses, root);
    path->startup_cost =
        read.startup + read.per_tuple + check.startup + path->pathtarget->cost.startup;
    path->total_cost = path->startup_cost +
                       (cpu_tuple_cost / 2 + check.per_tuple) * path->parent->tuples +
                       path->pathtarget->cost.per_tuple * path->rows;
}

void diff_path_add(PlannerInfo *root, RelOptInfo *rel, Index entry, RangeTblEntry *rte)
{
    const FuncExpr *call;
    CustomPath *custom;
    Path *path;

    if (!enabled || IS_DUMMY_REL(rel) || root->rowMarks != NIL)
        return;
    call = diff_call(rte);
    if (call == NULL || !scan_tuple_suffices(rel, entry))
        return;
    custom = makeNode(CustomPath);
    custom->methods = &methods;
    custom->flags = CUSTOMPATH_SUPPORT_PROJECTION;
    path = &custom->path;
    path->pathtype = T_CustomScan;
    path->parent = rel;
    path->pathtarget = rel->reltarget;
    path->param_info = get_baserel_parampathinfo(root, rel, rel->lateral_relids);
    path->parallel_safe = rel->consider_parallel;
    estimate(root, path, call);
    add_path(rel, path);
}

static Plan *make_plan(PlannerInfo *root, RelOptInfo *rel, CustomPath *best, List *columns,
                       List *conditions, List *plans)
{
    CustomScan *scan = makeNode(CustomScan);
    const FuncExpr *call = diff_call(planner_rt_fetch(rel->relid, root));

    (void)plans;
    scan->scan.plan.targetlist = columns;
    scan->scan.plan.qual = extract_actual_clauses(conditions, false);
    scan->flags = best->flags;
    scan->custom_scan_tlist = scan_tuple_columns(
        rel->relids, columns != NIL ? columns : rel->reltarget->exprs, scan->scan.plan.qual);
    diff_scan_describe(scan, call);
    return &scan->scan.plan;
}

void diff_path_init(void)
{
    DefineCustomBoolVariable("tidemark.enable_diff_scan",
                             "Lets the planner return the rows of tidemark.diff as they are found.",
                             "Off, all of them are written down before the first is returned.",
                             &enabled, true, PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
    diff_scan_init();
}
