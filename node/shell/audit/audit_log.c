#include "audit_log.h"

#include <string.h>

#include "node/shell/pg/pg_session.h"

static const char *const STATEMENTS[][2] = {
    {"audit_position",
     "SELECT t.earliest, t.height, p.kind, p.height, p.rollbacks,\n"
     "    p.height IS NULL OR COALESCE(b.state_hash::pg_catalog.bytea, '') = p.state_hash\n"
     "FROM ledger.tip t CROSS JOIN ops.audit_progress p\n"
     "LEFT JOIN ledger.block b ON b.height = p.height"},
    {"audit_hash", "SELECT state_hash FROM ledger.block WHERE height = $1::pg_catalog.int8"},
    /* $4: as it was read; a drawn height has no order to keep */
    {"audit_advance",
     "UPDATE ops.audit_progress SET height = $2::pg_catalog.int8, state_hash = "
     "$3::pg_catalog.bytea,\n"
     "    heights = heights + $6::pg_catalog.int8, updated_at = pg_catalog.now()\n"
     "WHERE kind = $1 AND rollbacks = $5::pg_catalog.int8\n"
     "    AND (kind = 'state' OR height IS NOT DISTINCT FROM $4::pg_catalog.int8)\n"
     "RETURNING true"},
    {"audit_insert",
     "INSERT INTO ops.audit (kind, first_height, height, state_hash, ok, findings, msec)\n"
     "VALUES ($1, $2::pg_catalog.int8, $3::pg_catalog.int8, $4::pg_catalog.bytea,\n"
     "    $5::pg_catalog.bool, $6::pg_catalog.text, $7::pg_catalog.int8)\n"
     "ON CONFLICT DO NOTHING"},
    {"audit_forget",
     "DELETE FROM ops.audit WHERE ok IS NOT FALSE\n"
     "    AND id <= (SELECT pg_catalog.max(id) FROM ops.audit) - $1::pg_catalog.int8"},
    {"audit_restart", "UPDATE ops.audit_progress SET height = NULL, state_hash = NULL"},
};

enum tm_err audit_log_prepare(PGconn *conn, struct tm_error *e)
{
    PGresult *r;
    bool may;
    enum tm_err err =
        pg_query(conn,
                 "SELECT pg_catalog.has_table_privilege('ops.audit', 'INSERT')\n"
                 "    AND pg_catalog.has_table_privilege('ops.audit_progress', 'UPDATE')",
                 NULL, &r, e);

    if (err != TM_OK)
        return err;
    may = pg_get_bool(r, 0, 0);
    PQclear(r);
    if (!may)
        return tm_fail(e, TM_ERR_CONFIG,
                       "this role may not write ops.audit; connect as one that is a member of "
                       "tidemark_audit, with options=-c%%20role%%3Dtidemark_audit in the URL");
    for (size_t i = 0; i < sizeof STATEMENTS / sizeof *STATEMENTS && err == TM_OK; i++)
        err = pg_prepare(conn, STATEMENTS[i][0], STATEMENTS[i][1], e);
    return err;
}

static int kind_of(struct bytes name)
{
    int kind = 0;

    while (kind < AUDIT_KINDS &&
           !bytes_equal(name, bytes_of(audit_kind_name((enum audit_kind)kind))))
        kind++;
    return kind;
}

enum tm_err audit_log_read(PGconn *conn, struct audit_log_state *out, struct tm_error *e)
{
    struct pg_params none;
    PGresult *r;
    enum tm_err err;

    *out = (struct audit_log_state){.cursor = {HEIGHT_NONE, HEIGHT_NONE, HEIGHT_NONE}};
    pg_params_init(&none, NULL);
    err = pg_query_prepared(conn, "audit_position", &none, &r, e);
    if (err == TM_OK && PQntuples(r) == 0)
        err = tm_fail(e, TM_ERR_NOT_FOUND, "the database has no chain; tidemark init makes one");
    else if (err == TM_OK && PQntuples(r) != AUDIT_KINDS)
        err = tm_fail(e, TM_ERR_CONFIG, "ops.audit_progress has %d rows, not %d", PQntuples(r),
                      AUDIT_KINDS);
    for (int i = 0; err == TM_OK && i < PQntuples(r); i++) {
        int kind = kind_of(pg_get_bytes(r, i, 2));

        out->earliest = pg_get_int64(r, i, 0);
        out->tip = pg_get_int64(r, i, 1);
        if (kind == AUDIT_KINDS)
            continue;
        if (!pg_is_null(r, i, 3))
            out->cursor[kind] = pg_get_int64(r, i, 3);
        if (pg_get_int64(r, i, 4) > out->rollbacks)
            out->rollbacks = pg_get_int64(r, i, 4);
        /* Where a drawn height stands does not matter. */
        if (kind != AUDIT_STATE && !pg_get_bool(r, i, 5))
            out->moved = true;
    }
    PQclear(r);
    return err;
}

