/* tidemark migrate: an existing database's schema brought up to this program. */
#include <stdio.h>

#include "cli.h"
#include "node/shell/cluster/database.h"
#include "node/shell/store/migrations.h"

static const char help[] =
    "usage: tidemark migrate [--data DIR | --db URL]\n"
    "\n"
    "Brings the schema of a database up to this program: the extension, the migrations it lacks "
    "(each\n"
    "in one transaction), then views and functions. Forward only; the chain itself is not "
    "changed.\n"
    "\n"
    "  --data DIR   directory of the embedded database (default ./var); made if it is new\n"
    "  --db URL     a database elsewhere, as a superuser\n";

static enum tm_err migrate(PGconn *conn, struct tm_error *e)
{
    struct migrations_result result;
    enum tm_err err = migrations_apply(conn, &result, e);

    if (err != TM_OK)
        return err;
    if (result.applied == 0 && !result.surface)
        printf("schema is up to date: migration %d, extension %s\n", result.version,
               result.extension);
    else
        printf("schema is at migration %d (%d applied now), extension %s%s, views and functions "
               "renewed\n",
               result.version, result.applied, result.extension,
               result.extension_changed ? " (new)" : "");
    return TM_OK;
}

static int run(int argc, char **argv)
{
    const char *data = NULL, *db = NULL;
    const struct cli_option options[] = {
        {.name = "--data", .value = &data}, {.name = "--db", .value = &db}, {NULL}};
    const struct cluster *embedded;
    struct tm_error e;
    enum tm_err err;
    PGconn *conn;

    if (!cli_options(argc, argv, options, NULL, 0, NULL))
        return CLI_USAGE;
    if (data != NULL && db != NULL)
        return cli_usage("migrate", "--data and --db exclude each other");
    err = cli_database_create(data, db, &conn, &embedded, &e);
    if (err == TM_OK)
        err = migrate(conn, &e);
    cli_database_close(conn);
    return err == TM_OK ? CLI_DONE : cli_fail("migrate", &e);
}

const struct cli_command cli_migrate_command = {
    .name = "migrate",
    .summary = "bring a database's schema up to this program",
    .help = help,
    .run = run,
};
