#include "reader_roles.h"

#include <stdlib.h>

#include "database.h"

/* What there is under a name. */
struct found {
    bool role, reader, password;
};

enum tm_err reader_name_check(const char *name, struct tm_error *e)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    static const char all[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    size_t size = strlen(name);

    if (size == 0)
        return tm_fail(e, TM_ERR_USAGE, "the name of the role is missing");
    if (size > READER_NAME_MAX || strspn(name, letters) == 0 || strspn(name, all) != size)
        return tm_fail(e, TM_ERR_USAGE,
                       "\"%.80s\" is no name for a role: a lower-case letter, then lower-case "
                       "letters, digits and _, up to %d",
                       name, READER_NAME_MAX);
    if (strncmp(name, "pg_", 3) == 0 || strncmp(name, "tidemark_", 9) == 0)
        return tm_fail(e, TM_ERR_USAGE,
                       "\"%.80s\" is no name for a role: pg_ and tidemark_ are the database's own",
                       name);
    if (strcmp(name, "public") == 0 || strcmp(name, "none") == 0)
        return tm_fail(e, TM_ERR_USAGE, "\"%s\" is no name for a role: the server reserves it",
                       name);
    return TM_OK;
}

/* One statement about a role: what stands before its name, and behind it. */
static enum tm_err execute_for(PGconn *conn, const char *before, const char *role,
                               const char *behind, struct tm_error *e)
{
    char *name = PQescapeIdentifier(conn, role, strlen(role));
    enum tm_err err;
    struct arena a;

    if (name == NULL)
        return database_fail(conn, NULL, "cannot quote the name of the role", e);
    arena_init(&a);
    err = database_execute(conn, arena_format(&a, "%s %s %s", before, name, behind), e);
    arena_free(&a);
    PQfreemem(name);
    return err;
}

/* A query with at most one parameter that gives a row; *result is the caller's to clear. */
static enum tm_err ask(PGconn *conn, const char *query, const char *parameter, const char *what,
                       PGresult **result, struct tm_error *e)
{
    *result = PQexecParams(conn, query, parameter != NULL, NULL, &parameter, NULL, NULL, 0);
    return PQresultStatus(*result) == PGRES_TUPLES_OK ? TM_OK
                                                      : database_fail(conn, *result, what, e);
}

static enum tm_err refuse_replica(PGconn *conn, struct tm_error *e)
{
    PGresult *result;
    enum tm_err err = ask(conn, "SELECT pg_catalog.pg_is_in_recovery()", NULL,
                          "cannot see whether this is a replica", &result, e);

    if (err == TM_OK && PQgetvalue(result, 0, 0)[0] == 't')
        err = tm_fail(e, TM_ERR_CONFIG,
                      "this is a replica, whose roles are those of its node: do it there, and "
                      "they are the same here");
    PQclear(result);
    return err;
}

static enum tm_err look(PGconn *conn, const char *name, struct found *out, struct tm_error *e)
{
    static const char query[] = "SELECT a.rolpassword IS NOT NULL,"
                                " EXISTS (SELECT FROM ops.reader r WHERE r.role = a.rolname)"
                                " FROM pg_catalog.pg_authid a WHERE a.rolname = $1";
    PGresult *result;
    enum tm_err err = ask(conn, query, name, "cannot read the roles", &result, e);

    memset(out, 0, sizeof *out);
    if (err == TM_OK && PQntuples(result) == 1) {
        out->role = true;
        out->password = PQgetvalue(result, 0, 0)[0] == 't';
        out->reader = PQgetvalue(result, 0, 1)[0] == 't';
    }
    PQclear(result);
    if (err == TM_OK && out->role && !out->reader)
        err = tm_fail(e, TM_ERR_EXISTS,
                      "the role %s is no reader that logs in (a member of tidemark_reader with "
                      "LOGIN, and of no role that writes); it is left as it is",
                      name);
    return err;
}

static enum tm_err set_connections(PGconn *conn, const char *name, int connections,
                                   struct tm_error *e)
{
    struct arena a;
    enum tm_err err;

    arena_init(&a);
    err = execute_for(conn, "ALTER ROLE", name,
                      arena_format(&a, "CONNECTION LIMIT %d", connections), e);
    arena_free(&a);
    return err;
}

static enum tm_err set_password(PGconn *conn, const struct reader_wish *wish,
                                const struct found *found, struct reader_added *out,
                                struct tm_error *e)
{
    if (wish->password != NULL)
        return reader_password_set(conn, wish->name, wish->password, e);
    if (found->password)
        return TM_OK;
    reader_password_make(out->password);
    return reader_password_set(conn, wish->name, out->password, e);
}

/* Reads how many places the role has, and refuses them where all together have too many. */
static enum tm_err count_places(PGconn *conn, const char *name, bool bounded, int *own,
                                struct tm_error *e)
{
    static const char query[] =
        "SELECT max(r.connections) FILTER (WHERE r.role = $1), sum(r.connections)"
        " FROM ops.reader r WHERE r.role NOT LIKE 'tidemark\\_%'";
    PGresult *result;
    enum tm_err err = ask(conn, query, name, "cannot count the places of readers", &result, e);
    long all;

