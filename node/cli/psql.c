/* tidemark psql: psql on the node's database. */
#include <stdio.h>

#include "cli.h"
#include "node/shell/cluster/cluster_files.h"
#include "node/shell/cluster/database.h"

enum { STATEMENTS_MAX = 1000 };

static const char help[] =
    "usage: tidemark psql [--data DIR] [--role ROLE] [-c SQL]…\n"
    "\n"
    "Opens psql on the node's database. With -c it runs the statements, prints bare rows (psql\n"
    "-XqAt -c) and ends; the first one that fails ends it with exit code 1.\n"
    "\n"
    "  --data DIR    directory of the embedded database (default ./var)\n"
    "  --role ROLE   reader (default), api, node, admin or owner\n"
    "  -c SQL        statements to run; may be repeated, in one session\n"
    "\n"
    "Try: SELECT height, block_time, transactions FROM chain.block ORDER BY height DESC LIMIT 5;\n"
    "     SET tidemark.height = 10;  SELECT * FROM state.account;\n";

static enum tm_err run_psql(const struct cluster *c, const char *role,
                            const char *const *statements, int *status, struct tm_error *e)
{
    static const char *const bare[] = {"-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"};
    struct arena a;
    const char **argv;
    size_t n = 0;
    enum tm_err err;

    arena_init(&a);
    argv = arena_array(&a, const char *, 2 * STATEMENTS_MAX + 16);
    argv[n++] = arena_format(&a, "%s/" CLUSTER_BIN "/psql", c->prefix);
    argv[n++] = "-d";
    argv[n++] = database_url(c, &a, role);
    for (size_t i = 0; statements[0] != NULL && i < sizeof bare / sizeof *bare; i++)
        argv[n++] = bare[i];
    for (size_t i = 0; statements[i] != NULL; i++) {
        argv[n++] = "-c";
        argv[n++] = statements[i];
    }
    err = process_wait_for(argv, status, e);
    arena_free(&a);
    return err;
}

static int run(int argc, char **argv)
{
    static const char *statements[STATEMENTS_MAX + 1];
    const char *data = CLUSTER_DIRECTORY_DEFAULT, *role = "reader";
    const struct cli_option options[] = {
        {.name = "--data", .value = &data},
        {.name = "--role", .value = &role},
        {.name = "-c", .values = statements, .most = STATEMENTS_MAX},
        {NULL}};
    struct cluster c;
    struct tm_error e;
    enum tm_err err;
    int status = 0;

    if (!cli_options(argc, argv, options, NULL, 0, NULL))
        return CLI_USAGE;
    if (!cluster_role_known(role))
        return cli_usage("psql", "there is no role \"%.40s\"", role);
    err = cluster_find(&c, data, false, &e);
    if (err == TM_OK)
        err = cluster_acquire(&c, NULL, &e);
    if (err != TM_OK)
        return cli_fail("psql", &e);
    err = run_psql(&c, role, statements, &status, &e);
    cluster_release(&c);
    if (err != TM_OK)
        return cli_fail("psql", &e);
    return status == 0 ? CLI_DONE : CLI_REFUSED;
}

const struct cli_command cli_psql_command = {
    .name = "psql",
    .summary = "psql on the node's database",
    .help = help,
    .run = run,
};
