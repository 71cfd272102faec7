/*
 * Login roles for people and programs who read: members of tidemark_reader with the same limits,
 * and a few places of their own. What a reader's limits are stands in sql/75_readers.sql; whether
 * this server lets readers in is cluster_readers.h.
 */
#ifndef NODE_SHELL_CLUSTER_READER_ROLES_H
#define NODE_SHELL_CLUSTER_READER_ROLES_H

#include <libpq-fe.h>

#include "protocol/base/arena.h"
#include "protocol/base/error.h"
#include "reader_password.h"

enum {
    READER_NAME_MAX = 63, /* NAMEDATALEN of the server less one */
    /* Sessions of all such roles together: with the 48 of tidemark_reader, tidemark_api and
     * tidemark_admin they leave the node a fifth of max_connections = 100. */
    READER_PLACES_MAX = 32,
    READER_PASSWORD_MIN = 8 /* characters of one that a person chose (NIST SP 800-63B, 3.1.1.2) */
};

/* What is asked for a role. */
struct reader_wish {
    const char *name;
    int connections;      /* 0: as it has, or the usual number for a new one */
    const char *password; /* NULL: as it has, or one is made where it has none */
};

/* What reader_role_add did. */
struct reader_added {
    bool created;
    int connections;
    char password[READER_PASSWORD_SIZE]; /* made now; "" where none was */
};

/*
 * TM_ERR_USAGE: no name for such a role. Lower case, so that nobody has to quote it; the server's
 * and this program's own prefixes (pg_, tidemark_) are theirs.
 */
enum tm_err reader_name_check(const char *name, struct tm_error *e);

/*
 * Makes the role, or gives the one there is what it lacks; all other readers get what they lack
 * too. TM_ERR_EXISTS: a role of this name is no reader; TM_ERR_LIMIT: no places are left;
 * TM_ERR_CONFIG: the database is a replica.
 */
enum tm_err reader_role_add(PGconn *superuser, const struct reader_wish *wish,
                            struct reader_added *out, struct tm_error *e);

/*
 * TM_ERR_NOT_FOUND: there is no such role; TM_ERR_EXISTS: it is no reader; TM_ERR_AGAIN: it has
 * sessions; TM_ERR_CONFIG: the database is a replica.
 */
enum tm_err reader_role_remove(PGconn *superuser, const char *name, struct tm_error *e);

/* A row of ops.reader. */
struct reader_row {
    const char *name, *limits;
    const char *missing; /* "" = nothing */
    int connections;     /* -1: no limit */
    int sessions;
};

/* All of them by name, in the arena; any role that reads ops. */
enum tm_err reader_roles_list(PGconn *conn, struct arena *a, struct reader_row **rows,
                              size_t *count, struct tm_error *e);

#endif
