/*
 * Blocks of 1,000 sends, and how long it takes from a block's decision to its commit: alone, or
 * while others read. Needs PGHOST, PGUSER (a superuser) and PGDATABASE with a chain of
 * versions_bench.
 *
 *   commits_bench NAME BLOCKS [CPU]     CPU: run there and nowhere else
 */
#include "bench_chain.h"

#include <stdio.h>
#include <stdlib.h>

/* Each run begins with a checkpoint, so that all begin alike; most of the images of whole pages
 * that follow one are written in the blocks to warm up. */
enum { SENDS = 1000, WARM_UP = 20, BLOCKS_MAX = 1000 };

/* Bytes of all tables and indexes of the ledger, or of the tree nodes alone. */
static double stored(PGconn *conn, const char *tables)
{
    struct pg_params p;
    struct tm_error e;
    struct arena a;
    PGresult *r;
    double bytes;

    arena_init(&a);
    pg_params_init(&p, &a);
    pg_param_bytes(&p, bytes_of(tables));
    bench_must(pg_query(conn,
                        "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class WHERE "
                        "relnamespace = 'ledger'::regnamespace AND relkind = 'r' AND relname LIKE "
                        "$1::text",
                        &p, &r, &e),
               &e);
    bytes = (double)pg_get_int64(r, 0, 0);
    PQclear(r);
    arena_free(&a);
    return bytes;
}

static double changed_leaves(PGconn *conn, long long above)
{
    struct tm_error e;
    struct arena a;
    PGresult *r;
    double count;

    arena_init(&a);
    bench_must(pg_query(conn,
                        arena_format(&a,
                                     "SELECT count(DISTINCT (height, tree, key)) "
                                     "FROM ledger.change WHERE height > %lld",
                                     above),
                        NULL, &r, &e),
               &e);
    count = (double)pg_get_int64(r, 0, 0);
    PQclear(r);
    arena_free(&a);
    return count;
}

static void blocks(const char *name, int count)
{
    static double commit[BLOCKS_MAX], whole[BLOCKS_MAX]; /* milliseconds */
    struct bench_chain c;
    double all, nodes, leaves;
    long long first;
    struct arena a;

    arena_init(&a);
    bench_chain_open(&c, bench_connect(NULL), NULL);
    bench_run(c.conn, "CHECKPOINT");
    first = executor_height(c.x);
    all = stored(c.conn, "%");
    nodes = stored(c.conn, "tree_node%");
    for (int i = -WARM_UP; i < count; i++) {
        struct bytes raw[SENDS];
        struct bench_block t;
        uint32_t wallets = BENCH_WALLETS / SENDS;
        struct arena scratch;

        arena_init(&scratch);
        bench_sends(&scratch, (uint32_t)(i + WARM_UP) % wallets * SENDS, SENDS,
                    (uint64_t)(executor_height(c.x) + 1) * SENDS, raw);
        t = bench_block(&c, &scratch, raw, SENDS);
        if (i >= 0) {
            commit[i] = t.decide;
            whole[i] = t.prepare + t.decide;
        }
        arena_free(&scratch);
    }
    leaves = changed_leaves(c.conn, first);
    bench_print(arena_format(&a, "%s: median", name), bench_median(commit, (size_t)count), "ms");
    bench_print(arena_format(&a, "%s: p99", name), bench_p99(commit, (size_t)count), "ms");
    bench_print(arena_format(&a, "%s: with preparation, median", name),
                bench_median(whole, (size_t)count), "ms");
    bench_print(arena_format(&a, "%s: bytes a changed leaf", name),
                (stored(c.conn, "%") - all) / leaves, "bytes");
    bench_print(arena_format(&a, "%s: bytes of tree nodes a changed leaf", name),
                (stored(c.conn, "tree_node%") - nodes) / leaves, "bytes");
    bench_chain_close(&c);
    arena_free(&a);
}

int main(int argc, char **argv)
{
    int count = argc >= 3 ? (int)strtol(argv[2], NULL, 10) : 0;

    if (argc < 3 || argc > 4 || count < 1 || count > BLOCKS_MAX) {
        fprintf(stderr, "usage: commits_bench NAME BLOCKS [CPU]\n");
        return 2;
    }
    if (argc == 4)
        bench_pin(0, (int)strtol(argv[3], NULL, 10));
    blocks(argv[1], count);
    return 0;
}
