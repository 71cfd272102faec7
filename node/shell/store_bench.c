/*
 * Speed of the PostgreSQL store: a block of 10,000 sends against signature checks and COPY of the
 * same rows, and catch-up of small blocks. Needs PGHOST, PGUSER (a superuser) and PGDATABASE with
 * the schema and no chain, like store_test; each row ends with its target and `ok` or `missed`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "node/demo/traffic.h"
#include "node/executor/test_chain.h"
#include "pg_session.h"
#include "protocol/base/hex.h"
#include "store.h"
#include "workers.h"

static const char LOCALNET[] = "tests/vectors/localnet/genesis.json";

enum { SENDS = 10000, SEND_BLOCKS = 5, CATCH_UP_BLOCKS = 600, FUNDED_AT_ONCE = 2000 };
enum { BACK_SENDS = 333, BACK_BLOCKS = 20 };
#define BACK_BLOCKS_TEXT "20"

static double now_msec(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void must(enum tm_err err, const struct tm_error *e)
{
    if (err == TM_OK)
        return;
    fprintf(stderr, "%s\n", e->text);
    exit(1);
}

static PGconn *connect_to(const char *database)
{
    char text[200];
    PGconn *conn;

    snprintf(text, sizeof text, "dbname=%s", database);
    conn = PQconnectdb(text);
    if (PQstatus(conn) != CONNECTION_OK) {
        fprintf(stderr, "%s", PQerrorMessage(conn));
        exit(1);
    }
    return conn;
}

static void run(PGconn *conn, const char *sql)
{
    struct tm_error e;

    must(pg_run(conn, sql, &e), &e);
}

struct chain {
    PGconn *conn;
    struct store_pg *pg;
    struct store store;
    struct executor *x;
    struct workers *workers;
    struct private_key keys[TEST_VALIDATORS];
    struct arena arena;
};

/* A fresh copy of the prepared database. */
static PGconn *fresh_database(void)
{
    PGconn *admin = connect_to("postgres");
    char sql[200];

    run(admin, "SET client_min_messages = warning");
    run(admin, "DROP DATABASE IF EXISTS store_bench WITH (FORCE)");
    snprintf(sql, sizeof sql, "CREATE DATABASE store_bench TEMPLATE %s", getenv("PGDATABASE"));
    run(admin, sql);
    PQfinish(admin);
    return connect_to("store_bench");
}

static void chain_open(struct chain *c, unsigned batch)
{
    struct executor_options options = {.batch = batch};
    struct genesis genesis;
    struct hash32 state_hash;
    struct bytes file;
    struct tm_error e;
    struct executor_workers workers;

    arena_init(&c->arena);
    c->conn = fresh_database();
    file = test_file(&c->arena, LOCALNET);
    must(genesis_load(&c->arena, file, NULL, &genesis, &e), &e);
    genesis.max_block_bytes = (uint64_t)1 << 30;
    must(store_load_genesis(c->conn, &genesis, file, &state_hash, &e), &e);
    must(store_open(c->conn, &c->pg, &e), &e);
    c->store = store_of(c->pg);
    c->workers = workers_start(0);
    workers = workers_of(c->workers);
    must(executor_open(&c->x, &c->store, &workers, &options, &e), &e);
    test_validators(c->keys);
}

static void chain_close(struct chain *c)
{
    executor_close(c->x);
    store_close(c->pg);
    workers_stop(c->workers);
    PQfinish(c->conn);
    arena_free(&c->arena);
}

static struct private_key wallet(uint32_t n)
{
    uint8_t seed[32] = {0xbe, (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16)};

    return ed25519_from_seed(seed);
}

static struct bytes make_send(struct arena *a, const struct private_key *from,
                              const struct address *to, const char *amount, uint64_t nonce)
{
    struct public_key public = ed25519_public(from);
    struct address own = address_of_key(&public);
    struct message m = {.kind = MESSAGE_SEND,
                        .from = bytes_address(&own),
                        .to = bytes_address(to),
                        .amount = bytes_of(amount)};

    return transaction_sign(a, &m, bytes_of(arena_format(a, "%llu", (unsigned long long)nonce)),
                            from);
}

