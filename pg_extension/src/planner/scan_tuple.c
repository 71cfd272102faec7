#include "planner/scan_tuple.h"

#include "catalog/objectaccess.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

bool scan_tuple_is_columns(const Node *expressions, Index entry)
{
    List *all = pull_var_clause((Node *)expressions, PVC_RECURSE_PLACEHOLDERS);
    ListCell *cell;

    foreach (cell, all) {
        const Var *v = lfirst(cell);

        if (v->varno == (int)entry && v->varattno <= 0)
            return false;
    }
    return true;
}

bool scan_tuple_suffices(const RelOptInfo *rel, Index entry)
{
    return scan_tuple_is_columns((Node *)rel->reltarget->exprs, entry) &&
           scan_tuple_is_columns((Node *)extract_actual_clauses(rel->baserestrictinfo, false),
                                 entry) &&
           scan_tuple_is_columns((Node *)extract_actual_clauses(rel->joininfo, false), entry);
}

List *scan_tuple_columns(Relids entries, List *columns, List *conditions)
{
    List *needed = list_concat(pull_var_clause((Node *)columns, PVC_RECURSE_PLACEHOLDERS),
                               pull_var_clause((Node *)conditions, PVC_RECURSE_PLACEHOLDERS));
    List *list = NIL;
    ListCell *cell;

    foreach (cell, needed) {
        Var *v = lfirst(cell);

        if (bms_is_member(v->varno, entries) && !tlist_member((Expr *)v, list))
            list = lappend(list, makeTargetEntry((Expr *)copyObject(v),
                                                 (AttrNumber)(list_length(list) + 1), NULL, false));
    }
    return list;
}

bool scan_tuple_recheck(ScanState *node, TupleTableSlot *row)
{
    (void)node;
    (void)row;
    return true;
}

void scan_tuple_check_function(Oid function)
{
    if (!compat_may_execute(function, GetUserId()))
        aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FUNCTION, get_func_name(function));
    InvokeFunctionExecuteHook(function);
}
