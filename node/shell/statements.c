#include "statements.h"

#define ACTOR(tree_, table_)                                                                       \
    {                                                                                              \
        .tree = tree_, .table = table_, .digest_key = "address",                                   \
        .leaf = "tidemark.encode_" table_ "(address, public_key, output_address, stake, "          \
                "stake_text, service_url, chains, paused_height, unstaking_height)",               \
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
        .column_count = 9                                                                          \
    }

#define BALANCE(tree_, table_)                                                                     \
    {                                                                                              \
        .tree = tree_, .table = table_, .digest_key = "address",                                   \
        .leaf = "tidemark.encode_account(address, balance)", .path = "tidemark.path64(v.address)", \
        .columns = {{"address", COLUMN_KEY}, {"balance", COLUMN_BALANCE}}, .column_count = 2       \
    }

static const struct versioned VERSIONED[TREES] = {
    [TREE_APP] = ACTOR(TREE_APP, "application"),
    [TREE_VAL] = ACTOR(TREE_VAL, "validator"),
    [TREE_FISH] = ACTOR(TREE_FISH, "fisherman"),
    [TREE_SERVICER] = ACTOR(TREE_SERVICER, "servicer"),
    [TREE_ACCOUNT] = BALANCE(TREE_ACCOUNT, "account"),
    [TREE_POOL] = BALANCE(TREE_POOL, "pool"),
    [TREE_PARAMS] = {.tree = TREE_PARAMS,
                     .table = "param",
                     .digest_key = "pg_catalog.convert_to(name, 'UTF8')",
                     .leaf = "tidemark.encode_param(name, value, valid_from)",
                     .path = "tidemark.path64(tidemark.param_key(v.name))",
                     .columns = {{"name", COLUMN_NAME}, {"value", COLUMN_TEXT_VALUE}},
                     .column_count = 2},
    [TREE_FLAGS] = {.tree = TREE_FLAGS,
                    .table = "flag",
                    .digest_key = "pg_catalog.convert_to(name, 'UTF8')",
                    .leaf = "tidemark.encode_flag(name, value, enabled, valid_from)",
                    .path = "tidemark.path64(tidemark.param_key(v.name))",
                    .columns = {{"name", COLUMN_NAME},
                                {"value", COLUMN_FLAG_VALUE},
                                {"enabled", COLUMN_ENABLED}},
                    .column_count = 3},
    [TREE_IBC] = {.tree = TREE_IBC,
                  .table = "ibc_entry",
                  .digest_key = "path",
                  .leaf = "value",
                  .path = "tidemark.path64(v.key)",
                  .columns = {{"path", COLUMN_PATH},
                              {"key", COLUMN_RAW_KEY},
                              {"value", COLUMN_RAW_VALUE}},
                  .column_count = 3},
};

const struct versioned *versioned_of(enum tree_id tree)
{
    return tree < TREES && VERSIONED[tree].table != NULL ? &VERSIONED[tree] : NULL;
}

static const char *sql_type(enum column_kind kind)
{
    switch (kind) {
    case COLUMN_KEY:
    case COLUMN_PATH:
    case COLUMN_PUBLIC_KEY:
    case COLUMN_OUTPUT:
    case COLUMN_RAW_KEY:
    case COLUMN_RAW_VALUE:
        return "bytea";
    case COLUMN_BALANCE:
    case COLUMN_STAKE:
        return "numeric";
    case COLUMN_NAME:
    case COLUMN_STAKE_TEXT:
    case COLUMN_URL:
    case COLUMN_TEXT_VALUE:
    case COLUMN_FLAG_VALUE:
    case COLUMN_CHAINS: /* sent as the text of the list: arrays of arrays must be rectangular */
        return "text";
    case COLUMN_PAUSED:
    case COLUMN_UNSTAKING:
        return "bigint";
    case COLUMN_ENABLED:
        return "boolean";
    }
    return "";
}

static const char *const KIND_NAME[STATEMENT_KINDS] = {
    [STATEMENT_APPLY] = "apply",
    [STATEMENT_FETCH] = "fetch",
    [STATEMENT_BASE] = "base",
    [STATEMENT_LEAVES] = "leaves",
};

const char *statement_name(struct arena *a, const struct versioned *v, enum statement_kind kind)
{
    return arena_format(a, "%s_%s", KIND_NAME[kind], v->table);
}

