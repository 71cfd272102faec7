/*
 * verify_state over a large chain against a scan of the accounts plus four hashes for each of them
 * (path, value, leaf, inner node) on the same processors. Needs PGHOST, PGUSER and PGDATABASE.
 */
#include "bench_chain.h"

#include <stdlib.h>

#include "protocol/sha256/sha256.h"

enum { ROUNDS = 5, ROWS_PER_JOB = 8192, ADDRESS_SIZE = 20, LEAF_SIZE = 54 };

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

int main(void)
{
    PGconn *conn = bench_connect(NULL);
    struct workers *workers = workers_start(0);
    struct executor_workers pool = workers_of(workers);
    size_t rows = count_accounts(conn);
    double verify[ROUNDS], scan[ROUNDS], hashes[ROUNDS], ratio[ROUNDS];

    bench_run(conn, "VACUUM ANALYZE ledger.account");
    for (int i = 0; i < ROUNDS; i++) {
        double start;

        verify[i] = timed(conn, "DO $$ BEGIN ASSERT (SELECT bool_and(v.ok) FROM ledger.tip t,"
                                " tidemark.verify_state(t.height) v); END $$");
        scan[i] = timed(conn, "SELECT count(balance) FROM ledger.account");
        start = bench_msec();
        pool.run(pool.ctx, hash_rows, NULL, rows / ROWS_PER_JOB);
        hashes[i] = bench_msec() - start;
        ratio[i] = verify[i] / (scan[i] + hashes[i]);
    }
    bench_print("verify_state", bench_median(verify, ROUNDS), "ms");
    bench_print("verify_state: scan", bench_median(scan, ROUNDS), "ms");
    bench_print("verify_state: hashes", bench_median(hashes, ROUNDS), "ms");
    bench_print("verify_state: ratio", bench_median(ratio, ROUNDS), "ratio");
    workers_stop(workers);
    PQfinish(conn);
    return 0;
}
