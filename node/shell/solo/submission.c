#include "submission.h"

#include "node/shell/cluster/database.h"
#include "protocol/base/hex.h"

#include <limits.h>
#include <stdlib.h>

enum { OID_BYTEA = 17, FORMAT_TEXT = 0, FORMAT_BINARY = 1 };

/* submit_tx raises "CODE: n, ERROR: …" for what a rule forbids. */
static enum tm_err refused(PGconn *conn, const PGresult *result, struct tm_error *e)
{
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    static const char prefix[] = "CODE: ";

    if (text != NULL && strncmp(text, prefix, strlen(prefix)) == 0)
        return tm_refuse(e, (int)strtol(text + strlen(prefix), NULL, 10), "%s", text);
    return database_fail(conn, result, "cannot submit the transaction", e);
}

enum tm_err submission_send(PGconn *conn, struct bytes tx, struct hash32 *hash, struct tm_error *e)
{
    const Oid types[1] = {OID_BYTEA};
    const char *values[1] = {(const char *)tx.data};
    const int formats[1] = {FORMAT_BINARY};
    int lengths[1];
    PGresult *result;
    struct bytes text;
    enum tm_err err = TM_OK;

    if (tx.size == 0 || tx.size > INT_MAX)
        return tm_fail(e, TM_ERR_MALFORMED, "a transaction cannot have %zu bytes", tx.size);
    lengths[0] = (int)tx.size;
    result = PQexecParams(conn, "SELECT pg_catalog.encode(tidemark.submit_tx($1), 'hex')", 1, types,
                          values, lengths, formats, FORMAT_TEXT);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        err = refused(conn, result, e);
    } else {
        text = bytes_of(PQgetvalue(result, 0, 0));
        if (text.size != 2 * sizeof hash->b || !hex_decode(text, hash->b))
            err = tm_fail(e, TM_ERR_IO, "the database answered \"%.80s\" instead of a hash",
                          PQgetvalue(result, 0, 0));
    }
    PQclear(result);
    return err;
}
