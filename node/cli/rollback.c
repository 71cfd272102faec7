#include "rollback.h"

#include "chain_options.h"
#include "node/shell/cluster/database.h"
#include "node/shell/store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static const char NAME[] = "rollback";

/* The plan does not change anything; the rollback is one statement, so one transaction. */
static const char PLAN[] = "SELECT object, removed, restored FROM tidemark.rollback_plan($1::int8)";
static const char ROLLBACK[] = "SELECT object, removed, restored FROM tidemark.rollback($1::int8)";

static int64_t now_msec(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void print_objects(const PGresult *r)
{
    printf("%-12s %12s %16s\n", "", "removed", "current again");
    for (int i = 0; i < PQntuples(r); i++)
        printf("%-12s %12s %16s\n", PQgetvalue(r, i, 0), PQgetvalue(r, i, 1), PQgetvalue(r, i, 2));
}

static int print_tip(PGconn *conn, int64_t msec)
{
    PGresult *r = PQexec(conn, "SELECT height, pg_catalog.encode(state_hash, 'hex'), "
                               "EXISTS (SELECT FROM ledger.vote_guard v WHERE v.height > t.height) "
                               "FROM ledger.tip t");
    struct tm_error e;
    int status = CLI_DONE;

    if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 1) {
        database_fail(conn, r, "the rollback is done, but the tip cannot be read", &e);
        status = cli_fail(NAME, &e);
    } else {
        printf("height %s: ten roots recomputed, state hash %s, %" PRId64 " ms\n",
               PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1), msec);
        if (PQgetvalue(r, 0, 2)[0] == 't')
            printf("the vote guard stays: keys have signed later blocks, so a node of its own goes "
                   "on only with --accept-older-state\n");
    }
    PQclear(r);
    return status;
}

static int run_on(PGconn *conn, const char *height, bool dry)
{
    const char *const values[] = {height};
    int64_t start = now_msec();
    struct tm_error e;
    PGresult *r;
    int status = CLI_DONE;

    /* Roots over the whole state are worth the workers that blocks do without. */
    if (store_check(conn, &e) != TM_OK ||
        database_execute(conn, "RESET max_parallel_workers_per_gather", &e) != TM_OK)
        return cli_fail(NAME, &e);
    r = PQexecParams(conn, dry ? PLAN : ROLLBACK, 1, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(r) != PGRES_TUPLES_OK) {
        database_fail(conn, r, dry ? "no plan" : "nothing was changed", &e);
        status = cli_fail(NAME, &e);
    } else {
        print_objects(r);
        if (dry)
            printf("nothing was changed\n");
        else
            status = print_tip(conn, now_msec() - start);
    }
    PQclear(r);
    return status;
}

static int run(int argc, char **argv)
{
    struct chain_options options = {0};
    const char *text;
    bool dry = false;
    const struct cli_option table[] = {
        CHAIN_OPTION_ROWS(options), {.name = "--dry-run", .flag = &dry}, {0}};
    int64_t height;
    PGconn *conn;
    size_t count;
    int status;

    if (!cli_options(argc, argv, table, &text, 1, &count))
        return CLI_USAGE;
    if (count != 1)
        return cli_usage(NAME, "one HEIGHT is wanted");
    if (!cli_integer(text, 0, INT64_MAX, &height))
        return cli_usage(NAME, "%.40s is no height", text);
    conn = chain_connect(NAME, &options, "node");
    if (conn == NULL)
        return CLI_REFUSED;
    status = run_on(conn, text, dry);
    chain_disconnect(conn);
    return status;
}

const struct cli_command cli_rollback_command = {
    .name = NAME,
    .summary = "take the blocks above a height back, roots verified",
    .help =
        "usage: tidemark rollback HEIGHT [--dry-run] [--data DIR | --db URL]\n"
        "\n"
        "Takes every block above HEIGHT back, in one transaction: rows, tree nodes, transactions "
        "and\n"
        "blocks. The ten state trees are then recomputed from the rows and compared with the "
        "header\n"
        "of HEIGHT; where they differ nothing is changed. Submitted transactions of the blocks "
        "that\n"
        "go are pending again. Readers see the old chain until their snapshot ends.\n"
        "\n"
        "Refused below the earliest height kept, and while a node or another writing command is\n"
        "connected. What keys have signed stays in the vote guard, so a node that makes blocks "
        "alone\n"
        "goes on only with --accept-older-state; `tidemark export` before and `tidemark replay` "
        "after\n"
        "bring the same blocks back.\n"
        "\n"
        "  --dry-run    say what would go; nothing is changed\n" CHAIN_OPTIONS_TEXT,
    .run = run,
};
