#include "statements.h"

/* A leaf's digest: key and bytes, or nothing where the row is gone. */
#define LEAF_DIGEST(key, leaf)                                                                     \
    "tidemark.change_digest(" key ", CASE WHEN present THEN " leaf " END)"

#define ACTOR(tree_, table_)                                                                       \
    {                                                                                              \
        .tree = tree_, .table = table_,                                                            \
        .digest =                                                                                  \
            LEAF_DIGEST("address", "tidemark.encode_" table_                                       \
                                   "(address, public_key, output_address, stake, stake_text, "     \
                                   "service_url, chains, paused_height, unstaking_height)"),       \
        .path = "tidemark.path64(v.address)",                                                      \
        .columns = {{"address", COLUMN_KEY},                                                       \
                    {"public_key", COLUMN_PUBLIC_KEY},                                             \
                    {"output_address", COLUMN_OUTPUT},                                             \
                    {"stake", COLUMN_STAKE},                                                       \
                    {"stake_text", COLUMN_STAKE_TEXT},                                             \
                    {"service_url", COLUMN_URL},                                                   \
                    {"chains", COLUMN_CHAINS},                                                     \
                    {"paused_height", COLUMN_PAUSED},                                              \
                    {"unstaking_height", COLUMN_UNSTAKING}},                                       \
        .column_count = 9, .key_count = 1                                                          \
    }

#define BALANCE(tree_, table_)                                                                     \
    {                                                                                              \
        .tree = tree_, .table = table_,                                                            \
        .digest = LEAF_DIGEST("address", "tidemark.encode_account(address, balance)"),             \
        .path = "tidemark.path64(v.address)",                                                      \
        .columns = {{"address", COLUMN_KEY}, {"balance", COLUMN_BALANCE}}, .column_count = 2,      \
        .key_count = 1                                                                             \
    }

static const struct versioned VERSIONED[TREES + 1] = {
    [TREE_APP] = ACTOR(TREE_APP, "application"),
    [TREE_VAL] = ACTOR(TREE_VAL, "validator"),
    [TREE_FISH] = ACTOR(TREE_FISH, "fisherman"),
    [TREE_SERVICER] = ACTOR(TREE_SERVICER, "servicer"),
    [TREE_ACCOUNT] = BALANCE(TREE_ACCOUNT, "account"),
    [TREE_POOL] = BALANCE(TREE_POOL, "pool"),
    [TREE_PARAMS] = {.tree = TREE_PARAMS,
                     .table = "param",
                     .digest = LEAF_DIGEST("pg_catalog.convert_to(name, 'UTF8')",
                                           "tidemark.encode_param(name, value, valid_from)"),
                     .path = "tidemark.path64(tidemark.param_key(v.name))",
                     .columns = {{"name", COLUMN_NAME}, {"value", COLUMN_TEXT_VALUE}},
                     .column_count = 2,
                     .key_count = 1},
    [TREE_FLAGS] = {.tree = TREE_FLAGS,
                    .table = "flag",
                    .digest = LEAF_DIGEST("pg_catalog.convert_to(name, 'UTF8')",
                                          "tidemark.encode_flag(name, value, enabled, valid_from)"),
                    .path = "tidemark.path64(tidemark.param_key(v.name))",
                    .columns = {{"name", COLUMN_NAME},
                                {"value", COLUMN_FLAG_VALUE},
                                {"enabled", COLUMN_ENABLED}},
                    .column_count = 3,
                    .key_count = 1},
    [TREE_IBC] = {.tree = TREE_IBC,
                  .table = "ibc_entry",
                  .digest = LEAF_DIGEST("path", "value"),
                  .path = "tidemark.path64(v.key)",
                  .columns = {{"path", COLUMN_PATH},
                              {"key", COLUMN_RAW_KEY},
                              {"value", COLUMN_RAW_VALUE}},
                  .column_count = 3,
                  .key_count = 1},
    [TREES] = {.tree = TREES,
               .table = "tree_node",
               .digest = "tidemark.node_digest(tree, depth, prefix, digest)",
               .columns = {{"tree", COLUMN_NODE_TREE},
                           {"depth", COLUMN_NODE_DEPTH},
                           {"prefix", COLUMN_NODE_PREFIX},
                           {"digest", COLUMN_NODE_DIGEST}},
               .column_count = 4,
               .key_count = 3},
};

const struct versioned *versioned_of(enum tree_id tree)
{
    return VERSIONED[tree].table != NULL ? &VERSIONED[tree] : NULL;
}

