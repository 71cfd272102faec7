/* The stored rows of one block, found by the keys it wrote, at the cost of the change. */
#ifndef NODE_SHELL_AUDIT_AUDIT_ROWS_H
#define NODE_SHELL_AUDIT_AUDIT_ROWS_H

#include <libpq-fe.h>

#include "node/verify/verify_compare.h"

/* Prepares the statements, once per connection. */
enum tm_err audit_rows_prepare(PGconn *conn, struct tm_error *e);

/*
 * Reads what verify_executed compares the block with, in the snapshot that is open: rows in the
 * arena; into live, a new map, the tree nodes there were after the block before at the places that
 * the block changed. TM_ERR_MISMATCH: a value no row may have.
 */
enum tm_err audit_rows_read(PGconn *conn, struct arena *a, const struct store_block *block,
                            struct verify_height *rows, struct node_map *live, struct tm_error *e);

#endif
