/* Passwords of roles that only read: made, and given to the server without telling it. */
#ifndef NODE_SHELL_CLUSTER_READER_PASSWORD_H
#define NODE_SHELL_CLUSTER_READER_PASSWORD_H

#include <libpq-fe.h>

#include "protocol/base/error.h"

enum {
    READER_PASSWORD_BYTES = 16, /* of entropy: not to be guessed over a network */
    READER_PASSWORD_SIZE = 2 * READER_PASSWORD_BYTES + 1
};

/* A new one as hexadecimal text, ended by NUL. */
void reader_password_make(char out[READER_PASSWORD_SIZE]);

/* Gives a role a password (scram-sha-256). */
enum tm_err reader_password_set(PGconn *superuser, const char *role, const char *password,
                                struct tm_error *e);

#endif
