/* Records to parameters and rows to records, column by column. */
#include "statements.h"

#include "protocol/sha256/sha256.h"

static bool is_actor(enum tree_id tree)
{
    return tree == TREE_APP || tree == TREE_VAL || tree == TREE_FISH || tree == TREE_SERVICER;
}

/* An array's text form with every element quoted. */
static struct bytes chains_text(struct arena *a, const struct actor *actor)
{
    struct buffer b;

    buffer_init(&b, a, 64);
    buffer_append(&b, "{", 1);
    for (size_t i = 0; i < actor->chain_count; i++) {
        buffer_append(&b, i > 0 ? ",\"" : "\"", i > 0 ? 2 : 1);
        for (size_t k = 0; k < actor->chains[i].size; k++) {
            const uint8_t *c = &actor->chains[i].data[k];

            if (*c == '"' || *c == '\\')
                buffer_append(&b, "\\", 1);
            buffer_append(&b, c, 1);
        }
        buffer_append(&b, "\"", 1);
    }
    buffer_append(&b, "}", 1);
    return buffer_bytes(&b);
}

static enum tm_err add_stake(struct pg_array *array, struct arena *a, enum column_kind kind,
                             struct bytes text, struct tm_error *e)
{
    struct amount canonical;
    enum tm_err err = amount_parse(a, text, &canonical);

    if (err != TM_OK)
        return tm_fail(e, TM_ERR_MISMATCH, "a stake of %.*s is no amount",
                       (int)(text.size < 80 ? text.size : 80), (const char *)text.data);
    if (kind == COLUMN_STAKE)
        pg_array_numeric(array, canonical.text);
    else if (bytes_equal(canonical.text, text))
        pg_array_null(array);
    else
        pg_array_bytes(array, text);
    return TM_OK;
}

static enum tm_err add_value(struct pg_array *array, struct arena *a, enum column_kind kind,
                             const struct record *r, struct tm_error *e)
{
    switch (kind) {
    case COLUMN_KEY:
    case COLUMN_NAME:
    case COLUMN_RAW_KEY:
        pg_array_bytes(array, r->key);
        break;
    case COLUMN_PATH: {
        struct hash32 path = sha256(r->key);

        pg_array_bytes(array, bytes_hash(&path));
        break;
    }
    case COLUMN_BALANCE:
        pg_array_numeric(array, r->balance.text);
        break;
    case COLUMN_PUBLIC_KEY:
        pg_array_bytes(array, r->actor.public_key);
        break;
    case COLUMN_OUTPUT:
        pg_array_bytes(array, r->actor.output);
        break;
    case COLUMN_STAKE:
    case COLUMN_STAKE_TEXT:
        return add_stake(array, a, kind, r->actor.stake_text, e);
    case COLUMN_URL:
        pg_array_bytes(array, r->tree == TREE_APP ? (struct bytes){NULL, 0} : r->actor.service_url);
        break;
    case COLUMN_CHAINS:
        pg_array_bytes(array, r->tree == TREE_VAL ? bytes_of("{}") : chains_text(a, &r->actor));
        break;
    case COLUMN_PAUSED:
        pg_array_int64(array, r->actor.paused_height);
        break;
    case COLUMN_UNSTAKING:
        pg_array_int64(array, r->actor.unstaking_height);
        break;
    case COLUMN_TEXT_VALUE:
    case COLUMN_RAW_VALUE:
        pg_array_bytes(array, r->value);
        break;
    case COLUMN_FLAG_VALUE:
        pg_array_bytes(array, r->flag.value);
        break;
    case COLUMN_ENABLED:
        pg_array_bool(array, r->flag.enabled);
        break;
    case COLUMN_NODE_TREE:
    case COLUMN_NODE_DEPTH:
    case COLUMN_NODE_PREFIX:
    case COLUMN_NODE_DIGEST:
        break;
    }
    return TM_OK;
}

static bool is_key(enum column_kind kind)
{
    return kind == COLUMN_KEY || kind == COLUMN_NAME || kind == COLUMN_PATH;
}

static void add_node_value(struct pg_array *array, enum column_kind kind,
                           const struct versioned_change *c)
{
    if (kind == COLUMN_NODE_TREE)
        pg_array_int16(array, (int16_t)c->node_tree);
    else if (kind == COLUMN_NODE_DEPTH)
        pg_array_int16(array, c->node->row.depth);
    else if (kind == COLUMN_NODE_PREFIX)
        pg_array_int64(array, (int64_t)c->node->row.prefix);
    else if (c->node->present)
        pg_array_bytes(array, bytes_hash(&c->node->row.digest));
    else
        pg_array_null(array);
}

