#include "migrations.h"

#include <stdio.h>
#include <stdlib.h>

#include "node/shell/cluster/database.h"
#include "node/shell/system/files.h"
#include "node/shell/system/process.h"
#include "protocol/base/hex.h"
#include "protocol/sha256/sha256.h"
#include "store.h"

enum {
    SQL_FILE_MAX = 16 * 1024 * 1024,
    SURFACE_NUMBER = 0, /* the row of sql/ in ledger.migration */
    LOCK_TRIES = 15, /* the files wait 2 s for a lock; an idle analyst must not stop an upgrade */
    LOCK_PAUSE_MSEC = 1000
};

struct sql_file {
    const char *name;
    struct bytes content;
    struct hash32 hash;
};

/* What comes with this program. */
struct shipped {
    struct sql_file *migrations; /* number i + 1 at index i */
    size_t migration_count;
    struct sql_file *surface;
    size_t surface_count;
    struct hash32 surface_hash;
};

static enum tm_err load_directory(struct arena *a, const char *name, struct sql_file **files,
                                  size_t *count, struct tm_error *e)
{
    const char *directory = files_find_shipped(a, name, arena_format(a, "share/tidemark/%s", name));
    enum tm_err err;
    char **names;

    if (directory == NULL)
        return tm_fail(e, TM_ERR_CONFIG,
                       "the directory %s that comes with this program is not there: run the "
                       "program from its build tree, or make install",
                       name);
    err = files_list(a, directory, ".sql", &names, count, e);
    if (err != TM_OK)
        return err;
    *files = arena_array(a, struct sql_file, *count + 1);
    for (size_t i = 0; err == TM_OK && i < *count; i++) {
        struct sql_file *f = &(*files)[i];

        f->name = names[i];
        err = files_read(a, arena_format(a, "%s/%s", directory, names[i]), SQL_FILE_MAX,
                         &f->content, e);
        if (err == TM_OK)
            f->hash = sha256(f->content);
    }
    return err;
}

static enum tm_err load(struct arena *a, struct shipped *s, struct tm_error *e)
{
    struct sha256_state all;
    enum tm_err err = load_directory(a, "migrations", &s->migrations, &s->migration_count, e);

    if (err == TM_OK)
        err = load_directory(a, "sql", &s->surface, &s->surface_count, e);
    for (size_t i = 0; err == TM_OK && i < s->migration_count; i++) {
        char number[24];

        snprintf(number, sizeof number, "%04zu_", i + 1);
        if (strncmp(s->migrations[i].name, number, strlen(number)) != 0)
            err = tm_fail(e, TM_ERR_CONFIG, "migrations/%.80s is not number %zu in the row",
                          s->migrations[i].name, i + 1);
    }
    sha256_begin(&all);
    for (size_t i = 0; err == TM_OK && i < s->surface_count; i++) {
        sha256_add(&all, bytes_make(s->surface[i].name, strlen(s->surface[i].name) + 1));
        sha256_add(&all, bytes_hash(&s->surface[i].hash));
    }
    s->surface_hash = sha256_end(&all);
    return err;
}

/* What a database has. */
struct recorded {
    bool schema;          /* there is a schema `ledger` */
    size_t count;         /* migrations 1 … count, checked against the shipped ones */
    bool surface_current; /* sql/ was applied as it is now */
};

static enum tm_err compare_row(const struct shipped *s, struct recorded *r, PGresult *rows, int i,
                               struct tm_error *e)
{
    long number = strtol(PQgetvalue(rows, i, 0), NULL, 10);
    const char *name = PQgetvalue(rows, i, 1), *hash = PQgetvalue(rows, i, 2);
    char hex[2 * sizeof(struct hash32) + 1] = "";

    if (number == SURFACE_NUMBER) {
        hex_encode(bytes_hash(&s->surface_hash), hex);
        r->surface_current = strcmp(hex, hash) == 0;
        return TM_OK;
    }
    if (number > (long)s->migration_count)
        return tm_fail(e, TM_ERR_CONFIG,
                       "the database is newer than this program: it has migration %.80s, this "
                       "program ends with number %zu: use the program that upgraded it, or a later "
                       "one",
                       name, s->migration_count);
    if (number != (long)r->count + 1)
        return tm_fail(e, TM_ERR_CONFIG,
                       "the database is half migrated: %.80s was applied but number %zu was not: "
                       "restore it from a backup, or init a new one",
                       name, r->count + 1);
    hex_encode(bytes_hash(&s->migrations[number - 1].hash), hex);
    if (strcmp(name, s->migrations[number - 1].name) != 0 || strcmp(hash, hex) != 0)
        return tm_fail(e, TM_ERR_CONFIG,
                       "migration %ld was edited after it was applied (%.60s here, SHA-256 "
                       "%.16s…; %.60s in the database, %.16s…): put the released file back; a "
                       "change needs a new migration",
                       number, s->migrations[number - 1].name, hex, name, hash);
    r->count++;
    return TM_OK;
}

