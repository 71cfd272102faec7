/*
 * verify_state over a large chain against a scan of the accounts plus four hashes for each of them
 * (path, value, leaf, inner node) on the same processors. Needs PGHOST, PGUSER and PGDATABASE.
 *
 *   verify_bench tip       at the tip
 *   verify_bench middle    at the middle height, after giving the accounts a history of their own:
 *                          the roots of the headers are not those of these rows
 */
#include "bench_chain.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/sha256/sha256.h"

enum { HEIGHTS = 1000, ROUNDS = 5, ROWS_PER_JOB = 8192, ADDRESS_SIZE = 20, LEAF_SIZE = 54 };

static double timed(PGconn *conn, const char *sql)
{
    double start = bench_msec();

    bench_run(conn, sql);
    return bench_msec() - start;
}

/* Four hashes for each of ROWS_PER_JOB rows. */
static void hash_rows(void *arg, size_t index)
{
    static _Thread_local struct hash32 path[ROWS_PER_JOB], value[ROWS_PER_JOB], out[ROWS_PER_JOB];
    static _Thread_local const struct hash32 *left[ROWS_PER_JOB], *right[ROWS_PER_JOB];
    static _Thread_local struct hash32 *to[ROWS_PER_JOB];
    uint8_t leaf[LEAF_SIZE] = {(uint8_t)index};

    (void)arg;
    for (size_t i = 0; i < ROWS_PER_JOB; i++) {
        memcpy(leaf, &i, sizeof i);
        path[i] = sha256(bytes_make(leaf, ADDRESS_SIZE));
        value[i] = sha256(bytes_make(leaf, LEAF_SIZE));
        left[i] = &path[i];
        right[i] = &value[i];
        to[i] = &out[i];
    }
    sha256_nodes(0, left, right, to, ROWS_PER_JOB);
    for (size_t i = 0; i < ROWS_PER_JOB; i++)
        left[i] = right[i] = &out[i];
    for (size_t i = 0; i < ROWS_PER_JOB; i++)
        to[i] = &path[i];
    sha256_nodes(1, left, right, to, ROWS_PER_JOB);
}

static size_t count_accounts(PGconn *conn)
{
    struct pg_params none;
    struct tm_error e;
    PGresult *r;
    size_t count;

    pg_params_init(&none, NULL);
    bench_must(pg_query(conn, "SELECT count(*) FROM ledger.account", &none, &r, &e), &e);
    count = (size_t)pg_get_int64(r, 0, 0);
    PQclear(r);
    return count;
}

/*
 * Half of the accounts change twice at any two heights, written in the order of a chain: of what
 * was true at the middle height, three rows of eight lie in the history.
 */
static void make_history(PGconn *conn)
{
    struct arena a;

    arena_init(&a);
    bench_run(conn,
              arena_format(&a,
                           "CREATE UNLOGGED TABLE public.mover AS SELECT m.address, m.balance,"
                           " least(m.x, m.y) AS first, greatest(m.x, m.y) AS second FROM ("
                           "SELECT address, balance,"
                           " 1 + abs(hashtextextended(encode(address, 'hex'), 1) %% %d) AS x,"
                           " 1 + abs(hashtextextended(encode(address, 'hex'), 2) %% %d) AS y"
                           " FROM ledger.account WHERE get_byte(address, 0) < 128) m"
                           " WHERE m.x <> m.y",
                           HEIGHTS, HEIGHTS));
    bench_run(conn, "INSERT INTO ledger.account_history"
                    " (address, valid_from, valid_to, class, balance)"
                    " SELECT v.address, v.begins, v.ends,"
                    " ledger.lifetime_class(v.ends - v.begins), v.balance FROM ("
                    "SELECT address, 0 AS begins, first AS ends, balance FROM public.mover"
                    " UNION ALL SELECT address, first, second, balance + 1 FROM public.mover) v"
                    " ORDER BY v.ends");
    bench_run(conn, "UPDATE ledger.account a SET valid_from = m.second, balance = m.balance + 2"
                    " FROM public.mover m WHERE m.address = a.address");
    bench_run(conn, arena_format(&a, "UPDATE ledger.tip SET height = %d", HEIGHTS));
    bench_run(conn, "VACUUM ANALYZE ledger.account");
    bench_run(conn, "VACUUM ANALYZE ledger.account_history");
    bench_run(conn, "CHECKPOINT");
    arena_free(&a);
}

