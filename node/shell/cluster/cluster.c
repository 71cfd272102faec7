#include "cluster.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster_files.h"
#include "cluster_keeper.h"
#include "listen.h"
#include "protocol/base/hex.h"
#include "protocol/sha256/sha256.h"

#define FAR_HOME    "/var/lib/tidemark"
#define DEBIAN_USER "postgres"
#define ROLE_PREFIX "tidemark_"

enum {
    HOME_MAX = 800,      /* the server's own paths end at 1,024 */
    ID_BYTES = 6,        /* of the directory's hash: 12 hex digits */
    LOOK_MSEC = 10,      /* while waiting for a start or a stop */
    START_SECONDS = 600, /* crash recovery replays at most max_wal_size */
    FAST_STOP_SECONDS = 120,
    ORPHANS_SECONDS = 3,        /* backends notice a dead server at their next wait */
    LOG_MAX = 16 * 1024 * 1024, /* then the log is set aside once */
    PID_NEVER = 4194304 + 1     /* above the kernel's largest process id */
};

static const char *const roles[] = {"reader", "api", "node", "admin", "owner", "audit", NULL};

static enum tm_err can_reach(void *arg, struct tm_error *e)
{
    if (chdir(arg) != 0)
        return tm_fail(e, TM_ERR_NOT_FOUND, "cannot reach %s", (const char *)arg);
    return TM_OK;
}

static enum tm_err make_home(const char *path, const struct process_user *user, struct tm_error *e)
{
    enum tm_err err = files_make_directory(path, 0755, e);

    if (err == TM_OK && geteuid() == 0 && chown(path, user->uid, user->gid) != 0)
        err = tm_fail(e, TM_ERR_IO, "cannot give %s to %s: %s", path, user->name, strerror(errno));
    if (err == TM_OK && chmod(path, 0700) != 0)
        err = tm_fail(e, TM_ERR_IO, "cannot close %s to others: %s", path, strerror(errno));
    return err;
}

/* Makes DIR/cluster, or the place it links to, for the user the server will run as. */
static enum tm_err create_home(struct cluster *c, const char *link, const char *id,
                               struct tm_error *e)
{
    char far[sizeof FAR_HOME + 2 * ID_BYTES + 1];
    enum tm_err err;

    if (geteuid() != 0) {
        err = process_user_by_id(geteuid(), &c->user, e);
        return err == TM_OK ? make_home(link, &c->user, e) : err;
    }
    if (process_user_by_name(DEBIAN_USER, &c->user, NULL) != TM_OK)
        return tm_fail(e, TM_ERR_CONFIG,
                       "PostgreSQL does not run as root and this machine has no user " DEBIAN_USER
                       ": run make setup, or run this as another user");
    err = make_home(link, &c->user, e);
    if (err != TM_OK || process_call(&c->user, can_reach, (void *)link, NULL) == TM_OK)
        return err;
    snprintf(far, sizeof far, FAR_HOME "/%s", id);
    rmdir(link);
    err = make_home(far, &c->user, e);
    if (err == TM_OK && symlink(far, link) != 0)
        err = tm_fail(e, TM_ERR_IO, "cannot link %s to %s: %s", link, far, strerror(errno));
    return err;
}

enum tm_err cluster_find(struct cluster *c, const char *directory, bool create, struct tm_error *e)
{
    char id[2 * ID_BYTES + 1] = "", link[FILES_PATH_MAX + 16];
    struct hash32 hash;
    struct stat st;
    enum tm_err err = TM_OK;

    memset(c, 0, sizeof *c);
    c->use = -1;
    if (create)
        err = files_make_directory(directory, 0755, e);
    if (err != TM_OK)
        return err;
    snprintf(link, sizeof link, "%s/cluster", directory);
    if (realpath(directory, c->directory) == NULL || (!create && stat(link, &st) != 0))
        return tm_fail(e, TM_ERR_NOT_FOUND,
                       "there is no database in %s: tidemark init --data %s --genesis FILE makes "
                       "one",
                       directory, directory);
    if (strlen(c->directory) > HOME_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "the path of %s is too long for a database", directory);
    hash = sha256(bytes_of(c->directory));
    hex_encode(bytes_make(hash.b, ID_BYTES), id);
    snprintf(link, sizeof link, "%s/cluster", c->directory);
    if (stat(link, &st) != 0)
        err = create_home(c, link, id, e);
    if (err == TM_OK && stat(link, &st) != 0)
        err = tm_fail(e, TM_ERR_IO, "cannot use %s: %s", link, strerror(errno));
    if (err == TM_OK && (st.st_uid == 0 || (geteuid() != 0 && st.st_uid != geteuid())))
        err = tm_fail(e, TM_ERR_CONFIG, "%s belongs to user id %ld: run this as that user%s", link,
                      (long)st.st_uid,
                      st.st_uid == 0 ? "; a database does not run as root" : " or as root");
    if (err == TM_OK)
        err = process_user_by_id(st.st_uid, &c->user, e);
    if (err != TM_OK)
        return err;
    if (realpath(link, c->home) == NULL)
        return tm_fail(e, TM_ERR_IO, "cannot use %s: %s", link, strerror(errno));
    c->home[HOME_MAX] = '\0';
    snprintf(c->data, sizeof c->data, "%.*s/data", HOME_MAX, c->home);
    snprintf(c->prefix, sizeof c->prefix, "%.*s/prefix", HOME_MAX, c->home);
    snprintf(c->log, sizeof c->log, "%.*s/postgres.log", HOME_MAX, c->home);
    snprintf(c->server, sizeof c->server, "%.*s/prefix/" CLUSTER_BIN "/postgres", HOME_MAX,
             c->home);
    snprintf(c->socket, sizeof c->socket, "/tmp/tidemark-%s", id);
    return TM_OK;
}

