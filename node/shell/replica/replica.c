#include "replica.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/shell/cluster/cluster_files.h"
#include "node/shell/cluster/cluster_keeper.h"
#include "node/shell/cluster/cluster_readers.h"
#include "node/shell/cluster/database.h"
#include "node/shell/store/migrations.h"
#include "protocol/base/hex.h"
#include "protocol/sha256/sha256.h"
#include "node/shell/store/store.h"

#define RECORD_FILE "replica"
#define SLOT_PREFIX "tidemark_replica_"

enum {
    SLOT_HASH_BYTES = 6, /* of the hash over machine and directory: 12 hex digits */
    RECORD_MAX = FILES_PATH_MAX + 200,
    SLOT_TRIES = 500, /* of 20 ms: the node notices that a stopped replica has gone */
    SLOT_PAUSE_MSEC = 20
};

/*
 * hot_standby_feedback: off, so that no query here keeps dead rows on the node. Its price is that a
 * query may stand in the way of what the node has cleaned up; the replica waits for it as long as
 * the node's watchdog lets a transaction live, then ends it.
 */
static const char settings_format[] = "# Written by tidemark replica create.\n"
                                      "primary_conninfo = '%s'\n"
                                      "primary_slot_name = '%s'\n"
                                      "hot_standby = on\n"
                                      "hot_standby_feedback = off\n"
                                      "max_standby_streaming_delay = 300s\n"
                                      "max_standby_archive_delay = 300s\n";

static bool is_url(const char *from)
{
    return strstr(from, "://") != NULL || strchr(from, '=') != NULL;
}

static const char *path_in(struct arena *a, const char *directory, const char *name)
{
    return arena_format(a, "%s/%s", directory, name);
}

/* --- what a directory is --------------------------------------------------------------------- */

static bool read_line(struct bytes text, const char *key, char *out, size_t size)
{
    const char *at = (const char *)text.data, *end = at + text.size;
    size_t length = strlen(key);

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((newline != NULL ? newline : end) - at);

        if (n > length && memcmp(at, key, length) == 0 && n - length < size) {
            memcpy(out, at + length, n - length);
            out[n - length] = '\0';
            return true;
        }
        at += n + 1;
    }
    return false;
}

static bool read_record(const char *directory, struct replica *r)
{
    struct bytes text;
    struct arena a;
    bool found;

    arena_init(&a);
    found = files_read(&a, path_in(&a, directory, RECORD_FILE), RECORD_MAX, &text, NULL) == TM_OK &&
            read_line(text, "from ", r->from, sizeof r->from) &&
            read_line(text, "slot ", r->slot, sizeof r->slot);
    arena_free(&a);
    return found;
}

enum tm_err replica_find(struct replica *r, const char *data, struct tm_error *e)
{
    enum tm_err err = cluster_find(&r->cluster, data, false, e);

    if (err == TM_OK && !read_record(r->cluster.directory, r))
        err = tm_fail(e, TM_ERR_CONFIG,
                      "%s is no replica; tidemark replica create --from DIR --data DIR makes one",
                      r->cluster.directory);
    return err;
}

bool replica_follows(const struct replica *r)
{
    struct arena a;
    bool follows;

    arena_init(&a);
    follows = files_exist(path_in(&a, r->cluster.data, "standby.signal"));
    arena_free(&a);
    return follows;
}

enum tm_err replica_refuse_writer(const struct cluster *c, struct tm_error *e)
{
    struct replica r;

    if (!read_record(c->directory, &r))
        return TM_OK;
    r.cluster = *c;
    return replica_follows(&r)
               ? tm_fail(e, TM_ERR_CONFIG,
                         "%s is a replica of %.200s, where the blocks are made: run tidemark up "
                         "there; tidemark db start runs the replica",
                         c->directory, r.from)
               : TM_OK;
}

/* --- the node -------------------------------------------------------------------------------- */

/* Where the replica's server finds the node's, and as whom; without the database's name. */
static enum tm_err connection_of(struct arena *a, const char *from, const char *slot, char **out,
                                 struct tm_error *e)
{
    struct buffer text;
    PQconninfoOption *options;
    char *why = NULL;

