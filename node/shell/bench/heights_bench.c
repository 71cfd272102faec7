/*
 * Reading the state at heights that are past: all accounts, one account, what differs. Needs
 * PGHOST, PGUSER and PGDATABASE with a chain of versions_bench; ACCOUNTS is the number given to
 * that. Peers are made beside it, in a schema of their own, out of the same versions.
 *
 *   heights_bench ACCOUNTS
 */
#include "bench_chain.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 15, DIFF_ROUNDS = 15, SLOW_ROUNDS = 3, KEYS = 4000, DISTANCE = 100 };

/* Every column is read, on both sides. */
#define READ_ALL(table) "SELECT count(address), sum(balance_upokt), max(valid_from) FROM " table

static const char PEERS[] =
    "CREATE SCHEMA peer;"
    "CREATE TABLE peer.append AS"
    "  SELECT address, valid_from AS height, balance AS balance_upokt FROM ledger.account"
    "  UNION ALL SELECT address, valid_from, balance FROM ledger.account_history;"
    "CREATE INDEX ON peer.append (address, height DESC);"
    "CREATE TABLE peer.ranges AS"
    "  SELECT address, int8range(valid_from, NULL) AS lifetime, valid_from,"
    "    balance AS balance_upokt FROM ledger.account"
    "  UNION ALL SELECT address, int8range(valid_from, valid_to), valid_from, balance"
    "  FROM ledger.account_history;"
    "CREATE INDEX ON peer.ranges USING gist (lifetime);";

static double timed(PGconn *conn, const char *sql)
{
    double start = bench_msec();
    PGresult *r = PQexec(conn, sql);
    double msec = bench_msec() - start;

    if (PQresultStatus(r) != PGRES_TUPLES_OK) {
        fprintf(stderr, "%s: %s", sql, PQerrorMessage(conn));
        exit(1);
    }
    PQclear(r);
    return msec;
}

/*
 * The buffers of a server that has run for a while: rows of accounts with their indexes, tree nodes
 * as proofs read them, as far as there is room. The large peers give theirs back.
 */
static void warm(PGconn *conn)
{
    bench_run(conn, "DROP TABLE peer.append, peer.ranges");
    bench_run(conn, "CREATE EXTENSION IF NOT EXISTS pg_prewarm");
    timed(conn, "SELECT sum(pg_prewarm(c.oid)) FROM pg_class c "
                "WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'i') "
                "AND c.relpages > 0 AND c.relname ~ '^(account|tree_node)' "
                "AND c.relname !~ '^tree_node_history_.$'");
}

/* Medians of both queries, run in turn, and of the ratios of the first to the second. */
static void compare(PGconn *conn, const char *name, const char *ours, const char *peer_name,
                    const char *peer, int rounds)
{
    double *list = malloc(sizeof *list * (size_t)rounds * 3);
    char text[200];

    timed(conn, ours);
    timed(conn, peer);
    for (int i = 0; i < rounds; i++) {
        list[i] = timed(conn, ours);
        list[rounds + i] = timed(conn, peer);
        list[2 * rounds + i] = list[i] / list[rounds + i];
    }
    snprintf(text, sizeof text, "%s, against %s", name, peer_name);
    bench_print(text, bench_median(list, (size_t)rounds), "ms");
    snprintf(text, sizeof text, "%s: %s", name, peer_name);
    bench_print(text, bench_median(list + rounds, (size_t)rounds), "ms");
    snprintf(text, sizeof text, "%s: ratio to %s", name, peer_name);
    bench_print(text, bench_median(list + 2 * rounds, (size_t)rounds), "ratio");
    free(list);
}

static void whole_state(PGconn *conn, const char *name, long long height)
{
    char sql[300], ours[300];

    snprintf(sql, sizeof sql,
             "CREATE TABLE peer.%s AS SELECT address, balance_upokt, valid_from "
             "FROM state.account_at(%lld)",
             name, height);
    bench_run(conn, sql);
    snprintf(sql, sizeof sql, "VACUUM ANALYZE peer.%s", name);
    bench_run(conn, sql);
    snprintf(ours, sizeof ours, READ_ALL("state.account_at(%lld)"), height);
    snprintf(sql, sizeof sql, READ_ALL("peer.%s"), name);
    compare(conn, name, ours, "plain table", sql, ROUNDS);
}