/* --- locks and marks in DIR ------------------------------------------------------------------- */

static enum tm_err open_lock(const struct cluster *c, const char *name, int *fd, struct tm_error *e)
{
    char path[FILES_PATH_MAX + 32];

    snprintf(path, sizeof path, "%s/%s", c->directory, name);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return tm_fail(e, TM_ERR_IO, "cannot open %s: %s", path, strerror(errno));
    return TM_OK;
}

static enum tm_err take(int fd, int operation, struct tm_error *e)
{
    while (flock(fd, operation) != 0)
        if (errno != EINTR)
            return tm_fail(e, TM_ERR_IO, "cannot lock the data directory: %s", strerror(errno));
    return TM_OK;
}

enum tm_err cluster_lock(const struct cluster *c, const char *name, bool wait, int *fd,
                         struct tm_error *e)
{
    enum tm_err err = open_lock(c, name, fd, e);

    if (err != TM_OK)
        return err;
    if (wait)
        err = take(*fd, LOCK_EX, e);
    else if (flock(*fd, LOCK_EX | LOCK_NB) != 0)
        err = tm_fail(e, TM_ERR_AGAIN, "another process holds %s/%s", c->directory, name);
    if (err != TM_OK)
        close(*fd);
    return err;
}

static void started_path(const struct cluster *c, char *out, size_t size)
{
    snprintf(out, size, "%s/" CLUSTER_STARTED_FILE, c->directory);
}

bool cluster_kept(const struct cluster *c)
{
    char path[FILES_PATH_MAX + 32];

    started_path(c, path, sizeof path);
    return files_exist(path);
}

enum tm_err cluster_keep(struct cluster *c, struct tm_error *e)
{
    char path[FILES_PATH_MAX + 32];

    started_path(c, path, sizeof path);
    return files_write(path, bytes_of("kept until: tidemark db stop\n"), 0644, e);
}

/* --- the server's process -----------------------------------------------------------------------
 */

/* What postmaster.pid says: its first line, and whether line 8 is "ready". */
static pid_t read_pid_file(const struct cluster *c, bool *ready)
{
    char path[FILES_PATH_MAX + 32], line[FILES_PATH_MAX];
    long pid = 0;
    FILE *f;

    *ready = false;
    snprintf(path, sizeof path, "%s/postmaster.pid", c->data);
    f = fopen(path, "re");
    if (f == NULL)
        return 0;
    for (int number = 1; fgets(line, sizeof line, f) != NULL; number++) {
        if (number == 1)
            pid = strtol(line, NULL, 10);
        if (number == 8)
            *ready = strncmp(line, "ready", 5) == 0;
    }
    fclose(f);
    return pid > 1 && pid <= INT_MAX ? (pid_t)pid : 0;
}

bool cluster_running(const struct cluster *c, pid_t *pid)
{
    bool ready;
    pid_t found = read_pid_file(c, &ready);

    if (found == 0 || !process_is(found, c->server))
        return false;
    if (pid != NULL)
        *pid = found;
    return true;
}

/*
 * A pid file left by a crash may name a process that is alive but not a server of ours, or a zombie
 * nobody reaps; the server would refuse to start. Only the number is replaced: the rest of the file
 * lets the server see whether memory of the old one is still in use.
 */
static enum tm_err retire_pid_file(const struct cluster *c, struct arena *a, struct tm_error *e)
{
    const char *path = arena_format(a, "%s/postmaster.pid", c->data);
    struct bytes old;
    const uint8_t *newline;

