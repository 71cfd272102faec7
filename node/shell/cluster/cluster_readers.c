#include "cluster_readers.h"

#include "cluster_files.h"
#include "listen.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define DENIED_FILE "tidemark_readers_denied" /* in the server's data directory */

/*
 * The first line that fits counts. The roles of the program come in as their Unix user says; others
 * that read have a password, on a replica too, whose roles come from its node. Other databases of
 * the server have none of the limits.
 */
static const char hba_format[] = "# Written by tidemark at each start.\n"
                                 "%s%s"
                                 "local " CLUSTER_DATABASE " %s peer map=tidemark\n"
                                 "local replication all peer map=tidemark\n"
                                 "%s"
                                 "local all +tidemark_reader reject\n"
                                 "local all all peer map=tidemark\n";
static const char hba_denied[] = "local all " LISTEN_ROLE " reject\n";
static const char hba_people[] = "local " CLUSTER_DATABASE " +tidemark_reader scram-sha-256\n";
/* Who can do more than read stays on the socket. */
static const char hba_network[] =
    "host all +tidemark_api,+tidemark_node,+tidemark_owner,+tidemark_audit," CLUSTER_REPLICA_ROLE
    " all reject\n"
    "host " CLUSTER_DATABASE " +tidemark_reader " LISTEN_ADDRESS "/32 scram-sha-256\n";

static void mark_path(const struct cluster *c, char *out, size_t size)
{
    snprintf(out, size, "%s/" DENIED_FILE, c->data);
}

bool cluster_readers_denied(const struct cluster *c)
{
    char path[FILES_PATH_MAX + 32];

    mark_path(c, path, sizeof path);
    return files_exist(path);
}

enum tm_err cluster_readers_write(const struct cluster *c, struct tm_error *e)
{
    bool denied = cluster_readers_denied(c);
    const char *own = CLUSTER_LOGIN_ROLES[0], *text;
    struct arena a;
    enum tm_err err;

    arena_init(&a);
    for (int i = 1; CLUSTER_LOGIN_ROLES[i] != NULL; i++)
        own = arena_format(&a, "%s,%s", own, CLUSTER_LOGIN_ROLES[i]);
    text = arena_format(&a, hba_format, denied ? hba_denied : "",
                        denied || c->port == 0 ? "" : hba_network, own, denied ? "" : hba_people);
    err = files_update(arena_format(&a, "%s/pg_hba.conf", c->data), bytes_of(text), 0600, NULL, e);
    arena_free(&a);
    return err;
}

static enum tm_err allow_readers(void *arg, struct tm_error *e)
{
    const struct cluster *c = arg;
    char path[FILES_PATH_MAX + 32];

    mark_path(c, path, sizeof path);
    if (unlink(path) != 0 && errno != ENOENT)
        return tm_fail(e, TM_ERR_IO, "cannot remove %s: %s", path, strerror(errno));
    return cluster_readers_write(c, e);
}

static enum tm_err deny_readers(void *arg, struct tm_error *e)
{
    const struct cluster *c = arg;
    char path[FILES_PATH_MAX + 32];
    enum tm_err err;

    mark_path(c, path, sizeof path);
    err = files_write(path, bytes_of("tidemark_reader may not log in here\n"), 0600, e);
    return err == TM_OK ? cluster_readers_write(c, e) : err;
}

enum tm_err cluster_readers_set(const struct cluster *c, bool allow, struct tm_error *e)
{
    struct cluster known = *c;
    enum tm_err err = listen_port(c, &known.port, e);

    return err == TM_OK ? process_call(&c->user, allow ? allow_readers : deny_readers, &known, e)
                        : err;
}
