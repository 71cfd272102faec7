#include "reader_password.h"

#include <sodium.h>

#include "database.h"
#include "protocol/base/hex.h"

void reader_password_make(char out[READER_PASSWORD_SIZE])
{
    uint8_t secret[READER_PASSWORD_BYTES];

    randombytes_buf(secret, sizeof secret);
    hex_encode(bytes_make(secret, sizeof secret), out);
    sodium_memzero(secret, sizeof secret);
}

/* The server gets the verifier alone: the password stands in no log. */
enum tm_err reader_password_set(PGconn *superuser, const char *role, const char *password,
                                struct tm_error *e)
{
    char *verifier = PQencryptPasswordConn(superuser, password, role, "scram-sha-256");
    char *name = PQescapeIdentifier(superuser, role, strlen(role));
    enum tm_err err;
    struct arena a;

    if (verifier == NULL || name == NULL) {
        err = database_fail(superuser, NULL, "cannot make a password", e);
    } else {
        arena_init(&a);
        /* A verifier is base64, '$', ':' and '-': nothing to quote. */
        err = database_execute(superuser,
                               arena_format(&a, "ALTER ROLE %s PASSWORD '%s'", name, verifier), e);
        arena_free(&a);
    }
    PQfreemem(name);
    PQfreemem(verifier);
    return err;
}
