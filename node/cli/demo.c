#include "demo.h"

#include "chain_options.h"
#include "node/demo/traffic.h"
#include "node/shell/keys/keystore.h"
#include "protocol/base/hex.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char NAME[] = "demo";

enum { DEMO_POLL_MSEC = 100, DEMO_NONCE_SHIFT = 16 };

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static bool tip_height(PGconn *conn, height_t *out)
{
    PGresult *result = PQexec(conn, "SELECT height FROM ledger.tip");
    bool ok = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;

    if (ok)
        *out = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return ok;
}

static bool holds(PGconn *conn, const char *sql, const char *argument)
{
    const char *values[] = {argument};
    PGresult *result = PQexecParams(conn, sql, 1, NULL, values, NULL, NULL, 0);
    bool yes = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 &&
               strcmp(PQgetvalue(result, 0, 0), "t") == 0;

    PQclear(result);
    return yes;
}

/* Where the chain stands: a second `make run` must not fund the wallets again. */
static enum traffic_stage stage_of(PGconn *conn, struct arena *a)
{
    struct address owner = traffic_owner_address();
    char blocks[16];

    snprintf(blocks, sizeof blocks, "%d", TRAFFIC_UNSTAKING_BLOCKS);
    if (holds(conn,
              "SELECT EXISTS (SELECT FROM ledger.param WHERE name = 'app_unstaking_blocks' AND "
              "value = $1)",
              blocks))
        return TRAFFIC_MIXED;
    if (holds(conn,
              "SELECT EXISTS (SELECT FROM ledger.account WHERE address = "
              "pg_catalog.decode($1, 'hex') AND balance > 0)",
              hex_text(a, bytes_address(&owner))))
        return TRAFFIC_SET_PARAMETERS;
    return TRAFFIC_FUND_OWNER;
}

/* Refused transactions are part of the traffic; only a lost database ends it. */
static bool submit(PGconn *conn, struct bytes tx)
{
    const char *values[] = {(const char *)tx.data};
    const int lengths[] = {(int)tx.size}, formats[] = {1};
    PGresult *result = PQexecParams(conn, "SELECT tidemark.submit_tx($1::pg_catalog.bytea)", 1,
                                    NULL, values, lengths, formats, 0);
    bool alive = PQstatus(conn) == CONNECTION_OK;

    PQclear(result);
    return alive;
}

static int follow(PGconn *conn, uint64_t seed, const struct private_key *keys, size_t key_count)
{
    const struct timespec pause = {0, DEMO_POLL_MSEC * 1000000L};
    struct traffic traffic;
    struct arena a;
    height_t height, done = HEIGHT_NONE;

    arena_init(&a);
    if (!tip_height(conn, &height)) {
        fprintf(stderr, "tidemark demo: the database has no chain; tidemark init makes one\n");
        arena_free(&a);
        return CLI_REFUSED;
    }
    traffic_init(&traffic, seed, (uint64_t)height << DEMO_NONCE_SHIFT, stage_of(conn, &a), keys,
                 key_count);
    while (!stopped && tip_height(conn, &height)) {
        if (height != done) {
            struct bytes batch[TRAFFIC_BATCH_MAX];
            size_t n = traffic_next(&traffic, &a, batch);

            for (size_t i = 0; i < n && submit(conn, batch[i]); i++)
                ;
            arena_reset(&a);
            done = height;
        }
        nanosleep(&pause, NULL);
    }
    arena_free(&a);
    return CLI_DONE;
}

static int run(int argc, char **argv)
{
    struct chain_options options = {0};
    const char *keys_directory = "deploy/localnet/keys", *seed_text = "1";
    const struct cli_option table[] = {CHAIN_OPTION_ROWS(options),
                                       {.name = "--keys", .value = &keys_directory},
                                       {.name = "--seed", .value = &seed_text},
                                       {0}};
    struct passphrase passphrase = {0};
    struct private_key *keys;
    struct tm_error e;
    struct arena a;
    size_t count, words;
    int64_t seed;
    int status = CLI_REFUSED;
    PGconn *conn;

    if (!cli_options(argc, argv, table, NULL, 0, &words))
        return CLI_USAGE;
    if (!cli_integer(seed_text, 0, INT64_MAX, &seed))
        return cli_usage(NAME, "--seed %s is no number", seed_text);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    arena_init(&a);
    if (keystore_load(&a, keys_directory, &passphrase, &keys, &count, &e) != TM_OK)
        cli_fail(NAME, &e);
    else if (count == 0)
        fprintf(stderr, "tidemark demo: %s holds no keys\n", keys_directory);
    else if ((conn = chain_connect(NAME, &options, "api")) != NULL) {
        status = follow(conn, (uint64_t)seed, keys, count);
        chain_disconnect(conn);
    }
    arena_free(&a);
    return status;
}

const struct cli_command cli_demo_command = {
    .name = NAME,
    .summary = "submit seeded demo traffic to a LocalNet chain",
    .help = "usage: tidemark demo [--seed N] [--keys DIR] [--data DIR | --db URL]\n"
            "\n"
            "After each block submits a few transactions made from a seed: sends, stakes, edits,\n"
            "unstakes, parameter changes, IBC entries, some of which fail. Ends with the database\n"
            "or a signal. For LocalNet: it uses the published key of the parameter owner.\n"
            "\n"
            "  --seed N     another number gives other traffic (default 1)\n"
            "  --keys DIR   keys of accounts that pay (default "
            "deploy/localnet/keys)\n" CHAIN_OPTIONS_TEXT,
    .run = run,
};
