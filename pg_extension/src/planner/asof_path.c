#include "planner/asof_path.h"

#include "planner/asof_match.h"
#include "planner/asof_scan.h"
#include "planner/scan_tuple.h"

#include "catalog/namespace.h"
#include "catalog/pg_operator_d.h"
#include "nodes/extensible.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

/*
 * A path with what its plan is made of. It begins as the inner side of a join with the function
 * that gives the height. As the rows are the same without that join, it is also a path for both
 * together, which calls the function itself and returns rows with the height among their columns.
 */
struct asof_path {
    CustomPath custom;
    const struct asof_match *match;
    Index entry;         /* of the rows in the range table */
    Expr *height;        /* a column of the outer side, or the function */
    Expr *key;           /* the value of the pair's key, or NULL: all rows */
    Expr *key_condition; /* where that stood; the scan sees to it */
    List *clauses;       /* with the function: all that is checked */
};

/* One key is in a handful of pages of two or three of the seven tables, whatever its height. */
enum { PAGES_FOR_A_KEY = 4 };

static bool enabled = true;
static set_join_pathlist_hook_type next_join_pathlist;

static Plan *make_plan(PlannerInfo *root, RelOptInfo *rel, CustomPath *best, List *columns,
                       List *conditions, List *plans);

static const CustomPathMethods methods = {.CustomName = ASOF_SCAN_NAME,
                                          .PlanCustomPath = make_plan};

/*
 * What the scan has to check for the join it is the inner side of, when the rows of `outer` are
 * given. The list the planner keeps for the same parameters is the Append's: empty, since there
 * each branch checks them.
 */
static ParamPathInfo *parameters(PlannerInfo *root, RelOptInfo *rel, Relids outer)
{
    ParamPathInfo *p = makeNode(ParamPathInfo);
    Relids both = bms_union(rel->relids, outer);
    List *all =
        list_concat_copy(rel->joininfo, generate_join_implied_equalities(root, both, outer, rel));
    ListCell *cell;

    p->ppi_req_outer = bms_copy(outer);
    p->ppi_rows = rel->rows;
    foreach (cell, all) {
        RestrictInfo *clause = lfirst(cell);

        if (join_clause_is_movable_into(clause, rel->relids, both))
            p->ppi_clauses = lappend(p->ppi_clauses, clause);
    }
    return p;
}

/* The other side of `key = …`, where that can be known before the scan. */
static Expr *key_of(PlannerInfo *root, const struct asof_match *m, const RelOptInfo *rel,
                    const RestrictInfo *clause)
{
    const OpExpr *op = (const OpExpr *)clause->clause;

    if (m->key == 0 || clause->pseudoconstant || !IsA(op, OpExpr) || op->opno != ByteaEqualOperator)
        return NULL;
    for (int side = 0; side < 2; side++) {
        const Var *v = list_nth(op->args, side);
        Node *other = list_nth(op->args, 1 - side);

        if (IsA(v, Var) && v->varno == (int)rel->relid && v->varattno == m->key &&
            v->varlevelsup == 0 && !bms_overlap(rel->relids, pull_varnos(root, other)) &&
            !contain_volatile_functions(other) && !contain_subplans(other))
            return (Expr *)other;
    }
    return NULL;
}

/* Makes it a path for these rows. */
static void place_path(Path *path, RelOptInfo *rel, ParamPathInfo *p)
{
    path->parent = rel;
    path->pathtarget = rel->reltarget;
    path->param_info = p;
    path->parallel_safe = rel->consider_parallel;
    path->rows = rel->rows;
}

static struct asof_path *new_path(const struct asof_match *m, RelOptInfo *rel, ParamPathInfo *p)
{
    struct asof_path *path = palloc0(sizeof *path);
    Path *base = &path->custom.path;

    path->custom.path.type = T_CustomPath;
    path->custom.methods = &methods;
    path->custom.flags = CUSTOMPATH_SUPPORT_PROJECTION;
    path->match = m;
    path->entry = rel->relid;
    path->height = (Expr *)m->height;
    base->pathtype = T_CustomScan;
    place_path(base, rel, p);
    return path;
}

/* For what is checked of each row that is read. */
static Cost cost_of(PlannerInfo *root, List *clauses, double rows)
{
    QualCost cost;

    cost_qual_eval(&cost, clauses, root);
    return cost.startup + cost.per_tuple * rows;
}

/*
 * All rows: the current table and of each class the window of heights, of which the planner knows
 * as little as it does for the Append's branches.
 */
