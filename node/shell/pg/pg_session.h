/* One session with the server: settings, errors by kind, pipelines. */
#ifndef NODE_SHELL_PG_PG_SESSION_H
#define NODE_SHELL_PG_PG_SESSION_H

#include "pg_binary.h"

/* Settings of architecture.md 3 for a connection that writes or reads the ledger. */
enum tm_err pg_session_set(PGconn *conn, struct tm_error *e);

/*
 * Turns a failed result (NULL: the connection's state) into an error: TM_ERR_IO where trying again
 * can help (connection, disk, memory, locks), TM_ERR_MISMATCH for anything else.
 */
enum tm_err pg_error(PGconn *conn, const PGresult *r, const char *doing, struct tm_error *e);

/* Runs SQL without parameters and without rows of interest. */
enum tm_err pg_run(PGconn *conn, const char *sql, struct tm_error *e);

/* Runs one query with binary parameters (NULL: none) and a binary result, which the caller clears.
 * *out is NULL on failure. */
enum tm_err pg_query(PGconn *conn, const char *sql, const struct pg_params *p, PGresult **out,
                     struct tm_error *e);
/* The same for a prepared statement. */
enum tm_err pg_query_prepared(PGconn *conn, const char *name, const struct pg_params *p,
                              PGresult **out, struct tm_error *e);

enum tm_err pg_prepare(PGconn *conn, const char *name, const char *sql, struct tm_error *e);

/* In pipeline mode: queues a prepared statement (or, with sql, a plain one without rows). */
enum tm_err pg_send_prepared(PGconn *conn, const char *name, const struct pg_params *p,
                             struct tm_error *e);
enum tm_err pg_send(PGconn *conn, const char *sql, struct tm_error *e);
/* The next queued statement's result, in order; TM_OK with tuples or a completed command. */
enum tm_err pg_receive(PGconn *conn, const char *doing, PGresult **out, struct tm_error *e);
/* Ends a batch: pg_sync after the last statement is queued, pg_synced after the last is received.
 */
enum tm_err pg_sync(PGconn *conn, struct tm_error *e);
enum tm_err pg_synced(PGconn *conn, struct tm_error *e);

/* Reads whatever is left of a failed pipeline and leaves pipeline mode. */
void pg_abandon_pipeline(PGconn *conn);

#endif
