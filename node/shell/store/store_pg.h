/* What the files of the PostgreSQL store share. */
#ifndef NODE_SHELL_STORE_STORE_PG_H
#define NODE_SHELL_STORE_STORE_PG_H

#include "node/shell/pg/pg_session.h"
#include "statements.h"
#include "store.h"

struct store_pg {
    PGconn *conn;
    height_t at;   /* rows are read as of this height (store_at.h); HEIGHT_NONE: as they are now */
    bool in_doubt; /* a commit's answer was lost: read the tip before anything else */
};

/* Settings and prepared statements, once per connection. */
enum tm_err store_prepare(PGconn *conn, struct tm_error *e);
/* Those statements that read the chain's constants and a block whole. */
enum tm_err store_prepare_blocks(PGconn *conn, struct tm_error *e);

/* Brings a broken connection back (PQreset); TM_ERR_IO while the server cannot be reached. */
enum tm_err store_reconnect(struct store_pg *s, struct tm_error *e);

/* The methods of struct store. */
enum tm_err store_pg_chain(void *ctx, struct arena *a, struct store_chain *out, struct tm_error *e);
enum tm_err store_pg_block(void *ctx, struct arena *a, height_t height, struct block *out,
                           struct tm_error *e);
enum tm_err store_pg_tip(void *ctx, height_t *height, struct hash32 *state_hash,
                         struct tm_error *e);
enum tm_err store_pg_base(void *ctx, struct arena *a, const struct record *const **out,
                          size_t *count, struct tm_error *e);
enum tm_err store_pg_fetch(void *ctx, struct arena *a, struct store_key *keys, size_t count,
                           struct tm_error *e);
enum tm_err store_pg_pages(void *ctx, struct arena *a, struct store_page *pages, size_t count,
                           struct tm_error *e);
enum tm_err store_pg_apply(void *ctx, const struct store_block *const *blocks, size_t count,
                           struct tm_error *e);

/*
 * Writing consecutive blocks inside an open transaction, in pipeline mode: the fence of the first
 * and all rows, one statement per table; the digests of the rows as stored come back block by
 * block.
 */
struct block_writing {
    const struct store_block *block;
    struct hash32 stored[TREES], stored_nodes;
};

struct batch_writing {
    struct block_writing *blocks; /* in the arena */
    size_t count;
    bool has_table[TREES + 1]; /* by tree; TREES: tree nodes */
    bool has_changes;
    size_t totals_sent; /* statements of totals_send */
    int64_t large_rows; /* see totals_receive */
    bool fence_held;    /* the tip was the block before the first */
};

struct large_floor;
enum tm_err batch_send(PGconn *conn, struct arena *a, const struct store_block *const *blocks,
                       size_t count, const struct large_floor *floor, struct batch_writing *w,
                       struct tm_error *e);
enum tm_err batch_receive(PGconn *conn, struct batch_writing *w, struct tm_error *e);

/* The seals, each with the tip at its block, all in one go. */
enum tm_err batch_send_seals(PGconn *conn, struct arena *a, const struct batch_writing *w,
                             struct tm_error *e);
enum tm_err batch_receive_seals(PGconn *conn, const struct batch_writing *w, struct tm_error *e);

#endif
