#include "height/height_guard.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "utils/guc.h"
#include "utils/portal.h"

/* The setting a query was opened under; lives as long as the query's memory. */
struct opened {
    const EState *query;
    struct height_setting setting;
    struct opened *next;
    MemoryContextCallback closed;
};

static struct opened *open_queries;
static ExecutorStart_hook_type next_executor_start;

bool height_guard_allows(const struct height_setting *wanted)
{
    struct height_setting now = height_setting_now();

    /* Outside a transaction (start of a session, a reload) there are only materialised cursors. */
    return !IsTransactionState() || height_setting_equal(wanted, &now) || ThereAreNoReadyPortals();
}

static void forget(void *arg)
{
    struct opened **link = &open_queries;

    while (*link != NULL && *link != arg)
        link = &(*link)->next;
    if (*link != NULL)
        *link = (*link)->next;
}

static void executor_start(QueryDesc *query, int flags)
{
    struct opened *opened;

    if (next_executor_start != NULL)
        next_executor_start(query, flags);
    else
        standard_ExecutorStart(query, flags);
    opened = MemoryContextAlloc(query->estate->es_query_cxt, sizeof *opened);
    *opened = (struct opened){query->estate, height_setting_now(), open_queries, {0}};
    opened->closed.func = forget;
    opened->closed.arg = opened;
    MemoryContextRegisterResetCallback(query->estate->es_query_cxt, &opened->closed);
    open_queries = opened;
}

/*
 * RESET does not ask the check hook. (DISCARD ALL does not either, but it closes every cursor
 * before it resets settings, so nothing can mix.)
 */
static void check_reset(const VariableSetStmt *set)
{
    struct height_setting reset;
    const char *text;
    bool resets = set->kind == VAR_RESET_ALL ||
                  ((set->kind == VAR_RESET || set->kind == VAR_SET_DEFAULT) && set->name != NULL &&
                   pg_strcasecmp(set->name, "tidemark.height") == 0);

    if (!resets)
        return;
    text = GetConfigOptionResetString("tidemark.height");
    if (text == NULL || !height_setting_parse(text, &reset))
        memset(&reset, 0, sizeof reset);
    if (!height_guard_allows(&reset))
        ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE), errmsg("%s", HEIGHT_GUARD_MESSAGE),
                        errhint("%s", HEIGHT_GUARD_HINT)));
}

void height_guard_check_statement(const Node *statement)
{
    if (IsA(statement, VariableSetStmt))
        check_reset((const VariableSetStmt *)statement);
}

void height_guard_init(void)
{
    next_executor_start = ExecutorStart_hook;
    ExecutorStart_hook = executor_start;
}

void height_guard_check_query(const EState *query)
{
    struct height_setting now = height_setting_now();

    for (const struct opened *o = open_queries; o != NULL; o = o->next)
        if (o->query == query && !height_setting_equal(&o->setting, &now))
            ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE),
                            errmsg("tidemark.height changed after this query was opened"),
                            errhint("%s", HEIGHT_GUARD_HINT)));
}

/* A function in FROM knows the query that calls it; the views call height() there. */
void height_guard_check(FunctionCallInfo fcinfo)
{
    const ReturnSetInfo *info = (const ReturnSetInfo *)fcinfo->resultinfo;

    if (info != NULL && IsA(info, ReturnSetInfo) && info->econtext != NULL)
        height_guard_check_query(info->econtext->ecxt_estate);
}