static enum tm_err read_recorded(PGconn *conn, const struct shipped *s, struct recorded *r,
                                 struct tm_error *e)
{
    PGresult *result = PQexec(conn, "SELECT pg_catalog.to_regnamespace('ledger') IS NOT NULL,"
                                    " pg_catalog.to_regclass('ledger.migration') IS NOT NULL");
    enum tm_err err = TM_OK;
    bool table;

    memset(r, 0, sizeof *r);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        err = database_fail(conn, result, "cannot read the catalogue", e);
        PQclear(result);
        return err;
    }
    r->schema = PQgetvalue(result, 0, 0)[0] == 't';
    table = PQgetvalue(result, 0, 1)[0] == 't';
    PQclear(result);
    if (!r->schema)
        return TM_OK;
    if (!table)
        return tm_fail(e, TM_ERR_CONFIG,
                       "the database has a schema ledger but no table ledger.migration, so it is "
                       "not Tidemark's: use an empty database");
    result = PQexec(conn, "SELECT number, name, pg_catalog.encode(sha256, 'hex')"
                          " FROM ledger.migration ORDER BY number");
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        err = database_fail(conn, result, "cannot read ledger.migration", e);
    for (int i = 0; err == TM_OK && i < PQntuples(result); i++)
        err = compare_row(s, r, result, i, e);
    PQclear(result);
    return err;
}

/* "directory/file line n: message (hint)" */
static enum tm_err file_failure(PGconn *conn, const PGresult *result, const char *directory,
                                const struct sql_file *f, struct tm_error *e)
{
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    size_t end = position != NULL ? strtoul(position, NULL, 10) : 0;
    int line = 1;
    char what[160];

    for (size_t i = 0; i + 1 < end && i < f->content.size; i++)
        line += f->content.data[i] == '\n';
    if (position != NULL)
        snprintf(what, sizeof what, "%s/%.80s line %d", directory, f->name, line);
    else
        snprintf(what, sizeof what, "%s/%.80s", directory, f->name);
    return database_fail(conn, result, what, e);
}

/* Runs the files and one more statement with the parameters, all in one transaction. */
static enum tm_err run_files(PGconn *conn, const char *directory, const struct sql_file *files,
                             size_t count, const char *record, const char *const *parameters,
                             bool *locked, struct tm_error *e)
{
    enum tm_err err = database_execute(conn, "BEGIN", e);
    PGresult *result;
    struct arena a;

    *locked = false;
    if (err != TM_OK)
        return err;
    arena_init(&a);
    for (size_t i = 0; err == TM_OK && i < count; i++) {
        result = PQexec(conn, arena_text(&a, files[i].content));
        if (PQresultStatus(result) != PGRES_COMMAND_OK &&
            PQresultStatus(result) != PGRES_TUPLES_OK &&
            PQresultStatus(result) != PGRES_EMPTY_QUERY) {
            const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

            *locked = state != NULL && strcmp(state, "55P03") == 0; /* lock_not_available */
            err = file_failure(conn, result, directory, &files[i], e);
        } else if (PQtransactionStatus(conn) != PQTRANS_INTRANS) {
            err = tm_fail(e, TM_ERR_CONFIG, "%s/%.80s ends the transaction it runs in", directory,
                          files[i].name);
        }
        PQclear(result);
    }
    arena_free(&a);
    if (err == TM_OK) {
        result = PQexecParams(conn, record, 3, NULL, parameters, NULL, NULL, 0);
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            err = database_fail(conn, result, "cannot record what was applied", e);
        PQclear(result);
    }
    if (err == TM_OK)
        err = database_execute(conn, "COMMIT", e);
    if (err != TM_OK && PQtransactionStatus(conn) != PQTRANS_IDLE)
        database_execute(conn, "ROLLBACK", NULL);
    return err;
}

