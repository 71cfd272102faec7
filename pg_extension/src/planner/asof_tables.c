#include "planner/asof_tables.h"

#include "height/height.h"
#include "height/height_guard.h"
#include "planner/scan_tuple.h"

#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "utils/snapmgr.h"

static double share(const struct asof_match *m, int class)
{
    return asof_share(class, m->branches[class].rel->tuples);
}

static void rank_tables(const struct asof_match *m, int tables[ASOF_TABLES])
{
    tables[0] = ASOF_CURRENT;
    for (int class = 0; class < ASOF_CLASSES; class ++) {
        int place = class + 1;

        for (; place > 1 && share(m, tables[place - 1]) < share(m, class); place--)
            tables[place] = tables[place - 1];
        tables[place] = class;
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

int asof_tables_rank(const struct asof_match *m, int tables[ASOF_TABLES])
{
    rank_tables(m, tables);
    return (int)(1000 * current_share(m));
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
void asof_tables_begin(struct asof_tables *t, ScanState *scan, Node *height, int current_share)
{
    const FuncExpr *call = (const FuncExpr *)height;

    t->scan = scan;
    t->current_share = current_share;
    t->is_call = IsA(height, FuncExpr);
    t->is_setting = t->is_call && call->args == NIL;
    if (t->is_call)
        scan_tuple_check_function(call->funcid);
    t->is_fixed = t->is_call && !depends_on_row(height, NULL);
    if (!t->is_setting)
        t->value = ExecInitExpr(t->is_call ? linitial(call->args) : (Expr *)height, &scan->ps);
}

/*
 * The current table comes before the classes, but where a row more likely has ended since: further
 * from the tip than a version lives on average. Without a tip nothing is known of that.
 */
static void put_in_order(struct asof_tables *t, const struct tip *tip)
{
    for (int i = 0; i < ASOF_TABLES; i++)
        t->order[i] = i;
    t->count = ASOF_TABLES;
    if (tip == NULL)
        return;
    if (height_is_last(tip, t->height))
        t->count = 1;
    else if ((tip->height - t->height) * 1000 > (tip->height - tip->earliest) * t->current_share) {
        t->order[0] = 1;
        t->order[1] = 0;
    }
}

bool asof_tables_find(struct asof_tables *t)
{
    EState *estate = t->scan->ps.state;
    bool is_null = false;
    int64 given = 0;
    struct tip tip;

    if (t->is_found)
        return true;
    if (t->is_setting)
        height_guard_check_query(estate);
    else
        given = DatumGetInt64(
            ExecEvalExprSwitchContext(t->value, t->scan->ps.ps_ExprContext, &is_null));
    if (is_null && t->is_call)
        height_raise_null();
    if (is_null)
        return false;
    t->height = given;
    if (t->is_call) {
        /* Whatever else is going on where the first row is asked for. */
        PushActiveSnapshot(estate->es_snapshot);
        t->height = height_resolve(t->is_setting ? NULL : &given, &tip);
        PopActiveSnapshot();
    }
    put_in_order(t, t->is_call ? &tip : NULL);
    t->is_found = t->is_fixed;
    return true;
}

bool asof_tables_only_current(const struct asof_tables *t)
{
    return t->count == 1;
}
