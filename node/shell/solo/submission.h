/* Transactions on their way into the node: SQL function tidemark.submit_tx. */
#ifndef NODE_SHELL_SOLO_SUBMISSION_H
#define NODE_SHELL_SOLO_SUBMISSION_H

#include <libpq-fe.h>

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

/*
 * Submits an encoded transaction; hash is what the database calls it. TM_ERR_RULE: refused, with
 * the code and text of the database ("CODE: 41, ERROR: …"); TM_ERR_IO: not a word of this
 * transaction.
 */
enum tm_err submission_send(PGconn *conn, struct bytes tx, struct hash32 *hash, struct tm_error *e);

#endif
