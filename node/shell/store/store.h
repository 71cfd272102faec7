/* The chain in PostgreSQL: `struct store` over one libpq connection, and what must hold for it. */
#ifndef NODE_SHELL_STORE_STORE_H
#define NODE_SHELL_STORE_STORE_H

#include <libpq-fe.h>

#include "node/store/store.h"

struct store_pg;

/*
 * Sets the session (architecture.md 3, determinism firewall) and checks server and database: UTF8,
 * C collation, fsync, full_page_writes, not in recovery, no user triggers, rules or policies on
 * `ledger`, no event triggers, build id of the extension, version of schema and server.
 * TM_ERR_CONFIG: what is wrong and what to do.
 */
enum tm_err store_check(PGconn *conn, struct tm_error *e);

/* The part of it that needs no schema: server, encoding, collation, settings, event triggers. */
enum tm_err store_check_server(PGconn *conn, struct tm_error *e);

/* store_check, then a store over the connection, which it borrows (and may PQreset) until closed.
 */
enum tm_err store_open(PGconn *conn, struct store_pg **out, struct tm_error *e);
void store_close(struct store_pg *s);

/* The interface; valid until store_close. */
struct store store_of(struct store_pg *s);

/*
 * Writes the chain's constants, the file itself and block 0, in one transaction. Connected as owner
 * or tidemark_node. TM_ERR_EXISTS: there is a chain already. Under `standard` it also adds the
 * CHECK constraints on amounts.
 */
enum tm_err store_load_genesis(PGconn *conn, const struct genesis *genesis, struct bytes file,
                               struct hash32 *state_hash, struct tm_error *e);

#endif
