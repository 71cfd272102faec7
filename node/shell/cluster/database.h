/* A connection to the node's database: the embedded one (--data) or any (--db). */
#ifndef NODE_SHELL_CLUSTER_DATABASE_H
#define NODE_SHELL_CLUSTER_DATABASE_H

#include <libpq-fe.h>

#include "cluster.h"

/*
 * Connects for one command. `data`: directory of the embedded database (NULL: ./var), which is
 * started when it does not run; `db_url`: a libpq URL or connection string instead, and `data` is
 * not looked at. `role`: reader, api, node, admin, owner, audit, or NULL for the superuser; only
 * for `data`, a URL says who it is. Where readers are not let in, the operator of `data` still is.
 * One connection of this kind per process.
 */
enum tm_err cli_database_open(const char *data, const char *db_url, const char *role, PGconn **conn,
                              struct tm_error *e);

/*
 * The same as the superuser, for `init` and `migrate`: the directory, the cluster and the database
 * are made where they are missing. *embedded: the cluster, or NULL with a URL.
 */
enum tm_err cli_database_create(const char *data, const char *db_url, PGconn **conn,
                                const struct cluster **embedded, struct tm_error *e);

/* Closes it, and stops the embedded database if nobody else uses it. NULL is allowed. */
void cli_database_close(PGconn *conn);

/* Connects; TM_ERR_IO or TM_ERR_CONFIG with what a person can do about it. */
enum tm_err database_connect(const char *url, PGconn **conn, struct tm_error *e);

/*
 * URL of a cluster for its operator in a role; for `reader` the superuser's, who becomes the
 * reader: let in where readers are not, and never ended by the watchdog.
 */
char *database_url(const struct cluster *c, struct arena *a, const char *role);

/* The operator's word on readers, which lasts: may they log in? */
enum tm_err database_readers(const char *data, bool allow, struct tm_error *e);

/*
 * The same where the operator has said nothing: readers are let in (`init`), or, on a machine that
 * validates, not (`up`). *changed (may be NULL): they could, or could not, before.
 */
enum tm_err database_readers_default(const struct cluster *c, PGconn *superuser, bool allow,
                                     bool *changed, struct tm_error *e);

/* Runs statements that return nothing; TM_ERR_IO with the server's message. */
enum tm_err database_execute(PGconn *conn, const char *sql, struct tm_error *e);

/* The error of a result (or of the connection) as one line: message and hint. */
enum tm_err database_fail(PGconn *conn, const PGresult *result, const char *what,
                          struct tm_error *e);

#endif
