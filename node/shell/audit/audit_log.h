/* ops.audit and ops.audit_progress: where the audit stands and what it found. */
#ifndef NODE_SHELL_AUDIT_AUDIT_LOG_H
#define NODE_SHELL_AUDIT_AUDIT_LOG_H

#include <libpq-fe.h>

#include "node/audit/plan.h"
#include "protocol/base/arena.h"
#include "protocol/base/error.h"

/* Rows of what held that are kept in ops.audit, the latest; findings are kept all. Some megabytes.
 */
enum { AUDIT_ROWS_KEPT = 10000 };

/* Prepares the statements, once per connection, and checks that this role may write the tables. */
enum tm_err audit_log_prepare(PGconn *conn, struct tm_error *e);

/* The rows as they stand in a snapshot. */
struct audit_log_state {
    height_t earliest, tip;
    height_t cursor[AUDIT_KINDS]; /* HEIGHT_NONE: none */
    int64_t rollbacks;
    bool moved; /* a cursor's block has another hash or is not there: the chain was replaced */
};

/* TM_ERR_NOT_FOUND: the database has no chain. */
enum tm_err audit_log_read(PGconn *conn, struct audit_log_state *out, struct tm_error *e);

/* Forgets how far the audit had come. */
enum tm_err audit_log_restart(PGconn *conn, struct tm_error *e);

/* State hash of a stored block, in the arena; empty: there is none of 32 bytes. */
enum tm_err audit_log_state_hash(PGconn *conn, struct arena *a, height_t height, struct bytes *out,
                                 struct tm_error *e);

enum audit_outcome { AUDIT_HELD, AUDIT_FOUND, AUDIT_SKIPPED };

struct audit_entry {
    enum audit_kind kind;
    height_t first, last;
    enum audit_outcome outcome;
    struct bytes state_hash; /* of block `last`; empty: none */
    struct bytes findings;   /* AUDIT_HELD: empty */
    int64_t msec;
    bool moves; /* the cursor goes to `last` */
};

/*
 * Writes entries made in a snapshot in one transaction and moves the cursors. Where a rollback (or
 * another audit) moved them since `seen` was read, what held is not written and *overtaken is set;
 * findings are written in any case.
 */
enum tm_err audit_log_write(PGconn *conn, const struct audit_log_state *seen,
                            const struct audit_entry *entries, size_t count, bool *overtaken,
                            struct tm_error *e);

#endif
