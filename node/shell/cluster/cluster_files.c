#include "cluster_files.h"

#include "cluster_readers.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listen.h"
#include "node/shell/system/memory_size.h"

#define PG_LIB       "lib/postgresql/" CLUSTER_PG_MAJOR "/lib"
#define PG_SHARE     "share/postgresql/" CLUSTER_PG_MAJOR
#define PG_EXTENSION PG_SHARE "/extension"

enum { EXTENSION_FILE_MAX = 64 * 1024 * 1024 };

/* A share of the machine's memory, in megabytes. */
struct memory_share {
    long divisor, min, max;
};

/* A quarter, as PostgreSQL's manual advises for a server of its own. A key at a past height is a
 * page here and there: one that is in no buffer costs as much as the whole look-up. */
static const struct memory_share BUFFERS = {4, 128, 16 * 1024};
/* For the processes of a parallel query. Memory that the kernel makes and takes back for each of
 * them is a sixth of what the root over a million accounts costs. */
static const struct memory_share PARALLEL = {64, 16, 256};

const char *const CLUSTER_LOGIN_ROLES[] = {
    CLUSTER_SUPERUSER,
    "tidemark_node",
    "tidemark_reader",
    "tidemark_api",
    "tidemark_admin",
    CLUSTER_REPLICA_ROLE,
    NULL,
};

/* Reopened at each start, so a person's own settings go to local.conf, which comes last. */
static const char settings_format[] =
    "# Written by tidemark at each start. Settings of your own: local.conf beside this file.\n"
    "listen_addresses = '%s'\n"
    "port = %d\n"
    "unix_socket_directories = '%s'\n"
    "unix_socket_permissions = 0700\n"
    "max_connections = 100\n"
    "shared_buffers = %ldMB\n"
    "min_dynamic_shared_memory = %ldMB\n"
    "effective_cache_size = %ldMB\n"
    "work_mem = 16MB\n"
    "maintenance_work_mem = 128MB\n"
    "random_page_cost = 1.1\n"
    "jit = off\n"
    /* what a committed block rests on */
    "fsync = on\n"
    "full_page_writes = on\n"
    "synchronous_commit = on\n"
    /* pages that did not fit into the buffers: to the disk as they come, not all at once while a
     * commit flushes its log (write_back.h does the same for what files grow by) */
    "backend_flush_after = 512kB\n"
    /* after a checkpoint each page that changes goes into the log whole: seldom, but so that a
     * server that was killed is there again within half a minute */
    "checkpoint_timeout = 15min\n"
    "max_wal_size = 4GB\n"
    "min_wal_size = 512MB\n" /* files of the log are used again, not made while a block waits */
    /* room for replicas, bounded: a lost one must not fill the disk */
    "wal_level = replica\n"
    "wal_compression = lz4\n"
    "max_slot_wal_keep_size = 4GB\n"
    /* a transaction in two phases would hold locks and dead rows without a session to end */
    "max_prepared_transactions = 0\n"
    /* current tables change a little in every block, what is typical of them hardly ever */
    "autovacuum_vacuum_scale_factor = 0.05\n"
    "autovacuum_analyze_scale_factor = 0.2\n"
    /* a rest after every 200 pages it looks at: without one it takes the core a block waits for */
    "autovacuum_vacuum_cost_delay = 10ms\n"
    "timezone = 'UTC'\n"
    "log_timezone = 'UTC'\n"
    "datestyle = 'iso, ymd'\n"
    "lc_messages = 'C'\n"
    "log_checkpoints = off\n"
    "log_line_prefix = '%%m [%%p] %%q%%u '\n"
    "include_if_exists = 'replica.conf'\n"
    "include_if_exists = 'local.conf'\n";

/* Of the socket's name, where there is no TCP port: libpq's default. */
enum { SOCKET_PORT = 5432 };

#define SOCKET_NAME ".s.PGSQL."

enum tm_err cluster_extension_load(struct arena *a, struct cluster_extension *out,
                                   struct tm_error *e)
{
    const char *directory = files_find_shipped(a, "extension/tidemark.control",
                                               "share/tidemark/extension/tidemark.control");
    char **names;
    size_t count;
    enum tm_err err;

    out->count = 0;
    if (directory == NULL)
        return TM_OK;
    directory = arena_format(a, "%.*s", (int)(strrchr(directory, '/') - directory), directory);
    err = files_list(a, directory, "", &names, &count, e);
    out->files = arena_zalloc(a, sizeof *out->files * (count + 1));
    for (size_t i = 0; err == TM_OK && i < count; i++) {
        const char *dot = strrchr(names[i], '.');

        if (dot == NULL ||
            (strcmp(dot, ".so") != 0 && strcmp(dot, ".sql") != 0 && strcmp(dot, ".control") != 0))
            continue;
        out->files[out->count].name = names[i];
        err = files_read(a, arena_format(a, "%s/%s", directory, names[i]), EXTENSION_FILE_MAX,
                         &out->files[out->count++].content, e);
    }
    return err;
}