/* Prepares, decides and writes one block; gives the three times in milliseconds. */
static void make_block(struct chain *c, struct arena *a, const struct bytes *raw, size_t count,
                       int64_t second, double *prepare, double *decide)
{
    struct executor_candidate *candidates = arena_array(a, struct executor_candidate, count);
    struct transaction *list = arena_array(a, struct transaction, count);
    struct executor_prepare_input in = {.proposer = test_proposer(c->x, 0),
                                        .seconds = second,
                                        .candidates = candidates,
                                        .count = count};
    const struct executor_proposal *p;
    struct hash32 key;
    struct tm_error e;
    double start = now_msec();

    for (size_t i = 0; i < count; i++) {
        must(transaction_decode(a, raw[i], &list[i], &e), &e);
        candidates[i].tx = &list[i];
    }
    must(executor_prepare(c->x, &in, &p, &e), &e);
    *prepare = now_msec() - start;
    if (p->transaction_count != count) {
        for (size_t i = 0; i < count; i++)
            if (!candidates[i].included) {
                fprintf(stderr, "not included: %d %s\n", candidates[i].code, candidates[i].error);
                exit(1);
            }
    }
    key = p->key;
    start = now_msec();
    must(executor_decide(c->x, &key, test_certificate(a, p, 0, c->keys, TEST_VALIDATORS), &e), &e);
    *decide = now_msec() - start;
}

struct verify_job {
    const struct transaction *list;
    size_t count;
};

static void verify(void *arg, size_t index)
{
    struct verify_job *job = arg;
    struct tm_error e;

    for (size_t i = index * 32; i < (index + 1) * 32 && i < job->count; i++)
        must(transaction_verify(&job->list[i], &RULES_STANDARD, &e), &e);
}

static double verify_all(struct chain *c, struct arena *a, const struct bytes *raw, size_t count)
{
    struct transaction *list = arena_array(a, struct transaction, count);
    struct verify_job job = {list, count};
    struct executor_workers workers = workers_of(c->workers);
    struct tm_error e;
    double start;

    for (size_t i = 0; i < count; i++)
        must(transaction_decode(a, raw[i], &list[i], &e), &e);
    start = now_msec();
    workers.run(workers.ctx, verify, &job, (count + 31) / 32);
    return now_msec() - start;
}

/* The rows the last block wrote, copied out and in again into tables of the same form. */
static double copy_rows(PGconn *conn)
{
    static const char *const tables[] = {"account",           "account_history", "tree_node",
                                         "tree_node_history", "transaction",     "change"};
    double total = 0;

    run(conn, "CREATE SCHEMA copied");
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char sql[400];
        double start;
        const char *t = tables[i];
        const char *where = strstr(t, "history") != NULL ? "valid_to" : "valid_from";

        if (strcmp(t, "transaction") == 0 || strcmp(t, "change") == 0)
            where = "height";
        snprintf(sql, sizeof sql, "CREATE TABLE copied.%s (LIKE ledger.%s%s INCLUDING ALL)", t, t,
                 strstr(t, "history") != NULL ? "_0" : "");
        run(conn, sql);
        snprintf(sql, sizeof sql,
                 "COPY (SELECT * FROM ledger.%s%s WHERE %s = (SELECT height FROM ledger.tip))"
                 " TO '/tmp/store_bench.copy' (FORMAT binary)",
                 t, strstr(t, "history") != NULL ? "_0" : "", where);
        run(conn, sql);
        snprintf(sql, sizeof sql, "COPY copied.%s FROM '/tmp/store_bench.copy' (FORMAT binary)", t);
        start = now_msec();
        run(conn, sql);
        total += now_msec() - start;
    }
    run(conn, "DROP SCHEMA copied CASCADE");
    return total;
}

static int compare_doubles(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return (a > b) - (a < b);
}

static double median(double *list, size_t count)
{
    qsort(list, count, sizeof *list, compare_doubles);
    return list[count / 2];
}

