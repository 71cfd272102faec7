#include "planner/asof_match.h"

#include "access/stratnum.h"
#include "catalog/namespace.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

/* No more than SELECT columns FROM table WHERE conditions. */
static bool is_plain(const Query *q)
{
    return q->commandType == CMD_SELECT && q->setOperations == NULL && !q->hasAggs &&
           !q->hasWindowFuncs && !q->hasTargetSRFs && !q->hasSubLinks && q->cteList == NIL &&
           q->groupClause == NIL && q->groupingSets == NIL && q->havingQual == NULL &&
           q->distinctClause == NIL && q->sortClause == NIL && q->limitOffset == NULL &&
           q->limitCount == NULL && q->rowMarks == NIL && list_length(q->rtable) == 1 &&
           list_length(q->jointree->fromlist) == 1 &&
           IsA(linitial(q->jointree->fromlist), RangeTblRef);
}

/* The table's column, or 0. */
static AttrNumber column_of(const Node *node)
{
    const Var *v = (const Var *)node;

    return IsA(node, Var) && v->varno == 1 && v->varlevelsup == 0 && v->varattno > 0 ? v->varattno
                                                                                     : 0;
}

/* Both sides of `left <function> right`. */
static bool split(const Node *node, Oid function, Node **left, Node **right)
{
    const OpExpr *op = (const OpExpr *)node;

    if (!IsA(node, OpExpr) || list_length(op->args) != 2 || get_opcode(op->opno) != function)
        return false;
    *left = linitial(op->args);
    *right = lsecond(op->args);
    return true;
}

/* A column of the query around it; the same one everywhere. */
static bool is_height(struct asof_match *m, Node *node)
{
    const Var *v = (const Var *)node;

    if (!IsA(node, Var) || v->varlevelsup != 1 || v->varattno <= 0 || v->vartype != INT8OID)
        return false;
    if (m->height != NULL)
        return equal(m->height, node);
    m->height = copyObject((Var *)node);
    return true;
}

/* height + the class's window */
static bool is_latest_end(struct asof_match *m, int class, Node *node)
{
    Node *left, *right;
    const Const *n;
    int64 window;

    if (!split(node, F_INT8PL, &left, &right) && !split(node, F_INT84PL, &left, &right))
        return false;
    n = (const Const *)right;
    if (!is_height(m, left) || !IsA(right, Const) || n->constisnull)
        return false;
    window = n->consttype == INT8OID ? DatumGetInt64(n->constvalue) : DatumGetInt32(n->constvalue);
    return (n->consttype == INT8OID || n->consttype == INT4OID) &&
           window == asof_latest_end(class, 0);
}

/* `column <function> …` with the named column of the table; the rest in *right. */
static AttrNumber condition(const struct asof_branch *b, const Node *node, Oid function,
                            const char *name, Node **right)
{
    Node *left;
    AttrNumber n;

    if (!split(node, function, &left, right))
        return 0;
    n = column_of(left);
    return n != 0 && n == get_attnum(b->table->relid, name) ? n : 0;
}

/* valid_from <= h [AND valid_to > h [AND valid_to <= h + window]] */
static bool match_conditions(struct asof_match *m, int class, const Query *q)
{
    struct asof_branch *b = &m->branches[class];
    List *all = make_ands_implicit((Expr *)q->jointree->quals);
    int count = class == ASOF_CURRENT ? 1 : class == ASOF_CLASSES - 1 ? 2 : 3;
    Node *right;

    if (list_length(all) != count)
        return false;
    b->begins = condition(b, linitial(all), F_INT8LE, "valid_from", &right);
    if (b->begins == 0 || !is_height(m, right))
        return false;
    if (count == 1)
        return true;
    b->ends = condition(b, lsecond(all), F_INT8GT, "valid_to", &right);
    if (b->ends == 0 || !is_height(m, right))
        return false;
    return count == 2 || (condition(b, lthird(all), F_INT8LE, "valid_to", &right) == b->ends &&
                          is_latest_end(m, class, right));
}

static bool match_columns(struct asof_branch *b, const Query *q)
{
    ListCell *cell;

    foreach (cell, q->targetList) {
        const TargetEntry *entry = lfirst(cell);
        AttrNumber n = column_of((const Node *)entry->expr);

        if (n == 0 || entry->resjunk)
            return false;
        b->columns = lappend_int(b->columns, n);
    }
    return true;
}

