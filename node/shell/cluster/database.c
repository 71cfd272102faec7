#include "database.h"

#include "cluster_readers.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOOK_MSEC = 10, RELOAD_MSEC = 10000 }; /* a reload takes milliseconds */

#define READERS_FILE "readers" /* in DIR: the operator's word, "allow" or "deny" */

/* What cli_database_open acquired; a program has one embedded database at a time. */
static struct cluster opened = {.use = -1};
static int creating = -1; /* the lock of cli_database_create: one at a time makes a schema */

static bool has_state(const PGresult *result, const char *state)
{
    const char *found = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

    return found != NULL && strcmp(found, state) == 0;
}

enum tm_err database_fail(PGconn *conn, const PGresult *result, const char *what,
                          struct tm_error *e)
{
    const char *primary =
        result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *hint = result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_HINT) : NULL;
    const char *text = primary != NULL ? primary : PQerrorMessage(conn);

    if (has_state(result, "53100")) /* disk_full */
        hint = "free space on the disk of the database, then try again";
    return tm_fail(e, TM_ERR_IO, "%s: %.*s%s%.150s%s", what, (int)strcspn(text, "\n"), text,
                   hint != NULL ? " (" : "", hint != NULL ? hint : "", hint != NULL ? ")" : "");
}

enum tm_err database_execute(PGconn *conn, const char *sql, struct tm_error *e)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    enum tm_err err = TM_OK;

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
        err = database_fail(conn, result, "the database refused", e);
    PQclear(result);
    return err;
}

static void no_notice(void *ctx, const char *message)
{
    (void)ctx;
    (void)message;
}

static bool says(PGconn *conn, const char *text)
{
    return strstr(PQerrorMessage(conn), text) != NULL;
}

enum tm_err database_connect(const char *url, PGconn **conn, struct tm_error *e)
{
    const char *text, *what_to_do = "";
    enum tm_err err = TM_ERR_IO;

    *conn = PQconnectdb(url);
    if (PQstatus(*conn) == CONNECTION_OK) {
        PQsetNoticeProcessor(*conn, no_notice, NULL);
        return TM_OK;
    }
    if (says(*conn, "database \"" CLUSTER_DATABASE "\" does not exist") ||
        (says(*conn, "role \"tidemark_") && says(*conn, "does not exist"))) {
        err = TM_ERR_NOT_FOUND;
        what_to_do = ": there is no chain here yet; tidemark init --genesis FILE makes one";
    } else if (says(*conn, "is not permitted to log in") || says(*conn, "pg_hba.conf rejects")) {
        err = TM_ERR_CONFIG;
        what_to_do = ": tidemark db readers allow lets readers in";
    } else if (says(*conn, "Peer authentication failed") || says(*conn, "Permission denied")) {
        err = TM_ERR_CONFIG;
        what_to_do = ": only root and the user the database runs as may connect here";
    } else if (says(*conn, "No space left on device")) {
        what_to_do = ": free space on the disk of the database";
    }
    /* libpq leads with where it tried; the server's own words come last */
    text = strstr(PQerrorMessage(*conn), "FATAL:  ");
    text = text != NULL ? text + strlen("FATAL:  ") : PQerrorMessage(*conn);
    tm_fail(e, err, "cannot connect to the database: %.*s%s", (int)strcspn(text, "\n"), text,
            what_to_do);
    PQfinish(*conn);
    *conn = NULL;
    return err;
}

char *database_url(const struct cluster *c, struct arena *a, const char *role)
{
    if (role != NULL && strcmp(role, "reader") == 0)
        return arena_format(a, "%s&options=-c%%20role%%3Dtidemark_reader", cluster_url(c, a, NULL));
    return cluster_url(c, a, role);
}

enum tm_err cli_database_open(const char *data, const char *db_url, const char *role, PGconn **conn,
                              struct tm_error *e)
{
    struct arena a;
    enum tm_err err;

    *conn = NULL;
    if (db_url != NULL)
        return database_connect(db_url, conn, e);
    err = cluster_find(&opened, data != NULL ? data : CLUSTER_DIRECTORY_DEFAULT, false, e);
    if (err == TM_OK)
        err = cluster_acquire(&opened, NULL, e);
    if (err != TM_OK)
        return err;
    arena_init(&a);
    err = database_connect(database_url(&opened, &a, role), conn, e);
    arena_free(&a);
    if (err != TM_OK)
        cluster_release(&opened);
    return err;
}

static enum tm_err create_database(const struct cluster *c, struct tm_error *e)
{
    static const char create[] = "CREATE DATABASE " CLUSTER_DATABASE
                                 " TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'";
    PGresult *result;
    struct arena a;
    enum tm_err err;
    PGconn *conn;

