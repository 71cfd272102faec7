/*
 * The chain as it was after an earlier block, as a `struct store`: the executor opened on it
 * executes the next block as the node did. Nothing is written: what the executor hands over to be
 * stored goes to a check instead, and if that is content the next height is reached.
 *
 * Everything is read in the snapshot that is open on the connection: the caller opens it before and
 * ends it after.
 */
#ifndef NODE_SHELL_STORE_STORE_AT_H
#define NODE_SHELL_STORE_STORE_AT_H

#include "store_pg.h"

/* TM_OK, or anything else to refuse the executed block. */
typedef enum tm_err store_at_check(void *ctx, const struct store_block *executed,
                                   struct tm_error *e);

struct store_at {
    struct store_pg pg; /* first: what the reading methods take */
    store_at_check *check;
    void *ctx;
};

/* Prepares the statements, once per connection; pg_session_set comes before. */
enum tm_err store_at_prepare(PGconn *conn, struct tm_error *e);

/* The state after block `height`. */
void store_at_open(struct store_at *s, PGconn *conn, height_t height, store_at_check *check,
                   void *ctx);

/* The interface; valid as long as *s. */
struct store store_at_of(struct store_at *s);

#endif
