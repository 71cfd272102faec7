/* tidemark init: a database with a chain's genesis in it. */
#include <stdio.h>

#include "cli.h"
#include "node/shell/cluster/database.h"
#include "node/shell/store/migrations.h"
#include "node/shell/store/store.h"
#include "protocol/base/hex.h"
#include "protocol/genesis/genesis.h"

static const char help[] =
    "usage: tidemark init --genesis FILE [--rules standard|reference] [--data DIR | --db URL]\n"
    "\n"
    "Makes the database if it is new, its schema, and the state of block 0 from the genesis file;\n"
    "prints the state hash. On a database that holds the same chain already it brings the schema\n"
    "up to this program, as `tidemark migrate` does, and says so.\n"
    "\n"
    "  --genesis FILE   genesis file (JSON)\n"
    "  --rules NAME     rule set for a file that names none (default: standard)\n"
    "  --data DIR       directory of the embedded database (default ./var)\n"
    "  --db URL         an empty database (UTF8, C collation) elsewhere, as a superuser\n";

/* What a database holds already. */
struct existing {
    bool chain;
    bool same; /* the same file under the same rules */
    char chain_id[64], rules[16], state_hash[65];
};

static enum tm_err look(PGconn *conn, const struct genesis *genesis, struct bytes file,
                        struct existing *out, struct tm_error *e)
{
    PGresult *result = PQexec(conn, "SELECT pg_catalog.to_regclass('ledger.chain') IS NOT NULL"
                                    " AND pg_catalog.to_regclass('ledger.block') IS NOT NULL");
    const char *const parameters[] = {(const char *)file.data};
    const int lengths[] = {(int)file.size}, formats[] = {1};
    enum tm_err err = TM_OK;
    bool schema;

    memset(out, 0, sizeof *out);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        err = database_fail(conn, result, "cannot read the catalogue", e);
    schema = err == TM_OK && PQgetvalue(result, 0, 0)[0] == 't';
    PQclear(result);
    if (!schema)
        return err;
    result = PQexecParams(conn,
                          "SELECT c.chain_id, c.rules, pg_catalog.encode(b.state_hash, 'hex'),"
                          " c.genesis OPERATOR(pg_catalog.=) $1"
                          " FROM ledger.chain c JOIN ledger.block b"
                          " ON b.height OPERATOR(pg_catalog.=) 0",
                          1, (const Oid[]){17 /* bytea */}, parameters, lengths, formats, 0);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        err = database_fail(conn, result, "cannot read the chain's identity", e);
    else if (PQntuples(result) == 1) {
        out->chain = true;
        snprintf(out->chain_id, sizeof out->chain_id, "%.63s", PQgetvalue(result, 0, 0));
        snprintf(out->rules, sizeof out->rules, "%.15s", PQgetvalue(result, 0, 1));
        snprintf(out->state_hash, sizeof out->state_hash, "%.64s", PQgetvalue(result, 0, 2));
        out->same =
            PQgetvalue(result, 0, 3)[0] == 't' && strcmp(out->rules, genesis->rules->name) == 0;
    }
    PQclear(result);
    return err;
}

static enum tm_err load(PGconn *conn, const struct genesis *genesis, struct bytes file,
                        struct tm_error *e)
{
    struct migrations_result schema;
    char hex[2 * sizeof(struct hash32) + 1] = "";
    struct hash32 state_hash;
    struct existing existing;
    enum tm_err err = look(conn, genesis, file, &existing, e);

    if (err != TM_OK)
        return err;
    if (existing.chain && !existing.same)
        return tm_fail(e, TM_ERR_EXISTS,
                       "there is another chain here already (%s under %s rules, genesis state hash "
                       "%.16s…): use another --data, or remove it first",
                       existing.chain_id, existing.rules, existing.state_hash);
    err = migrations_apply(conn, &schema, e);
    if (err == TM_OK && existing.chain) {
        printf("already initialised: chain %s, rules %s\nstate hash %s\n", existing.chain_id,
               existing.rules, existing.state_hash);
        return TM_OK;
    }
    if (err == TM_OK)
        err = store_load_genesis(conn, genesis, file, &state_hash, e);
    if (err != TM_OK)
        return err;
    hex_encode(bytes_hash(&state_hash), hex);
    printf("chain %.*s, rules %s, %zu records\nstate hash %s\n", (int)genesis->chain_id.size,
           (const char *)genesis->chain_id.data, genesis->rules->name, genesis->record_count, hex);
    return TM_OK;
}

/* An error names the file and, in it, the field. */
static enum tm_err load_file(struct arena *a, const char *path, struct bytes file,
                             const struct rules *rules, struct genesis *out, struct tm_error *e)
{
    struct tm_error why;
    enum tm_err err = genesis_load(a, file, rules, out, &why);

    return err == TM_OK ? TM_OK : tm_fail(e, err, "%.200s: %.300s", path, why.text);
}

static int run(int argc, char **argv)
{
    const char *data = NULL, *db = NULL, *path = NULL, *rules_name = NULL;
    const struct cli_option options[] = {{.name = "--genesis", .value = &path},
                                         {.name = "--rules", .value = &rules_name},
                                         {.name = "--data", .value = &data},
                                         {.name = "--db", .value = &db},
                                         {NULL}};
    const struct cluster *embedded = NULL;
    const struct rules *rules = NULL;
    PGconn *conn = NULL;
    struct genesis genesis;
    struct bytes file;
    struct tm_error e;
    struct arena a;
    enum tm_err err;

    if (!cli_options(argc, argv, options, NULL, 0, NULL))
        return CLI_USAGE;
    if (path == NULL)
        return cli_usage("init", "--genesis FILE is missing");
    if (data != NULL && db != NULL)
        return cli_usage("init", "--data and --db exclude each other");
    if (rules_name != NULL && (rules = rules_by_name(bytes_of(rules_name))) == NULL)
        return cli_usage("init", "--rules is standard or reference, not \"%.40s\"", rules_name);
    arena_init(&a);
    err = files_read(&a, path, GENESIS_FILE_MAX, &file, &e);
    if (err == TM_OK)
        err = load_file(&a, path, file, rules, &genesis, &e);
    if (err == TM_OK)
        err = cli_database_create(data, db, &conn, &embedded, &e);
    if (err == TM_OK)
        err = load(conn, &genesis, file, &e);
    if (err == TM_OK && embedded != NULL)
        err = database_readers_default(embedded, conn, true, NULL, &e);
    cli_database_close(conn);
    arena_free(&a);
    return err == TM_OK ? CLI_DONE : cli_fail("init", &e);
}

const struct cli_command cli_init_command = {
    .name = "init",
    .summary = "make a database with the state of a genesis file",
    .help = help,
    .run = run,
};
