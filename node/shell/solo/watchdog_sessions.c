#include "watchdog_sessions.h"

#include <stdio.h>

#include "node/shell/pg/pg_session.h"

static const char SESSIONS[] =
    "SELECT pid, session_start::pg_catalog.text, role::pg_catalog.text, statement_age,"
    " transaction_age, idle_age FROM ops.watched_sessions()";
static const char END[] = "SELECT ops.end_session($1, $2::pg_catalog.timestamptz, $3, $4)";

enum { PID, SESSION_START, ROLE, STATEMENT_AGE, TRANSACTION_AGE, IDLE_AGE };

static int64_t age(const PGresult *r, int row, int column)
{
    return pg_is_null(r, row, column) ? -1 : pg_get_int64(r, row, column);
}

static enum tm_err end_session(PGconn *conn, struct arena *a, const PGresult *sessions, int row,
                               const char *reason, const char *hint, struct tm_error *e)
{
    struct bytes role = pg_get_bytes(sessions, row, ROLE);
    int32_t pid = pg_get_int32(sessions, row, PID);
    struct pg_params p;
    PGresult *r;
    enum tm_err err;

    pg_params_init(&p, a);
    pg_param_int32(&p, pid);
    pg_param_text(&p, arena_text(a, pg_get_bytes(sessions, row, SESSION_START)));
    pg_param_text(&p, reason);
    pg_param_text(&p, hint);
    err = pg_query(conn, END, &p, &r, e);
    if (err != TM_OK)
        return err;
    /* False: it went by itself, or is on its way out. */
    if (PQntuples(r) == 1 && !pg_is_null(r, 0, 0) && pg_get_bool(r, 0, 0))
        fprintf(stderr, "tidemarkd: session %d of %.*s is ended: %s\n", pid, (int)role.size,
                (const char *)role.data, reason);
    PQclear(r);
    return TM_OK;
}

enum tm_err watchdog_sessions_end(PGconn *conn, const struct watchdog_limits *limits,
                                  struct tm_error *e)
{
    struct arena a;
    PGresult *r;
    enum tm_err err = pg_query(conn, SESSIONS, NULL, &r, e);

    if (err != TM_OK)
        return err;
    arena_init(&a);
    for (int i = 0; i < PQntuples(r) && err == TM_OK; i++) {
        const struct watchdog_session session = {.statement = age(r, i, STATEMENT_AGE),
                                                 .transaction = age(r, i, TRANSACTION_AGE),
                                                 .idle = age(r, i, IDLE_AGE)};
        enum watchdog_verdict verdict = watchdog_judge(limits, &session);
        char reason[WATCHDOG_TEXT_MAX];

        if (verdict == WATCHDOG_KEEP)
            continue;
        watchdog_reason(verdict, limits, &session, reason);
        err = end_session(conn, &a, r, i, reason, watchdog_hint(verdict), e);
    }
    arena_free(&a);
    PQclear(r);
    return err;
}
