/*
 * Speed of proofs at random heights: a chain with ACCOUNTS accounts and BLOCKS blocks of sends to
 * random ones, then proofs of random keys, present and absent, one query each. Needs PGHOST, PGUSER
 * (a superuser) and PGDATABASE with the schema and no chain, which it fills; each row ends with its
 * target and `ok` or `missed`. ACCOUNTS and BLOCKS in the environment choose other sizes.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "node/executor/test_chain.h"
#include "pg_session.h"
#include "protocol/sha256/sha256.h"
#include "protocol/base/hex.h"
#include "store.h"

static const char LOCALNET[] = "tests/vectors/localnet/genesis.json";

enum { ACCOUNTS = 100000, BLOCKS = 250, SENDS = 200, PROOFS = 4000, BYTEA_OID = 17, INT8_OID = 20 };

static uint64_t state = 88172645463325252u;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

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

static unsigned long size_of(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoul(text, NULL, 10) : otherwise;
}

/* The address of account n; from 2^32 on, of nobody. */
static struct address address_of(uint64_t n)
{
    struct hash32 h = sha256(bytes_make(&n, sizeof n));
    struct address a;

    memcpy(a.b, h.b, sizeof a.b);
    return a;
}

/* LocalNet's genesis with many accounts more. */
static struct bytes make_genesis(struct arena *a, unsigned long accounts)
{
    static const char PLACE[] = "\"accounts\": [";
    char *file = arena_text(a, test_file(a, LOCALNET)), *place = strstr(file, PLACE);
    struct buffer out;

    buffer_init(&out, a, accounts * 100 + 100000);
    buffer_append(&out, file, (size_t)(place - file) + sizeof PLACE - 1);
    for (unsigned long i = 0; i < accounts; i++) {
        char line[128], hex[41] = {0};
        struct address address = address_of(i);

        hex_encode(bytes_address(&address), hex);
        buffer_append(&out, line,
                      (size_t)snprintf(line, sizeof line,
                                       "{\"address\": \"%s\", \"amount\": \"1000000\"},", hex));
    }
    buffer_append(&out, place + sizeof PLACE - 1, strlen(place + sizeof PLACE - 1));
    return buffer_bytes(&out);
}

static void make_block(struct executor *x, struct arena *a, const struct private_key *keys,
                       unsigned long height, unsigned long accounts)
{
    struct executor_candidate *candidates = arena_array(a, struct executor_candidate, SENDS);
    struct transaction *list = arena_array(a, struct transaction, SENDS);
    struct executor_prepare_input in = {.proposer = test_proposer(x, 0),
                                        .seconds = 1800000000 + (int64_t)height,
                                        .candidates = candidates,
                                        .count = SENDS};
    const struct executor_proposal *p;
    struct hash32 key;
    struct tm_error e;

    for (size_t i = 0; i < SENDS; i++) {
        struct public_key public = ed25519_public(&keys[i % TEST_VALIDATORS]);
        struct address own = address_of_key(&public), to = address_of(next() % accounts);
        struct message m = {.kind = MESSAGE_SEND,
                            .from = bytes_address(&own),
                            .to = bytes_address(&to),
                            .amount = bytes_of("7")};
        struct bytes nonce = bytes_of(arena_format(a, "%lu", height * SENDS + i));

        must(transaction_decode(a, transaction_sign(a, &m, nonce, &keys[i % TEST_VALIDATORS]),
                                &list[i], &e),
             &e);
        candidates[i].tx = &list[i];
    }
    must(executor_prepare(x, &in, &p, &e), &e);
    key = p->key;
    must(executor_decide(x, &key, test_certificate(a, p, 0, keys, TEST_VALIDATORS), &e), &e);
}

