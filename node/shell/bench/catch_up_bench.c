/*
 * Catch-up: recorded blocks replayed into a fresh database, every block sealed. Needs PGHOST,
 * PGUSER (a superuser) and PGDATABASE with the schema and no chain.
 */
#include "bench_chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/demo/traffic.h"
#include "node/recorded/recorded_block.h"

static const char LOCALNET[] = "tests/vectors/localnet/genesis.json";
static const char CHAIN_A[] = "tests/vectors/chain-a/genesis.json";
static const char CHAIN_A_BLOCKS[] = "tests/vectors/chain-a/blocks.jsonl";

enum { GENERATED_BLOCKS = 800, RECORDED_BLOCKS = 59, RUNS = 3, BATCH = 200 };

struct recording {
    struct bytes *blocks; /* from height 1 on, with certificates */
    size_t count, transactions;
};

/* A `standard` chain with the traffic of `make run`, made in memory. */
static struct recording generate(struct arena *a)
{
    struct recording out = {.blocks = arena_array(a, struct bytes, GENERATED_BLOCKS)};
    struct store_memory *memory = test_store(LOCALNET, NULL);
    struct store store = store_memory_store(memory);
    struct private_key keys[TEST_VALIDATORS];
    struct traffic traffic;
    struct executor *x;
    struct tm_error e;

    test_validators(keys);
    traffic_init(&traffic, 11, 1, TRAFFIC_FUND_OWNER, keys, TEST_VALIDATORS);
    bench_must(executor_open(&x, &store, NULL, NULL, &e), &e);
    while (out.count < GENERATED_BLOCKS) {
        struct bytes raw[TRAFFIC_BATCH_MAX];
        size_t count = traffic_next(&traffic, a, raw);
        struct executor_candidate *candidates = arena_array(a, struct executor_candidate, count);
        struct transaction *list = arena_array(a, struct transaction, count);
        struct executor_prepare_input in = {.proposer = test_proposer(x, 0),
                                            .seconds = executor_tip(x)->seconds + 1,
                                            .candidates = candidates,
                                            .count = count};
        const struct executor_proposal *p;
        struct hash32 key;
        struct block b;

        for (size_t i = 0; i < count; i++) {
            bench_must(transaction_decode(a, raw[i], &list[i], &e), &e);
            candidates[i].tx = &list[i];
        }
        bench_must(executor_prepare(x, &in, &p, &e), &e);
        out.transactions += p->transaction_count;
        key = p->key;
        bench_must(executor_decide(x, &key, test_certificate(a, p, 0, keys, 3), &e), &e);
        bench_must(store.block(store.ctx, a, executor_height(x), &b, &e), &e);
        out.blocks[out.count++] = block_encode(a, &b);
    }
    executor_close(x);
    store_memory_free(memory);
    return out;
}

static struct recording read_recording(struct arena *a, const char *path)
{
    struct recording out = {.blocks = arena_array(a, struct bytes, RECORDED_BLOCKS)};
    char *line = arena_text(a, test_file(a, path));

    for (size_t size; *line != '\0'; line += size + (line[size] == '\n')) {
        struct recorded_block b;
        struct tm_error e;

        size = strcspn(line, "\n");
        bench_must(recorded_block_parse(a, bytes_make(line, size), &b, &e), &e);
        if (b.height == 0 || out.count == RECORDED_BLOCKS)
            continue;
        out.blocks[out.count++] = b.raw;
        out.transactions += b.block.transaction_count;
    }
    return out;
}

/* A database of its own with the genesis in it. */
static PGconn *fresh_database(const char *genesis_path, const struct rules *rules)
{
    PGconn *conn = bench_connect("postgres");
    struct arena a;
    struct genesis genesis;
    struct hash32 state_hash;
    struct bytes file;
    struct tm_error e;

    arena_init(&a);
    bench_run(conn, "SET client_min_messages = warning");
    bench_run(conn, "DROP DATABASE IF EXISTS catch_up_bench WITH (FORCE)");
    bench_run(conn, arena_format(&a, "CREATE DATABASE catch_up_bench TEMPLATE \"%s\"",
                                 getenv("PGDATABASE")));
    PQfinish(conn);
    conn = bench_connect("catch_up_bench");
    file = test_file(&a, genesis_path);
    bench_must(genesis_load(&a, file, rules, &genesis, &e), &e);
    bench_must(store_load_genesis(conn, &genesis, file, &state_hash, &e), &e);
    arena_free(&a);
    return conn;
}

static void measure(const char *name, const struct recording *r, const char *genesis_path,
                    const struct rules *rules)
{
    struct executor_options options = {.batch = BATCH};
    double rate[RUNS], node[RUNS], server[RUNS];
    struct arena a;

    arena_init(&a);
    for (int run = 0; run < RUNS; run++) {
        struct bench_chain c;
        struct executor_difference d;
        struct tm_error e;
        double start;
        int backend;

        bench_chain_open(&c, fresh_database(genesis_path, rules), &options);
        backend = PQbackendPID(c.conn);
        node[run] = bench_processor_msec(getpid());
        server[run] = bench_processor_msec(backend);
        start = bench_msec();
        for (size_t i = 0; i < r->count; i++) {
            arena_reset(&a);
            bench_must(executor_replay(c.x, r->blocks[i], &a, &d, &e), &e);
        }
        bench_must(executor_flush(c.x, &e), &e);
        rate[run] = 1e3 * (double)r->count / (bench_msec() - start);
        node[run] = (bench_processor_msec(getpid()) - node[run]) / (double)r->count;
        server[run] = (bench_processor_msec(backend) - server[run]) / (double)r->count;
        bench_chain_close(&c);
    }
    arena_reset(&a);
    bench_print(arena_format(&a, "catch-up %s", name), bench_median(rate, RUNS), "blocks/s");
    bench_print(arena_format(&a, "catch-up %s, transactions", name),
                (double)r->transactions / (double)r->count, "1/block");
    bench_print(arena_format(&a, "catch-up %s, node", name), bench_median(node, RUNS),
                "ms of processor/block");
    bench_print(arena_format(&a, "catch-up %s, backend", name), bench_median(server, RUNS),
                "ms of processor/block");
    arena_free(&a);
}

int main(void)
{
    struct arena a;
    struct recording generated, recorded;
    PGconn *conn;

    arena_init(&a);
    generated = generate(&a);
    measure("generated", &generated, LOCALNET, NULL);
    recorded = read_recording(&a, CHAIN_A_BLOCKS);
    measure("recorded", &recorded, CHAIN_A, &RULES_REFERENCE);
    arena_free(&a);
    conn = bench_connect("postgres");
    bench_run(conn, "DROP DATABASE catch_up_bench WITH (FORCE)");
    PQfinish(conn);
    return 0;
}
