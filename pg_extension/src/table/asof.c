#include "table/asof.h"

#include "table/query.h"

static int64 window(int class)
{
    int64 heights = ASOF_CLASS_FACTOR;

    for (int i = 0; i < class; i++)
        heights *= ASOF_CLASS_FACTOR;
    return heights;
}

struct asof_name asof_table(const char *pair, int table)
{
    struct asof_name name;

    if (table == ASOF_CURRENT)
        snprintf(name.text, sizeof name.text, "%s", pair);
    else
        snprintf(name.text, sizeof name.text, "%s_history_%d", pair, table);
    return name;
}

int64 asof_shortest_life(int class)
{
    return class == 0 ? 1 : window(class - 1);
}

double asof_share(int class, double rows)
{
    return rows * (double)asof_shortest_life(class);
}

int64 asof_latest_end(int class, int64 height)
{
    return class == ASOF_CLASSES - 1 ? PG_INT64_MAX : height + window(class);
}

int64 asof_earliest_begin(int class, int64 height)
{
    return class == ASOF_CLASSES - 1 ? -1 : height - window(class);
}

static void append_branch(StringInfo sql, const char *columns, const char *table,
                          const char *condition, const char *height)
{
    appendStringInfo(sql, "SELECT %s FROM ledger.%s WHERE (%s) AND valid_from" OP_LE "%s", columns,
                     table, condition, height);
}

void asof_append(StringInfo sql, const char *columns, const char *table, const char *condition,
                 const char *height)
{
    append_branch(sql, columns, asof_table(table, ASOF_CURRENT).text, condition, height);
    for (int class = 0; class < ASOF_CLASSES; class ++) {
        appendStringInfoString(sql, " UNION ALL ");
        append_branch(sql, columns, asof_table(table, class).text, condition, height);
        appendStringInfo(sql, " AND valid_to" OP_GT "%s", height);
        if (class < ASOF_CLASSES - 1)
            appendStringInfo(sql, " AND valid_to" OP_LE "(%s" OP_PLUS "%lld)", height,
                             (long long)window(class));
    }
}
