/* Block 0 and the chain's constants into an empty schema. */
#include "node/executor/genesis_block.h"
#include "store_pg.h"
#include "store_totals.h"

static enum tm_err refuse_second(PGconn *conn, struct tm_error *e)
{
    PGresult *r;
    enum tm_err err = pg_query(conn, "SELECT chain_id FROM ledger.chain", NULL, &r, e);

    if (err != TM_OK)
        return err;
    if (PQntuples(r) > 0)
        err = tm_fail(e, TM_ERR_EXISTS, "the database holds the chain %s already",
                      PQgetvalue(r, 0, 0));
    PQclear(r);
    return err;
}

static enum tm_err insert_chain(PGconn *conn, struct arena *a, const struct genesis *genesis,
                                struct bytes file, struct tm_error *e)
{
    struct pg_params p;
    PGresult *r;
    enum tm_err err;

    pg_params_init(&p, a);
    pg_param_bytes(&p, genesis->chain_id);
    pg_param_bytes(&p, bytes_of(genesis->rules->name));
    pg_param_int64(&p, genesis->seconds);
    pg_param_int32(&p, genesis->nanos);
    pg_param_text(&p, arena_format(a, "%llu", (unsigned long long)genesis->max_block_bytes));
    pg_param_int32(&p, (int32_t)genesis->block_interval_msec);
    pg_param_int32(&p, (int32_t)genesis->empty_block_interval_msec);
    pg_param_bytes(&p, file);
    err = pg_query(conn,
                   "INSERT INTO ledger.chain (chain_id, rules, genesis_seconds, genesis_nanos,\n"
                   "    max_block_bytes, block_interval_msec, empty_block_interval_msec, genesis)\n"
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                   &p, &r, e);
    PQclear(r);
    return err;
}

/* Under `standard` no amount is negative or has more than 78 digits; the tables hold to it. */
static enum tm_err restrict_amounts(PGconn *conn, struct tm_error *e)
{
    struct tm_error why;

    if (pg_run(conn, "SELECT ledger.restrict_amounts()", &why) == TM_OK)
        return TM_OK;
    return tm_fail(e, TM_ERR_CONFIG,
                   "cannot restrict amounts: %.300s; connect as the owner of "
                   "the tables (tidemark_owner) or a superuser",
                   why.text);
}

static enum tm_err write_block(PGconn *conn, struct arena *a, const struct store_block *b,
                               struct tm_error *e)
{
    struct large_floor floor;
    struct batch_writing w;
    enum tm_err err = large_floor_read(conn, a, &floor, e);

    if (err == TM_OK && PQenterPipelineMode(conn) != 1)
        err = pg_error(conn, NULL, "database", e);
    if (err == TM_OK)
        err = batch_send(conn, a, &b, 1, &floor, &w, e);
    if (err == TM_OK)
        err = pg_sync(conn, e);
    if (err == TM_OK)
        err = batch_receive(conn, &w, e);
    if (err == TM_OK)
        err = pg_synced(conn, e);
    if (err == TM_OK)
        err = batch_send_seals(conn, a, &w, e);
    if (err == TM_OK)
        err = pg_sync(conn, e);
    if (err == TM_OK)
        err = batch_receive_seals(conn, &w, e);
    if (err == TM_OK)
        err = pg_synced(conn, e);
    pg_abandon_pipeline(conn);
    return err;
}

enum tm_err store_load_genesis(PGconn *conn, const struct genesis *genesis, struct bytes file,
                               struct hash32 *state_hash, struct tm_error *e)
{
    struct arena a;
    struct store_block block;
    struct tm_error ignored;
    enum tm_err err;

    arena_init(&a);
    err = store_check(conn, e);
    if (err == TM_OK)
        err = store_prepare(conn, e);
    if (err == TM_OK)
        err = refuse_second(conn, e);
    if (err == TM_OK)
        err = genesis_block(&a, genesis, &block, e);
    if (err == TM_OK)
        err = pg_run(conn, "BEGIN", e);
    if (err == TM_OK)
        err = insert_chain(conn, &a, genesis, file, e);
    if (err == TM_OK)
        err = write_block(conn, &a, &block, e);
    if (err == TM_OK && genesis->rules->standard_amounts)
        err = restrict_amounts(conn, e);
    if (err == TM_OK)
        err = pg_run(conn, "COMMIT", e);
    if (err == TM_OK)
        *state_hash = block.header.state_hash;
    else if (PQtransactionStatus(conn) != PQTRANS_IDLE)
        pg_run(conn, "ROLLBACK", &ignored);
    arena_free(&a);
    return err;
}
