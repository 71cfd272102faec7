#include "asof.h"

#include "query.h"

static void append_branch(StringInfo sql, const char *columns, const char *table,
                          const char *condition, const char *height)
{
    appendStringInfo(sql, "SELECT %s FROM ledger.%s WHERE (%s) AND valid_from" OP_LE "%s", columns,
                     table, condition, height);
}

void asof_append(StringInfo sql, const char *columns, const char *table, const char *condition,
                 const char *height)
{
    int window = 1;

    append_branch(sql, columns, table, condition, height);
    for (int class = 0; class < HISTORY_CLASSES; class ++) {
        char *part = psprintf("%s_history_%d", table, class);

        window *= HISTORY_FACTOR;
        appendStringInfoString(sql, " UNION ALL ");
        append_branch(sql, columns, part, condition, height);
        appendStringInfo(sql, " AND valid_to" OP_GT "%s", height);
        if (class < HISTORY_CLASSES - 1)
            appendStringInfo(sql, " AND valid_to" OP_LE "(%s" OP_PLUS "%d)", height, window);
        pfree(part);
    }
}