static enum tm_err run_recorded(PGconn *conn, const char *directory, const struct sql_file *files,
                                size_t count, int number, const char *name,
                                const struct hash32 *hash, struct tm_error *e)
{
    static const char record[] =
        "INSERT INTO ledger.migration (number, name, sha256)"
        " VALUES ($1::integer, $2, pg_catalog.decode($3, 'hex'))"
        " ON CONFLICT (number) DO UPDATE SET name = excluded.name, sha256 = excluded.sha256,"
        " applied_at = excluded.applied_at WHERE excluded.number = 0";
    char hex[2 * sizeof *hash + 1] = "", digits[12];
    const char *const parameters[] = {digits, name, hex};
    enum tm_err err;
    bool locked;

    snprintf(digits, sizeof digits, "%d", number);
    hex_encode(bytes_hash(hash), hex);
    for (int try = 1;; try++) {
        err = run_files(conn, directory, files, count, record, parameters, &locked, e);
        if (!locked || try == LOCK_TRIES)
            return err;
        process_sleep_msec(LOCK_PAUSE_MSEC);
    }
}

/* The extension comes first: the tables use its domains and functions. */
static enum tm_err update_extension(PGconn *conn, struct migrations_result *out, struct tm_error *e)
{
    static const char version[] =
        "SELECT x.extversion, a.default_version FROM pg_catalog.pg_available_extensions a"
        " LEFT JOIN pg_catalog.pg_extension x ON x.extname = a.name WHERE a.name = 'tidemark'";
    PGresult *result = PQexec(conn, version);
    enum tm_err err = TM_OK;

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        err = database_fail(conn, result, "cannot list the extensions", e);
    else if (PQntuples(result) == 0)
        err = tm_fail(e, TM_ERR_CONFIG,
                      "the server does not have the extension tidemark: run make extension (or "
                      "make install for a server of your own), then try again");
    else if (PQgetisnull(result, 0, 0))
        err = database_execute(conn, "CREATE EXTENSION tidemark", e);
    else if (strcmp(PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1)) != 0)
        err = database_execute(conn, "ALTER EXTENSION tidemark UPDATE", e);
    if (err == TM_OK) {
        out->extension_changed = PQgetisnull(result, 0, 0) ||
                                 strcmp(PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1)) != 0;
        snprintf(out->extension, sizeof out->extension, "%.30s", PQgetvalue(result, 0, 1));
    }
    PQclear(result);
    return err;
}

static enum tm_err apply(PGconn *conn, const struct shipped *s, struct migrations_result *out,
                         struct tm_error *e)
{
    struct recorded r;
    enum tm_err err = read_recorded(conn, s, &r, e);

    if (err == TM_OK)
        err = update_extension(conn, out, e);
    while (err == TM_OK && r.count < s->migration_count) {
        const struct sql_file *f = &s->migrations[r.count];

        err = run_recorded(conn, "migrations", f, 1, (int)r.count + 1, f->name, &f->hash, e);
        r.count++;
        out->applied++;
    }
    out->version = (int)r.count;
    out->surface = !r.surface_current || out->applied > 0 || out->extension_changed;
    if (err == TM_OK && out->surface)
        err = run_recorded(conn, "sql", s->surface, s->surface_count, SURFACE_NUMBER, "sql",
                           &s->surface_hash, e);
    else if (err == TM_OK) /* sql/ ends with it; roles may have been made since */
        err = database_execute(conn, "SELECT ops.limit_readers()", e);
    return err;
}

enum tm_err migrations_apply(PGconn *conn, struct migrations_result *out, struct tm_error *e)
{
    struct shipped s;
    struct arena a;
    enum tm_err err;

    memset(out, 0, sizeof *out);
    arena_init(&a);
    err = load(&a, &s, e);
    if (err == TM_OK)
        err = store_check_server(conn, e);
    if (err == TM_OK)
        err = apply(conn, &s, out, e);
    arena_free(&a);
    return err;
}

enum tm_err migrations_check(PGconn *conn, struct tm_error *e)
{
    struct recorded r;
    struct shipped s;
    struct arena a;
    enum tm_err err;

    arena_init(&a);
    err = load(&a, &s, e);
    if (err == TM_OK)
        err = read_recorded(conn, &s, &r, e);
    if (err == TM_OK && !r.schema)
        err = tm_fail(e, TM_ERR_CONFIG,
                      "the database is empty: tidemark init --genesis FILE makes a chain");
    else if (err == TM_OK && r.count < s.migration_count)
        err = tm_fail(e, TM_ERR_CONFIG,
                      "the database is older than this program (migration %zu of %zu): run "
                      "tidemark migrate",
                      r.count, s.migration_count);
    else if (err == TM_OK && !r.surface_current)
        err = tm_fail(e, TM_ERR_CONFIG,
                      "the database has the views and functions of another version of this "
                      "program, or its upgrade was interrupted: run tidemark migrate");
    arena_free(&a);
    return err;
}