/* "p.a, p.b, …" over the columns; with `cast`, chains are turned into a list again. */
static char *list(struct arena *a, const struct versioned *v, const char *prefix, bool cast)
{
    char *text = arena_format(a, "%s", "");

    for (int i = 0; i < v->column_count; i++)
        text =
            arena_format(a, "%s%s%s%s%s", text, i > 0 ? ", " : "", prefix, v->columns[i].name,
                         cast && v->columns[i].kind == COLUMN_CHAINS ? "::pg_catalog.text[]" : "");
    return text;
}

char *versioned_select(struct arena *a, const struct versioned *v)
{
    return arena_format(a, "%s, v.valid_from", list(a, v, "v.", false));
}

/* $1 height, $2 present (boolean[]), from $3 on the columns as arrays (storage.md, "apply").
 * unnest of several arrays is grammar, not a function, and takes no schema. */
static char *apply_sql(struct arena *a, const struct versioned *v)
{
    const char *key = v->columns[0].name;
    char *arrays = arena_format(a, "%s", "");
    char *updates = arena_format(a, "valid_from = excluded.valid_from");

    for (int i = 0; i < v->column_count; i++)
        arrays = arena_format(a, "%s, $%d::pg_catalog.%s[]", arrays, i + 3,
                              strcmp(sql_type(v->columns[i].kind), "bigint") == 0
                                  ? "int8"
                                  : (strcmp(sql_type(v->columns[i].kind), "boolean") == 0
                                         ? "bool"
                                         : sql_type(v->columns[i].kind)));
    for (int i = 1; i < v->column_count; i++)
        updates = arena_format(a, "%s, %s = excluded.%s", updates, v->columns[i].name,
                               v->columns[i].name);
    return arena_format(
        a,
        "WITH change AS MATERIALIZED (\n"
        "    SELECT * FROM unnest($2::pg_catalog.bool[]%s) c(present, %s)\n"
        "), closed AS (\n"
        "    INSERT INTO ledger.%s_history (valid_from, valid_to, class, %s)\n"
        "    SELECT v.valid_from, $1::pg_catalog.int8,\n"
        "        ledger.lifetime_class($1::pg_catalog.int8 - v.valid_from), %s\n"
        "    FROM change c JOIN ledger.%s v ON v.%s = c.%s\n"
        "), gone AS (\n"
        "    DELETE FROM ledger.%s v USING change c WHERE v.%s = c.%s AND NOT c.present\n"
        "    RETURNING %s\n"
        "), kept AS (\n"
        "    INSERT INTO ledger.%s AS v (valid_from, %s)\n"
        "    SELECT $1::pg_catalog.int8, %s FROM change c WHERE c.present\n"
        "    ON CONFLICT (%s) DO UPDATE SET %s\n"
        "    RETURNING v.valid_from, %s\n"
        ")\n"
        "SELECT tidemark.change_digest(s.key, s.leaf) FROM (\n"
        "    SELECT %s AS key, %s AS leaf FROM kept\n"
        "    UNION ALL SELECT %s, NULL FROM gone) s",
        arrays, list(a, v, "", false), v->table, list(a, v, "", false), list(a, v, "v.", false),
        v->table, key, key, v->table, key, key, list(a, v, "v.", false), v->table,
        list(a, v, "", false), list(a, v, "c.", true), key, updates, list(a, v, "v.", false),
        v->digest_key, v->leaf, v->digest_key);
}

/* Parameters, flags, pools and validators whole; of other actors those that are due some time. */
static const char *base_condition(enum tree_id tree)
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
        return apply_sql(a, v);
    case STATEMENT_FETCH:
        return arena_format(a, "SELECT %s FROM ledger.%s v WHERE v.%s = ANY ($1::pg_catalog.%s[])",
                            versioned_select(a, v), v->table, key->name, sql_type(key->kind));
    case STATEMENT_BASE:
        if (base_condition(v->tree) == NULL)
            return NULL;
        return arena_format(a, "SELECT %s FROM ledger.%s v%s", versioned_select(a, v), v->table,
                            base_condition(v->tree));
    case STATEMENT_LEAVES:
        /* $1 number of the page, $2 and $3 range of path64, $4 most rows it can hold */
        return arena_format(
            a,
            "SELECT r.page, v.* FROM unnest($1::pg_catalog.int4[],\n"
            "    $2::pg_catalog.int8[], $3::pg_catalog.int8[], $4::pg_catalog.int8[])\n"
            "    r(page, low, high, most),\n"
            "LATERAL (SELECT %s FROM ledger.%s v WHERE %s BETWEEN r.low AND r.high\n"
            "    ORDER BY %s LIMIT r.most) v",
            versioned_select(a, v), v->table, v->path, v->path);
    case STATEMENT_KINDS:
        break;
    }
    return NULL;
}
