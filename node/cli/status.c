/* tidemark status: chain, database and node in a few lines. */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "node/shell/cluster/database.h"
#include "node/shell/store/migrations.h"

static const char help[] = "usage: tidemark status [--data DIR | --db URL]\n"
                           "\n"
                           "Prints where the chain stands and whether a node runs on it.\n"
                           "\n"
                           "  --data DIR   directory of the embedded database (default ./var)\n"
                           "  --db URL     a database elsewhere\n";

static const char chain_query[] =
    "SELECT c.chain_id, c.rules, t.height, pg_catalog.encode(t.state_hash, 'hex'), b.block_time,"
    " b.transactions, t.earliest"
    " FROM ledger.chain c, ledger.tip t JOIN ledger.block b USING (height)";

static const char node_query[] = "SELECT n.pid, n.status, n.message, n.version,"
                                 " (SELECT pg_catalog.count(*) FROM ops.submission s"
                                 "  WHERE s.status OPERATOR(pg_catalog.=) 'pending'),"
                                 " (SELECT pg_catalog.count(*) FROM ops.mempool)"
                                 " FROM (SELECT) one LEFT JOIN ops.node n ON true";

/* Only on the machine of the embedded database does the process id mean something. */
static void print_node(PGresult *r, bool here)
{
    char path[64];
    bool known = !PQgetisnull(r, 0, 1), alive = known && !PQgetisnull(r, 0, 0);

    snprintf(path, sizeof path, "/proc/%ld", alive ? strtol(PQgetvalue(r, 0, 0), NULL, 10) : 0);
    if (here && alive)
        alive = files_exist(path);
    if (!alive)
        printf("node         not running\n");
    else
        printf("node         %s (process %s, version %s)\n", PQgetvalue(r, 0, 1),
               PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 3));
    if (known && PQgetvalue(r, 0, 2)[0] != '\0')
        printf("             %s\n", PQgetvalue(r, 0, 2));
    printf("pending      %s submitted, %s in the mempool\n", PQgetvalue(r, 0, 4),
           PQgetvalue(r, 0, 5));
}

static enum tm_err print_status(PGconn *conn, bool here, struct tm_error *e)
{
    PGresult *chain = NULL, *node = NULL;
    enum tm_err err = migrations_check(conn, e);

    printf("server       PostgreSQL %s\n", PQparameterStatus(conn, "server_version"));
    if (err != TM_OK)
        return err;
    chain = PQexec(conn, chain_query);
    node = PQexec(conn, node_query);
    if (PQresultStatus(chain) != PGRES_TUPLES_OK)
        err = database_fail(conn, chain, "cannot read the chain's tip", e);
    else if (PQresultStatus(node) != PGRES_TUPLES_OK || PQntuples(node) != 1)
        err = database_fail(conn, node, "cannot read ops.node", e);
    else if (PQntuples(chain) != 1)
        err = tm_fail(e, TM_ERR_NOT_FOUND,
                      "there is a schema but no chain: tidemark init --genesis FILE makes one");
    else {
        printf("chain        %s, rules %s\n"
               "height       %s (from %s)\n"
               "state hash   %s\n"
               "block time   %s, %s transactions\n",
               PQgetvalue(chain, 0, 0), PQgetvalue(chain, 0, 1), PQgetvalue(chain, 0, 2),
               PQgetvalue(chain, 0, 6), PQgetvalue(chain, 0, 3), PQgetvalue(chain, 0, 4),
               PQgetvalue(chain, 0, 5));
        print_node(node, here);
    }
    PQclear(chain);
    PQclear(node);
    return err;
}

static int run(int argc, char **argv)
{
    const char *data = NULL, *db = NULL;
    const struct cli_option options[] = {
        {.name = "--data", .value = &data}, {.name = "--db", .value = &db}, {NULL}};
    struct tm_error e;
    enum tm_err err;
    PGconn *conn;

    if (!cli_options(argc, argv, options, NULL, 0, NULL))
        return CLI_USAGE;
    if (data != NULL && db != NULL)
        return cli_usage("status", "--data and --db exclude each other");
    err = cli_database_open(data, db, "reader", &conn, &e);
    if (err == TM_OK)
        err = print_status(conn, db == NULL, &e);
    cli_database_close(conn);
    return err == TM_OK ? CLI_DONE : cli_fail("status", &e);
}

const struct cli_command cli_status_command = {
    .name = "status",
    .summary = "where the chain stands, and whether a node runs",
    .help = help,
    .run = run,
};
