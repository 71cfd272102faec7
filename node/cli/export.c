#include "export.h"

#include "chain_options.h"
#include "node/recorded/recorded_block.h"
#include "node/shell/store/store.h"

#include <inttypes.h>
#include <stdio.h>

static const char NAME[] = "export";

static int export_range(const struct store *store, FILE *out, height_t from, height_t to)
{
    struct arena a;
    struct tm_error e;
    struct hash32 state_hash;
    height_t tip;
    int status = 0;

    if (store->tip(store->ctx, &tip, &state_hash, &e) != TM_OK)
        return cli_fail(NAME, &e);
    if (to < 0)
        to = tip;
    if (from > to || to > tip) {
        fprintf(stderr,
                "tidemark export: heights %" PRId64 " to %" PRId64 ": the chain has 0 to %" PRId64
                "\n",
                from, to, tip);
        return CLI_REFUSED;
    }
    arena_init(&a);
    for (height_t h = from; h <= to && status == 0; h++) {
        struct block block;

        arena_reset(&a);
        if (store->block(store->ctx, &a, h, &block, &e) != TM_OK)
            status = cli_fail(NAME, &e);
        else if (fprintf(out, "%s\n", recorded_block_format(&a, &block)) < 0)
            status = CLI_REFUSED;
    }
    arena_free(&a);
    if (fflush(out) != 0 || status != 0) {
        if (ferror(out))
            fprintf(stderr, "tidemark export: writing the file: %m\n");
        return CLI_REFUSED;
    }
    fprintf(stderr, "%" PRId64 " blocks written\n", to - from + 1);
    return CLI_DONE;
}

static int export_database(PGconn *conn, const char *path, height_t from, height_t to)
{
    struct store_pg *pg;
    struct store store;
    struct tm_error e;
    FILE *out;
    int status;

    if (store_open(conn, &pg, &e) != TM_OK)
        return cli_fail(NAME, &e);
    store = store_of(pg);
    out = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    if (out == NULL) {
        fprintf(stderr, "tidemark export: %s: %m\n", path);
        status = CLI_REFUSED;
    } else {
        status = export_range(&store, out, from, to);
    }
    if (out != NULL && out != stdout && fclose(out) != 0 && status == CLI_DONE) {
        fprintf(stderr, "tidemark export: %s: %m\n", path);
        status = CLI_REFUSED;
    }
    store_close(pg);
    return status;
}

static int run(int argc, char **argv)
{
    struct chain_options options = {0};
    const char *from_text = "0", *to_text = "-1", *path;
    const struct cli_option table[] = {CHAIN_OPTION_ROWS(options),
                                       {.name = "--from", .value = &from_text},
                                       {.name = "--to", .value = &to_text},
                                       {0}};
    height_t from, to;
    size_t count;
    PGconn *conn;
    int status;

    if (!cli_options(argc, argv, table, &path, 1, &count))
        return CLI_USAGE;
    if (count != 1)
        return cli_usage(NAME, "one FILE is wanted");
    if (!cli_integer(from_text, 0, INT64_MAX, &from))
        return cli_usage(NAME, "--from %s is no height", from_text);
    if (!cli_integer(to_text, -1, INT64_MAX, &to))
        return cli_usage(NAME, "--to %s is no height", to_text);
    conn = chain_connect(NAME, &options, "node");
    if (conn == NULL)
        return CLI_REFUSED;
    status = export_database(conn, path, from, to);
    chain_disconnect(conn);
    return status;
}

const struct cli_command cli_export_command = {
    .name = NAME,
    .summary = "write the chain to a file that replay reads",
    .help =
        "usage: tidemark export FILE [--from H] [--to H] [--data DIR | --db URL]\n"
        "\n"
        "Writes blocks, one JSON object a line (- is standard output), from height H (default 0)\n"
        "to height H (default the tip).\n"
        "\n" CHAIN_OPTIONS_TEXT,
    .run = run,
};