    if (!is_url(from)) {
        struct cluster primary;
        enum tm_err err = cluster_find(&primary, from, false, e);

        *out = arena_format(a, "host=%s user=" CLUSTER_REPLICA_ROLE " application_name=%s",
                            primary.socket, slot);
        return err;
    }
    options = PQconninfoParse(from, &why);
    if (options == NULL) {
        tm_fail(e, TM_ERR_USAGE, "%.200s is no URL of a database: %.*s", from,
                (int)strcspn(why != NULL ? why : "", "\n"), why != NULL ? why : "");
        PQfreemem(why);
        return TM_ERR_USAGE;
    }
    buffer_init(&text, a, 256);
    for (const PQconninfoOption *o = options; o->keyword != NULL; o++) {
        if (o->val == NULL || strcmp(o->keyword, "dbname") == 0 ||
            strcmp(o->keyword, "options") == 0 || strcmp(o->keyword, "application_name") == 0)
            continue;
        buffer_append(&text, o->keyword, strlen(o->keyword));
        buffer_append(&text, "='", 2);
        for (const char *c = o->val; *c != '\0'; c++) {
            if (*c == '\'' || *c == '\\')
                buffer_append(&text, "\\", 1);
            buffer_append(&text, c, 1);
        }
        buffer_append(&text, "' ", 2);
    }
    PQconninfoFree(options);
    buffer_append(&text, "application_name=", strlen("application_name="));
    buffer_append(&text, slot, strlen(slot));
    *out = arena_text(a, buffer_bytes(&text));
    return TM_OK;
}

enum tm_err replica_primary(const struct replica *r, PGconn **conn, struct tm_error *e)
{
    struct cluster primary;
    struct arena a;
    enum tm_err err;

    *conn = NULL;
    if (is_url(r->from))
        return database_connect(r->from, conn, e);
    err = cluster_find(&primary, r->from, false, e);
    if (err == TM_OK && !cluster_running(&primary, NULL))
        err = tm_fail(e, TM_ERR_IO,
                      "no database runs in %.300s: tidemark up, or tidemark db start, there",
                      primary.directory);
    if (err != TM_OK)
        return err;
    arena_init(&a);
    err = database_connect(cluster_url(&primary, &a, NULL), conn, e);
    arena_free(&a);
    return err;
}

/* Readers who are kept out of the node by their role would be kept out of the replica as well. */
static enum tm_err let_readers_in_elsewhere(const char *from, PGconn *primary, struct tm_error *e)
{
    struct cluster c;
    PGresult *result = PQexec(primary, "SELECT rolcanlogin FROM pg_catalog.pg_roles"
                                       " WHERE rolname = 'tidemark_reader'");
    bool denied = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 &&
                  PQgetvalue(result, 0, 0)[0] == 'f';
    enum tm_err err = TM_OK;

    PQclear(result);
    if (!denied)
        return TM_OK;
    err = cluster_find(&c, from, false, e);
    if (err == TM_OK)
        err = cluster_readers_set(&c, false, e);
    if (err == TM_OK)
        err = database_execute(primary,
                               "SELECT pg_catalog.pg_reload_conf();"
                               "ALTER ROLE tidemark_reader LOGIN",
                               e);
    return err;
}

/* Checks it, makes the role, and takes back a slot that an earlier replica of this place left. */
static enum tm_err prepare_primary(const struct replica *r, PGconn *primary, struct tm_error *e)
{
    static const char role[] =
        "DO 'BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname ="
        " ''" CLUSTER_REPLICA_ROLE "'') THEN CREATE ROLE " CLUSTER_REPLICA_ROLE
        " LOGIN REPLICATION CONNECTION LIMIT 20 IN ROLE tidemark_reader; END IF; END'";
    struct arena a;
    enum tm_err err = store_check(primary, e);

    if (err == TM_OK)
        err = migrations_check(primary, e);
    if (err != TM_OK)
        return err;
    if (!is_url(r->from)) {
        err = database_execute(primary, role, e);
        if (err == TM_OK)
            err = let_readers_in_elsewhere(r->from, primary, e);
    }
    arena_init(&a);
    if (err == TM_OK)
        err = database_execute(primary,
                               arena_format(&a,
                                            "SELECT pg_catalog.pg_drop_replication_slot(slot_name)"
                                            " FROM pg_catalog.pg_replication_slots"
                                            " WHERE slot_name = '%s' AND NOT active",
                                            r->slot),
                               e);
    arena_free(&a);
    return err;
}

static enum tm_err drop_slot(const struct replica *r, PGconn *primary, struct tm_error *e)
{
    struct arena a;
    enum tm_err err = TM_OK;
    bool active = true;