static void big_blocks(void)
{
    struct chain c;
    struct address *addresses;
    struct private_key *wallets;
    struct bytes raw[SENDS];
    double ratios[SEND_BLOCKS], prepare, decide, verified, copied;
    int64_t second = 1800000000;

    chain_open(&c, 1);
    addresses = arena_array(&c.arena, struct address, SENDS);
    wallets = arena_array(&c.arena, struct private_key, SENDS);
    for (uint32_t i = 0; i < SENDS; i++) {
        struct public_key public;

        wallets[i] = wallet(i);
        public = ed25519_public(&wallets[i]);
        addresses[i] = address_of_key(&public);
    }
    for (uint32_t first = 0; first < SENDS; first += FUNDED_AT_ONCE) {
        struct arena a;

        arena_init(&a);
        for (uint32_t i = 0; i < FUNDED_AT_ONCE; i++)
            raw[i] = make_send(&a, &c.keys[i % 4], &addresses[first + i], "1000000000", first + i);
        make_block(&c, &a, raw, FUNDED_AT_ONCE, second++, &prepare, &decide);
        arena_free(&a);
    }
    for (int round = 0; round < SEND_BLOCKS; round++) {
        struct arena a;

        arena_init(&a);
        for (uint32_t i = 0; i < SENDS; i++)
            raw[i] = make_send(&a, &wallets[i], &addresses[(i * 7 + 1) % SENDS], "5",
                               (uint64_t)(round + 1) * SENDS + i);
        make_block(&c, &a, raw, SENDS, second++, &prepare, &decide);
        verified = verify_all(&c, &a, raw, SENDS);
        copied = copy_rows(c.conn);
        ratios[round] = (prepare + decide) / (verified + copied);
        printf("  10,000 sends: prepare %.0f ms, write + seal + commit %.0f ms; "
               "verify %.0f ms, COPY %.0f ms\n",
               prepare, decide, verified, copied);
        arena_free(&a);
    }
    {
        double ratio = median(ratios, SEND_BLOCKS);

        printf("block of 10,000 sends / (Ed25519 + COPY)   %.2f   target <= 2   %s\n", ratio,
               ratio <= 2 ? "ok" : "missed");
    }
    chain_close(&c);
}

/* Blocks of a chain made in memory, replayed into the database. */
static void catch_up(void)
{
    struct chain c;
    struct store_memory *memory = test_store(LOCALNET, NULL);
    struct store source = store_memory_store(memory);
    struct executor *maker;
    struct traffic traffic;
    struct private_key keys[TEST_VALIDATORS];
    struct arena a;
    struct tm_error e;
    size_t transactions = 0;
    double start, seconds;

    arena_init(&a);
    test_validators(keys);
    traffic_init(&traffic, 11, 1, TRAFFIC_FUND_OWNER, keys, TEST_VALIDATORS);
    must(executor_open(&maker, &source, NULL, NULL, &e), &e);
    for (int h = 1; h <= CATCH_UP_BLOCKS; h++) {
        struct bytes raw[TRAFFIC_BATCH_MAX];
        size_t count = traffic_next(&traffic, &a, raw);
        struct executor_candidate *candidates = arena_array(&a, struct executor_candidate, count);
        struct transaction *list = arena_array(&a, struct transaction, count);
        struct executor_prepare_input in = {.proposer = test_proposer(maker, 0),
                                            .seconds = 1800000000 + h,
                                            .candidates = candidates,
                                            .count = count};
        const struct executor_proposal *p;
        struct hash32 key;

        for (size_t i = 0; i < count; i++) {
            must(transaction_decode(&a, raw[i], &list[i], &e), &e);
            candidates[i].tx = &list[i];
        }
        must(executor_prepare(maker, &in, &p, &e), &e);
        transactions += p->transaction_count;
        key = p->key;
        must(executor_decide(maker, &key, test_certificate(&a, p, 0, keys, 3), &e), &e);
    }
    executor_close(maker);
    chain_open(&c, 100);
    start = now_msec();
    for (int h = 1; h <= CATCH_UP_BLOCKS; h++) {
        struct block b;
        struct executor_difference d;

        arena_reset(&a);
        must(source.block(source.ctx, &a, h, &b, &e), &e);
        must(executor_replay(c.x, block_encode(&a, &b), &a, &d, &e), &e);
    }
    must(executor_flush(c.x, &e), &e);
    seconds = (now_msec() - start) / 1000;
    printf("catch-up, %zu transactions in %d blocks   %.0f blocks/s   target >= 500   %s\n",
           transactions, CATCH_UP_BLOCKS, CATCH_UP_BLOCKS / seconds,
           CATCH_UP_BLOCKS / seconds >= 500 ? "ok" : "missed");
    chain_close(&c);
    store_memory_free(memory);
    arena_free(&a);
}

