#include "store_at.h"

/* As of the height in their last parameter; what they give is that of their namesakes in
 * store_pg.c. */
static const char TIP_AT[] =
    "SELECT height, state_hash FROM ledger.block WHERE height = $1::pg_catalog.int8";
static const char LEAVES_TRANSACTION_AT[] =
    "SELECT r.page, v.hash, v.tx, v.value_hash FROM unnest($1::pg_catalog.int4[],\n"
    "    $2::pg_catalog.int8[], $3::pg_catalog.int8[], $4::pg_catalog.int8[])\n"
    "    r(page, low, high, most),\n"
    "LATERAL (SELECT DISTINCT ON (tidemark.path64(t.hash), t.hash) t.hash, t.tx,\n"
    "        t.value_hash\n"
    "    FROM ledger.transaction t WHERE tidemark.path64(t.hash) BETWEEN r.low AND r.high\n"
    "        AND t.height <= $5::pg_catalog.int8\n"
    "    ORDER BY tidemark.path64(t.hash), t.hash LIMIT r.most) v";

static const char *page_nodes_at(struct arena *a)
{
    return arena_format(
        a,
        "SELECT p.page, n.prefix, n.digest FROM unnest($1::pg_catalog.int4[],\n"
        "    $2::pg_catalog.int2[], $3::pg_catalog.int2[], $4::pg_catalog.int8[])\n"
        "    p(page, tree, depth, prefix), LATERAL (%s) n",
        versioned_rows_at(a, "tree_node", "v.prefix, v.digest",
                          "v.tree = p.tree AND v.depth = p.depth + 6::pg_catalog.int2 "
                          "AND v.prefix >> 6 = p.prefix "
                          "AND v.prefix BETWEEN p.prefix << 6 AND p.prefix << 6 | 63",
                          "$5::pg_catalog.int8"));
}

enum tm_err store_at_prepare(PGconn *conn, struct tm_error *e)
{
    struct arena a;
    enum tm_err err = store_prepare_blocks(conn, e);

    arena_init(&a);
    if (err == TM_OK)
        err = pg_prepare(conn, "tip_at", TIP_AT, e);
    if (err == TM_OK)
        err = pg_prepare(conn, "leaves_transaction_at", LEAVES_TRANSACTION_AT, e);
    if (err == TM_OK)
        err = pg_prepare(conn, "page_nodes_at", page_nodes_at(&a), e);
    for (int tree = 0; tree < TREES; tree++) {
        const struct versioned *v = versioned_of((enum tree_id)tree);

        for (int kind = STATEMENT_FETCH_AT; v != NULL && kind < STATEMENT_KINDS && err == TM_OK;
             kind++) {
            const char *sql = statement_sql(&a, v, (enum statement_kind)kind);

            if (sql != NULL)
                err = pg_prepare(conn, statement_name(&a, v, (enum statement_kind)kind), sql, e);
        }
    }
    arena_free(&a);
    return err;
}

void store_at_open(struct store_at *s, PGconn *conn, height_t height, store_at_check *check,
                   void *ctx)
{
    *s = (struct store_at){.pg = {.conn = conn, .at = height}, .check = check, .ctx = ctx};
}

static enum tm_err tip_at(void *ctx, height_t *height, struct hash32 *state_hash,
                          struct tm_error *e)
{
    struct store_at *s = ctx;
    struct pg_params p;
    struct arena a;
    PGresult *r = NULL;
    enum tm_err err;

    arena_init(&a);
    pg_params_init(&p, &a);
    pg_param_int64(&p, s->pg.at);
    err = pg_query_prepared(s->pg.conn, "tip_at", &p, &r, e);
    if (err == TM_OK && PQntuples(r) != 1)
        err = tm_fail(e, TM_ERR_NOT_FOUND, "the database has no block %lld", (long long)s->pg.at);
    if (err == TM_OK) {
        *height = pg_get_int64(r, 0, 0);
        err = pg_get_hash(r, 0, 1, state_hash, e);
    }
    PQclear(r);
    arena_free(&a);
    return err;
}

/* Where a node writes, the check looks. */
static enum tm_err check_blocks(void *ctx, const struct store_block *const *blocks, size_t count,
                                struct tm_error *e)
{
    struct store_at *s = ctx;
    enum tm_err err = TM_OK;

    for (size_t i = 0; i < count && err == TM_OK; i++) {
        err = s->check(s->ctx, blocks[i], e);
        if (err == TM_OK)
            s->pg.at = (height_t)blocks[i]->header.height;
    }
    return err;
}

struct store store_at_of(struct store_at *s)
{
    return (struct store){
        .ctx = s,
        .chain = store_pg_chain,
        .block = store_pg_block,
        .tip = tip_at,
        .base = store_pg_base,
        .fetch = store_pg_fetch,
        .pages = store_pg_pages,
        .apply = check_blocks,
    };
}
