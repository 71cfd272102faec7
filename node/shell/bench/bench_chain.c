#include "bench_chain.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "protocol/base/hex.h"
#include "protocol/sha256/sha256.h"

static const char LOCALNET[] = "tests/vectors/localnet/genesis.json";

/* Signatures checked by one call of a worker, as in the node. */
enum { CHECKS_PER_JOB = 32 };

double bench_msec(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

double bench_processor_msec(int pid)
{
    clockid_t clock;
    struct timespec t;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return 0;
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

void bench_pin(int pid, int processor)
{
    cpu_set_t set;

    if (processor == BENCH_LAST_PROCESSOR)
        processor = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
    CPU_ZERO(&set);
    CPU_SET((size_t)processor, &set);
    if (sched_setaffinity(pid, sizeof set, &set) != 0) {
        perror("sched_setaffinity");
        exit(1);
    }
}

void bench_pin_session(PGconn *conn)
{
    bench_pin(0, BENCH_LAST_PROCESSOR);
    bench_pin(PQbackendPID(conn), BENCH_LAST_PROCESSOR);
}

static int compare_doubles(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return (a > b) - (a < b);
}

double bench_median(double *list, size_t count)
{
    qsort(list, count, sizeof *list, compare_doubles);
    return list[count / 2];
}

double bench_p99(double *list, size_t count)
{
    qsort(list, count, sizeof *list, compare_doubles);
    return list[count - 1 - count / 100];
}

void bench_print(const char *name, double value, const char *unit)
{
    printf("%s\t%.4g\t%s\n", name, value, unit);
    fflush(stdout);
}

static void stop(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(1);
}

void bench_must(enum tm_err err, const struct tm_error *e)
{
    if (err != TM_OK)
        stop(e->text);
}

PGconn *bench_connect(const char *database)
{
    const char *const words[] = {"dbname", NULL}, *const values[] = {database, NULL};
    PGconn *conn;

    if (getenv("PGHOST") == NULL)
        stop("a benchmark of the database needs PGHOST, PGUSER and PGDATABASE");
    conn = PQconnectdbParams(words, values, 0);
    if (PQstatus(conn) != CONNECTION_OK)
        stop(PQerrorMessage(conn));
    return conn;
}

void bench_run(PGconn *conn, const char *sql)
{
    struct tm_error e;

    bench_must(pg_run(conn, sql, &e), &e);
}

void bench_chain_open(struct bench_chain *c, PGconn *conn, const struct executor_options *options)
{
    struct executor_workers pool;
    struct tm_error e;

    c->conn = conn;
    bench_must(store_open(conn, &c->pg, &e), &e);
    c->store = store_of(c->pg);
    c->workers = workers_start(0);
    pool = workers_of(c->workers);
    bench_must(executor_open(&c->x, &c->store, &pool, options, &e), &e);
    test_validators(c->keys);
}

void bench_chain_close(struct bench_chain *c)
{
    executor_close(c->x);
    store_close(c->pg);
    workers_stop(c->workers);
    PQfinish(c->conn);
}

struct private_key bench_wallet(uint32_t n)
{
    uint8_t seed[32] = {0xbe, (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16)};

    return ed25519_from_seed(seed);
}

struct address bench_address(uint32_t n)
{
    struct private_key key;
    struct public_key public;
    struct hash32 digest;
    struct address out;

    if (n < BENCH_WALLETS) {
        key = bench_wallet(n);
        public = ed25519_public(&key);
        return address_of_key(&public);
    }
    digest = sha256(bytes_make(&n, sizeof n));
    memcpy(out.b, digest.b, sizeof out.b);
    return out;
}

uint64_t bench_balance(uint32_t n)
{
    return 1000000000ull + 7919ull * n;
}

static void add_account(FILE *f, uint32_t n)
{
    struct address address = bench_address(n);
    char hex[2 * sizeof address.b + 1];

    hex_encode(bytes_address(&address), hex);
    fprintf(f, "\n{\"address\": \"%.40s\", \"amount\": \"%llu\"},", hex,
            (unsigned long long)bench_balance(n));
}

/* With a made-up public key: these actors sign nothing. */
static void add_actor(FILE *f, enum actor_kind kind, uint32_t n)
{
    uint32_t seed[2] = {n, (uint32_t)kind};
    struct hash32 key = sha256(bytes_make(seed, sizeof seed)), digest = sha256(bytes_hash(&key));
    char public[2 * sizeof key.b + 1], address[2 * sizeof digest.b + 1];

    hex_encode(bytes_hash(&key), public);
    hex_encode(bytes_hash(&digest), address);
    fprintf(f,
            "\n{\"actor_type\": %d, \"address\": \"%.40s\", \"chains\": [\"%04u\"], "
            "\"output\": \"%.40s\", \"paused_height\": -1, \"public_key\": \"%.64s\", "
            "\"service_url\": \"%s\", \"staked_amount\": \"1000000000000\", "
            "\"unstaking_height\": -1},",
            (int)kind, address, 1 + n % 20, address, public,
            kind == ACTOR_SERVICER ? "servicer.example:443" : "");
}

/* Copies the text up to and with the beginning of a list; returns where it stopped. */
static char *copy_until(FILE *f, char *from, const char *list)
{
    char *at = strstr(from, list);

    if (at == NULL)
        stop("a list is missing in LocalNet's genesis file");
    at += strlen(list);
    fwrite(from, 1, (size_t)(at - from), f);
    return at;
}

void bench_genesis(const char *path, const struct bench_genesis *g)
{
    FILE *f = fopen(path, "w");
    struct arena a;
    char *at;

    if (f == NULL)
        stop(path);
    arena_init(&a);
    at = copy_until(f, arena_text(&a, test_file(&a, LOCALNET)), "\"accounts\": [");
    for (uint32_t i = 0; i < g->accounts; i++)
        add_account(f, i);
    at = copy_until(f, at, "\"applications\": [");
    for (uint32_t i = 0; i < g->applications; i++)
        add_actor(f, ACTOR_APP, i);
    at = copy_until(f, at, "\"servicers\": [");
    for (uint32_t i = 0; i < g->servicers; i++)
        add_actor(f, ACTOR_SERVICER, i);
    fputs(at, f);
    if (fclose(f) != 0)
        stop(path);
    arena_free(&a);
}

void bench_sends(struct arena *a, uint32_t first, uint32_t count, uint64_t nonce, struct bytes *out)
{
    for (uint32_t i = 0; i < count; i++) {
        struct private_key key = bench_wallet(first + i);
        struct address from = bench_address(first + i);
        struct address to = bench_address(first + (i * 7 + 1) % count);
        struct message m = {.kind = MESSAGE_SEND,
                            .from = bytes_address(&from),
                            .to = bytes_address(&to),
                            .amount = bytes_of("5")};

        out[i] = transaction_sign(
            a, &m, bytes_of(arena_format(a, "%llu", (unsigned long long)(nonce + i))), &key);
    }
}

struct bench_block bench_block(struct bench_chain *c, struct arena *a, const struct bytes *raw,
                               size_t count)
{
    const struct block_header *tip = executor_tip(c->x);
    struct executor_candidate *candidates = arena_array(a, struct executor_candidate, count);
    const struct executor_proposal *p;
    struct bench_block times;
    struct bytes certificate;
    struct hash32 key;
    struct tm_error e;
    double start = bench_msec();

    bench_must(test_propose(c->x, a, tip->seconds + 1, raw, count, candidates, &p, &e), &e);
    times.prepare = bench_msec() - start;
    for (size_t i = 0; i < count; i++)
        if (!candidates[i].included)
            stop(candidates[i].tried ? candidates[i].error : "a transaction had no room");
    key = p->key;
    certificate = test_certificate(a, p, 0, c->keys, TEST_VALIDATORS);
    start = bench_msec();
    bench_must(executor_decide(c->x, &key, certificate, &e), &e);
    times.decide = bench_msec() - start;
    return times;
}

struct verify_job {
    const struct transaction *list;
    size_t count;
};

static void verify(void *arg, size_t index)
{
    struct verify_job *job = arg;
    struct tm_error e;

    for (size_t i = index * CHECKS_PER_JOB; i < (index + 1) * CHECKS_PER_JOB && i < job->count; i++)
        bench_must(transaction_verify(&job->list[i], &RULES_STANDARD, &e), &e);
}

double bench_verify(struct bench_chain *c, struct arena *a, const struct bytes *raw, size_t count)
{
    struct transaction *list = arena_array(a, struct transaction, count);
    struct verify_job job = {list, count};
    struct executor_workers workers = workers_of(c->workers);
    struct tm_error e;
    double start;

    for (size_t i = 0; i < count; i++)
        bench_must(transaction_decode(a, raw[i], &list[i], &e), &e);
    start = bench_msec();
    workers.run(workers.ctx, verify, &job, (count + CHECKS_PER_JOB - 1) / CHECKS_PER_JOB);
    return bench_msec() - start;
}