enum tm_err audit_log_restart(PGconn *conn, struct tm_error *e)
{
    struct pg_params none;
    PGresult *r;
    enum tm_err err;

    pg_params_init(&none, NULL);
    err = pg_query_prepared(conn, "audit_restart", &none, &r, e);
    PQclear(r);
    return err;
}

enum tm_err audit_log_state_hash(PGconn *conn, struct arena *a, height_t height, struct bytes *out,
                                 struct tm_error *e)
{
    struct pg_params p;
    PGresult *r;
    enum tm_err err;

    *out = bytes_make(NULL, 0);
    pg_params_init(&p, a);
    pg_param_int64(&p, height);
    err = pg_query_prepared(conn, "audit_hash", &p, &r, e);
    if (err == TM_OK && PQntuples(r) > 0 && !pg_is_null(r, 0, 0))
        *out = arena_copy(a, pg_get_bytes(r, 0, 0));
    PQclear(r);
    return err;
}

static enum tm_err advance(PGconn *conn, struct arena *a, const struct audit_log_state *seen,
                           const struct audit_entry *x, bool *done, struct tm_error *e)
{
    struct pg_params p;
    PGresult *r;
    enum tm_err err;

    pg_params_init(&p, a);
    pg_param_bytes(&p, bytes_of(audit_kind_name(x->kind)));
    pg_param_int64(&p, x->last);
    pg_param_bytes(&p, x->state_hash);
    if (seen->cursor[x->kind] == HEIGHT_NONE)
        pg_param_null(&p);
    else
        pg_param_int64(&p, seen->cursor[x->kind]);
    pg_param_int64(&p, seen->rollbacks);
    pg_param_int64(&p, x->outcome == AUDIT_SKIPPED ? 0 : x->last - x->first + 1);
    err = pg_query_prepared(conn, "audit_advance", &p, &r, e);
    if (err == TM_OK)
        *done = PQntuples(r) == 1;
    PQclear(r);
    return err;
}

static enum tm_err insert(PGconn *conn, struct arena *a, const struct audit_entry *x,
                          struct tm_error *e)
{
    static const uint8_t boolean[2] = {0, 1};
    struct pg_params p;
    PGresult *r;
    enum tm_err err;

    pg_params_init(&p, a);
    pg_param_bytes(&p, bytes_of(audit_kind_name(x->kind)));
    pg_param_int64(&p, x->first);
    pg_param_int64(&p, x->last);
    if (x->state_hash.size > 0)
        pg_param_bytes(&p, x->state_hash);
    else
        pg_param_null(&p);
    if (x->outcome == AUDIT_SKIPPED)
        pg_param_null(&p);
    else
        pg_param_bytes(&p, bytes_make(&boolean[x->outcome == AUDIT_HELD], 1));
    if (x->outcome == AUDIT_HELD)
        pg_param_null(&p);
    else
        pg_param_bytes(&p, x->findings);
    pg_param_int64(&p, x->msec);
    err = pg_query_prepared(conn, "audit_insert", &p, &r, e);
    PQclear(r);
    return err;
}

static enum tm_err write_entry(PGconn *conn, struct arena *a, struct audit_log_state *seen,
                               const struct audit_entry *x, bool *overtaken, struct tm_error *e)
{
    bool moved = true;
    enum tm_err err = TM_OK;

    if (x->moves)
        err = advance(conn, a, seen, x, &moved, e);
    if (err == TM_OK && (moved || x->outcome == AUDIT_FOUND))
        err = insert(conn, a, x, e);
    if (!moved)
        *overtaken = true;
    else if (x->moves)
        seen->cursor[x->kind] = x->last;
    return err;
}

enum tm_err audit_log_write(PGconn *conn, const struct audit_log_state *seen,
                            const struct audit_entry *entries, size_t count, bool *overtaken,
                            struct tm_error *e)
{
    struct audit_log_state now = *seen;
    struct tm_error ignored;
    struct pg_params p;
    struct arena a;
    PGresult *r = NULL;
    enum tm_err err = pg_run(conn, "BEGIN", e);

    *overtaken = false;
    arena_init(&a);
    for (size_t i = 0; i < count && err == TM_OK; i++)
        err = write_entry(conn, &a, &now, &entries[i], overtaken, e);
    pg_params_init(&p, &a);
    pg_param_int64(&p, AUDIT_ROWS_KEPT);
    if (err == TM_OK)
        err = pg_query_prepared(conn, "audit_forget", &p, &r, e);
    PQclear(r);
    if (err == TM_OK)
        err = pg_run(conn, "COMMIT", e);
    else
        pg_run(conn, "ROLLBACK", &ignored);
    arena_free(&a);
    return err;
}