enum tm_err cluster_extension_install(const struct cluster *c,
                                      const struct cluster_extension *extension, struct tm_error *e)
{
    enum tm_err err = TM_OK;
    struct arena a;

    arena_init(&a);
    for (size_t i = 0; err == TM_OK && i < extension->count; i++) {
        const char *name = extension->files[i].name;
        const char *where = strcmp(strrchr(name, '.'), ".so") == 0 ? PG_LIB : PG_EXTENSION;

        err = files_update(arena_format(&a, "%s/%s/%s", c->prefix, where, name),
                           extension->files[i].content, 0755, NULL, e);
    }
    arena_free(&a);
    return err;
}

/* The server finds `lib` and `share` relative to its own program, so that one is a copy. */
static enum tm_err build_prefix(const struct cluster *c, struct arena *a, struct tm_error *e)
{
    static const char *const directories[] = {CLUSTER_BIN, PG_LIB, PG_SHARE, PG_EXTENSION, NULL};
    enum tm_err err = TM_OK;
    char **names;
    size_t count = 0;

    if (!files_exist("/usr/" CLUSTER_BIN "/postgres"))
        return tm_fail(e, TM_ERR_CONFIG,
                       "PostgreSQL " CLUSTER_PG_MAJOR " is not installed (no "
                       "/usr/" CLUSTER_BIN "/postgres): run make setup, or "
                       "apt-get install postgresql-" CLUSTER_PG_MAJOR);
    for (int i = 0; err == TM_OK && directories[i] != NULL; i++)
        err = files_make_directory(arena_format(a, "%s/%s", c->prefix, directories[i]), 0755, e);
    if (err == TM_OK)
        err = files_list(a, "/usr/" CLUSTER_BIN, "", &names, &count, e);
    for (size_t i = 0; err == TM_OK && i < count; i++) {
        const char *from = arena_format(a, "/usr/" CLUSTER_BIN "/%s", names[i]);
        struct stat st;

        if (lstat(from, &st) == 0 && S_ISREG(st.st_mode))
            err =
                files_copy(from, arena_format(a, "%s/" CLUSTER_BIN "/%s", c->prefix, names[i]), e);
    }
    for (int i = 1; err == TM_OK && directories[i] != NULL; i++)
        err = files_link_entries(arena_format(a, "/usr/%s", directories[i]),
                                 arena_format(a, "%s/%s", c->prefix, directories[i]), e);
    return err;
}

/* Made beside its place and renamed, so that an interrupted one is never taken for a cluster. */
static enum tm_err create_data(const struct cluster *c, struct arena *a, struct tm_error *e)
{
    const char *fresh = arena_format(a, "%s.new", c->data);
    const char *const remove[] = {"/bin/rm", "-rf", fresh, NULL};
    const char *const initdb[] = {arena_format(a, "%s/" CLUSTER_BIN "/initdb", c->prefix),
                                  "--pgdata",
                                  fresh,
                                  "--username",
                                  CLUSTER_SUPERUSER,
                                  "--encoding=UTF8",
                                  "--locale=C",
                                  "--data-checksums",
                                  "--auth=peer",
                                  NULL};
    enum tm_err err = process_run(remove, e);

    if (err == TM_OK)
        err = process_run(initdb, e);
    if (err == TM_OK && rename(fresh, c->data) != 0)
        err = tm_fail(e, TM_ERR_IO, "cannot rename %s: %s", fresh, strerror(errno));
    return err;
}

static enum tm_err check_major(const struct cluster *c, struct arena *a, struct tm_error *e)
{
    struct bytes version;
    enum tm_err err = files_read(a, arena_format(a, "%s/PG_VERSION", c->data), 16, &version, e);

    if (err == TM_OK && !bytes_equal(version, bytes_of(CLUSTER_PG_MAJOR "\n")))
        err = tm_fail(e, TM_ERR_CONFIG,
                      "%s was made by PostgreSQL %.*s, this program runs " CLUSTER_PG_MAJOR
                      ": use the program it was made with, or pg_upgrade it",
                      c->data, (int)(version.size > 0 ? version.size - 1 : 0),
                      (const char *)version.data);
    return err;
}