    if (files_read(a, path, 4096, &old, NULL) != TM_OK ||
        (newline = memchr(old.data, '\n', old.size)) == NULL)
        return TM_OK;
    return files_write(path,
                       bytes_of(arena_format(a, "%d%.*s", PID_NEVER,
                                             (int)(old.size - (size_t)(newline - old.data)),
                                             (const char *)newline)),
                       0600, e);
}

/* After a crash the old server's backends may still be there; a start waits for them. */
static void end_orphans(const struct cluster *c)
{
    for (int i = 0; process_signal_all(c->server, 0) > 0; i++) {
        if (i >= ORPHANS_SECONDS * 1000 / LOOK_MSEC)
            process_signal_all(c->server, SIGKILL);
        process_sleep_msec(LOOK_MSEC);
    }
}

struct preparation {
    struct cluster *cluster;
    struct cluster_extension extension;
};

static enum tm_err prepare(void *arg, struct tm_error *e)
{
    struct preparation *p = arg;
    enum tm_err err;
    struct stat st;
    struct arena a;

    arena_init(&a);
    err = retire_pid_file(p->cluster, &a, e);
    if (err == TM_OK && stat(p->cluster->log, &st) == 0 && st.st_size > LOG_MAX)
        rename(p->cluster->log, arena_format(&a, "%s.1", p->cluster->log));
    if (err == TM_OK)
        err = cluster_prepare(p->cluster, &p->extension, e);
    arena_free(&a);
    return err;
}

static enum tm_err refresh(void *arg, struct tm_error *e)
{
    struct preparation *p = arg;

    return cluster_extension_install(p->cluster, &p->extension, e);
}

/* Why the server did not start: its last FATAL (or last) line after the log's old end. */
static enum tm_err start_failure(const struct cluster *c, off_t from, struct tm_error *e)
{
    char line[400], last[400] = "it wrote nothing", fatal[400] = "", hint[400] = "";
    FILE *f = fopen(c->log, "re");
    const char *why, *level;

    if (f != NULL && fseeko(f, from, SEEK_SET) == 0) {
        while (fgets(line, sizeof line, f) != NULL) {
            line[strcspn(line, "\n")] = '\0';
            if (line[0] == '\0')
                continue;
            if ((level = strstr(line, "FATAL:  ")) != NULL ||
                (level = strstr(line, "PANIC:  ")) != NULL)
                snprintf(fatal, sizeof fatal, "%s", level + strlen("FATAL:  "));
            if ((level = strstr(line, "HINT:  ")) != NULL)
                snprintf(hint, sizeof hint, " (%s)", level + strlen("HINT:  "));
            snprintf(last, sizeof last, "%s", line);
        }
    }
    if (f != NULL)
        fclose(f);
    why = fatal[0] != '\0' ? fatal : last;
    if (strstr(why, "No space left on device") != NULL)
        return tm_fail(e, TM_ERR_IO,
                       "the disk of %.100s is full, so PostgreSQL cannot start: %.150s", c->home,
                       why);
    if (strstr(why, "could not create any TCP/IP sockets") != NULL)
        return tm_fail(e, TM_ERR_CONFIG,
                       "PostgreSQL cannot listen on " LISTEN_ADDRESS
                       ":%d, which another program may have: tidemark db listen PORT --data "
                       "%.100s chooses another port, tidemark db listen off none",
                       c->port, c->directory);
    return tm_fail(e, TM_ERR_IO, "PostgreSQL did not start: %.150s%.100s; its log is %.150s", why,
                   hint, c->log);
}

static enum tm_err wait_until_ready(const struct cluster *c, int alive, off_t log_end,
                                    struct tm_error *e)
{
    struct pollfd p = {alive, 0, 0};

    for (int waited = 0; waited < START_SECONDS * 1000 / LOOK_MSEC; waited++) {
        bool ready;
        pid_t pid = read_pid_file(c, &ready);

        if (ready && process_is(pid, c->server))
            return TM_OK;
        if (poll(&p, 1, LOOK_MSEC) > 0)
            return start_failure(c, log_end, e);
    }
    return tm_fail(e, TM_ERR_IO, "PostgreSQL is still starting after %d seconds; its log is %s",
                   START_SECONDS, c->log);
}

/* With DIR/start.lock held. */
static enum tm_err start_locked(struct cluster *c, bool *started, struct tm_error *e)
{
    struct preparation p = {.cluster = c};
    enum tm_err err;
    struct stat st;
    struct arena a;
    off_t log_end;
    int alive;