    arena_init(&a);
    for (int i = 0; err == TM_OK && active; i++) {
        PGresult *result = PQexec(
            primary, arena_format(&a,
                                  "SELECT CASE WHEN NOT active THEN"
                                  " pg_catalog.pg_drop_replication_slot(slot_name) END, active"
                                  " FROM pg_catalog.pg_replication_slots WHERE slot_name = '%s'",
                                  r->slot));

        if (PQresultStatus(result) != PGRES_TUPLES_OK)
            err = database_fail(primary, result, "cannot give the replication slot back", e);
        active = err == TM_OK && PQntuples(result) == 1 && PQgetvalue(result, 0, 1)[0] == 't';
        PQclear(result);
        if (err == TM_OK && active && i == SLOT_TRIES)
            err = tm_fail(e, TM_ERR_IO, "slot %s is still in use", r->slot);
        if (active)
            process_sleep_msec(SLOT_PAUSE_MSEC);
    }
    arena_free(&a);
    return err;
}

/* --- making one ------------------------------------------------------------------------------ */

struct copy {
    const struct replica *replica;
    struct cluster_extension extension;
    const char *connection;
};

/* As the cluster's user: made beside its place and renamed, as a new database is. */
static enum tm_err copy_primary(void *arg, struct tm_error *e)
{
    const struct copy *copy = arg;
    const struct cluster *c = &copy->replica->cluster;
    struct arena a;
    struct buffer quoted;
    enum tm_err err;

    arena_init(&a);

    const char *fresh = arena_format(&a, "%s.new", c->data);
    const char *const clear[] = {"/bin/rm", "-rf", fresh, NULL};
    const char *const backup[] = {arena_format(&a, "%s/" CLUSTER_BIN "/pg_basebackup", c->prefix),
                                  "--pgdata",
                                  fresh,
                                  "--dbname",
                                  copy->connection,
                                  "--wal-method=stream",
                                  "--checkpoint=fast",
                                  "--create-slot",
                                  "--slot",
                                  copy->replica->slot,
                                  "--no-password",
                                  NULL};

    buffer_init(&quoted, &a, 256);
    for (const char *p = copy->connection; *p != '\0'; p++)
        buffer_append(&quoted, *p == '\'' ? "''" : p, *p == '\'' ? 2 : 1);
    err = cluster_prefix_prepare(c, &copy->extension, e);
    if (err == TM_OK)
        err = process_run(clear, e);
    if (err == TM_OK)
        err = process_run(backup, e);
    if (err == TM_OK)
        err = files_write(
            path_in(&a, fresh, "replica.conf"),
            bytes_of(arena_format(&a, settings_format, arena_text(&a, buffer_bytes(&quoted)),
                                  copy->replica->slot)),
            0600, e);
    if (err == TM_OK)
        err = files_write(path_in(&a, fresh, "standby.signal"), bytes_of(""), 0600, e);
    if (err == TM_OK && rename(fresh, c->data) != 0)
        err = tm_fail(e, TM_ERR_IO, "cannot rename %s: %s", fresh, strerror(errno));
    /* Whom the node lets in is the node's; a replica is there for readers. */
    if (err == TM_OK)
        err = cluster_readers_set(c, true, e);
    arena_free(&a);
    return err;
}