static void add_whole(PlannerInfo *root, RelOptInfo *rel, const struct asof_match *m,
                      ParamPathInfo *p)
{
    struct asof_path *path = new_path(m, rel, p);
    double rows = 0;
    Cost cost = 0;

    for (int class = 0; class < ASOF_TABLES; class ++) {
        const struct asof_branch *b = &m->branches[class];
        double part = class == ASOF_CURRENT       ? 1
                      : class == ASOF_CLASSES - 1 ? DEFAULT_INEQ_SEL
                                                  : DEFAULT_RANGE_INEQ_SEL;

        if (class != ASOF_CURRENT && !OidIsValid(b->by_end))
            return;
        rows += part * b->rel->tuples;
        cost += part * b->rel->pages * seq_page_cost;
        if (class != ASOF_CURRENT)
            cost += part * b->rel->tuples * cpu_index_tuple_cost;
    }
    path->custom.path.total_cost =
        cost + rows * cpu_tuple_cost +
        cost_of(root, list_concat_copy(rel->baserestrictinfo, p->ppi_clauses), rows);
    add_path(rel, &path->custom.path);
}

static void add_key(PlannerInfo *root, RelOptInfo *rel, const struct asof_match *m,
                    ParamPathInfo *p, const RestrictInfo *clause)
{
    Expr *key = key_of(root, m, rel, clause);
    struct asof_path *path;

    if (key == NULL)
        return;
    path = new_path(m, rel, p);
    path->key = key;
    path->key_condition = clause->clause;
    path->custom.path.rows = clamp_row_est(Min(rel->rows, 1));
    path->custom.path.total_cost =
        PAGES_FOR_A_KEY * random_page_cost + cpu_tuple_cost +
        cost_of(root, list_concat_copy(rel->baserestrictinfo, p->ppi_clauses), 1);
    add_path(rel, &path->custom.path);
}

static void add_keys(PlannerInfo *root, RelOptInfo *rel, const struct asof_match *m,
                     ParamPathInfo *p)
{
    ListCell *cell;

    foreach (cell, rel->baserestrictinfo)
        add_key(root, rel, m, p, lfirst(cell));
    foreach (cell, p->ppi_clauses)
        add_key(root, rel, m, p, lfirst(cell));
}

static bool is_key_member(PlannerInfo *root, RelOptInfo *rel, EquivalenceClass *class,
                          EquivalenceMember *member, void *match)
{
    const Var *v = (const Var *)member->em_expr;

    (void)root;
    (void)class;
    return IsA(v, Var) && v->varno == (int)rel->relid && v->varlevelsup == 0 &&
           v->varattno == ((const struct asof_match *)match)->key;
}

static bool has_set(List *sets, Relids wanted)
{
    ListCell *cell;

    foreach (cell, sets)
        if (bms_equal(lfirst(cell), wanted))
            return true;
    return false;
}

/* For joins by key: once for each set of tables that can give it. */
static void add_joins_by_key(PlannerInfo *root, RelOptInfo *rel, struct asof_match *m)
{
    List *clauses = list_copy(rel->joininfo), *done = NIL;
    ListCell *cell;

    if (m->key == 0)
        return;
    if (rel->has_eclass_joins)
        clauses = list_concat(clauses, generate_implied_equalities_for_column(
                                           root, rel, is_key_member, m, rel->lateral_referencers));
    foreach (cell, clauses) {
        const RestrictInfo *clause = lfirst(cell);
        Relids others = bms_difference(clause->clause_relids, rel->relids);
        Relids outer = bms_union(rel->lateral_relids, others);

        if (join_clause_is_movable_to((RestrictInfo *)clause, rel) &&
            key_of(root, m, rel, clause) != NULL &&
            !bms_overlap(others, rel->lateral_referencers) &&
            !bms_equal(outer, rel->lateral_relids) && !has_set(done, outer)) {
            done = lappend(done, outer);
            add_keys(root, rel, m, parameters(root, rel, outer));
        }
    }
}

void asof_path_add(PlannerInfo *root, RelOptInfo *rel, Index entry, RangeTblEntry *rte)
{
    struct asof_match *m;
    ParamPathInfo *p;

    if (!enabled || rel->reloptkind != RELOPT_BASEREL || rte->rtekind != RTE_SUBQUERY ||
        !rte->inh || IS_DUMMY_REL(rel) || bms_is_empty(rel->lateral_relids) ||
        root->rowMarks != NIL)
        return;
    m = asof_match(root, entry);
    if (m == NULL || !bms_is_member(m->height->varno, rel->lateral_relids))
        return;
    p = parameters(root, rel, rel->lateral_relids);
    if (!scan_tuple_suffices(rel, entry))
        return;
    add_whole(root, rel, m, p);
    add_keys(root, rel, m, p);
    add_joins_by_key(root, rel, m);
}