    arena_init(&a);
    err = database_connect(
        arena_format(&a, "host=%s user=" CLUSTER_SUPERUSER " dbname=postgres", c->socket), &conn,
        e);
    arena_free(&a);
    if (err != TM_OK)
        return err;
    result =
        PQexec(conn, "SELECT FROM pg_catalog.pg_database WHERE datname = '" CLUSTER_DATABASE "'");
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        err = database_fail(conn, result, "cannot list the databases", e);
    else if (PQntuples(result) == 0) {
        PQclear(result);
        result = PQexec(conn, create);
        /* 42P04, 23505: another command made it in the meantime */
        if (PQresultStatus(result) != PGRES_COMMAND_OK && !has_state(result, "42P04") &&
            !has_state(result, "23505"))
            err = database_fail(conn, result, "cannot create the database", e);
    }
    PQclear(result);
    PQfinish(conn);
    return err;
}

enum tm_err cli_database_create(const char *data, const char *db_url, PGconn **conn,
                                const struct cluster **embedded, struct tm_error *e)
{
    struct arena a;
    enum tm_err err;

    *conn = NULL;
    *embedded = NULL;
    if (db_url != NULL)
        return database_connect(db_url, conn, e);
    err = cluster_find(&opened, data != NULL ? data : CLUSTER_DIRECTORY_DEFAULT, true, e);
    if (err == TM_OK)
        err = cluster_acquire(&opened, NULL, e);
    if (err != TM_OK)
        return err;
    arena_init(&a);
    err = cluster_lock(&opened, "schema.lock", true, &creating, e);
    if (err == TM_OK)
        err = create_database(&opened, e);
    if (err == TM_OK)
        err = database_connect(cluster_url(&opened, &a, NULL), conn, e);
    arena_free(&a);
    if (err != TM_OK)
        cluster_release(&opened);
    else
        *embedded = &opened;
    return err;
}

void cli_database_close(PGconn *conn)
{
    if (conn == NULL)
        return;
    PQfinish(conn);
    if (creating >= 0)
        close(creating);
    creating = -1;
    cluster_release(&opened);
}

/* --- readers
 * -------------------------------------------------------------------------------------- */

/* True when a reader would be let in now. */
static bool lets_readers_in(const struct cluster *c)
{
    struct arena a;
    PGconn *conn;
    bool in;

    arena_init(&a);
    conn = PQconnectdb(cluster_url(c, &a, "reader"));
    in = PQstatus(conn) == CONNECTION_OK ||
         !(says(conn, "pg_hba.conf rejects") || says(conn, "is not permitted to log in"));
    PQfinish(conn);
    arena_free(&a);
    return in;
}

/* A replica has the role as its node has it: what differs is the server's own line. */
static enum tm_err set_readers(const struct cluster *c, PGconn *superuser, bool allow,
                               struct tm_error *e)
{
    enum tm_err err = cluster_readers_set(c, allow, e);

    if (err == TM_OK && allow)
        err = database_execute(superuser,
                               "DO 'BEGIN IF NOT pg_catalog.pg_is_in_recovery() THEN"
                               " ALTER ROLE tidemark_reader LOGIN; END IF; END'",
                               e);
    if (err == TM_OK)
        err = database_execute(superuser, "SELECT pg_catalog.pg_reload_conf()", e);
    /* The server reloads when it gets to it. */
    for (int i = 0; err == TM_OK && lets_readers_in(c) != allow; i++) {
        if (i == RELOAD_MSEC / LOOK_MSEC)
            return tm_fail(e, TM_ERR_IO,
                           allow ? "readers are not let in: on a replica its node decides whether "
                                   "the role may log in at all; tidemark db readers allow there"
                                 : "the server does not reload its settings; its log is %.200s",
                           c->log);
        process_sleep_msec(LOOK_MSEC);
    }
    return err;
}

static char *readers_path(const struct cluster *c, struct arena *a)
{
    return arena_format(a, "%s/" READERS_FILE, c->directory);
}

enum tm_err database_readers(const char *data, bool allow, struct tm_error *e)
{
    struct arena a;
    PGconn *conn;
    enum tm_err err = cli_database_open(data, NULL, NULL, &conn, e);

    if (err != TM_OK)
        return err;
    arena_init(&a);
    err = set_readers(&opened, conn, allow, e);
    if (err == TM_OK)
        err =
            files_write(readers_path(&opened, &a), bytes_of(allow ? "allow\n" : "deny\n"), 0644, e);
    arena_free(&a);
    cli_database_close(conn);
    return err;
}

enum tm_err database_readers_default(const struct cluster *c, PGconn *superuser, bool allow,
                                     bool *changed, struct tm_error *e)
{
    PGresult *result;
    struct arena a;
    bool decided, allowed;
    enum tm_err err = TM_OK;

    arena_init(&a);
    decided = files_exist(readers_path(c, &a));
    arena_free(&a);
    result = PQexec(superuser, "SELECT rolcanlogin FROM pg_catalog.pg_roles"
                               " WHERE rolname = 'tidemark_reader'");
    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
        err = database_fail(superuser, result, "cannot read the readers' role", e);
    allowed = err == TM_OK && PQgetvalue(result, 0, 0)[0] == 't' && !cluster_readers_denied(c);
    PQclear(result);
    if (err == TM_OK && !decided && allowed != allow)
        err = set_readers(c, superuser, allow, e);
    if (changed != NULL)
        *changed = err == TM_OK && !decided && allowed != allow;
    return err;
}
