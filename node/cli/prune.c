#include "prune.h"

#include "chain_options.h"
#include "node/shell/cluster/database.h"
#include "node/shell/store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char NAME[] = "prune";

/* Changes removed in one transaction: some hundred milliseconds, so that locks and log stay short.
 */
enum { STEP_CHANGES = 10000, PROGRESS_SECONDS = 2 };

static const char PLAN[] = "SELECT object, removed FROM tidemark.prune_plan($1::int8)";
static const char STEP[] = "SELECT earliest, versions, nodes, changes, transactions "
                           "FROM tidemark.prune_step($1::int8, $2::int4)";

struct totals {
    int64_t versions, nodes, changes, transactions;
};

static int64_t number(const PGresult *r, int column)
{
    return strtoll(PQgetvalue(r, 0, column), NULL, 10);
}

static int fail(PGconn *conn, const PGresult *r, const char *what)
{
    struct tm_error e;

    database_fail(conn, r, what, &e);
    return cli_fail(NAME, &e);
}

/* The heights the chain has now. */
static int read_tip(PGconn *conn, int64_t *earliest, int64_t *tip)
{
    PGresult *r = PQexec(conn, "SELECT earliest, height FROM ledger.tip");
    int status = CLI_DONE;

    if (PQresultStatus(r) != PGRES_TUPLES_OK) {
        status = fail(conn, r, "cannot read the tip");
    } else if (PQntuples(r) != 1) {
        fprintf(stderr, "tidemark prune: the database has no chain; tidemark init makes one\n");
        status = CLI_REFUSED;
    } else {
        *earliest = number(r, 0);
        *tip = number(r, 1);
    }
    PQclear(r);
    return status;
}

static int print_plan(PGconn *conn, const char *target)
{
    const char *const values[] = {target};
    PGresult *r = PQexecParams(conn, PLAN, 1, NULL, values, NULL, NULL, 0);
    int status = CLI_DONE;

    if (PQresultStatus(r) != PGRES_TUPLES_OK) {
        status = fail(conn, r, "no plan");
    } else {
        printf("%-12s %12s\n", "", "removed");
        for (int i = 0; i < PQntuples(r); i++)
            printf("%-12s %12s%s\n", PQgetvalue(r, i, 0), PQgetvalue(r, i, 1),
                   strcmp(PQgetvalue(r, i, 0), "transaction") == 0 ? "  (bytes; hashes stay)" : "");
        printf("the earliest height would be %s; nothing was changed\n", target);
    }
    PQclear(r);
    return status;
}

/* One transaction; *earliest moves on. */
static int step(PGconn *conn, const char *target, int64_t *earliest, struct totals *t)
{
    char most[16];
    const char *const values[] = {target, most};
    PGresult *r;
    int status = CLI_DONE;

    snprintf(most, sizeof most, "%d", STEP_CHANGES);
    r = PQexecParams(conn, STEP, 2, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 1) {
        status = fail(conn, r, "stopped");
    } else {
        *earliest = number(r, 0);
        t->versions += number(r, 1);
        t->nodes += number(r, 2);
        t->changes += number(r, 3);
        t->transactions += number(r, 4);
    }
    PQclear(r);
    return status;
}

static int prune_to(PGconn *conn, int64_t earliest, int64_t target_height)
{
    char target[24];
    struct totals t = {0};
    time_t shown = time(NULL);
    int status = CLI_DONE;

    snprintf(target, sizeof target, "%" PRId64, target_height);
    while (status == CLI_DONE && earliest < target_height) {
        status = step(conn, target, &earliest, &t);
        if (time(NULL) - shown >= PROGRESS_SECONDS) {
            shown = time(NULL);
            fprintf(stderr, "earliest height %" PRId64 " of %" PRId64 "\n", earliest,
                    target_height);
        }
    }
    printf("earliest height %" PRId64 ": %" PRId64 " versions, %" PRId64 " tree nodes, %" PRId64
           " changes and the bytes of %" PRId64 " transactions removed\n",
           earliest, t.versions, t.nodes, t.changes, t.transactions);
    return status;
}

static int run_on(PGconn *conn, int64_t keep, bool dry)
{
    int64_t earliest = 0, tip = 0, target;
    char text[24];
    struct tm_error e;
    int status;

    if (store_check(conn, &e) != TM_OK)
        return cli_fail(NAME, &e);
    status = read_tip(conn, &earliest, &tip);
    if (status != CLI_DONE)
        return status;
    target = keep > tip ? 0 : tip - keep + 1;
    if (target <= earliest) {
        printf("nothing to prune: the chain has %" PRId64 " heights, from %" PRId64 " to %" PRId64
               "\n",
               tip - earliest + 1, earliest, tip);
        return CLI_DONE;
    }
    snprintf(text, sizeof text, "%" PRId64, target);
    return dry ? print_plan(conn, text) : prune_to(conn, earliest, target);
}

static int run(int argc, char **argv)
{
    struct chain_options options = {0};
    const char *keep_text = NULL;
    bool dry = false;
    const struct cli_option table[] = {CHAIN_OPTION_ROWS(options),
                                       {.name = "--keep", .value = &keep_text},
                                       {.name = "--dry-run", .flag = &dry},
                                       {0}};
    int64_t keep;
    PGconn *conn;
    size_t count;
    int status;

    if (!cli_options(argc, argv, table, NULL, 0, &count))
        return CLI_USAGE;
    if (keep_text == NULL)
        return cli_usage(NAME, "--keep N is wanted: how many heights stay");
    if (!cli_integer(keep_text, 1, INT64_MAX, &keep))
        return cli_usage(NAME, "--keep is a number from 1, not \"%.40s\"", keep_text);
    conn = chain_connect(NAME, &options, "node");
    if (conn == NULL)
        return CLI_REFUSED;
    status = run_on(conn, keep, dry);
    chain_disconnect(conn);
    return status;
}

const struct cli_command cli_prune_command = {
    .name = NAME,
    .summary = "give up the state of old heights; headers and hashes stay",
    .help =
        "usage: tidemark prune --keep N [--dry-run] [--data DIR | --db URL]\n"
        "\n"
        "Keeps the state at the last N heights. Of those before go the versions that ended, their\n"
        "tree nodes, what each block changed, and the bytes of transactions. Headers, "
        "certificates,\n"
        "results, and hash and value hash of every transaction stay, so the roots can always be\n"
        "recomputed. Views and functions refuse a pruned height. There is no way back but a "
        "replay.\n"
        "\n"
        "Works in short transactions, each of which leaves a whole chain with a later earliest\n"
        "height: it may be interrupted and run beside the node.\n"
        "\n"
        "  --keep N     heights that stay, the tip included\n"
        "  --dry-run    say what would go; nothing is changed\n" CHAIN_OPTIONS_TEXT,
    .run = run,
};