    *started = false;
    arena_init(&a);
    err = cluster_extension_load(&a, &p.extension, e);
    if (err == TM_OK && cluster_running(c, NULL)) {
        err = process_call(&c->user, refresh, &p, e);
        arena_free(&a);
        return err;
    }
    if (err == TM_OK)
        err = listen_port(c, &c->port, e);
    if (err == TM_OK) {
        end_orphans(c);
        /* Its lock file too may name a zombie, for which the server would take it to be in use. */
        cluster_socket_remove(c);
        err = process_call(&c->user, prepare, &p, e);
    }
    arena_free(&a);
    log_end = stat(c->log, &st) == 0 ? st.st_size : 0;
    if (err == TM_OK)
        err = cluster_keeper_start(c, &alive, e);
    if (err != TM_OK)
        return err;
    err = wait_until_ready(c, alive, log_end, e);
    close(alive);
    *started = err == TM_OK;
    return err;
}

enum tm_err cluster_revive(struct cluster *c, bool *started, struct tm_error *e)
{
    bool fresh;
    enum tm_err err;
    int lock;

    if (started == NULL)
        started = &fresh;
    *started = false;
    err = cluster_lock(c, CLUSTER_START_LOCK, true, &lock, e);
    if (err != TM_OK)
        return err;
    err = start_locked(c, started, e);
    close(lock);
    return err;
}

enum tm_err cluster_acquire(struct cluster *c, bool *started, struct tm_error *e)
{
    enum tm_err err = open_lock(c, CLUSTER_USE_LOCK, &c->use, e);

    if (err == TM_OK)
        err = take(c->use, LOCK_SH, e);
    if (err == TM_OK)
        err = cluster_revive(c, started, e);
    if (err != TM_OK)
        cluster_release(c);
    return err;
}

static enum tm_err stop_server(const struct cluster *c, bool *stopped, struct tm_error *e)
{
    pid_t pid;

    *stopped = cluster_running(c, &pid);
    if (*stopped) {
        kill(pid, SIGINT);
        for (int i = 0; process_is(pid, c->server); i++) {
            if (i == FAST_STOP_SECONDS * 1000 / LOOK_MSEC)
                kill(pid, SIGQUIT);
            if (i == (FAST_STOP_SECONDS + 10) * 1000 / LOOK_MSEC)
                return tm_fail(e, TM_ERR_IO,
                               "PostgreSQL (process %ld) does not stop; its log is %s", (long)pid,
                               c->log);
            process_sleep_msec(LOOK_MSEC);
        }
    }
    end_orphans(c);
    cluster_socket_remove(c);
    return TM_OK;
}

enum tm_err cluster_stop(struct cluster *c, bool *stopped, struct tm_error *e)
{
    char started[FILES_PATH_MAX + 32];
    bool ran;
    enum tm_err err;
    int lock;

    started_path(c, started, sizeof started);
    if (unlink(started) != 0 && errno != ENOENT)
        return tm_fail(e, TM_ERR_IO, "cannot remove %s: %s", started, strerror(errno));
    err = cluster_lock(c, CLUSTER_START_LOCK, true, &lock, e);
    if (err != TM_OK)
        return err;
    err = stop_server(c, stopped != NULL ? stopped : &ran, e);
    close(lock);
    return err;
}

void cluster_release(struct cluster *c)
{
    if (c->use < 0)
        return;
    if (!cluster_kept(c)) {
        /*
         * Alone: stop it here, so that it has ended when the command ends. Not alone: the last one
         * does. Neither: the keeper took the lock in between and is stopping it; wait for that.
         */
        if (flock(c->use, LOCK_EX | LOCK_NB) == 0) {
            if (!cluster_kept(c))
                cluster_stop(c, NULL, NULL);
        } else if (flock(c->use, LOCK_SH | LOCK_NB) != 0) {
            take(c->use, LOCK_SH, NULL);
            cluster_socket_remove(c);
        }
    }
    close(c->use);
    c->use = -1;
}

/* --- how to connect ------------------------------------------------------------------------------
 */

bool cluster_role_known(const char *role)
{
    for (int i = 0; roles[i] != NULL; i++)
        if (strcmp(role, roles[i]) == 0)
            return true;
    return false;
}

char *cluster_url(const struct cluster *c, struct arena *a, const char *role)
{
    if (role == NULL)
        return arena_format(a, "postgresql://" CLUSTER_SUPERUSER "@/" CLUSTER_DATABASE "?host=%s",
                            c->socket);
    /* Nobody logs in as these two. */
    if (strcmp(role, "owner") == 0 || strcmp(role, "audit") == 0)
        return arena_format(a,
                            "postgresql://" CLUSTER_SUPERUSER "@/" CLUSTER_DATABASE
                            "?host=%s&options=-c%%20role%%3D" ROLE_PREFIX "%s",
                            c->socket, role);
    return arena_format(a, "postgresql://" ROLE_PREFIX "%s@/" CLUSTER_DATABASE "?host=%s", role,
                        c->socket);
}
