/*
 * A block of 10,000 sends by as many signers on a database of many accounts, against the check of
 * their signatures and COPY of the same rows into the same tables.
 *
 *   sends_bench genesis COUNT FILE   writes a genesis file
 *   sends_bench blocks               needs PGHOST, PGUSER (a superuser) and PGDATABASE with the
 *                                    chain of such a file
 *   sends_bench memory               the same: the node with the whole chain in its caches
 *   sends_bench memory-limited       the same: the node with small limits, after many accounts
 */
#include "bench_chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/executor/executor_state.h"

enum {
    SENDS = 10000,
    ROUNDS = 3,
    PATHS_AT_ONCE = 20000,
    MEGABYTE = 1024 * 1024,
    SMALL_TREES = 64 * MEGABYTE,
    SMALL_CACHE = 16 * MEGABYTE
};

/* The tables a block of sends writes, with the column that tells its rows. */
static const char *const WRITTEN[][2] = {
    {"account", "valid_from"},   {"account_history", "valid_to"},
    {"pool", "valid_from"},      {"pool_history", "valid_to"},
    {"tree_node", "valid_from"}, {"tree_node_history", "valid_to"},
    {"transaction", "height"},   {"change", "height"},
    {"block", "height"}};
enum { TABLES = sizeof WRITTEN / sizeof *WRITTEN };

/*
 * Takes the rows of the last block out of their tables, cleans up after that, and copies them in
 * again: milliseconds of COPY and COMMIT.
 */
static double copy_again(PGconn *conn, const char *directory)
{
    struct arena a;
    double start;

    arena_init(&a);
    for (size_t i = 0; i < TABLES; i++) {
        const char *t = WRITTEN[i][0];
        const char *rows = arena_format(&a, "ledger.%s WHERE %s = (SELECT height FROM ledger.tip)",
                                        t, WRITTEN[i][1]);

        bench_run(conn, arena_format(&a, "COPY (SELECT * FROM %s) TO '%s/%s' (FORMAT binary)", rows,
                                     directory, t));
        bench_run(conn, arena_format(&a, "DELETE FROM %s", rows));
        bench_run(conn, arena_format(&a, "VACUUM ledger.%s", t));
    }
    bench_run(conn, "CHECKPOINT");
    start = bench_msec();
    bench_run(conn, "BEGIN");
    for (size_t i = 0; i < TABLES; i++)
        bench_run(conn, arena_format(&a, "COPY ledger.%s FROM '%s/%s' (FORMAT binary)",
                                     WRITTEN[i][0], directory, WRITTEN[i][0]));
    bench_run(conn, "COMMIT");
    arena_free(&a);
    return bench_msec() - start;
}

/* The directory of COPY's files, which the server writes: PGCOPY. */
static const char *copy_directory(void)
{
    const char *directory = getenv("PGCOPY");

    return directory != NULL ? directory : "/tmp";
}

/* Blocks by senders the node has not met before, or by the same ones again. */
static void blocks(bool met_before)
{
    const char *what = met_before ? "block of sends" : "block of new senders";
    struct bench_chain c;
    double prepare[ROUNDS], decide[ROUNDS], whole[ROUNDS], verified[ROUNDS], copied[ROUNDS];
    double ratio[ROUNDS];
    struct arena a;

    arena_init(&a);
    bench_chain_open(&c, bench_connect(NULL), NULL);
    for (int round = met_before ? -1 : 0; round < ROUNDS; round++) {
        struct bytes raw[SENDS];
        struct bench_block t;
        struct arena scratch;

        arena_init(&scratch);
        bench_run(c.conn, "CHECKPOINT");
        bench_sends(&scratch, met_before ? 0 : (uint32_t)round * SENDS, SENDS,
                    (uint64_t)(executor_height(c.x) + 1) * SENDS, raw);
        t = bench_block(&c, &scratch, raw, SENDS);
        if (round >= 0) {
            prepare[round] = t.prepare;
            decide[round] = t.decide;
            whole[round] = t.prepare + t.decide;
            verified[round] = bench_verify(&c, &scratch, raw, SENDS);
            copied[round] = copy_again(c.conn, copy_directory());
            ratio[round] = whole[round] / (verified[round] + copied[round]);
        }
        arena_free(&scratch);
    }
    bench_print(arena_format(&a, "%s: prepare", what), bench_median(prepare, ROUNDS), "ms");
    bench_print(arena_format(&a, "%s: write, seal, commit", what), bench_median(decide, ROUNDS),
                "ms");
    bench_print(arena_format(&a, "%s", what), bench_median(whole, ROUNDS), "ms");
    bench_print(arena_format(&a, "%s: signatures", what), bench_median(verified, ROUNDS), "ms");
    bench_print(arena_format(&a, "%s: COPY", what), bench_median(copied, ROUNDS), "ms");
    bench_print(arena_format(&a, "%s: ratio", what), bench_median(ratio, ROUNDS), "ratio");
    bench_chain_close(&c);
    arena_free(&a);
}

