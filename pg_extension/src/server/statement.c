#include "server/statement.h"

#include "height/height_guard.h"
#include "server/analyst.h"

#include "tcop/utility.h"

static ProcessUtility_hook_type next_process_utility;

static void process_utility(PlannedStmt *statement, const char *text, bool read_only_tree,
                            ProcessUtilityContext context, ParamListInfo params,
                            QueryEnvironment *environment, DestReceiver *dest,
                            QueryCompletion *completion)
{
    height_guard_check_statement(statement->utilityStmt);
    analyst_check_statement(statement->utilityStmt);
    if (next_process_utility != NULL)
        next_process_utility(statement, text, read_only_tree, context, params, environment, dest,
                             completion);
    else
        standard_ProcessUtility(statement, text, read_only_tree, context, params, environment, dest,
                                completion);
}

void statement_init(void)
{
    next_process_utility = ProcessUtility_hook;
    ProcessUtility_hook = process_utility;
}