/* ledger.<name>, ledger.<name>_history_<class> */
static bool is_named(const struct asof_match *m, int class)
{
    Oid current = m->branches[ASOF_CURRENT].table->relid, table = m->branches[class].table->relid;
    const char *name = get_rel_name(table), *pair = get_rel_name(current);

    if (name == NULL || pair == NULL ||
        get_rel_namespace(table) != get_namespace_oid("ledger", true))
        return false;
    return strcmp(name, asof_table(pair, class).text) == 0;
}

/* The index whose leading columns are these two (or the first alone) and nothing but columns. */
static Oid find_index(const RelOptInfo *rel, AttrNumber first, AttrNumber second, bool is_unique)
{
    ListCell *cell;

    foreach (cell, rel->indexlist) {
        const IndexOptInfo *index = lfirst(cell);

        if (index->relam == BTREE_AM_OID && index->indpred == NIL && index->indexprs == NIL &&
            !index->hypothetical && (!is_unique || index->unique) && index->indexkeys[0] == first &&
            !index->reverse_sort[0] && (second == 0) == (index->nkeycolumns == 1) &&
            (second == 0 || (index->indexkeys[1] == second && !index->reverse_sort[1])))
            return index->indexoid;
    }
    return InvalidOid;
}

/* The pair's key is what the current table's unique index on one column is on. */
static void match_key(struct asof_match *m)
{
    struct asof_branch *current = &m->branches[ASOF_CURRENT];
    ListCell *cell;
    AttrNumber n = 0;

    foreach (cell, current->columns) {
        n++;
        if (get_atttype(current->table->relid, lfirst_int(cell)) != BYTEAOID)
            continue;
        current->by_key = find_index(current->rel, (AttrNumber)lfirst_int(cell), 0, true);
        if (OidIsValid(current->by_key))
            break;
    }
    if (!OidIsValid(current->by_key))
        return;
    m->key = n;
    for (int class = 0; class < ASOF_CLASSES; class ++) {
        struct asof_branch *b = &m->branches[class];

        b->by_key = find_index(b->rel, (AttrNumber)list_nth_int(b->columns, n - 1), b->ends, true);
        if (!OidIsValid(b->by_key))
            m->key = 0;
    }
}

static bool match_branch(struct asof_match *m, int class, RelOptInfo *child, RangeTblEntry *entry)
{
    struct asof_branch *b = &m->branches[class];
    const Query *q = entry->subquery;

    /* A branch that the planner has found empty has no plan. */
    if (entry->rtekind != RTE_SUBQUERY || entry->security_barrier || child->subroot == NULL ||
        child->subroot->simple_rel_array_size < 2 || !is_plain(q))
        return false;
    b->table = linitial(q->rtable);
    b->permission = compat_permission(q);
    b->rel = child->subroot->simple_rel_array[1];
    if (b->table->rtekind != RTE_RELATION || b->table->relkind != RELKIND_RELATION ||
        b->table->tablesample != NULL || b->table->securityQuals != NIL || b->rel == NULL ||
        b->rel->rtekind != RTE_RELATION || has_subclass(b->table->relid))
        return false;
    return is_named(m, class) && match_conditions(m, class, q) && match_columns(b, q);
}

/* A column has one type in all tables. */
static bool same_types(const struct asof_match *m)
{
    const struct asof_branch *current = &m->branches[ASOF_CURRENT];

    for (int class = 0; class < ASOF_CLASSES; class ++) {
        const struct asof_branch *b = &m->branches[class];

        if (list_length(b->columns) != list_length(current->columns))
            return false;
        for (int i = 0; i < list_length(b->columns); i++)
            if (get_atttype(b->table->relid, (AttrNumber)list_nth_int(b->columns, i)) !=
                get_atttype(current->table->relid, (AttrNumber)list_nth_int(current->columns, i)))
                return false;
    }
    return true;
}

struct asof_match *asof_match(PlannerInfo *root, Index entry)
{
    struct asof_match *m = palloc0(sizeof *m);
    ListCell *cell;
    int found = 0;

    foreach (cell, root->append_rel_list) {
        const AppendRelInfo *member = lfirst(cell);

        if (member->parent_relid != entry)
            continue;
        /* The current table comes first. */
        if (found == ASOF_TABLES || !match_branch(m, found == 0 ? ASOF_CURRENT : found - 1,
                                                  root->simple_rel_array[member->child_relid],
                                                  root->simple_rte_array[member->child_relid]))
            return NULL;
        found++;
    }
    if (found != ASOF_TABLES || !same_types(m))
        return NULL;
    m->height->varlevelsup = 0;
    for (int class = 0; class < ASOF_CLASSES; class ++)
        m->branches[class].by_end =
            find_index(m->branches[class].rel, m->branches[class].ends, 0, false);
    match_key(m);
    return m;
}
