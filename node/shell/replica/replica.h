/*
 * A streaming replica: a physical copy of a node's database under a directory of its own, which
 * follows it through a replication slot. Beside what a cluster has (cluster.h):
 *
 *   DIR/replica                    what it follows: "from DIR|URL" and "slot NAME", a line each
 *   DIR/cluster/data/replica.conf  the server's settings as a replica
 *   DIR/cluster/data/standby.signal  there as long as it follows; a promotion removes it
 */
#ifndef NODE_SHELL_REPLICA_REPLICA_H
#define NODE_SHELL_REPLICA_REPLICA_H

#include <libpq-fe.h>

#include "node/shell/cluster/cluster.h"

enum { REPLICA_SLOT_MAX = 64 }; /* NAMEDATALEN of the server */

struct replica {
    struct cluster cluster;
    char from[FILES_PATH_MAX]; /* the node's directory, absolute, or a libpq URL */
    char slot[REPLICA_SLOT_MAX];
};

/* TM_ERR_NOT_FOUND: no database there; TM_ERR_CONFIG: one that is no replica. */
enum tm_err replica_find(struct replica *r, const char *data, struct tm_error *e);

/* False after a promotion: the database goes its own way. */
bool replica_follows(const struct replica *r);

/*
 * Makes one of a running node, starts it and leaves it running. `from`: the node's directory, or a
 * URL with a role that is superuser, or may replicate and read. What fails leaves nothing behind,
 * on the node either.
 */
enum tm_err replica_create(struct replica *r, const char *from, const char *data,
                           struct tm_error *e);

/*
 * Stops it, gives its slot back and removes its files. With `force` also where the node cannot be
 * reached; *slot_left (may be NULL) tells that the slot stays there.
 */
enum tm_err replica_remove(struct replica *r, bool force, bool *slot_left, struct tm_error *e);

/* A connection to the node it follows; TM_ERR_IO when that does not run. */
enum tm_err replica_primary(const struct replica *r, PGconn **conn, struct tm_error *e);

/* TM_ERR_CONFIG: the cluster is a replica, on which no node can run. */
enum tm_err replica_refuse_writer(const struct cluster *c, struct tm_error *e);

/* How far a replica is. */
struct replica_state {
    char status[32]; /* of its receiver: "streaming"; "" when there is none */
    int64_t height, primary_height;
    int64_t bytes_behind;
    double seconds_behind; /* of block time */
};

/* Over connections to both. */
enum tm_err replica_state_read(PGconn *primary, PGconn *replica, struct replica_state *out,
                               struct tm_error *e);

/*
 * Recomputes the ten trees from the replica's rows at height h and compares them and the state hash
 * with the node's header. TM_ERR_MISMATCH names what differs.
 */
enum tm_err replica_check_roots(PGconn *primary, PGconn *replica, int64_t h, struct tm_error *e);

#endif
