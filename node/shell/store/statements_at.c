/* The versioned pairs as of a height: one branch for what is current, one for each lifetime class.
 */
#include "statements.h"

/* storage.md: a version of class c lived less than 8^(c+1) heights, so one that was true at h ended
 * no later than h + 8^(c+1); the last class has no such bound. */
enum { CLASSES = 6, CLASS_FACTOR = 8 };

char *versioned_rows_at(struct arena *a, const char *table, const char *columns,
                        const char *condition, const char *at)
{
    char *sql = arena_format(a, "SELECT %s FROM ledger.%s v WHERE %s AND v.valid_from <= %s",
                             columns, table, condition, at);
    int window = 1;

    for (int class = 0; class < CLASSES; class ++) {
        window *= CLASS_FACTOR;
        sql = arena_format(a,
                           "%s\nUNION ALL SELECT %s FROM ledger.%s_history_%d v\n"
                           "    WHERE %s AND v.valid_from <= %s AND v.valid_to > %s",
                           sql, columns, table, class, condition, at, at);
        if (class < CLASSES - 1)
            sql = arena_format(a, "%s AND v.valid_to <= %s + %d", sql, at, window);
    }
    return sql;
}

static const char *fetch_at(struct arena *a, const struct versioned *v)
{
    const struct column *key = &v->columns[0];

    return versioned_rows_at(a, v->table, versioned_select(a, v),
                             arena_format(a, "v.%s = ANY ($1::pg_catalog.%s[])", key->name,
                                          pg_type_name(column_type(key->kind))),
                             "$2::pg_catalog.int8");
}

static const char *base_at(struct arena *a, const struct versioned *v)
{
    static const char WHERE[] = " WHERE ";
    const char *condition = versioned_base_condition(v->tree);

    if (condition == NULL)
        return NULL;
    condition = condition[0] == '\0'
                    ? "true"
                    : arena_format(a, "(%s)", condition + sizeof WHERE - sizeof WHERE[0]);
    return versioned_rows_at(a, v->table, versioned_select(a, v), condition, "$1::pg_catalog.int8");
}

/* $1 number of the page, $2 and $3 range of path64, $4 most rows it can hold, $5 the height */
static const char *leaves_at(struct arena *a, const struct versioned *v)
{
    const char *rows = versioned_rows_at(a, v->table, versioned_select(a, v),
                                         arena_format(a, "%s BETWEEN r.low AND r.high", v->path),
                                         "$5::pg_catalog.int8");

    return arena_format(a,
                        "SELECT r.page, l.* FROM unnest($1::pg_catalog.int4[],\n"
                        "    $2::pg_catalog.int8[], $3::pg_catalog.int8[], $4::pg_catalog.int8[])\n"
                        "    r(page, low, high, most),\n"
                        "LATERAL (SELECT * FROM (%s) v LIMIT r.most) l",
                        rows);
}

const char *statement_at_sql(struct arena *a, const struct versioned *v, enum statement_kind kind)
{
    if (v->tree == TREES)
        return NULL;
    switch (kind) {
    case STATEMENT_FETCH_AT:
        return fetch_at(a, v);
    case STATEMENT_BASE_AT:
        return base_at(a, v);
    case STATEMENT_LEAVES_AT:
        return leaves_at(a, v);
    case STATEMENT_APPLY:
    case STATEMENT_MERGE:
    case STATEMENT_FETCH:
    case STATEMENT_BASE:
    case STATEMENT_LEAVES:
    case STATEMENT_KINDS:
        break;
    }
    return NULL;
}
