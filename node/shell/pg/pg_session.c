#include "pg_session.h"

#include <stdio.h>

static const char *const SETTINGS =
    "SET search_path = pg_catalog, pg_temp;"
    "SET row_security = off;"
    /* Only a superuser may set it, so only a superuser can have set it otherwise. */
    "SELECT CASE WHEN pg_catalog.current_setting('session_replication_role') <> 'origin'"
    "    THEN pg_catalog.set_config('session_replication_role', 'origin', false) END;"
    "SET synchronous_commit = on;"
    "SET statement_timeout = 0;"
    "SET lock_timeout = 0;"
    "SET idle_in_transaction_session_timeout = 0;"
    "SET default_transaction_isolation = 'read committed';"
    "SET default_transaction_read_only = off;"
    "SET client_encoding = 'UTF8';"
    "SET client_min_messages = warning;"
    "SET jit = off;"
    "SET max_parallel_workers_per_gather = 0;"
    /* Statements take whole arrays, whose length says nothing about the best plan: key lookups. */
    "SET plan_cache_mode = force_generic_plan";

/* Notices would reach the terminal in the middle of block lines. */
static void ignore_notice(void *ctx, const PGresult *r)
{
    (void)ctx;
    (void)r;
}

enum tm_err pg_session_set(PGconn *conn, struct tm_error *e)
{
    PQsetNoticeReceiver(conn, ignore_notice, NULL);
    return pg_run(conn, SETTINGS, e);
}

/* SQLSTATEs after which the same call may succeed later (appendix A of the manual). */
static bool may_pass(const char *state)
{
    static const char *const classes[] = {
        "08", /* connection */
        "40", /* serialization failure, deadlock */
        "53", /* disk full, out of memory, too many connections */
        "55", /* lock not available, object in use */
        "57", /* shutdown, cancelled, crash of another backend */
        "58", /* I/O error of the server */
    };

    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strncmp(state, classes[i], 2) == 0)
            return true;
    return false;
}

/* The first line without its newline. */
static int line_length(const char *text)
{
    return (int)strcspn(text, "\n");
}

enum tm_err pg_error(PGconn *conn, const PGresult *r, const char *doing, struct tm_error *e)
{
    const char *state = r != NULL ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    const char *text = r != NULL ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *detail = r != NULL ? PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL) : NULL;

    if (state == NULL || text == NULL) {
        /* libpq itself speaks: the connection is gone or never was. */
        text = PQerrorMessage(conn);
        if (r != NULL && PQresultErrorMessage(r)[0] != '\0')
            text = PQresultErrorMessage(r);
        if (text[0] == '\0')
            text = "no answer from the server";
        return tm_fail(e, TM_ERR_IO, "%s: %.*s", doing, line_length(text), text);
    }
    return tm_fail(e,
                   may_pass(state) || PQstatus(conn) != CONNECTION_OK ? TM_ERR_IO : TM_ERR_MISMATCH,
                   "%s: %s%s%s (SQLSTATE %s)", doing, text, detail != NULL ? "; " : "",
                   detail != NULL ? detail : "", state);
}

static bool succeeded(const PGresult *r)
{
    ExecStatusType status = PQresultStatus(r);

    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

enum tm_err pg_run(PGconn *conn, const char *sql, struct tm_error *e)
{
    PGresult *r = PQexec(conn, sql);
    enum tm_err err = succeeded(r) ? TM_OK : pg_error(conn, r, "database", e);

    PQclear(r);
    return err;
}

static enum tm_err take(PGconn *conn, PGresult *r, const char *doing, PGresult **out,
                        struct tm_error *e)
{
    enum tm_err err;

    *out = NULL;
    if (succeeded(r)) {
        *out = r;
        return TM_OK;
    }
    err = pg_error(conn, r, doing, e);
    PQclear(r);
    return err;
}

enum tm_err pg_query(PGconn *conn, const char *sql, const struct pg_params *p, PGresult **out,
                     struct tm_error *e)
{
    return take(conn,
                PQexecParams(conn, sql, p != NULL ? p->count : 0, NULL,
                             p != NULL ? p->values : NULL, p != NULL ? p->lengths : NULL,
                             p != NULL ? p->formats : NULL, 1),
                "database", out, e);
}

enum tm_err pg_query_prepared(PGconn *conn, const char *name, const struct pg_params *p,
                              PGresult **out, struct tm_error *e)
{
    return take(conn, PQexecPrepared(conn, name, p->count, p->values, p->lengths, p->formats, 1),
                name, out, e);
}

enum tm_err pg_prepare(PGconn *conn, const char *name, const char *sql, struct tm_error *e)
{
    PGresult *r = PQprepare(conn, name, sql, 0, NULL);
    enum tm_err err = succeeded(r) ? TM_OK : pg_error(conn, r, name, e);

    PQclear(r);
    return err;
}

enum tm_err pg_send_prepared(PGconn *conn, const char *name, const struct pg_params *p,
                             struct tm_error *e)
{
    if (PQsendQueryPrepared(conn, name, p->count, p->values, p->lengths, p->formats, 1) != 1)
        return pg_error(conn, NULL, name, e);
    return TM_OK;
}

enum tm_err pg_send(PGconn *conn, const char *sql, struct tm_error *e)
{
    if (PQsendQueryParams(conn, sql, 0, NULL, NULL, NULL, NULL, 1) != 1)
        return pg_error(conn, NULL, sql, e);
    return TM_OK;
}

enum tm_err pg_receive(PGconn *conn, const char *doing, PGresult **out, struct tm_error *e)
{
    PGresult *r = PQgetResult(conn);
    PGresult *end;
    enum tm_err err;

    if (r == NULL) {
        *out = NULL;
        return pg_error(conn, NULL, doing, e);
    }
    err = take(conn, r, doing, out, e);
    /* Each statement's results end with a null. */
    while (PQstatus(conn) == CONNECTION_OK && (end = PQgetResult(conn)) != NULL)
        PQclear(end);
    return err;
}

enum tm_err pg_sync(PGconn *conn, struct tm_error *e)
{
    return PQpipelineSync(conn) == 1 ? TM_OK : pg_error(conn, NULL, "database", e);
}

enum tm_err pg_synced(PGconn *conn, struct tm_error *e)
{
    PGresult *r = PQgetResult(conn);
    bool ok = r != NULL && PQresultStatus(r) == PGRES_PIPELINE_SYNC;
    enum tm_err err = ok ? TM_OK : pg_error(conn, r, "database", e);

    PQclear(r);
    return err;
}

void pg_abandon_pipeline(PGconn *conn)
{
    int nulls = 0;

    if (PQpipelineStatus(conn) == PQ_PIPELINE_OFF)
        return;
    if (PQstatus(conn) == CONNECTION_OK && PQpipelineSync(conn) == 1) {
        /* Statements after the failed one answer "aborted"; two nulls in a row: nothing is left. */
        while (nulls < 2 && PQstatus(conn) == CONNECTION_OK) {
            PGresult *r = PQgetResult(conn);

            nulls = r == NULL ? nulls + 1 : 0;
            PQclear(r);
        }
    }
    PQexitPipelineMode(conn);
}
