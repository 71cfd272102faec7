/*
 * verify_block of a block of 10,000 sends against writing that block: rows, seal and commit. Needs
 * PGHOST, PGUSER (a superuser) and PGDATABASE with the chain of a genesis file of sends_bench.
 */
#include "bench_chain.h"

enum { SENDS = 10000, ROUNDS = 5 };

int main(void)
{
    struct bench_chain c;
    PGconn *other = bench_connect(NULL);
    double written[ROUNDS], verified[ROUNDS], ratio[ROUNDS];

    bench_chain_open(&c, bench_connect(NULL), NULL);
    for (int round = -1; round < ROUNDS; round++) {
        struct bytes raw[SENDS];
        struct bench_block t;
        struct arena a;
        double start;

        arena_init(&a);
        bench_run(other, "CHECKPOINT");
        bench_sends(&a, 0, SENDS, (uint64_t)(executor_height(c.x) + 1) * SENDS, raw);
        t = bench_block(&c, &a, raw, SENDS);
        start = bench_msec();
        bench_run(other, "DO $$ BEGIN ASSERT (SELECT pg_catalog.bool_and(v.ok) FROM ledger.tip t,"
                         " tidemark.verify_block(t.height) v); END $$");
        if (round >= 0) {
            verified[round] = bench_msec() - start;
            written[round] = t.decide;
            ratio[round] = verified[round] / written[round];
        }
        arena_free(&a);
    }
    bench_print("verify_block", bench_median(verified, ROUNDS), "ms");
    bench_print("verify_block: write, seal, commit", bench_median(written, ROUNDS), "ms");
    bench_print("verify_block: ratio", bench_median(ratio, ROUNDS), "ratio");
    bench_chain_close(&c);
    PQfinish(other);
    return 0;
}