static enum tm_err add_column(struct pg_params *p, enum column_kind kind,
                              const struct versioned_change *changes, size_t count,
                              struct tm_error *e)
{
    struct pg_array array;
    enum tm_err err = TM_OK;

    pg_array_begin(&array, p->arena, column_type(kind));
    for (size_t i = 0; i < count && err == TM_OK; i++) {
        const struct ledger_write *w = changes[i].write;

        if (w == NULL)
            add_node_value(&array, kind, &changes[i]);
        else if (w->after != NULL || is_key(kind))
            err = add_value(&array, p->arena, kind, w->after != NULL ? w->after : w->before, e);
        else
            pg_array_null(&array);
    }
    pg_param_array(p, &array);
    return err;
}

enum tm_err versioned_params(struct pg_params *p, const struct versioned *v,
                             enum statement_kind kind, height_t first,
                             const struct versioned_change *changes, size_t count,
                             struct tm_error *e)
{
    struct pg_array array;
    enum tm_err err = TM_OK;

    pg_param_int64(p, first);
    pg_array_begin(&array, p->arena, PG_BOOL);
    for (size_t i = 0; i < count; i++)
        pg_array_bool(&array, changes[i].write != NULL ? changes[i].write->after != NULL
                                                       : changes[i].node->present);
    pg_param_array(p, &array);
    for (int c = 0; c < v->column_count && err == TM_OK; c++)
        err = add_column(p, v->columns[c].kind, changes, count, e);
    if (kind != STATEMENT_MERGE)
        return err;
    pg_array_begin(&array, p->arena, PG_INT8);
    for (size_t i = 0; i < count; i++)
        pg_array_int64(&array, changes[i].height);
    pg_param_array(p, &array);
    return err;
}

static enum tm_err read_column(struct arena *a, enum column_kind kind, const PGresult *r, int row,
                               int column, struct record *out, struct tm_error *e)
{
    switch (kind) {
    case COLUMN_KEY:
    case COLUMN_NAME:
    case COLUMN_RAW_KEY:
        out->key = arena_copy(a, pg_get_bytes(r, row, column));
        break;
    case COLUMN_PATH: /* follows from the key, which comes after it */
        break;
    case COLUMN_BALANCE: {
        struct bytes text;
        enum tm_err err = pg_get_numeric(a, r, row, column, &text, e);

        out->balance = amount_of_canonical(text);
        return err;
    }
    case COLUMN_PUBLIC_KEY:
        out->actor.public_key = arena_copy(a, pg_get_bytes(r, row, column));
        break;
    case COLUMN_OUTPUT:
        out->actor.output = arena_copy(a, pg_get_bytes(r, row, column));
        break;
    case COLUMN_STAKE:
        return pg_get_numeric(a, r, row, column, &out->actor.stake_text, e);
    case COLUMN_STAKE_TEXT:
        if (!pg_is_null(r, row, column))
            out->actor.stake_text = arena_copy(a, pg_get_bytes(r, row, column));
        break;
    case COLUMN_URL:
        out->actor.service_url = arena_copy(a, pg_get_bytes(r, row, column));
        break;
    case COLUMN_CHAINS:
        return pg_get_bytes_array(a, r, row, column, &out->actor.chains, &out->actor.chain_count,
                                  e);
    case COLUMN_PAUSED:
        out->actor.paused_height = pg_get_int64(r, row, column);
        break;
    case COLUMN_UNSTAKING:
        out->actor.unstaking_height = pg_get_int64(r, row, column);
        break;
    case COLUMN_TEXT_VALUE:
    case COLUMN_RAW_VALUE:
        out->value = arena_copy(a, pg_get_bytes(r, row, column));
        break;
    case COLUMN_FLAG_VALUE:
        out->flag.value = arena_copy(a, pg_get_bytes(r, row, column));
        break;
    case COLUMN_ENABLED:
        out->flag.enabled = pg_get_bool(r, row, column);
        break;
    case COLUMN_NODE_TREE:
    case COLUMN_NODE_DEPTH:
    case COLUMN_NODE_PREFIX:
    case COLUMN_NODE_DIGEST:
        break;
    }
    return TM_OK;
}

enum tm_err versioned_record(struct arena *a, const struct versioned *v, const PGresult *r, int row,
                             int first, struct record *out, struct tm_error *e)
{
    *out = (struct record){.tree = v->tree};
    if (is_actor(v->tree))
        out->actor.paused_height = out->actor.unstaking_height = HEIGHT_NONE;
    for (int c = 0; c < v->column_count; c++) {
        enum tm_err err = read_column(a, v->columns[c].kind, r, row, first + c, out, e);

        if (err != TM_OK)
            return err;
    }
    out->valid_from = pg_get_int64(r, row, first + v->column_count);
    return TM_OK;
}