static void other_forms(PGconn *conn, long long height)
{
    char ours[300], sql[400];

    snprintf(ours, sizeof ours, READ_ALL("state.account_at(%lld)"), height);
    snprintf(sql, sizeof sql, READ_ALL("peer.ranges") " WHERE lifetime @> %lld::bigint", height);
    compare(conn, "middle", ours, "int8range", sql, SLOW_ROUNDS);
    snprintf(sql, sizeof sql,
             "SELECT count(address), sum(balance_upokt), max(height) FROM (SELECT DISTINCT ON "
             "(address) address, balance_upokt, height FROM peer.append WHERE height <= %lld "
             "ORDER BY address, height DESC) d",
             height);
    compare(conn, "middle", ours, "DISTINCT ON", sql, SLOW_ROUNDS);
}

static double one_key(PGconn *conn, const char *statement, const struct address *key,
                      const int64_t *height)
{
    struct pg_params p;
    struct tm_error e;
    struct arena a;
    PGresult *r;
    double start, msec;

    arena_init(&a);
    pg_params_init(&p, &a);
    pg_param_bytes(&p, bytes_address(key));
    if (height != NULL)
        pg_param_int64(&p, *height);
    start = bench_msec();
    bench_must(pg_query_prepared(conn, statement, &p, &r, &e), &e);
    msec = bench_msec() - start;
    PQclear(r);
    arena_free(&a);
    return msec;
}

static void keys(PGconn *conn, uint32_t accounts, long long tip)
{
    static double ours[KEYS], peer[KEYS];
    struct tm_error e;

    bench_run(conn, "ALTER TABLE peer.middle ADD PRIMARY KEY (address)");
    bench_must(pg_prepare(conn, "at",
                          "SELECT balance_upokt FROM state.account_at($2::bigint) "
                          "WHERE address = $1::bytea",
                          &e),
               &e);
    bench_must(pg_prepare(conn, "plain",
                          "SELECT balance_upokt FROM peer.middle WHERE address = $1::bytea", &e),
               &e);
    srandom(7);
    for (int i = -KEYS / 10; i < KEYS; i++) {
        struct address key = bench_address((uint32_t)random() % accounts);
        int64_t height = random() % (tip + 1);
        double x = one_key(conn, "at", &key, &height), y = one_key(conn, "plain", &key, NULL);

        if (i >= 0) {
            ours[i] = x;
            peer[i] = y;
        }
    }
    bench_print("one key", bench_median(ours, KEYS), "ms");
    bench_print("one key: plain table", bench_median(peer, KEYS), "ms");
}

static void differences(PGconn *conn, long long from)
{
    char ours[200], sql[300];
    PGresult *r;
    struct tm_error e;

    snprintf(ours, sizeof ours, "SELECT * FROM tidemark.diff('account', %lld, %lld)", from,
             from + DISTANCE);
    snprintf(sql, sizeof sql, "CREATE TABLE peer.answer AS %s", ours);
    bench_run(conn, sql);
    bench_run(conn, "VACUUM ANALYZE peer.answer");
    bench_must(pg_query(conn, "SELECT count(*) FROM peer.answer", NULL, &r, &e), &e);
    bench_print("diff of 100 heights: rows", (double)pg_get_int64(r, 0, 0), "rows");
    PQclear(r);
    compare(conn, "diff of 100 heights", ours, "plain table", "SELECT * FROM peer.answer",
            DIFF_ROUNDS);
}

int main(int argc, char **argv)
{
    PGconn *conn;
    PGresult *r;
    long long tip;
    struct tm_error e;

    if (argc != 2) {
        fprintf(stderr, "usage: heights_bench ACCOUNTS\n");
        return 2;
    }
    conn = bench_connect(NULL);
    bench_run(conn, "SET client_min_messages = warning");
    bench_run(conn, "SET maintenance_work_mem = '512MB'");
    bench_run(conn, PEERS);
    bench_run(conn, "VACUUM ANALYZE peer.append, peer.ranges");
    bench_must(pg_query(conn, "SELECT height FROM ledger.tip", NULL, &r, &e), &e);
    tip = pg_get_int64(r, 0, 0);
    PQclear(r);
    bench_run(conn, "SET max_parallel_workers_per_gather = 0");
    whole_state(conn, "tip", tip);
    whole_state(conn, "middle", tip / 2);
    whole_state(conn, "early", tip / 100);
    other_forms(conn, tip / 2);
    warm(conn);
    differences(conn, tip / 2);
    bench_pin_session(conn);
    keys(conn, (uint32_t)strtoul(argv[1], NULL, 10), tip);
    bench_run(conn, "DROP SCHEMA peer CASCADE");
    PQfinish(conn);
    return 0;
}
