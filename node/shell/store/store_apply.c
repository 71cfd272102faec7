/* Decided blocks into the database: one transaction, sealed block by block. */
#include "store_pg.h"
#include "store_totals.h"

#include <time.h>

/* Attempts to reach the server after a commit whose answer was lost, and the pause between. */
enum { DOUBT_ATTEMPTS = 20, DOUBT_PAUSE_MSEC = 250 };

static void pause_msec(long msec)
{
    struct timespec t = {msec / 1000, msec % 1000 * 1000000};

    nanosleep(&t, NULL);
}

/* All rows of the blocks; the seals are still to come. */
static enum tm_err write_rows(PGconn *conn, struct arena *a,
                              const struct store_block *const *blocks, size_t count,
                              const struct large_floor *floor, struct batch_writing *w,
                              bool *fence_lost, struct tm_error *e)
{
    PGresult *r;
    enum tm_err err = pg_send(conn, "BEGIN", e);

    if (err == TM_OK)
        err = batch_send(conn, a, blocks, count, floor, w, e);
    if (err == TM_OK)
        err = pg_sync(conn, e);
    if (err == TM_OK) {
        err = pg_receive(conn, "BEGIN", &r, e);
        PQclear(r);
    }
    if (err != TM_OK)
        return err;
    err = batch_receive(conn, w, e);
    *fence_lost = err == TM_ERR_MISMATCH && !w->fence_held;
    return err == TM_OK ? pg_synced(conn, e) : err;
}

/* Seals and commit in one round trip; a lost answer leaves the store in doubt. */
static enum tm_err seal_and_commit(struct store_pg *s, struct arena *a,
                                   const struct batch_writing *w, struct tm_error *e)
{
    PGresult *r;
    enum tm_err err = batch_send_seals(s->conn, a, w, e);

    if (err == TM_OK)
        err = pg_send(s->conn, "COMMIT", e);
    if (err == TM_OK)
        err = pg_sync(s->conn, e);
    if (err == TM_OK)
        err = batch_receive_seals(s->conn, w, e);
    if (err != TM_OK) {
        s->in_doubt = PQstatus(s->conn) != CONNECTION_OK;
        return err;
    }
    err = pg_receive(s->conn, "COMMIT", &r, e);
    if (err != TM_OK)
        s->in_doubt = true;
    else if (strcmp(PQcmdStatus(r), "COMMIT") != 0)
        err = tm_fail(e, TM_ERR_MISMATCH, "the server answered COMMIT with %s", PQcmdStatus(r));
    PQclear(r);
    if (err == TM_OK)
        err = pg_synced(s->conn, e);
    return err;
}

/* A hint for listeners, outside the transaction: a full queue must not stop commits. */
static void notify(struct store_pg *s, uint64_t height)
{
    struct arena a;
    struct pg_params p;
    struct tm_error ignored;
    PGresult *r = NULL;

    arena_init(&a);
    pg_params_init(&p, &a);
    pg_param_bytes(&p, bytes_of(arena_format(&a, "%llu", (unsigned long long)height)));
    pg_query_prepared(s->conn, "notify", &p, &r, &ignored);
    PQclear(r);
    arena_free(&a);
}

/* How many of the blocks the database already has; TM_ERR_MISMATCH if it has others there. */
static enum tm_err already_there(struct store_pg *s, const struct store_block *const *blocks,
                                 size_t count, size_t *there, struct tm_error *e)
{
    struct arena a;
    struct hash32 state_hash;
    height_t height;
    enum tm_err err = store_pg_tip(s, &height, &state_hash, e);

    *there = 0;
    if (err != TM_OK)
        return err;
    arena_init(&a);
    while (*there < count && (height_t)blocks[*there]->header.height <= height && err == TM_OK) {
        const struct block_header *h = &blocks[*there]->header;
        struct block b;

        err = store_pg_block(s, &a, (height_t)h->height, &b, e);
        if (err == TM_OK && !hash32_equal(&b.header.state_hash, &h->state_hash))
            err = tm_fail(e, TM_ERR_MISMATCH,
                          "the database holds another block %llu: is a second node writing to it?",
                          (unsigned long long)h->height);
        (*there)++;
    }
    arena_free(&a);
    return err;
}

static enum tm_err write_once(struct store_pg *s, const struct store_block *const *blocks,
                              size_t count, bool *fence_lost, struct tm_error *e)
{
    struct arena a;
    struct batch_writing w;
    struct large_floor floor;
    struct tm_error ignored;
    enum tm_err err;

    arena_init(&a);
    err = large_floor_read(s->conn, &a, &floor, e);
    if (err == TM_OK && PQenterPipelineMode(s->conn) != 1)
        err = pg_error(s->conn, NULL, "database", e);
    if (err == TM_OK)
        err = write_rows(s->conn, &a, blocks, count, &floor, &w, fence_lost, e);
    if (err == TM_OK)
        err = seal_and_commit(s, &a, &w, e);
    pg_abandon_pipeline(s->conn);
    if (err != TM_OK && PQtransactionStatus(s->conn) != PQTRANS_IDLE)
        pg_run(s->conn, "ROLLBACK", &ignored);
    if (err == TM_OK)
        large_balances_tend(s->conn, &floor, w.large_rows);
    arena_free(&a);
    return err;
}

/* After a commit without answer: waits for the server, then looks. */
static enum tm_err resolve_doubt(struct store_pg *s, const struct store_block *const *blocks,
                                 size_t count, size_t *there, struct tm_error *e)
{
    enum tm_err err = TM_ERR_IO;

    for (int i = 0; i < DOUBT_ATTEMPTS && err == TM_ERR_IO; i++) {
        if (i > 0)
            pause_msec(DOUBT_PAUSE_MSEC);
        err = store_reconnect(s, e);
        if (err == TM_OK)
            err = already_there(s, blocks, count, there, e);
    }
    s->in_doubt = err == TM_ERR_IO;
    return err;
}

enum tm_err store_pg_apply(void *ctx, const struct store_block *const *blocks, size_t count,
                           struct tm_error *e)
{
    struct store_pg *s = ctx;
    size_t there = 0;
    bool fence_lost = false;
    enum tm_err err = TM_OK;

    if (count == 0)
        return TM_OK;
    if (s->in_doubt)
        err = resolve_doubt(s, blocks, count, &there, e);
    if (err == TM_OK)
        err = store_reconnect(s, e);
    if (err == TM_OK && there < count)
        err = write_once(s, blocks + there, count - there, &fence_lost, e);
    if (err != TM_OK && (s->in_doubt || fence_lost)) {
        /* Was it this very block that is there already? */
        enum tm_err looked = resolve_doubt(s, blocks, count, &there, e);

        if (looked != TM_OK)
            err = looked;
        else if (there == count)
            err = TM_OK;
        else if (there > 0 || !fence_lost) {
            fence_lost = false;
            err = write_once(s, blocks + there, count - there, &fence_lost, e);
        } else {
            err = tm_fail(e, TM_ERR_MISMATCH,
                          "ledger.tip is not the block that block %llu was built upon: is a second "
                          "node writing to this database?",
                          (unsigned long long)blocks[0]->header.height);
        }
    }
    if (err == TM_OK)
        notify(s, blocks[count - 1]->header.height);
    return err;
}