static void make_chain(PGconn *conn, unsigned long accounts, unsigned long blocks)
{
    struct executor_options options = {.batch = 1};
    struct private_key keys[TEST_VALIDATORS];
    struct genesis genesis;
    struct hash32 state_hash;
    struct store_pg *pg;
    struct store store;
    struct executor *x;
    struct arena a, block;
    struct bytes file;
    struct tm_error e;

    arena_init(&a);
    arena_init(&block);
    test_validators(keys);
    file = make_genesis(&a, accounts);
    must(genesis_load(&a, file, NULL, &genesis, &e), &e);
    must(store_load_genesis(conn, &genesis, file, &state_hash, &e), &e);
    must(store_open(conn, &pg, &e), &e);
    store = store_of(pg);
    must(executor_open(&x, &store, NULL, &options, &e), &e);
    for (unsigned long h = 1; h <= blocks; h++) {
        make_block(x, &block, keys, h, accounts);
        arena_reset(&block);
    }
    executor_close(x);
    store_close(pg);
    arena_free(&block);
    arena_free(&a);
    must(pg_run(conn, "VACUUM ANALYZE", &e), &e);
}

static int compare_doubles(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return (a > b) - (a < b);
}

/* Milliseconds that the server's process has been on a processor; 0 where this is not told. What
 * other programs of the machine do lengthens a query, but hardly this. */
static double processor_msec(int pid)
{
    char path[64];
    double nanoseconds = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
    f = fopen(path, "r");
    if (f != NULL) {
        char line[128];

        if (fgets(line, sizeof line, f) != NULL)
            nanoseconds = strtod(line, NULL);
        fclose(f);
    }
    return nanoseconds / 1e6;
}

static void measure(PGconn *conn, const char *what, uint64_t first, unsigned long accounts,
                    unsigned long blocks)
{
    static double msec[PROOFS], processor[PROOFS];
    int pid = PQbackendPID(conn);

    for (int i = 0; i < PROOFS; i++) {
        struct address key = address_of(first + next() % accounts);
        uint32_t height[2] = {0, htonl((uint32_t)(next() % (blocks + 1)))};
        const char *values[2] = {(const char *)key.b, (const char *)height};
        double used = processor_msec(pid), start = now_msec();
        PGresult *result =
            PQexecPrepared(conn, "proof", 2, values, (int[]){20, 8}, (int[]){1, 1}, 1);

        msec[i] = now_msec() - start;
        processor[i] = processor_msec(pid) - used;
        if (PQresultStatus(result) != PGRES_TUPLES_OK) {
            fprintf(stderr, "%s", PQerrorMessage(conn));
            exit(1);
        }
        PQclear(result);
    }
    qsort(msec, PROOFS, sizeof *msec, compare_doubles);
    qsort(processor, PROOFS, sizeof *processor, compare_doubles);
    printf("proof of %s at a random height, %lu accounts   median %.2f ms, p99 %.2f ms "
           "(of the processor %.2f, %.2f)   target <= 2 ms   %s\n",
           what, accounts, msec[PROOFS / 2], msec[PROOFS * 99 / 100], processor[PROOFS / 2],
           processor[PROOFS * 99 / 100], msec[PROOFS * 99 / 100] <= 2 ? "ok" : "missed");
}

int main(void)
{
    unsigned long accounts = size_of("ACCOUNTS", ACCOUNTS), blocks = size_of("BLOCKS", BLOCKS);
    char database[200];
    PGconn *conn;

    if (getenv("PGHOST") == NULL || getenv("PGDATABASE") == NULL) {
        fprintf(stderr, "proof_bench: set PGHOST, PGUSER and PGDATABASE\n");
        return 2;
    }
    snprintf(database, sizeof database, "dbname=%s", getenv("PGDATABASE"));
    conn = PQconnectdb(database);
    if (PQstatus(conn) != CONNECTION_OK) {
        fprintf(stderr, "%s", PQerrorMessage(conn));
        return 1;
    }
    if (getenv("REUSE") == NULL)
        make_chain(conn, accounts, blocks);
    PQclear(PQprepare(conn, "proof", "SELECT tidemark.prove('account', $1, $2)", 2,
                      (Oid[]){BYTEA_OID, INT8_OID}));
    measure(conn, "a present key", 0, accounts, blocks);
    measure(conn, "an absent key", UINT64_C(1) << 32, accounts, blocks);
    PQfinish(conn);
    return 0;
}