enum pg_type column_type(enum column_kind kind)
{
    switch (kind) {
    case COLUMN_KEY:
    case COLUMN_PATH:
    case COLUMN_PUBLIC_KEY:
    case COLUMN_OUTPUT:
    case COLUMN_RAW_KEY:
    case COLUMN_RAW_VALUE:
    case COLUMN_NODE_DIGEST:
        return PG_BYTEA;
    case COLUMN_BALANCE:
    case COLUMN_STAKE:
        return PG_NUMERIC;
    case COLUMN_NAME:
    case COLUMN_STAKE_TEXT:
    case COLUMN_URL:
    case COLUMN_TEXT_VALUE:
    case COLUMN_FLAG_VALUE:
    case COLUMN_CHAINS: /* sent as the text of the list: arrays of arrays must be rectangular */
        return PG_TEXT;
    case COLUMN_PAUSED:
    case COLUMN_UNSTAKING:
    case COLUMN_NODE_PREFIX:
        return PG_INT8;
    case COLUMN_NODE_TREE:
    case COLUMN_NODE_DEPTH:
        return PG_INT2;
    case COLUMN_ENABLED:
        return PG_BOOL;
    }
    return PG_TEXT;
}

static const char *const KIND_NAME[STATEMENT_KINDS] = {
    [STATEMENT_APPLY] = "apply",     [STATEMENT_MERGE] = "merge",
    [STATEMENT_FETCH] = "fetch",     [STATEMENT_BASE] = "base",
    [STATEMENT_LEAVES] = "leaves",   [STATEMENT_FETCH_AT] = "fetch_at",
    [STATEMENT_BASE_AT] = "base_at", [STATEMENT_LEAVES_AT] = "leaves_at",
};

const char *statement_name(struct arena *a, const struct versioned *v, enum statement_kind kind)
{
    return arena_format(a, "%s_%s", KIND_NAME[kind], v->table);
}

/* "p.a, p.b, …" over the first `count` columns; with `cast`, chains are turned into a list again.
 */
static char *list(struct arena *a, const struct versioned *v, const char *prefix, int count,
                  bool cast)
{
    char *text = arena_format(a, "%s", "");

    for (int i = 0; i < count; i++)
        text =
            arena_format(a, "%s%s%s%s%s", text, i > 0 ? ", " : "", prefix, v->columns[i].name,
                         cast && v->columns[i].kind == COLUMN_CHAINS ? "::pg_catalog.text[]" : "");
    return text;
}

char *versioned_select(struct arena *a, const struct versioned *v)
{
    return arena_format(a, "%s, v.valid_from", list(a, v, "v.", v->column_count, false));
}

/*
 * The changes as rows: height, first and last of their key, present, columns. $1 is the first
 * height, $2 present (bool[]), from $3 on the columns as arrays; MERGE has the heights as one array
 * more. unnest of several arrays is grammar, not a function, and takes no schema.
 */
static char *changes_sql(struct arena *a, const struct versioned *v, enum statement_kind kind)
{
    char *columns = list(a, v, "", v->column_count, false);
    char *arrays = arena_format(a, "$2::pg_catalog.bool[]");

    for (int i = 0; i < v->column_count; i++)
        arrays = arena_format(a, "%s, $%d::pg_catalog.%s[]", arrays, i + 3,
                              pg_type_name(column_type(v->columns[i].kind)));
    if (kind == STATEMENT_APPLY)
        return arena_format(a,
                            "SELECT $1::pg_catalog.int8 AS height, true AS first,\n"
                            "        NULL::pg_catalog.int8 AS until, c.*\n"
                            "    FROM unnest(%s) c(present, %s)",
                            arrays, columns);
    return arena_format(a,
                        "SELECT c.height, pg_catalog.lag(c.height) OVER w IS NULL AS first,\n"
                        "        pg_catalog.lead(c.height) OVER w AS until, c.present, %s\n"
                        "    FROM unnest(%s, $%d::pg_catalog.int8[]) c(present, %s, height)\n"
                        "    WINDOW w AS (PARTITION BY %s ORDER BY c.height)",
                        list(a, v, "c.", v->column_count, false), arrays, v->column_count + 3,
                        columns, list(a, v, "c.", v->key_count, false));
}

/* "v.a = c.a AND …" over the primary key. */
static char *same_key(struct arena *a, const struct versioned *v)
{
    char *text = arena_format(a, "%s", "");

    for (int i = 0; i < v->key_count; i++)
        text = arena_format(a, "%s%sv.%s = c.%s", text, i > 0 ? " AND " : "", v->columns[i].name,
                            v->columns[i].name);
    return text;
}

/*
 * storage.md, "apply one block": close what was true before, delete, upsert, and give the digest of
 * the rows as stored. A version that a later block of the same transaction ends is never current.
 */