/* The call of tidemark.height, where that alone is the range table's entry. */
static Expr *height_call(PlannerInfo *root, Index entry)
{
    const RangeTblEntry *rte = planner_rt_fetch(entry, root);
    const FuncExpr *call;
    const char *name;

    if (rte->rtekind != RTE_FUNCTION || rte->funcordinality || list_length(rte->functions) != 1)
        return NULL;
    call = (const FuncExpr *)((const RangeTblFunction *)linitial(rte->functions))->funcexpr;
    if (!IsA(call, FuncExpr) || call->funcretset || call->funcresulttype != INT8OID ||
        get_func_namespace(call->funcid) != get_namespace_oid("tidemark", true))
        return NULL;
    name = get_func_name(call->funcid);
    return name != NULL && strcmp(name, "height") == 0 ? (Expr *)call : NULL;
}

/* Conditions that are checked before the scan are a plan of their own. */
static bool has_gate(List *clauses)
{
    ListCell *cell;

    foreach (cell, clauses)
        if (lfirst_node(RestrictInfo, cell)->pseudoconstant)
            return true;
    return false;
}

/* A path for the rows, made into one for the rows and their height. */
static void add_joined(RelOptInfo *join, const struct asof_path *inner, Expr *call, List *clauses)
{
    struct asof_path *path = palloc(sizeof *path);
    Path *base = &path->custom.path;

    *path = *inner;
    path->height = call;
    path->clauses = clauses;
    place_path(base, join, NULL);
    base->total_cost += cpu_operator_cost;
    add_path(join, base);
}

static void add_join_paths(PlannerInfo *root, RelOptInfo *join, RelOptInfo *outer,
                           RelOptInfo *inner, JoinType type, JoinPathExtraData *extra)
{
    RelOptInfo *rows = bms_is_empty(inner->lateral_relids) ? outer : inner;
    RelOptInfo *height = rows == inner ? outer : inner;
    Expr *call;
    List *clauses;
    ListCell *cell;

    if (next_join_pathlist != NULL)
        next_join_pathlist(root, join, outer, inner, type, extra);
    if (!enabled || type != JOIN_INNER || rows->reloptkind != RELOPT_BASEREL ||
        height->reloptkind != RELOPT_BASEREL || !bms_is_empty(join->lateral_relids) ||
        root->qual_security_level > 0) /* the order of conditions would matter */
        return;
    call = height_call(root, height->relid);
    if (call == NULL || !scan_tuple_is_columns((Node *)join->reltarget->exprs, height->relid) ||
        !scan_tuple_is_columns((Node *)join->reltarget->exprs, rows->relid))
        return;
    clauses = list_concat_copy(height->baserestrictinfo, rows->baserestrictinfo);
    clauses = list_concat(clauses, extra->restrictlist);
    if (has_gate(clauses) ||
        !scan_tuple_is_columns((Node *)extract_actual_clauses(clauses, false), height->relid))
        return;
    foreach (cell, rows->pathlist) {
        const struct asof_path *path = lfirst(cell);

        /* A key that is made of the height, or of another table, is known only to a join. */
        if (IsA(path, CustomPath) && path->custom.methods == &methods &&
            bms_equal(PATH_REQ_OUTER(&path->custom.path), height->relids) &&
            !bms_is_member((int)height->relid, pull_varnos(root, (Node *)path->key)))
            add_joined(join, path, call, clauses);
    }
}

static Plan *make_plan(PlannerInfo *root, RelOptInfo *rel, CustomPath *best, List *columns,
                       List *conditions, List *plans)
{
    const struct asof_path *path = (const struct asof_path *)best;
    CustomScan *scan = makeNode(CustomScan);
    List *quals = extract_actual_clauses(path->clauses != NIL ? path->clauses : conditions, false);

    (void)root;
    (void)plans;
    if (path->key != NULL)
        quals = list_delete(quals, path->key_condition);
    scan->scan.plan.targetlist = columns;
    scan->scan.plan.qual = quals;
    scan->flags = best->flags;
    scan->custom_scan_tlist =
        scan_tuple_columns(rel->relids, columns != NIL ? columns : rel->reltarget->exprs, quals);
    scan->custom_exprs = list_make1(copyObject(path->height));
    if (path->key != NULL)
        scan->custom_exprs = lappend(scan->custom_exprs, copyObject(path->key));
    asof_scan_describe(scan, path->match, path->entry, path->key != NULL);
    return &scan->scan.plan;
}

void asof_path_init(void)
{
    DefineCustomBoolVariable("tidemark.enable_asof_scan",
                             "Lets the planner read rows as of a height with one scan of its own.",
                             "Off, it joins the current table and the history's partitions.",
                             &enabled, true, PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
    next_join_pathlist = set_join_pathlist_hook;
    set_join_pathlist_hook = add_join_paths;
    asof_scan_init();
}
