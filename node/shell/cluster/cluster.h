/*
 * The embedded database: a private PostgreSQL under a directory DIR, run from a private copy of the
 * server programs, on a Unix socket of its own. Nothing of it touches the machine's own clusters.
 *
 *   DIR/cluster          data, programs and log; a link to /var/lib/tidemark/<id> where the user
 * the server runs as cannot reach DIR DIR/started          there while `db start` asked for it to
 * run until `db stop` DIR/use.lock         held shared by every command that uses the server
 *   DIR/start.lock       held while one command creates, starts or stops it
 *   /tmp/tidemark-<id>/  the socket; id = first 12 hex digits of SHA-256 of DIR's path
 *
 * A small process, the keeper, is the server's parent. It reaps it, and stops it once nobody uses
 * it and DIR/started is not there: whatever becomes of a command, no server stays behind.
 */
#ifndef NODE_SHELL_CLUSTER_CLUSTER_H
#define NODE_SHELL_CLUSTER_CLUSTER_H

#include "node/shell/system/files.h"
#include "node/shell/system/process.h"

#define CLUSTER_DIRECTORY_DEFAULT "./var"
#define CLUSTER_DATABASE          "tidemark"
#define CLUSTER_SUPERUSER         "postgres"
#define CLUSTER_REPLICA_ROLE      "tidemark_replica" /* what replicas connect as */

struct cluster {
    char directory[FILES_PATH_MAX]; /* DIR, absolute */
    char home[FILES_PATH_MAX];      /* what DIR/cluster is */
    char data[FILES_PATH_MAX], prefix[FILES_PATH_MAX], log[FILES_PATH_MAX];
    char server[FILES_PATH_MAX]; /* the server program of the prefix */
    char socket[64];             /* directory of the socket */
    struct process_user user;    /* the server runs as */
    int use;                     /* DIR/use.lock, held; -1: not in use */
    int port; /* while starting: TCP port of 127.0.0.1 for readers (listen.h), or 0 */
};

/*
 * The cluster of a directory. With `create` the directories are made where they are missing;
 * without, TM_ERR_NOT_FOUND says how to make one. TM_ERR_CONFIG: it belongs to another user.
 */
enum tm_err cluster_find(struct cluster *c, const char *directory, bool create, struct tm_error *e);

/*
 * Says that this process uses the server, and starts it (creating the cluster the first time) if it
 * does not run; *started (may be NULL) tells. Until cluster_release, or the end of this process.
 */
enum tm_err cluster_acquire(struct cluster *c, bool *started, struct tm_error *e);

/* Starts the server again if it died; for a process that has acquired the cluster. */
enum tm_err cluster_revive(struct cluster *c, bool *started, struct tm_error *e);

/* The end of use: stops the server if nobody else uses it and it is not kept. */
void cluster_release(struct cluster *c);

/* Keeps the server of an acquired cluster running until cluster_stop. */
enum tm_err cluster_keep(struct cluster *c, struct tm_error *e);

/* Stops the server, whoever uses it; *stopped (may be NULL): it was running. */
enum tm_err cluster_stop(struct cluster *c, bool *stopped, struct tm_error *e);

/* True while the server runs; *pid (may be NULL) is its process. */
bool cluster_running(const struct cluster *c, pid_t *pid);

/* True when cluster_keep is in force. */
bool cluster_kept(const struct cluster *c);

/*
 * Takes an exclusive lock of this name in DIR until *fd is closed or the process ends.
 * TM_ERR_AGAIN: another process has it and `wait` is false.
 */
enum tm_err cluster_lock(const struct cluster *c, const char *name, bool wait, int *fd,
                         struct tm_error *e);

/* The roles `--role` knows: reader, api, node, admin, owner. */
bool cluster_role_known(const char *role);

/*
 * libpq URL for the database as one of these roles, or as the superuser for NULL. The owner cannot
 * log in: its URL is the superuser's, who becomes the owner.
 */
char *cluster_url(const struct cluster *c, struct arena *a, const char *role);

#endif