/* Blocks of about 1,000 changes (a send is three: two accounts and the transaction) taken back. */
static void rollback(void)
{
    struct chain c;
    struct address *addresses;
    struct private_key *wallets;
    struct bytes raw[FUNDED_AT_ONCE];
    struct tm_error e;
    PGresult *r;
    double prepare, decide, start, msec, changes;
    int64_t second = 1800000000, funded = SENDS / FUNDED_AT_ONCE;

    chain_open(&c, 1);
    addresses = arena_array(&c.arena, struct address, SENDS);
    wallets = arena_array(&c.arena, struct private_key, SENDS);
    for (uint32_t i = 0; i < SENDS; i++) {
        struct public_key public;

        wallets[i] = wallet(i);
        public = ed25519_public(&wallets[i]);
        addresses[i] = address_of_key(&public);
    }
    for (uint32_t first = 0; first < SENDS + BACK_BLOCKS * BACK_SENDS;) {
        uint32_t count = first < SENDS ? FUNDED_AT_ONCE : BACK_SENDS;
        struct arena a;

        arena_init(&a);
        for (uint32_t i = 0; i < count; i++)
            raw[i] =
                first < SENDS
                    ? make_send(&a, &c.keys[i % 4], &addresses[first + i], "1000000000", first + i)
                    : make_send(&a, &wallets[(first + i) % SENDS],
                                &addresses[((first + i) * 7 + 1) % SENDS], "5", first + i);
        make_block(&c, &a, raw, count, second++, &prepare, &decide);
        arena_free(&a);
        first += count;
    }
    must(pg_run(c.conn, "ANALYZE", &e), &e);
    r = PQexec(c.conn, "SELECT count(*) FROM ledger.change, ledger.tip t WHERE ledger.change.height"
                       " > t.height - " BACK_BLOCKS_TEXT);
    changes = strtod(PQgetvalue(r, 0, 0), NULL) / BACK_BLOCKS;
    PQclear(r);
    start = now_msec();
    r = PQexec(
        c.conn,
        "SELECT * FROM ledger.tip t, LATERAL tidemark.rollback_rows(t.height - " BACK_BLOCKS_TEXT
        ")");
    msec = (now_msec() - start) / BACK_BLOCKS;
    if (PQntuples(r) == 0) {
        fprintf(stderr, "%s\n", PQresultErrorMessage(r));
        exit(1);
    }
    PQclear(r);
    start = now_msec();
    PQclear(PQexec(c.conn, "SELECT count(*) FROM ledger.tip t, LATERAL "
                           "tidemark.verify_state(t.height) v WHERE v.ok"));
    printf("  then the roots, %d accounts: %.0f ms; after %lld + %d blocks\n", SENDS,
           now_msec() - start, (long long)funded, BACK_BLOCKS);
    printf("rollback of a block of %.0f changes           %.1f ms per 1,000   target <= 10   %s\n",
           changes, msec * 1000 / changes, msec * 1000 / changes <= 10 ? "ok" : "missed");
    chain_close(&c);
}

int main(int argc, char **argv)
{
    if (getenv("PGHOST") == NULL) {
        fprintf(stderr, "store_bench: set PGHOST, PGUSER and PGDATABASE\n");
        return 2;
    }
    if (argc < 2 || strcmp(argv[1], "catch-up") == 0)
        catch_up();
    if (argc < 2 || strcmp(argv[1], "sends") == 0)
        big_blocks();
    if (argc < 2 || strcmp(argv[1], "rollback") == 0)
        rollback();
    return 0;
}
