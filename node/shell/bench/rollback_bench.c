/*
 * Blocks of about 1,000 changes (a send is three: two accounts and the transaction) on a database
 * of many accounts, taken back again. Needs PGHOST, PGUSER (a superuser) and PGDATABASE with a
 * chain of versions_bench; the chain ends where it began.
 */
#include "bench_chain.h"

#include <stdio.h>

enum { SENDS = 333, BLOCKS = 20, ROUNDS = 3, WALLETS_AT_ONCE = SENDS * BLOCKS };

/* The one number a query gives. */
static double number(PGconn *conn, const char *sql)
{
    struct tm_error e;
    PGresult *r;
    double n;

    bench_must(pg_query(conn, sql, NULL, &r, &e), &e);
    n = (double)pg_get_int64(r, 0, 0);
    PQclear(r);
    return n;
}

static void grow(int round)
{
    struct bench_chain c;

    bench_chain_open(&c, bench_connect(NULL), NULL);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        struct bytes raw[SENDS];
        struct arena a;

        arena_init(&a);
        bench_sends(&a, (uint32_t)round * WALLETS_AT_ONCE + i * SENDS, SENDS,
                    (uint64_t)(executor_height(c.x) + 1) * SENDS, raw);
        bench_block(&c, &a, raw, SENDS);
        arena_free(&a);
    }
    bench_chain_close(&c);
}

int main(void)
{
    double each[2][ROUNDS], roots[ROUNDS], changes = 0, start;
    PGconn *conn = bench_connect(NULL);
    struct arena a;

    arena_init(&a);
    /* Every second round right after a checkpoint: each page that is changed then goes into the
     * log. */
    for (int round = 0; round < 2 * ROUNDS; round++) {
        double tip = number(conn, "SELECT height FROM ledger.tip");
        const char *back =
            arena_format(&a, "SELECT sum(removed)::bigint FROM tidemark.rollback_rows(%.0f)", tip);

        grow(round);
        bench_run(conn, "VACUUM ANALYZE");
        if (round % 2 == 1)
            bench_run(conn, "CHECKPOINT");
        changes = number(conn, arena_format(&a,
                                            "SELECT count(*) "
                                            "FROM ledger.change WHERE height > %.0f",
                                            tip));
        start = bench_msec();
        number(conn, back);
        each[round % 2][round / 2] = (bench_msec() - start) * 1000 / changes;
        start = bench_msec();
        if (number(conn, arena_format(&a,
                                      "SELECT count(*) FROM tidemark.verify_state(%.0f) "
                                      "WHERE ok",
                                      tip)) != TREES)
            bench_must(TM_ERR_MISMATCH, &(struct tm_error){.text = "the roots are not those"});
        roots[round / 2] = bench_msec() - start;
    }
    bench_print("rollback: changes of a block", changes / BLOCKS, "changes");
    bench_print("rollback of 1,000 changes", bench_median(each[0], ROUNDS), "ms");
    bench_print("rollback of 1,000 changes: after a checkpoint", bench_median(each[1], ROUNDS),
                "ms");
    bench_print("rollback: roots, once", bench_median(roots, ROUNDS), "ms");
    arena_free(&a);
    PQfinish(conn);
    return 0;
}
