/* How far a replica is, and whether it is the same chain. */
#include "replica.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/shell/cluster/database.h"

/* A query that stood in the way of what the node cleaned up is cancelled; the next one is not. */
enum { CONFLICT_TRIES = 3, ROOTS = 10, ROOT_NAME = 0, ROOT_HEX = 1 };

static const char PRIMARY_QUERY[] =
    "SELECT t.height, pg_catalog.date_part('epoch', b.block_time), pg_catalog.pg_current_wal_lsn()"
    " FROM ledger.tip t JOIN ledger.block b USING (height)";
static const char REPLICA_QUERY[] =
    "SELECT t.height, pg_catalog.date_part('epoch', b.block_time),"
    " pg_catalog.pg_wal_lsn_diff($1::pg_catalog.pg_lsn, pg_catalog.pg_last_wal_replay_lsn()),"
    " coalesce((SELECT w.status FROM pg_catalog.pg_stat_wal_receiver w), '')"
    " FROM ledger.tip t JOIN ledger.block b USING (height)";
static const char PRIMARY_ROOTS[] =
    "SELECT pg_catalog.encode(b.state_hash, 'hex'),"
    " pg_catalog.encode(r.root, 'hex')"
    " FROM ledger.block b CROSS JOIN LATERAL pg_catalog.unnest(b.tree_roots)"
    " WITH ORDINALITY r(root, number)"
    " WHERE b.height OPERATOR(pg_catalog.=) $1::pg_catalog.int8 ORDER BY r.number";
static const char REPLICA_ROOTS[] =
    "SELECT v.tree, pg_catalog.encode(v.recomputed_root, 'hex'),"
    " pg_catalog.encode(tidemark.state_hash($1::pg_catalog.int8), 'hex')"
    " FROM tidemark.verify_state($1::pg_catalog.int8) v";

static enum tm_err ask(PGconn *conn, const char *sql, const char *value, int rows, const char *what,
                       PGresult **out, struct tm_error *e)
{
    const char *const values[] = {value};
    enum tm_err err = TM_OK;

    for (int try = 1;; try++) {
        const char *state;

        *out = PQexecParams(conn, sql, value != NULL ? 1 : 0, NULL, values, NULL, NULL, 0);
        if (PQresultStatus(*out) == PGRES_TUPLES_OK)
            break;
        state = PQresultErrorField(*out, PG_DIAG_SQLSTATE);
        if (try == CONFLICT_TRIES || state == NULL || strcmp(state, "40001") != 0) {
            err = database_fail(conn, *out, what, e);
            break;
        }
        PQclear(*out);
    }
    if (err == TM_OK && PQntuples(*out) != rows)
        err = tm_fail(e, TM_ERR_NOT_FOUND, "%s: no such block", what);
    if (err != TM_OK) {
        PQclear(*out);
        *out = NULL;
    }
    return err;
}

enum tm_err replica_state_read(PGconn *primary, PGconn *replica, struct replica_state *out,
                               struct tm_error *e)
{
    PGresult *p = NULL, *r = NULL;
    enum tm_err err = ask(primary, PRIMARY_QUERY, NULL, 1, "cannot read the node's tip", &p, e);

    if (err == TM_OK)
        err = ask(replica, REPLICA_QUERY, PQgetvalue(p, 0, 2), 1, "cannot read the replica's tip",
                  &r, e);
    if (err == TM_OK) {
        /* The replica was asked later and may be ahead of the node's answer. */
        double seconds = strtod(PQgetvalue(p, 0, 1), NULL) - strtod(PQgetvalue(r, 0, 1), NULL);
        int64_t bytes = strtoll(PQgetvalue(r, 0, 2), NULL, 10);

        out->primary_height = strtoll(PQgetvalue(p, 0, 0), NULL, 10);
        out->height = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
        out->bytes_behind = bytes > 0 ? bytes : 0;
        out->seconds_behind = seconds > 0 ? seconds : 0;
        snprintf(out->status, sizeof out->status, "%.31s", PQgetvalue(r, 0, 3));
    }
    PQclear(p);
    PQclear(r);
    return err;
}

enum tm_err replica_check_roots(PGconn *primary, PGconn *replica, int64_t h, struct tm_error *e)
{
    PGresult *p = NULL, *r = NULL;
    char height[24];
    enum tm_err err;

    snprintf(height, sizeof height, "%" PRId64, h);
    err = ask(primary, PRIMARY_ROOTS, height, ROOTS, "cannot read the node's header", &p, e);
    if (err == TM_OK)
        err = ask(replica, REPLICA_ROOTS, height, ROOTS, "cannot recompute the replica's trees", &r,
                  e);
    for (int i = 0; err == TM_OK && i < ROOTS; i++)
        if (strcmp(PQgetvalue(p, i, 1), PQgetvalue(r, i, ROOT_HEX)) != 0)
            err = tm_fail(e, TM_ERR_MISMATCH,
                          "at height %s tree %s of the replica has root %.16s…, the node's header "
                          "says %.16s…",
                          height, PQgetvalue(r, i, ROOT_NAME), PQgetvalue(r, i, ROOT_HEX),
                          PQgetvalue(p, i, 1));
    if (err == TM_OK && strcmp(PQgetvalue(p, 0, 0), PQgetvalue(r, 0, 2)) != 0)
        err = tm_fail(e, TM_ERR_MISMATCH,
                      "at height %s the state hash of the replica is %.16s…, the node's %.16s…",
                      height, PQgetvalue(r, 0, 2), PQgetvalue(p, 0, 0));
    PQclear(p);
    PQclear(r);
    return err;
}