static long megabytes(const struct memory_share *s, long memory)
{
    long part = memory / s->divisor;

    return part < s->min ? s->min : part > s->max ? s->max : part;
}

static enum tm_err write_settings(const struct cluster *c, struct arena *a, struct tm_error *e)
{
    long memory = memory_size();
    struct buffer ident;
    enum tm_err err;

    buffer_init(&ident, a, 1024);
    for (int i = 0; CLUSTER_LOGIN_ROLES[i] != NULL; i++) {
        char *line = arena_format(a, "tidemark root %s\n", CLUSTER_LOGIN_ROLES[i]);

        buffer_append(&ident, line, strlen(line));
        line = arena_format(a, "tidemark \"%s\" %s\n", c->user.name, CLUSTER_LOGIN_ROLES[i]);
        buffer_append(&ident, line, strlen(line));
    }
    err = files_update(arena_format(a, "%s/postgresql.conf", c->data),
                       bytes_of(arena_format(a, settings_format, c->port != 0 ? LISTEN_ADDRESS : "",
                                             c->port != 0 ? c->port : SOCKET_PORT, c->socket,
                                             megabytes(&BUFFERS, memory),
                                             megabytes(&PARALLEL, memory), memory / 4 * 3)),
                       0600, NULL, e);
    if (err == TM_OK)
        err = cluster_readers_write(c, e);
    if (err == TM_OK)
        err = files_update(arena_format(a, "%s/pg_ident.conf", c->data), buffer_bytes(&ident), 0600,
                           NULL, e);
    return err;
}

/* The server names its socket after the TCP port; whoever connects need not know that port. */
static enum tm_err name_socket(const struct cluster *c, struct tm_error *e)
{
    char target[sizeof SOCKET_NAME + 16], path[sizeof c->socket + 32];

    if (c->port == 0 || c->port == SOCKET_PORT)
        return TM_OK;
    snprintf(target, sizeof target, SOCKET_NAME "%d", c->port);
    snprintf(path, sizeof path, "%s/" SOCKET_NAME "%d", c->socket, SOCKET_PORT);
    if (symlink(target, path) != 0 && errno != EEXIST)
        return tm_fail(e, TM_ERR_IO, "cannot link %s: %s", path, strerror(errno));
    return TM_OK;
}

/* /tmp is everybody's: a directory of that name that is not ours is never used. */
static enum tm_err make_socket_directory(const struct cluster *c, struct tm_error *e)
{
    struct stat st;

    if (mkdir(c->socket, 0700) != 0 && errno != EEXIST)
        return tm_fail(e, TM_ERR_IO, "cannot create the socket directory %s: %s", c->socket,
                       strerror(errno));
    if (lstat(c->socket, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
        return tm_fail(e, TM_ERR_CONFIG,
                       "%s, where this database's socket goes, belongs to somebody else: "
                       "remove it and try again",
                       c->socket);
    if ((st.st_mode & 0777) != 0700 && chmod(c->socket, 0700) != 0)
        return tm_fail(e, TM_ERR_IO, "cannot close %s to others: %s", c->socket, strerror(errno));
    return name_socket(c, e);
}

enum tm_err cluster_prefix_prepare(const struct cluster *c,
                                   const struct cluster_extension *extension, struct tm_error *e)
{
    struct arena a;
    enum tm_err err;

    umask(022);
    arena_init(&a);
    err = build_prefix(c, &a, e);
    if (err == TM_OK)
        err = cluster_extension_install(c, extension, e);
    arena_free(&a);
    return err;
}

enum tm_err cluster_prepare(const struct cluster *c, const struct cluster_extension *extension,
                            struct tm_error *e)
{
    enum tm_err err;
    struct arena a;

    arena_init(&a);
    err = cluster_prefix_prepare(c, extension, e);
    if (err == TM_OK && !files_exist(c->data))
        err = create_data(c, &a, e);
    if (err == TM_OK)
        err = check_major(c, &a, e);
    if (err == TM_OK)
        err = write_settings(c, &a, e);
    if (err == TM_OK)
        err = make_socket_directory(c, e);
    arena_free(&a);
    return err;
}

void cluster_socket_remove(const struct cluster *c)
{
    char path[sizeof c->socket + NAME_MAX + 2];
    DIR *directory = opendir(c->socket);

    for (const struct dirent *d; directory != NULL && (d = readdir(directory)) != NULL;) {
        if (strncmp(d->d_name, SOCKET_NAME, sizeof SOCKET_NAME - 1) != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", c->socket, d->d_name);
        unlink(path);
    }
    if (directory != NULL)
        closedir(directory);
    rmdir(c->socket);
}
