/* What the files of the PostgreSQL store share. */
#ifndef NODE_SHELL_STORE_PG_H
#define NODE_SHELL_STORE_PG_H

#include "pg_session.h"
#include "statements.h"
#include "store.h"

struct store_pg {
    PGconn *conn;
    bool in_doubt; /* a commit's answer was lost: read the tip before anything else */
    double apply_msec;
};

/* Settings and prepared statements, once per connection. */
enum tm_err store_prepare(PGconn *conn, struct tm_error *e);

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
 * Writing one block inside an open transaction, in pipeline mode. send queues the fence (not at
 * height 0) and all rows; receive takes the digests of the rows as stored; seal queues the seal.
 */
struct block_writing {
    const struct store_block *block;
    bool has_tree[TREES], has_nodes;
    struct hash32 stored[TREES], stored_nodes;
    bool fence_held; /* the tip was the previous block */
};

enum tm_err block_send(PGconn *conn, struct arena *a, const struct store_block *b,
                       struct block_writing *w, struct tm_error *e);
enum tm_err block_receive(PGconn *conn, struct block_writing *w, struct tm_error *e);
enum tm_err block_send_seal(PGconn *conn, struct arena *a, const struct block_writing *w,
                            struct tm_error *e);

#endif
