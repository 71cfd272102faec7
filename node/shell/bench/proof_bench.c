/*
 * Proofs of random keys at random heights, present and absent, one query each, as one client sees
 * them that shares a processor with its session. Needs PGHOST, PGUSER and PGDATABASE with a chain
 * of versions_bench; ACCOUNTS is the number given to that.
 *
 *   proof_bench ACCOUNTS
 */
#include "bench_chain.h"

#include <stdio.h>
#include <stdlib.h>

enum { PROOFS = 3000, WARM_UP = 1000 };

static uint64_t state = 88172645463325252u;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void measure(PGconn *conn, const char *what, uint32_t first, uint32_t accounts,
                    uint64_t heights)
{
    static double msec[PROOFS], processor[PROOFS];
    int pid = PQbackendPID(conn);
    struct arena a;

    arena_init(&a);
    for (int i = -WARM_UP; i < PROOFS; i++) {
        struct address key = bench_address(first + (uint32_t)(next() % accounts));
        struct pg_params p;
        struct tm_error e;
        PGresult *result;
        double used, start;

        pg_params_init(&p, &a);
        pg_param_bytes(&p, bytes_address(&key));
        pg_param_int64(&p, (int64_t)(next() % heights));
        used = bench_processor_msec(pid);
        start = bench_msec();
        bench_must(pg_query_prepared(conn, "proof", &p, &result, &e), &e);
        if (i >= 0) {
            msec[i] = bench_msec() - start;
            processor[i] = bench_processor_msec(pid) - used;
        }
        PQclear(result);
        arena_reset(&a);
    }
    bench_print(arena_format(&a, "proof of %s: median", what), bench_median(msec, PROOFS), "ms");
    bench_print(arena_format(&a, "proof of %s: p99", what), bench_p99(msec, PROOFS), "ms");
    bench_print(arena_format(&a, "proof of %s: processor, median", what),
                bench_median(processor, PROOFS), "ms");
    bench_print(arena_format(&a, "proof of %s: processor, p99", what), bench_p99(processor, PROOFS),
                "ms");
    arena_free(&a);
}

int main(int argc, char **argv)
{
    uint32_t accounts;
    uint64_t heights;
    PGresult *r;
    PGconn *conn;
    struct tm_error e;

    if (argc != 2) {
        fprintf(stderr, "usage: proof_bench ACCOUNTS\n");
        return 2;
    }
    accounts = (uint32_t)strtoul(argv[1], NULL, 10);
    conn = bench_connect(NULL);
    bench_must(pg_query(conn, "SELECT height + 1 FROM ledger.tip", NULL, &r, &e), &e);
    heights = (uint64_t)pg_get_int64(r, 0, 0);
    PQclear(r);
    bench_must(
        pg_prepare(conn, "proof", "SELECT tidemark.prove('account', $1::bytea, $2::bigint)", &e),
        &e);
    bench_pin_session(conn);
    measure(conn, "a present key", 0, accounts, heights);
    measure(conn, "an absent key", 1u << 31, accounts, heights);
    PQfinish(conn);
    return 0;
}
