/*
 * A TCP port of this machine for programs that cannot use the cluster's Unix socket: JDBC, and with
 * it DBeaver, Grafana. Off unless DIR/listen names a port. Then the server listens on 127.0.0.1
 * alone, and lets in tidemark_reader alone, with a password (scram-sha-256).
 */
#ifndef NODE_SHELL_CLUSTER_LISTEN_H
#define NODE_SHELL_CLUSTER_LISTEN_H

#include "cluster.h"
#include "reader_password.h"

#define LISTEN_ADDRESS "127.0.0.1"
#define LISTEN_ROLE    "tidemark_reader"

enum {
    LISTEN_PORT_MIN = 1024, /* the server does not run as root */
    LISTEN_PORT_MAX = 65535
};

/* What listen_allow did. */
struct listen_offer {
    char password[READER_PASSWORD_SIZE];
    bool in_force; /* the server listens there already; otherwise from its next start on */
    bool log_in;   /* readers may log in: `db readers allow` */
};

/* The port in DIR/listen, 0 where there is none. TM_ERR_CONFIG: it holds something else. */
enum tm_err listen_port(const struct cluster *c, int *port, struct tm_error *e);

/*
 * Gives the role a new password and writes DIR/listen. TM_ERR_NOT_FOUND: no chain here yet;
 * TM_ERR_CONFIG: another program has the port.
 */
enum tm_err listen_allow(const struct cluster *c, int port, struct listen_offer *out,
                         struct tm_error *e);

/* Removes DIR/listen: no port from the next start on. */
enum tm_err listen_deny(const struct cluster *c, struct tm_error *e);

#endif