static char *apply_sql(struct arena *a, const struct versioned *v, enum statement_kind kind)
{
    char *columns = list(a, v, "", v->column_count, false);
    char *stored = list(a, v, "v.", v->column_count, false);
    char *given = list(a, v, "c.", v->column_count, true);
    char *updates = arena_format(a, "valid_from = excluded.valid_from");
    char *nulls = arena_format(a, "%s", "");

    for (int i = v->key_count; i < v->column_count; i++) {
        updates = arena_format(a, "%s, %s = excluded.%s", updates, v->columns[i].name,
                               v->columns[i].name);
        nulls = arena_format(a, "%s, NULL", nulls);
    }
    return arena_format(
        a,
        "WITH change AS MATERIALIZED (\n"
        "    %s\n"
        "), closed AS (\n"
        "    INSERT INTO ledger.%s_history AS v (valid_from, valid_to, class, %s)\n"
        "    SELECT v.valid_from, c.height, ledger.lifetime_class(c.height - v.valid_from), %s\n"
        "    FROM change c JOIN ledger.%s v ON %s WHERE c.first\n"
        "    UNION ALL\n"
        "    SELECT c.height, c.until, ledger.lifetime_class(c.until - c.height), %s\n"
        "    FROM change c WHERE c.present AND c.until IS NOT NULL\n"
        "    RETURNING v.valid_from, %s\n"
        "), gone AS (\n"
        "    DELETE FROM ledger.%s v USING change c\n"
        "    WHERE %s AND NOT c.present AND c.until IS NULL\n"
        "    RETURNING c.height, c.first, %s\n"
        "), kept AS (\n"
        "    INSERT INTO ledger.%s AS v (valid_from, %s)\n"
        "    SELECT c.height, %s FROM change c WHERE c.present AND c.until IS NULL\n"
        "    ON CONFLICT (%s) DO UPDATE SET %s\n"
        "    RETURNING v.valid_from, %s\n"
        ")\n"
        "SELECT valid_from, %s FROM (\n"
        "    SELECT true AS present, * FROM kept\n"
        "    UNION ALL SELECT true, * FROM closed WHERE valid_from >= $1::pg_catalog.int8\n"
        "    UNION ALL SELECT false, height, %s%s FROM gone WHERE first\n"
        /* Deleted between two heights of this transaction: no row was ever stored to be gone. */
        "    UNION ALL SELECT false, height, %s%s FROM change\n"
        "        WHERE NOT present AND NOT (first AND until IS NULL)\n"
        ") s GROUP BY valid_from",
        changes_sql(a, v, kind), v->table, columns, stored, v->table, same_key(a, v), given, stored,
        v->table, same_key(a, v), list(a, v, "v.", v->key_count, false), v->table, columns, given,
        list(a, v, "", v->key_count, false), updates, stored, v->digest,
        list(a, v, "", v->key_count, false), nulls, list(a, v, "", v->key_count, false), nulls);
}

/* Parameters, flags, pools and validators whole; of other actors those that are due some time. */
const char *versioned_base_condition(enum tree_id tree)
{
    switch (tree) {
    case TREE_APP:
    case TREE_FISH:
    case TREE_SERVICER:
        return " WHERE v.unstaking_height <> -1 OR v.paused_height <> -1";
    case TREE_VAL:
    case TREE_POOL:
    case TREE_PARAMS:
    case TREE_FLAGS:
        return "";
    case TREE_ACCOUNT:
    case TREE_TRANSACTIONS:
    case TREE_IBC:
    case TREES:
        break;
    }
    return NULL;
}

const char *statement_sql(struct arena *a, const struct versioned *v, enum statement_kind kind)
{
    const struct column *key = &v->columns[0];

    switch (kind) {
    case STATEMENT_APPLY:
    case STATEMENT_MERGE:
        return apply_sql(a, v, kind);
    case STATEMENT_FETCH:
        if (v->tree == TREES)
            return NULL;
        return arena_format(a, "SELECT %s FROM ledger.%s v WHERE v.%s = ANY ($1::pg_catalog.%s[])",
                            versioned_select(a, v), v->table, key->name,
                            pg_type_name(column_type(key->kind)));
    case STATEMENT_BASE:
        if (versioned_base_condition(v->tree) == NULL)
            return NULL;
        return arena_format(a, "SELECT %s FROM ledger.%s v%s", versioned_select(a, v), v->table,
                            versioned_base_condition(v->tree));
    case STATEMENT_LEAVES:
        if (v->tree == TREES)
            return NULL;
        /* $1 number of the page, $2 and $3 range of path64, $4 most rows it can hold */
        return arena_format(
            a,
            "SELECT r.page, v.* FROM unnest($1::pg_catalog.int4[],\n"
            "    $2::pg_catalog.int8[], $3::pg_catalog.int8[], $4::pg_catalog.int8[])\n"
            "    r(page, low, high, most),\n"
            "LATERAL (SELECT %s FROM ledger.%s v WHERE %s BETWEEN r.low AND r.high\n"
            "    ORDER BY %s LIMIT r.most) v",
            versioned_select(a, v), v->table, v->path, v->path);
    case STATEMENT_FETCH_AT:
    case STATEMENT_BASE_AT:
    case STATEMENT_LEAVES_AT:
        return statement_at_sql(a, v, kind);
    case STATEMENT_KINDS:
        break;
    }
    return NULL;
}
