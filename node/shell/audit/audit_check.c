#include "audit_check.h"

#include <inttypes.h>
#include <string.h>

#include "audit_rows.h"
#include "node/executor/executor.h"
#include "node/shell/pg/pg_session.h"
#include "node/shell/store/store_at.h"
#include "node/shell/verify/verify_walk.h"

static const char VERIFY_BLOCK[] =
    "SELECT tree, detail FROM tidemark.verify_block($1::pg_catalog.int8) WHERE ok IS NOT TRUE";

enum tm_err audit_check_prepare(PGconn *conn, struct tm_error *e)
{
    enum tm_err err = store_at_prepare(conn, e);

    if (err == TM_OK)
        err = audit_rows_prepare(conn, e);
    if (err == TM_OK)
        err = pg_prepare(conn, "audit_verify_block", VERIFY_BLOCK, e);
    return err;
}

/* --- findings --------------------------------------------------------------------------------- */

struct lines {
    struct buffer buffer;
};

static void add_line(void *ctx, const char *finding)
{
    struct lines *l = ctx;

    if (l->buffer.size > 0)
        buffer_append(&l->buffer, "\n", 1);
    buffer_append(&l->buffer, finding, strlen(finding));
}

/* The height's state or block could not even be read: that is a finding, unless the outside failed.
 */
static enum tm_err unreadable(struct lines *l, struct arena *a, height_t h, enum tm_err err,
                              const struct tm_error *e)
{
    if (err != TM_OK && err != TM_ERR_IO) {
        add_line(l, arena_format(a, "height %" PRId64 ": %s", h, e->text));
        err = TM_OK;
    }
    return err;
}

/* --- the paths a block touched ---------------------------------------------------------------- */

static enum tm_err check_block(const struct audit_check *c, struct lines *l, height_t h,
                               struct tm_error *e)
{
    struct pg_params p;
    PGresult *r;
    enum tm_err err;

    pg_params_init(&p, c->arena);
    pg_param_int64(&p, h);
    err = pg_query_prepared(c->conn, "audit_verify_block", &p, &r, e);
    for (int i = 0; err == TM_OK && i < PQntuples(r); i++) {
        struct bytes tree = pg_get_bytes(r, i, 0), detail = pg_get_bytes(r, i, 1);

        add_line(l, arena_format(c->arena, "height %" PRId64 ": %.*s: %.*s", h, (int)tree.size,
                                 (const char *)tree.data, (int)detail.size,
                                 (const char *)detail.data));
    }
    PQclear(r);
    return unreadable(l, c->arena, h, err, e);
}

static enum tm_err check_blocks(const struct audit_check *c, const struct audit_task *t,
                                struct audit_result *out, struct lines *l, struct tm_error *e)
{
    enum tm_err err = TM_OK;

    for (height_t h = t->first; h <= t->last && err == TM_OK && l->buffer.size == 0; h++) {
        err = check_block(c, l, h, e);
        if (err == TM_OK && l->buffer.size == 0)
            out->held = h;
        if (c->enough(c->ctx))
            break;
    }
    return err;
}

/* --- blocks executed again -------------------------------------------------------------------- */

struct execution {
    PGconn *conn;
    struct lines *lines;
};

/* What the node would have written against what it wrote. */
static enum tm_err compare(void *ctx, const struct store_block *executed, struct tm_error *e)
{
    struct execution *x = ctx;
    struct findings found = {.report = add_line, .ctx = x->lines};
    struct verify_height rows;
    struct node_map live;
    struct arena a;
    enum tm_err err;

    arena_init(&a);
    node_map_init(&live);
    err = audit_rows_read(x->conn, &a, executed, &rows, &live, e);
    if (err == TM_OK) {
        verify_executed(&found, &a, &rows, &live, executed);
        if (found.count > 0)
            err = tm_fail(e, TM_ERR_MISMATCH, "%zu findings", found.count);
    }
    node_map_free(&live);
    arena_free(&a);
    return err;
}

static enum tm_err execute(struct executor *x, const struct store *store, height_t h,
                           struct tm_error *e)
{
    struct executor_difference difference;
    struct block block;
    struct arena a;
    enum tm_err err;

    arena_init(&a);
    err = store->block(store->ctx, &a, h, &block, e);
    if (err == TM_OK)
        err = executor_replay(x, block_encode(&a, &block), &a, &difference, e);
    arena_free(&a);
    return err;
}

static enum tm_err check_executions(const struct audit_check *c, const struct audit_task *t,
                                    struct audit_result *out, struct lines *l, struct tm_error *e)
{
    struct execution x = {c->conn, l};
    struct executor *executor;
    struct store_at at;
    struct store store;
    enum tm_err err;

    store_at_open(&at, c->conn, t->first - 1, compare, &x);
    store = store_at_of(&at);
    err = executor_open(&executor, &store, NULL, NULL, e);
    if (err != TM_OK)
        return unreadable(l, c->arena, t->first, err, e);
    for (height_t h = t->first; h <= t->last && err == TM_OK && l->buffer.size == 0; h++) {
        err = execute(executor, &store, h, e);
        if (err == TM_OK)
            out->held = h;
        else if (l->buffer.size > 0 && err != TM_ERR_IO)
            err = TM_OK; /* the comparison has said what */
        else
            err = unreadable(l, c->arena, h, err, e);
        if (c->enough(c->ctx))
            break;
    }
    executor_close(executor);
    return err;
}

/* --- a height in full ------------------------------------------------------------------------- */

static enum tm_err check_state(const struct audit_check *c, const struct audit_task *t,
                               struct audit_result *out, struct lines *l, struct tm_error *e)
{
    struct verify_chain chain;
    struct verifier *v;
    struct genesis g;
    size_t findings = 0;
    enum tm_err err = verify_walk_genesis(c->source, c->arena, &chain, &g, e);

    if (err == TM_OK && !verify_walk_same_chain(&chain, &g, e))
        err = e->err;
    if (err != TM_OK)
        return unreadable(l, c->arena, t->first, err, e);
    v = verifier_new(&g, add_line, l);
    err = verify_walk_one(c->source, v, t->first, &findings, e);
    verifier_free(v);
    if (err == TM_OK && findings == 0)
        out->held = t->first;
    return unreadable(l, c->arena, t->first, err, e);
}

enum tm_err audit_check_run(const struct audit_check *c, const struct audit_task *t,
                            struct audit_result *out, struct tm_error *e)
{
    struct lines l;
    enum tm_err err = TM_OK;

    *out = (struct audit_result){.held = t->first - 1};
    buffer_init(&l.buffer, c->arena, 256);
    switch (t->kind) {
    case AUDIT_BLOCK:
        err = check_blocks(c, t, out, &l, e);
        break;
    case AUDIT_EXECUTION:
        err = check_executions(c, t, out, &l, e);
        break;
    case AUDIT_STATE:
        err = check_state(c, t, out, &l, e);
        break;
    case AUDIT_KINDS:
        break;
    }
    out->found = err == TM_OK && l.buffer.size > 0;
    out->findings = buffer_bytes(&l.buffer);
    return err;
}