/* One value as text, in the arena. */
static const char *ask(PGconn *conn, struct arena *a, const char *sql)
{
    struct pg_params none;
    struct tm_error e;
    const char *text;
    PGresult *r;

    pg_params_init(&none, NULL);
    bench_must(pg_query(conn, sql, &none, &r, &e), &e);
    text = arena_text(a, pg_get_bytes(r, 0, 0));
    PQclear(r);
    return text;
}

static void measure(PGconn *conn, const char *name, const char *verify_sql, const char *scan_sql)
{
    struct workers *workers = workers_start(0);
    struct executor_workers pool = workers_of(workers);
    size_t rows = count_accounts(conn);
    double verify[ROUNDS], scan[ROUNDS], hashes[ROUNDS], ratio[ROUNDS];
    struct arena a;

    arena_init(&a);
    for (int i = 0; i < ROUNDS; i++) {
        double start;

        verify[i] = timed(conn, verify_sql);
        scan[i] = timed(conn, scan_sql);
        start = bench_msec();
        pool.run(pool.ctx, hash_rows, NULL, rows / ROWS_PER_JOB);
        hashes[i] = bench_msec() - start;
        ratio[i] = verify[i] / (scan[i] + hashes[i]);
    }
    bench_print(name, bench_median(verify, ROUNDS), "ms");
    bench_print(arena_format(&a, "%s: scan", name), bench_median(scan, ROUNDS), "ms");
    bench_print(arena_format(&a, "%s: hashes", name), bench_median(hashes, ROUNDS), "ms");
    bench_print(arena_format(&a, "%s: ratio", name), bench_median(ratio, ROUNDS), "ratio");
    arena_free(&a);
    workers_stop(workers);
}

static void measure_tip(PGconn *conn)
{
    bench_run(conn, "VACUUM ANALYZE ledger.account");
    measure(conn, "verify_state",
            "DO $$ BEGIN ASSERT (SELECT bool_and(v.ok) FROM ledger.tip t,"
            " tidemark.verify_state(t.height) v); END $$",
            "SELECT count(balance) FROM ledger.account");
}

static void measure_middle(PGconn *conn)
{
    struct arena a;
    const char *at, *rows;

    arena_init(&a);
    make_history(conn);
    at = arena_format(&a, "%d", HEIGHTS / 2);
    rows =
        ask(conn, &a,
            arena_format(&a, "SELECT ledger.rows_at('account', '%s', 'v.address, v.balance')", at));
    bench_run(conn,
              arena_format(&a,
                           "DO $$ BEGIN ASSERT (SELECT r.root = tidemark.smt_root(v.address,"
                           " tidemark.encode_account(v.address, v.balance))"
                           " AND r.leaves = count(*) FROM (%s) v,"
                           " tidemark.tree_root(4::smallint, %s) r GROUP BY r.root, r.leaves);"
                           " END $$",
                           rows, at));
    measure(conn, "verify_state, middle height",
            arena_format(&a, "SELECT tidemark.verify_state(%s)", at),
            arena_format(&a, "SELECT count(v.balance) FROM (%s) v", rows));
    arena_free(&a);
}

int main(int argc, char **argv)
{
    PGconn *conn;

    if (argc == 2 && strcmp(argv[1], "tip") == 0) {
        conn = bench_connect(NULL);
        measure_tip(conn);
    } else if (argc == 2 && strcmp(argv[1], "middle") == 0) {
        conn = bench_connect(NULL);
        measure_middle(conn);
    } else {
        fprintf(stderr, "usage: verify_bench tip | middle\n");
        return 2;
    }
    PQfinish(conn);
    return 0;
}
