/*
 * The schema: migrations/NNNN_name.sql, each once and in its own transaction, recorded in
 * ledger.migration with its SHA-256; then the files of sql/ in one transaction, again whenever a
 * migration ran or one of those files changed (recorded there as number 0).
 */
#ifndef NODE_SHELL_STORE_MIGRATIONS_H
#define NODE_SHELL_STORE_MIGRATIONS_H

#include <libpq-fe.h>

#include "protocol/base/arena.h"
#include "protocol/base/error.h"

/* What migrations_apply did. */
struct migrations_result {
    int version;        /* number of the last migration */
    int applied;        /* how many it applied now */
    bool surface;       /* the files of sql/ were applied now */
    char extension[32]; /* version of the extension there now */
    bool extension_changed;
};

/*
 * Brings a database up to this program's schema, connected as a superuser. TM_ERR_CONFIG, with what
 * to do: the database is newer than this program, lacks a migration in between, has one that was
 * edited since, or a schema `ledger` that is not ours. A failing file is named with its line and
 * leaves nothing behind.
 */
enum tm_err migrations_apply(PGconn *conn, struct migrations_result *out, struct tm_error *e);

/*
 * The database has exactly this program's schema. TM_ERR_CONFIG, with what to do, if it is older,
 * newer or half migrated. Any role that may read `ledger`.
 */
enum tm_err migrations_check(PGconn *conn, struct tm_error *e);

#endif