/* Megabytes this process has in memory. */
static double resident(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    char text[200] = "";
    const char *at;

    if (f != NULL) {
        if (fgets(text, sizeof text, f) == NULL)
            text[0] = '\0';
        fclose(f);
    }
    at = strchr(text, ' ');
    return at == NULL ? 0
                      : (double)strtoul(at, NULL, 10) * (double)sysconf(_SC_PAGESIZE) / MEGABYTE;
}

/* Reads every account, and the whole of its tree, into the executor's caches. */
static void load_all(struct bench_chain *c, PGconn *other)
{
    PGresult *r = NULL;
    struct tm_error e;
    struct arena a;
    struct pg_params none;

    arena_init(&a);
    pg_params_init(&none, &a);
    bench_run(other, "BEGIN; DECLARE keys NO SCROLL CURSOR FOR SELECT address FROM ledger.account"
                     " ORDER BY tidemark.path64(address)");
    for (int count = PATHS_AT_ONCE; count == PATHS_AT_ONCE;) {
        struct cache_keys keys;
        struct hash32 *paths;

        bench_must(
            pg_query(other, arena_format(&a, "FETCH %d FROM keys", PATHS_AT_ONCE), &none, &r, &e),
            &e);
        count = PQntuples(r);
        paths = arena_array(&a, struct hash32, (size_t)count);
        cache_keys_init(&keys, &c->x->cache);
        for (int i = 0; i < count; i++) {
            struct record record = {.tree = TREE_ACCOUNT, .key = pg_get_bytes(r, i, 0)};

            cache_keys_want(&keys, TREE_ACCOUNT, record.key);
            paths[i] = record_path(&record);
        }
        bench_must(cache_keys_fetch(&keys, &e), &e);
        bench_must(trees_load(&c->x->trees, TREE_ACCOUNT, paths, (size_t)count, &e), &e);
        PQclear(r);
        arena_reset(&a);
    }
    bench_run(other, "COMMIT");
    arena_free(&a);
}

/* Everything there is, cached. */
static void memory(void)
{
    struct executor_options all = {.tree_memory = SIZE_MAX, .cache_memory = SIZE_MAX};
    struct bench_chain c;
    PGconn *other = bench_connect(NULL);

    bench_chain_open(&c, bench_connect(NULL), &all);
    load_all(&c, other);
    bench_print("memory: trees", (double)executor_tree_memory(c.x) / MEGABYTE, "MB");
    bench_print("memory: process", resident(), "MB");
    bench_chain_close(&c);
    PQfinish(other);
}

/* Blocks that touch ever more accounts, under a limit. */
static void memory_limited(void)
{
    struct executor_options small = {.tree_memory = SMALL_TREES, .cache_memory = SMALL_CACHE};
    struct bench_chain c;
    double trees = 0, process = 0;

    bench_chain_open(&c, bench_connect(NULL), &small);
    for (uint32_t first = 0; first < BENCH_WALLETS; first += SENDS) {
        struct bytes raw[SENDS];
        struct arena a;
        double used;

        arena_init(&a);
        bench_sends(&a, first, SENDS, (uint64_t)(executor_height(c.x) + 1) * SENDS, raw);
        bench_block(&c, &a, raw, SENDS);
        arena_free(&a);
        used = (double)executor_tree_memory(c.x);
        trees = used > trees ? used : trees;
        process = resident() > process ? resident() : process;
    }
    bench_print("memory, limited: limit", (double)SMALL_TREES / MEGABYTE, "MB");
    bench_print("memory, limited: trees", trees / MEGABYTE, "MB");
    bench_print("memory, limited: process", process, "MB");
    bench_chain_close(&c);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "genesis") == 0) {
        struct bench_genesis g = {.accounts = (uint32_t)strtoul(argv[2], NULL, 10)};

        bench_genesis(argv[3], &g);
    } else if (argc == 2 && strcmp(argv[1], "blocks") == 0) {
        blocks(false);
        blocks(true);
    } else if (argc == 2 && strcmp(argv[1], "memory") == 0) {
        memory();
    } else if (argc == 2 && strcmp(argv[1], "memory-limited") == 0) {
        memory_limited();
    } else {
        fprintf(stderr,
                "usage: sends_bench genesis COUNT FILE | blocks | memory | memory-limited\n");
        return 2;
    }
    return 0;
}
