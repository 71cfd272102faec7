#include "audit_rows.h"

#include "node/shell/pg/pg_session.h"
#include "protocol/sha256/sha256.h"
#include "node/shell/verify/verify_read.h"

/* --- statements ------------------------------------------------------------------------------- */

static const struct {
    const char *name, *sql;
} BY_HEIGHT[] = {
    {"audit_node_ends",
     "SELECT v.valid_to, v.tree, v.depth, v.prefix, v.digest, v.valid_from, v.class\n"
     "FROM ledger.tree_node_history v WHERE v.valid_to = $1::pg_catalog.int8"},
    {"audit_transactions",
     "SELECT v.height, v.tx_index, v.hash, v.tx, v.result_code, v.error, v.signer, v.recipient,\n"
     "    v.message_type, v.value_hash\n"
     "FROM ledger.transaction v WHERE v.height = $1::pg_catalog.int8"},
    {"audit_changes", "SELECT v.height, v.tree, v.key, v.step FROM ledger.change v\n"
                      "WHERE v.height = $1::pg_catalog.int8"},
    {"audit_block",
     "SELECT " BLOCK_COLUMNS " FROM ledger.block b WHERE b.height = $1::pg_catalog.int8"},
};

static const char *name_of(struct arena *a, const char *what, const struct versioned *v)
{
    return arena_format(a, "audit_%s_%s", what, v->table);
}

/* $1 keys, $2 height */
static const char *births_sql(struct arena *a, const struct versioned *v)
{
    const struct column *key = &v->columns[0];

    return versioned_rows_at(
        a, v->table, arena_format(a, "v.valid_from, %s", versioned_select(a, v)),
        arena_format(a, "v.%s = ANY ($1::pg_catalog.%s[]) AND v.valid_from = $2::pg_catalog.int8",
                     key->name, pg_type_name(column_type(key->kind))),
        "$2::pg_catalog.int8");
}

/* $1 trees, $2 depths, $3 prefixes, $4 height */
static const char *nodes_sql(struct arena *a)
{
    return arena_format(
        a,
        "SELECT n.* FROM unnest($1::pg_catalog.int2[], $2::pg_catalog.int2[],\n"
        "    $3::pg_catalog.int8[]) p(tree, depth, prefix), LATERAL (%s) n",
        versioned_rows_at(a, "tree_node", "v.valid_from, v.tree, v.depth, v.prefix, v.digest",
                          "v.tree = p.tree AND v.depth = p.depth AND v.prefix = p.prefix "
                          "AND v.prefix >> 6 = p.prefix >> 6",
                          "$4::pg_catalog.int8"));
}

enum tm_err audit_rows_prepare(PGconn *conn, struct tm_error *e)
{
    struct arena a;
    enum tm_err err = TM_OK;

    arena_init(&a);
    for (size_t i = 0; i < sizeof BY_HEIGHT / sizeof *BY_HEIGHT && err == TM_OK; i++)
        err = pg_prepare(conn, BY_HEIGHT[i].name, BY_HEIGHT[i].sql, e);
    if (err == TM_OK)
        err = pg_prepare(conn, "audit_nodes", nodes_sql(&a), e);
    for (int t = 0; t < TREES && err == TM_OK; t++) {
        const struct versioned *v = versioned_of((enum tree_id)t);

        if (v == NULL)
            continue;
        err = pg_prepare(conn, name_of(&a, "births", v), births_sql(&a, v), e);
        if (err == TM_OK)
            err = pg_prepare(conn, name_of(&a, "ends", v),
                             arena_format(&a,
                                          "SELECT v.valid_to, %s, v.class FROM ledger.%s_history v "
                                          "WHERE v.valid_to = $1::pg_catalog.int8",
                                          versioned_select(&a, v), v->table),
                             e);
    }
    arena_free(&a);
    return err;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct reading {
    PGconn *conn;
    struct arena *arena;
    const struct store_block *block;
    struct verify_height *rows;
    height_t height;
};

static enum tm_err at_height(const struct reading *x, const char *name, PGresult **r,
                             struct tm_error *e)
{
    struct pg_params p;

    pg_params_init(&p, x->arena);
    pg_param_int64(&p, x->height);
    return pg_query_prepared(x->conn, name, &p, r, e);
}

/* Versions that begin, of the keys written. */
static enum tm_err read_births(const struct reading *x, const struct versioned *v,
                               struct tm_error *e)
{
    struct verify_height *rows = x->rows;
    struct pg_params p;
    struct pg_array keys;
    size_t count = 0;
    PGresult *r;
    enum tm_err err;

    pg_array_begin(&keys, x->arena, v->columns[0].kind == COLUMN_NAME ? PG_TEXT : PG_BYTEA);
    for (size_t i = 0; i < x->block->write_count; i++) {
        const struct ledger_write *w = &x->block->writes[i];
        struct hash32 path;

        if (w->tree != v->tree)
            continue;
        path = w->tree == TREE_IBC ? sha256(w->key) : (struct hash32){{0}};
        pg_array_bytes(&keys, w->tree == TREE_IBC ? bytes_hash(&path) : w->key);
        count++;
    }
    if (count == 0)
        return TM_OK;
    pg_params_init(&p, x->arena);
    pg_param_array(&p, &keys);
    pg_param_int64(&p, x->height);
    err = pg_query_prepared(x->conn, name_of(x->arena, "births", v), &p, &r, e);
    for (int i = 0; err == TM_OK && i < PQntuples(r); i++) {
        READ_GROW(x->arena, rows->births, rows->birth_count);
        err = read_birth(x->arena, v, r, i, &rows->births[rows->birth_count++], e);
    }
    PQclear(r);
    return err;
}

static enum tm_err read_ends(const struct reading *x, const struct versioned *v, struct tm_error *e)
{
    struct verify_height *rows = x->rows;
    PGresult *r;
    enum tm_err err = at_height(x, name_of(x->arena, "ends", v), &r, e);