    if (err == TM_OK) {
        *own = (int)strtol(PQgetvalue(result, 0, 0), NULL, 10);
        all = strtol(PQgetvalue(result, 0, 1), NULL, 10);
        if (bounded && all > READER_PLACES_MAX)
            err = tm_fail(e, TM_ERR_LIMIT,
                          "roles of readers may have %d connections together, others have %ld: "
                          "give %s fewer, or remove one (tidemark db readers list)",
                          READER_PLACES_MAX, all - *own, name);
    }
    PQclear(result);
    return err;
}

static enum tm_err add(PGconn *conn, const struct reader_wish *wish, struct reader_added *out,
                       struct tm_error *e)
{
    struct found found;
    enum tm_err err = look(conn, wish->name, &found, e);

    if (err == TM_OK && !found.role)
        err = execute_for(conn, "CREATE ROLE", wish->name, "LOGIN IN ROLE tidemark_reader", e);
    if (err == TM_OK && wish->connections != 0)
        err = set_connections(conn, wish->name, wish->connections, e);
    if (err == TM_OK)
        err = set_password(conn, wish, &found, out, e);
    if (err == TM_OK)
        err = database_execute(conn, "SELECT ops.limit_readers()", e);
    if (err == TM_OK)
        err = count_places(conn, wish->name, !found.role || wish->connections != 0,
                           &out->connections, e);
    out->created = !found.role;
    return err;
}

enum tm_err reader_role_add(PGconn *superuser, const struct reader_wish *wish,
                            struct reader_added *out, struct tm_error *e)
{
    enum tm_err err = reader_name_check(wish->name, e);

    memset(out, 0, sizeof *out);
    if (err == TM_OK)
        err = refuse_replica(superuser, e);
    if (err == TM_OK)
        err = database_execute(superuser, "BEGIN", e);
    if (err != TM_OK)
        return err;
    err = add(superuser, wish, out, e);
    if (err == TM_OK)
        err = database_execute(superuser, "COMMIT", e);
    if (err != TM_OK && PQtransactionStatus(superuser) != PQTRANS_IDLE)
        database_execute(superuser, "ROLLBACK", NULL);
    return err;
}

/* A session that came in while the role went would be one that no watchdog knows. */
static enum tm_err drop(PGconn *conn, const char *name, const char *oid, struct tm_error *e)
{
    enum tm_err err = execute_for(conn, "DROP ROLE", name, "", e);
    PGresult *result;

    if (err != TM_OK)
        return err;
    err = ask(conn,
              "SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a"
              " WHERE a.usesysid = $1::oid",
              oid, "cannot end the sessions of the role", &result, e);
    PQclear(result);
    return err;
}

enum tm_err reader_role_remove(PGconn *superuser, const char *name, struct tm_error *e)
{
    static const char query[] =
        "SELECT a.oid, (SELECT count(*) FROM pg_catalog.pg_stat_activity s"
        " WHERE s.usesysid = a.oid) FROM pg_catalog.pg_authid a WHERE a.rolname = $1";
    struct found found;
    PGresult *result = NULL;
    enum tm_err err = reader_name_check(name, e);
    long sessions;

    if (err == TM_OK)
        err = refuse_replica(superuser, e);
    if (err == TM_OK)
        err = look(superuser, name, &found, e);
    if (err == TM_OK && !found.role)
        err = tm_fail(e, TM_ERR_NOT_FOUND, "there is no role %s; tidemark db readers list", name);
    if (err == TM_OK)
        err = ask(superuser, query, name, "cannot look for sessions", &result, e);
    if (err == TM_OK && PQntuples(result) == 0)
        err = tm_fail(e, TM_ERR_NOT_FOUND, "the role %s was removed just now", name);
    if (err == TM_OK) {
        sessions = strtol(PQgetvalue(result, 0, 1), NULL, 10);
        if (sessions > 0)
            err = tm_fail(e, TM_ERR_AGAIN,
                          "%s has %ld session%s: close %s first, or end %s as a superuser: SELECT "
                          "pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '%s'",
                          name, sessions, sessions == 1 ? "" : "s", sessions == 1 ? "it" : "them",
                          sessions == 1 ? "it" : "them", name);
    }
    if (err == TM_OK)
        err = drop(superuser, name, PQgetvalue(result, 0, 0), e);
    PQclear(result);
    return err;
}

enum tm_err reader_roles_list(PGconn *conn, struct arena *a, struct reader_row **rows,
                              size_t *count, struct tm_error *e)
{
    PGresult *result;
    enum tm_err err = ask(conn,
                          "SELECT r.role, r.connections, r.sessions, r.limits,"
                          " pg_catalog.array_to_string(r.missing, '; ')"
                          " FROM ops.reader r ORDER BY r.role LIKE 'tidemark\\_%' DESC, r.role",
                          NULL, "cannot read ops.reader", &result, e);

    *count = err == TM_OK ? (size_t)PQntuples(result) : 0;
    *rows = arena_array(a, struct reader_row, *count + 1);
    for (int i = 0; i < (int)*count; i++) {
        (*rows)[i] = (struct reader_row){
            .name = arena_format(a, "%s", PQgetvalue(result, i, 0)),
            .connections = (int)strtol(PQgetvalue(result, i, 1), NULL, 10),
            .sessions = (int)strtol(PQgetvalue(result, i, 2), NULL, 10),
            .limits = arena_format(a, "%s", PQgetvalue(result, i, 3)),
            .missing = arena_format(a, "%s", PQgetvalue(result, i, 4)),
        };
    }
    PQclear(result);
    return err;
}
