#include "submissions.h"

#include <stdio.h>
#include <unistd.h>

#include "node/shell/pg/pg_session.h"
#include "protocol/base/build_id.h"

static const char *const STATEMENTS[][2] = {
    {"pending", "SELECT s.hash, s.tx FROM ops.submission s\n"
                "WHERE s.status = 'pending'\n"
                "    AND NOT EXISTS (SELECT FROM ops.mempool m WHERE m.hash = s.hash)\n"
                "ORDER BY s.id LIMIT $1"},
    {"refuse", "WITH refused AS (\n"
               "    SELECT * FROM unnest($1::pg_catalog.bytea[], $2::pg_catalog.int4[],\n"
               "        $3::pg_catalog.text[]) r(hash, code, error)\n"
               "), gone AS (\n"
               "    DELETE FROM ops.mempool m USING refused r WHERE m.hash = r.hash\n"
               ")\n"
               "UPDATE ops.submission s SET status = 'refused', code = r.code, error = r.error\n"
               "FROM refused r WHERE s.hash = r.hash AND s.status = 'pending'"},
    {"admitted", "INSERT INTO ops.mempool (hash, size, signer, message_type)\n"
                 "SELECT * FROM unnest($1::pg_catalog.bytea[], $2::pg_catalog.int4[],\n"
                 "    $3::pg_catalog.bytea[], $4::pg_catalog.text[])\n"
                 "ON CONFLICT (hash) DO NOTHING"},
    {"included", "WITH included AS (\n"
                 "    SELECT * FROM ledger.transaction\n"
                 "    WHERE height BETWEEN $1::pg_catalog.int8 AND $2::pg_catalog.int8\n"
                 "), gone AS (\n"
                 "    DELETE FROM ops.mempool m USING included t WHERE m.hash = t.hash\n"
                 ")\n"
                 "UPDATE ops.submission s SET status = 'included', code = t.result_code,\n"
                 "    error = nullif(t.error, ''), height = t.height,\n"
                 "    tx_index = t.tx_index\n"
                 "FROM included t WHERE s.hash = t.hash AND s.status <> 'included'"},
    {"included_before", "UPDATE ops.submission s SET status = 'included', code = t.result_code,\n"
                        "    error = nullif(t.error, ''), height = t.height,\n"
                        "    tx_index = t.tx_index\n"
                        "FROM ledger.transaction t\n"
                        "WHERE s.status = 'pending' AND t.hash = s.hash"},
    {"state", "INSERT INTO ops.node (one, pid, started_at, version, status, message, height)\n"
              "VALUES (true, $1, pg_catalog.now(), $2, $3, $4, $5)\n"
              "ON CONFLICT (one) DO UPDATE SET pid = excluded.pid, version = excluded.version,\n"
              "    started_at = CASE WHEN ops.node.pid = excluded.pid THEN ops.node.started_at\n"
              "        ELSE excluded.started_at END,\n"
              "    status = excluded.status, message = excluded.message,\n"
              "    height = excluded.height, updated_at = pg_catalog.now()"},
};

static enum tm_err run_prepared(struct submissions *s, const char *name, const struct pg_params *p,
                                struct tm_error *e)
{
    PGresult *r;
    enum tm_err err = pg_query_prepared(s->conn, name, p, &r, e);

    PQclear(r);
    return err;
}

enum tm_err submissions_open(struct submissions *s, PGconn *conn, struct tm_error *e)
{
    struct pg_params none;
    enum tm_err err = pg_session_set(conn, e);

    s->conn = conn;
    pg_params_init(&none, NULL);
    /* What is told here may be lost in a crash of the server: the ledger has it anyway. */
    if (err == TM_OK)
        err = pg_run(conn, "SET synchronous_commit = off; DEALLOCATE ALL", e);
    for (size_t i = 0; i < sizeof STATEMENTS / sizeof *STATEMENTS && err == TM_OK; i++)
        err = pg_prepare(conn, STATEMENTS[i][0], STATEMENTS[i][1], e);
    if (err == TM_OK)
        err = pg_run(conn, "LISTEN tidemark_submission; DELETE FROM ops.mempool", e);
    if (err == TM_OK)
        err = run_prepared(s, "included_before", &none, e);
    return err;
}

enum tm_err submissions_reconnect(struct submissions *s, bool *again, struct tm_error *e)
{
    *again = PQstatus(s->conn) != CONNECTION_OK;
    if (!*again)
        return TM_OK;
    PQreset(s->conn);
    if (PQstatus(s->conn) != CONNECTION_OK)
        return pg_error(s->conn, NULL, "cannot reach the database", e);
    return submissions_open(s, s->conn, e);
}