    for (int i = 0; err == TM_OK && i < PQntuples(r); i++) {
        READ_GROW(x->arena, rows->ends, rows->end_count);
        err = read_end(x->arena, v, r, i, &rows->ends[rows->end_count++], e);
    }
    PQclear(r);
    return err;
}

static enum tm_err node_end(const struct reading *x, const PGresult *r, int row, struct tm_error *e)
{
    struct verify_height *rows = x->rows;
    struct verify_node_end *n;

    READ_GROW(x->arena, rows->node_ends, rows->node_end_count);
    n = &rows->node_ends[rows->node_end_count++];
    n->valid_from = pg_get_int64(r, row, 5);
    n->class = pg_get_int16(r, row, 6);
    return read_node(r, row, &n->tree, &n->row, e);
}

static enum tm_err touch(const struct reading *x, const PGresult *r, int row, struct tm_error *e)
{
    struct verify_height *rows = x->rows;

    READ_GROW(x->arena, rows->touches, rows->touch_count);
    return read_touch(x->arena, r, row, &rows->touches[rows->touch_count++], e);
}

static enum tm_err transaction(const struct reading *x, const PGresult *r, int row,
                               struct tm_error *e)
{
    struct verify_height *rows = x->rows;

    (void)e;
    READ_GROW(x->arena, rows->transaction_rows, rows->transaction_count);
    read_transaction(x->arena, r, row, &rows->transaction_rows[rows->transaction_count++]);
    return TM_OK;
}

static enum tm_err block(const struct reading *x, const PGresult *r, int row, struct tm_error *e)
{
    struct block_header header;
    enum tm_err err = read_block(x->arena, r, row, &header, x->rows, e);

    x->rows->header = header;
    return err;
}

static enum tm_err read_others(const struct reading *x, struct tm_error *e)
{
    /* in the order of BY_HEIGHT */
    static enum tm_err (*const take[])(const struct reading *, const PGresult *, int,
                                       struct tm_error *) = {node_end, transaction, touch, block};
    enum tm_err err = TM_OK;

    for (size_t i = 0; i < sizeof BY_HEIGHT / sizeof *BY_HEIGHT && err == TM_OK; i++) {
        PGresult *r;

        err = at_height(x, BY_HEIGHT[i].name, &r, e);
        for (int row = 0; err == TM_OK && row < PQntuples(r); row++)
            err = take[i](x, r, row, e);
        PQclear(r);
    }
    return err;
}

/* The nodes at the changed places as of a height: into the rows those that begin there, into the
 * map (NULL: none wanted) all. */
static enum tm_err read_nodes(const struct reading *x, height_t at, struct node_map *live,
                              struct tm_error *e)
{
    struct verify_height *rows = x->rows;
    struct pg_array trees, depths, prefixes;
    struct pg_params p;
    size_t count = 0;
    PGresult *r;
    enum tm_err err;

    pg_array_begin(&trees, x->arena, PG_INT2);
    pg_array_begin(&depths, x->arena, PG_INT2);
    pg_array_begin(&prefixes, x->arena, PG_INT8);
    for (int t = 0; t < TREES; t++)
        for (size_t i = 0; i < x->block->node_count[t]; i++) {
            const struct smt_node_row *row = &x->block->nodes[t][i].row;

            pg_array_int16(&trees, (int16_t)t);
            pg_array_int16(&depths, row->depth);
            pg_array_int64(&prefixes, (int64_t)row->prefix);
            count++;
        }
    if (count == 0)
        return TM_OK;
    pg_params_init(&p, x->arena);
    pg_param_array(&p, &trees);
    pg_param_array(&p, &depths);
    pg_param_array(&p, &prefixes);
    pg_param_int64(&p, at);
    err = pg_query_prepared(x->conn, "audit_nodes", &p, &r, e);
    for (int i = 0; err == TM_OK && i < PQntuples(r); i++) {
        height_t valid_from = pg_get_int64(r, i, 0);
        struct verify_node_birth n;

        err = read_node(r, i, &n.tree, &n.row, e);
        if (err != TM_OK)
            break;
        if (live != NULL) {
            struct node_entry *entry = node_map_at(live, n.tree, n.row.depth, n.row.prefix);

            entry->row = n.row;
            entry->valid_from = valid_from;
        } else if (valid_from == at) {
            READ_GROW(x->arena, rows->node_births, rows->node_birth_count);
            rows->node_births[rows->node_birth_count++] = n;
        }
    }
    PQclear(r);
    return err;
}

enum tm_err audit_rows_read(PGconn *conn, struct arena *a, const struct store_block *stored,
                            struct verify_height *rows, struct node_map *live, struct tm_error *e)
{
    const struct reading x = {.conn = conn,
                              .arena = a,
                              .block = stored,
                              .rows = rows,
                              .height = (height_t)stored->header.height};
    enum tm_err err;

    *rows = (struct verify_height){.height = x.height};
    err = read_others(&x, e);
    for (int t = 0; t < TREES && err == TM_OK; t++) {
        const struct versioned *v = versioned_of((enum tree_id)t);

        if (v == NULL)
            continue;
        err = read_births(&x, v, e);
        if (err == TM_OK)
            err = read_ends(&x, v, e);
    }
    if (err == TM_OK)
        err = read_nodes(&x, x.height, NULL, e);
    if (err == TM_OK)
        err = read_nodes(&x, x.height - 1, live, e);
    return err;
}