static void remove_files(const struct replica *r)
{
    static const char *const names[] = {RECORD_FILE,      CLUSTER_STARTED_FILE,
                                        CLUSTER_USE_LOCK, CLUSTER_START_LOCK,
                                        "schema.lock",    "up.lock",
                                        "readers",        "cluster"};
    const char *const clear[] = {"/bin/rm", "-rf", r->cluster.home, NULL};
    struct arena a;

    arena_init(&a);
    process_run(clear, NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(path_in(&a, r->cluster.directory, names[i]));
    rmdir(r->cluster.directory);
    arena_free(&a);
}

static enum tm_err write_record(const struct replica *r, struct tm_error *e)
{
    struct arena a;
    enum tm_err err;

    arena_init(&a);
    /* A URL may hold a password. */
    err = files_write(path_in(&a, r->cluster.directory, RECORD_FILE),
                      bytes_of(arena_format(&a, "from %s\nslot %s\n", r->from, r->slot)), 0600, e);
    if (err == TM_OK)
        err =
            files_write(path_in(&a, r->cluster.directory, "readers"), bytes_of("allow\n"), 0644, e);
    arena_free(&a);
    return err;
}

/* The place is free, and `from` is something else; r->from and r->slot are set. */
static enum tm_err check_place(struct replica *r, const char *from, const char *data,
                               struct tm_error *e)
{
    char machine[256] = "", place[FILES_PATH_MAX], hex[2 * SLOT_HASH_BYTES + 1] = "";
    struct cluster there;
    struct hash32 hash;
    struct arena a;

    if (cluster_find(&there, data, false, NULL) == TM_OK) {
        struct replica old;

        if (read_record(there.directory, &old))
            return tm_fail(e, TM_ERR_EXISTS, "%s is a replica already, of %.200s", there.directory,
                           old.from);
        return tm_fail(e, TM_ERR_EXISTS,
                       "%s holds a database already: a replica needs a directory of its own",
                       there.directory);
    }
    if (is_url(from))
        snprintf(r->from, sizeof r->from, "%s", from);
    else if (cluster_find(&there, from, false, e) != TM_OK)
        return tm_fail(e, TM_ERR_NOT_FOUND, "there is no node in %s to make a replica of", from);
    else
        snprintf(r->from, sizeof r->from, "%s", there.directory);
    if (strchr(r->from, '\n') != NULL)
        return tm_fail(e, TM_ERR_USAGE, "a name with a line break in it");
    if (files_make_directory(data, 0755, e) != TM_OK)
        return e->err;
    if (realpath(data, place) == NULL)
        return tm_fail(e, TM_ERR_IO, "cannot use %s: %s", data, strerror(errno));
    gethostname(machine, sizeof machine - 1);
    arena_init(&a);
    hash = sha256(bytes_of(arena_format(&a, "%s:%s", machine, place)));
    arena_free(&a);
    hex_encode(bytes_make(hash.b, SLOT_HASH_BYTES), hex);
    snprintf(r->slot, sizeof r->slot, SLOT_PREFIX "%s", hex);
    return TM_OK;
}

static enum tm_err make(struct replica *r, const char *data, struct tm_error *e)
{
    struct copy copy = {.replica = r};
    struct arena a;
    char *connection = NULL;
    int lock;
    enum tm_err err = cluster_find(&r->cluster, data, true, e);

    if (err != TM_OK)
        return err;
    err = cluster_lock(&r->cluster, CLUSTER_START_LOCK, true, &lock, e);
    if (err != TM_OK)
        return err;
    arena_init(&a);
    err = connection_of(&a, r->from, r->slot, &connection, e);
    copy.connection = connection;
    if (err == TM_OK)
        err = cluster_extension_load(&a, &copy.extension, e);
    if (err == TM_OK)
        err = process_call(&r->cluster.user, copy_primary, &copy, e);
    if (err == TM_OK)
        err = write_record(r, e);
    close(lock);
    arena_free(&a);
    if (err == TM_OK)
        err = cluster_acquire(&r->cluster, NULL, e);
    if (err == TM_OK)
        err = cluster_keep(&r->cluster, e);
    cluster_release(&r->cluster);
    if (err != TM_OK) {
        cluster_stop(&r->cluster, NULL, NULL);
        remove_files(r);
    }
    return err;
}

enum tm_err replica_create(struct replica *r, const char *from, const char *data,
                           struct tm_error *e)
{
    PGconn *primary;
    enum tm_err err;

    memset(r, 0, sizeof *r);
    r->cluster.use = -1;
    err = check_place(r, from, data, e);
    if (err == TM_OK)
        err = replica_primary(r, &primary, e);
    if (err != TM_OK) {
        if (r->slot[0] != '\0')
            rmdir(data);
        return err;
    }
    err = prepare_primary(r, primary, e);
    if (err == TM_OK) {
        err = make(r, data, e);
        if (err != TM_OK)
            drop_slot(r, primary, NULL);
    } else {
        rmdir(data);
    }
    PQfinish(primary);
    return err;
}

enum tm_err replica_remove(struct replica *r, bool force, bool *slot_left, struct tm_error *e)
{
    PGconn *primary = NULL;
    enum tm_err err;

    if (slot_left != NULL)
        *slot_left = false;
    if (!replica_follows(r))
        return tm_fail(e, TM_ERR_CONFIG,
                       "%s was promoted and holds a chain of its own: it is not removed",
                       r->cluster.directory);
    err = replica_primary(r, &primary, e);
    if (err != TM_OK && !force) {
        char why[TM_ERROR_TEXT_MAX];

        snprintf(why, sizeof why, "%s", e->text);
        return tm_fail(e, err,
                       "%.300s; without it slot %s stays there and holds its log: --force removes "
                       "the replica all the same",
                       why, r->slot);
    }
    err = cluster_stop(&r->cluster, NULL, e);
    if (err == TM_OK && primary != NULL)
        err = drop_slot(r, primary, e);
    else if (err == TM_OK && slot_left != NULL)
        *slot_left = true;
    PQfinish(primary);
    if (err == TM_OK)
        remove_files(r);
    return err;
}