bool submissions_notified(struct submissions *s)
{
    bool any = false;
    PGnotify *n;

    PQconsumeInput(s->conn);
    while ((n = PQnotifies(s->conn)) != NULL) {
        PQfreemem(n);
        any = true;
    }
    return any;
}

enum tm_err submissions_pending(struct submissions *s, struct arena *a, struct submission **out,
                                size_t *count, struct tm_error *e)
{
    struct pg_params p;
    PGresult *r;
    enum tm_err err;

    *count = 0;
    pg_params_init(&p, a);
    pg_param_int64(&p, SUBMISSIONS_AT_ONCE);
    err = pg_query_prepared(s->conn, "pending", &p, &r, e);
    if (err != TM_OK)
        return err;
    *count = (size_t)PQntuples(r);
    *out = arena_array(a, struct submission, *count);
    for (size_t i = 0; i < *count && err == TM_OK; i++) {
        (*out)[i].tx = arena_copy(a, pg_get_bytes(r, (int)i, 1));
        err = pg_get_hash(r, (int)i, 0, &(*out)[i].hash, e);
    }
    PQclear(r);
    return err;
}

enum tm_err submissions_refuse(struct submissions *s, const struct submission_refusal *list,
                               size_t count, struct tm_error *e)
{
    struct arena a;
    struct pg_params p;
    struct pg_array hash, code, error;
    enum tm_err err;

    if (count == 0)
        return TM_OK;
    arena_init(&a);
    pg_array_begin(&hash, &a, PG_BYTEA);
    pg_array_begin(&code, &a, PG_INT4);
    pg_array_begin(&error, &a, PG_TEXT);
    for (size_t i = 0; i < count; i++) {
        pg_array_bytes(&hash, bytes_hash(&list[i].hash));
        pg_array_int32(&code, list[i].code);
        pg_array_bytes(&error, bytes_of(list[i].error));
    }
    pg_params_init(&p, &a);
    pg_param_array(&p, &hash);
    pg_param_array(&p, &code);
    pg_param_array(&p, &error);
    err = run_prepared(s, "refuse", &p, e);
    arena_free(&a);
    return err;
}

enum tm_err submissions_admitted(struct submissions *s, const struct mempool_entry *const *entries,
                                 size_t count, struct tm_error *e)
{
    struct arena a;
    struct pg_params p;
    struct pg_array hash, size, signer, type;
    enum tm_err err;

    if (count == 0)
        return TM_OK;
    arena_init(&a);
    pg_array_begin(&hash, &a, PG_BYTEA);
    pg_array_begin(&size, &a, PG_INT4);
    pg_array_begin(&signer, &a, PG_BYTEA);
    pg_array_begin(&type, &a, PG_TEXT);
    for (size_t i = 0; i < count; i++) {
        pg_array_bytes(&hash, bytes_hash(&entries[i]->tx.hash));
        pg_array_int32(&size, (int32_t)entries[i]->tx.encoded.size);
        pg_array_bytes(&signer, bytes_address(&entries[i]->tx.signer));
        pg_array_bytes(&type, bytes_of(message_name(entries[i]->tx.message.kind)));
    }
    pg_params_init(&p, &a);
    pg_param_array(&p, &hash);
    pg_param_array(&p, &size);
    pg_param_array(&p, &signer);
    pg_param_array(&p, &type);
    err = run_prepared(s, "admitted", &p, e);
    arena_free(&a);
    return err;
}

enum tm_err submissions_included(struct submissions *s, uint64_t from, uint64_t to,
                                 struct tm_error *e)
{
    struct arena a;
    struct pg_params p;
    enum tm_err err;

    arena_init(&a);
    pg_params_init(&p, &a);
    pg_param_int64(&p, (int64_t)from);
    pg_param_int64(&p, (int64_t)to);
    err = run_prepared(s, "included", &p, e);
    arena_free(&a);
    return err;
}

enum tm_err submissions_state(struct submissions *s, const char *status, const char *message,
                              uint64_t height, struct tm_error *e)
{
    struct arena a;
    struct pg_params p;
    enum tm_err err;

    arena_init(&a);
    pg_params_init(&p, &a);
    pg_param_int32(&p, (int32_t)getpid());
    pg_param_bytes(&p, bytes_of(tidemark_build_id()));
    pg_param_bytes(&p, bytes_of(status));
    pg_param_bytes(&p, bytes_of(message));
    pg_param_int64(&p, (int64_t)height);
    err = run_prepared(s, "state", &p, e);
    arena_free(&a);
    return err;
}
