/* What must hold of server and database before the ledger is written (architecture.md 3). */
#include "node/shell/pg/pg_session.h"
#include "store.h"

#include "protocol/base/build_id.h"

/* Versions of the server this was made for; others are refused until somebody has tested them. */
enum { SERVER_OLDEST = 150000, SERVER_NEWEST = 159999 };

struct check {
    const char *sql;  /* a row for each thing that is wrong, its name in the first column */
    const char *text; /* with %s for that name */
};

#define CREATE_DATABASE                                                                            \
    "CREATE DATABASE name TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"

/* Hold without a schema as well. */
static const struct check SERVER_CHECKS[] = {
    {"SELECT pg_catalog.current_setting('server_encoding')\n"
     "WHERE pg_catalog.current_setting('server_encoding') <> 'UTF8'",
     "the database's encoding is %s; a chain needs UTF8 and C: " CREATE_DATABASE},
    {"SELECT datcollate || ' / ' || datctype\n"
     "    || CASE WHEN datlocprovider <> 'c' THEN ' of ICU' ELSE '' END\n"
     "FROM pg_catalog.pg_database\n"
     "WHERE datname = pg_catalog.current_database()\n"
     "    AND (datlocprovider <> 'c' OR datcollate NOT IN ('C', 'POSIX')\n"
     "        OR datctype NOT IN ('C', 'POSIX'))",
     "the database's collation is %s; a chain needs UTF8 and C: " CREATE_DATABASE},
    {"SELECT name || ' = ' || setting FROM pg_catalog.pg_settings\n"
     "WHERE name IN ('fsync', 'full_page_writes') AND setting <> 'on'",
     "the server runs with %s, so a crash could lose or tear what was signed; set it to on in "
     "postgresql.conf and restart the server"},
    {"SELECT 'a replica or in recovery' WHERE pg_catalog.pg_is_in_recovery()",
     "the server is %s and takes no writes; connect to the primary"},
    {"SELECT evtname::pg_catalog.text FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D'",
     "event trigger %s runs in this database; drop it"},
};

/* Name the tables of the schema. */
static const struct check LEDGER_CHECKS[] = {
    {"SELECT pg_catalog.format('%s on ledger.%I', t.tgname, c.relname)\n"
     "FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid\n"
     "WHERE c.relnamespace = 'ledger'::pg_catalog.regnamespace AND NOT t.tgisinternal",
     "trigger %s could change what is stored; drop it"},
    {"SELECT pg_catalog.format('%s on ledger.%I', r.rulename, c.relname)\n"
     "FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class\n"
     "WHERE c.relnamespace = 'ledger'::pg_catalog.regnamespace AND c.relkind IN ('r', 'p')",
     "rule %s could change what is stored; drop it"},
    {"SELECT pg_catalog.format('%s on ledger.%I', p.polname, c.relname)\n"
     "FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid\n"
     "WHERE c.relnamespace = 'ledger'::pg_catalog.regnamespace\n"
     "UNION ALL SELECT pg_catalog.format('row security on ledger.%I', c.relname)\n"
     "FROM pg_catalog.pg_class c\n"
     "WHERE c.relnamespace = 'ledger'::pg_catalog.regnamespace AND c.relrowsecurity",
     "policy %s could hide rows; drop it (ALTER TABLE … DISABLE ROW LEVEL SECURITY)"},
};

/* The first thing that is wrong, in words. */
static enum tm_err run_checks(PGconn *conn, const struct check *checks, size_t count,
                              struct tm_error *e)
{
    enum tm_err err = TM_OK;

    for (size_t i = 0; i < count && err == TM_OK; i++) {
        /* The name is the server's, the text is one of the tables above. */
        const char *text = checks[i].text, *place = strstr(text, "%s");
        PGresult *r;

        err = pg_query(conn, checks[i].sql, NULL, &r, e);
        if (err == TM_OK && PQntuples(r) > 0)
            err = tm_fail(e, TM_ERR_CONFIG, "%.*s%s%s", (int)(place - text), text,
                          PQgetvalue(r, 0, 0), place + 2);
        PQclear(r);
    }
    return err;
}

static enum tm_err check_schema(PGconn *conn, struct tm_error *e)
{
    PGresult *r;
    bool there;
    enum tm_err err = pg_query(conn,
                               "SELECT pg_catalog.to_regclass('ledger.tip') IS NOT NULL\n"
                               "    AND pg_catalog.to_regproc('tidemark.build_id') IS NOT NULL",
                               NULL, &r, e);

    if (err != TM_OK)
        return err;
    there = pg_get_bool(r, 0, 0);
    PQclear(r);
    return there ? TM_OK
                 : tm_fail(e, TM_ERR_CONFIG,
                           "the database has no Tidemark schema; make it with tidemark init");
}

static enum tm_err check_build(PGconn *conn, struct tm_error *e)
{
    PGresult *r;
    enum tm_err err = pg_query(conn, "SELECT tidemark.build_id()", NULL, &r, e);

    if (err != TM_OK)
        return err;
    if (strcmp(PQgetvalue(r, 0, 0), tidemark_build_id()) != 0)
        err = tm_fail(e, TM_ERR_CONFIG,
                      "the extension in the database is of build %s and this program of build %s; "
                      "install both from one build and restart the server",
                      PQgetvalue(r, 0, 0), tidemark_build_id());
    PQclear(r);
    return err;
}

enum tm_err store_check_server(PGconn *conn, struct tm_error *e)
{
    int version = PQserverVersion(conn);

    if (version < SERVER_OLDEST || version > SERVER_NEWEST)
        return tm_fail(e, TM_ERR_CONFIG, "the server is PostgreSQL %d.%d; this program needs 15",
                       version / 10000, version % 10000);
    return run_checks(conn, SERVER_CHECKS, sizeof SERVER_CHECKS / sizeof *SERVER_CHECKS, e);
}

enum tm_err store_check(PGconn *conn, struct tm_error *e)
{
    enum tm_err err = pg_session_set(conn, e);

    if (err == TM_OK)
        err = store_check_server(conn, e);
    if (err == TM_OK)
        err = check_schema(conn, e);
    if (err == TM_OK)
        err = run_checks(conn, LEDGER_CHECKS, sizeof LEDGER_CHECKS / sizeof *LEDGER_CHECKS, e);
    if (err == TM_OK)
        err = check_build(conn, e);
    return err;
}
