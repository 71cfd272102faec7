#include "replay.h"

#include "chain_options.h"
#include "node/executor/executor.h"
#include "node/recorded/recorded_block.h"
#include "node/shell/store/store.h"
#include "node/shell/system/workers.h"
#include "protocol/base/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char NAME[] = "replay";

/* Decided blocks written in one transaction while catching up. */
enum { REPLAY_BATCH = 200, REPLAY_PROGRESS_SECONDS = 2 };

struct replay {
    struct executor *executor;
    struct store store;
    struct arena arena;
    uint64_t applied, compared, transactions;
    height_t stored_tip; /* when the command began */
    time_t shown;
};

/*
 * A block the database has already. Block 0 is compared but for its timestamp, which each node of
 * the reference took from its own clock, and, without a signed header, its network id, which came
 * from the node's configuration (state.md 5.1).
 */
static enum tm_err compare(struct replay *r, const struct recorded_block *given, struct tm_error *e)
{
    struct block stored, wanted = given->block;
    enum tm_err err = r->store.block(r->store.ctx, &r->arena, given->height, &stored, e);

    if (err != TM_OK)
        return err;
    if (given->height == 0) {
        wanted.header.network_id = wanted.header.has_transactions_hash ? wanted.header.network_id
                                                                       : stored.header.network_id;
        wanted.header.has_timestamp = stored.header.has_timestamp;
        wanted.header.seconds = stored.header.seconds;
        wanted.header.nanos = stored.header.nanos;
    }
    if (!bytes_equal(block_encode(&r->arena, &stored), block_encode(&r->arena, &wanted))) {
        if (!hash32_equal(&stored.header.state_hash, &wanted.header.state_hash))
            return tm_fail(e, TM_ERR_MISMATCH,
                           "height %" PRId64 ": stateHash: expected %s, the database has %s",
                           given->height,
                           hex_text(&r->arena, bytes_hash(&wanted.header.state_hash)),
                           hex_text(&r->arena, bytes_hash(&stored.header.state_hash)));
        return tm_fail(e, TM_ERR_MISMATCH,
                       "height %" PRId64 ": the database has another block with this state hash",
                       given->height);
    }
    r->compared++;
    return TM_OK;
}

static void print_difference(const struct executor_difference *d, struct arena *a)
{
    fprintf(stderr, "height %" PRId64 ": %s%s%s differs\n  expected %s\n  found    %s\n", d->height,
            d->field != NULL ? d->field : "block", d->tree >= 0 ? " " : "",
            d->tree >= 0 ? tree_name((enum tree_id)d->tree) : "", d->expected, d->found);
    for (size_t i = 0; i < d->write_count; i++)
        fprintf(stderr, "  changed  %s\n",
                d->writes[i].tree == TREE_PARAMS ? arena_text(a, d->writes[i].key)
                                                 : hex_text(a, d->writes[i].key));
}

static enum tm_err replay_line(struct replay *r, struct bytes line, struct tm_error *e)
{
    struct recorded_block given;
    struct executor_difference difference = {.tree = -1};
    enum tm_err err = recorded_block_parse(&r->arena, line, &given, e);

    if (err != TM_OK)
        return err;
    if (given.height <= r->stored_tip)
        return compare(r, &given, e);
    if (given.height != executor_height(r->executor) + 1)
        return tm_fail(e, TM_ERR_MISMATCH,
                       "the file goes on with height %" PRId64 ", the chain is at %" PRId64,
                       given.height, executor_height(r->executor));
    err = executor_replay(r->executor, given.raw, &r->arena, &difference, e);
    if (err != TM_OK && difference.field != NULL)
        print_difference(&difference, &r->arena);
    if (err != TM_OK)
        return err;
    r->applied++;
    r->transactions += given.block.transaction_count;
    return TM_OK;
}

static void show_progress(struct replay *r)
{
    time_t now = time(NULL);

    if (now - r->shown < REPLAY_PROGRESS_SECONDS)
        return;
    r->shown = now;
    fprintf(stderr, "height %" PRId64 ", %" PRIu64 " blocks applied\n",
            executor_height(r->executor), r->applied);
}

static int replay_file(struct replay *r, FILE *file)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    unsigned long number = 0;
    struct tm_error e;
    enum tm_err err = TM_OK;

    while (err == TM_OK && (n = getline(&line, &room, file)) > 0) {
        number++;
        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
            n--;
        if (n == 0)
            continue;
        arena_reset(&r->arena);
        err = replay_line(r, bytes_make(line, (size_t)n), &e);
        show_progress(r);
    }
    free(line);
    if (err == TM_OK)
        err = executor_flush(r->executor, &e);
    else {
        struct tm_error flush;

        fprintf(stderr, "tidemark replay: line %lu: %s\n", number, e.text);
        if (executor_flush(r->executor, &flush) != TM_OK)
            cli_fail(NAME, &flush);
        return CLI_REFUSED;
    }
    if (err != TM_OK)
        return cli_fail(NAME, &e);
    if (ferror(file)) {
        perror("tidemark replay: reading the file");
        return CLI_REFUSED;
    }
    if (r->compared > 0)
        printf("%" PRIu64 " blocks were there already and are equal\n", r->compared);
    printf("%" PRIu64 " blocks, %" PRIu64 " transactions, %" PRIu64 " state hashes equal\n",
           r->applied, r->transactions, r->applied);
    return CLI_DONE;
}

static int replay_database(PGconn *conn, FILE *file)
{
    struct replay r = {0};
    struct store_pg *store;
    struct workers *workers = workers_start(0);
    struct executor_workers pool = workers_of(workers);
    struct executor_options options = {.batch = REPLAY_BATCH};
    struct tm_error e;
    int status;

    if (store_open(conn, &store, &e) != TM_OK) {
        workers_stop(workers);
        return cli_fail(NAME, &e);
    }
    r.store = store_of(store);
    arena_init(&r.arena);
    if (executor_open(&r.executor, &r.store, &pool, &options, &e) != TM_OK) {
        status = cli_fail(NAME, &e);
    } else {
        r.stored_tip = executor_height(r.executor);
        r.shown = time(NULL);
        status = replay_file(&r, file);
        executor_close(r.executor);
    }
    arena_free(&r.arena);
    store_close(store);
    workers_stop(workers);
    return status;
}

static int run(int argc, char **argv)
{
    struct chain_options options = {0};
    const struct cli_option table[] = {CHAIN_OPTION_ROWS(options), {0}};
    const char *path;
    size_t count;
    PGconn *conn;
    FILE *file;
    int status;

    if (!cli_options(argc, argv, table, &path, 1, &count))
        return CLI_USAGE;
    if (count != 1)
        return cli_usage(NAME, "one FILE is wanted");
    file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (file == NULL) {
        fprintf(stderr, "tidemark replay: %s: %m\n", path);
        return CLI_REFUSED;
    }
    conn = chain_connect(NAME, &options, "node");
    status = conn == NULL ? CLI_REFUSED : replay_database(conn, file);
    if (conn != NULL)
        chain_disconnect(conn);
    if (file != stdin)
        fclose(file);
    return status;
}

const struct cli_command cli_replay_command = {
    .name = NAME,
    .summary = "apply the recorded blocks of a file, checking every hash and signature",
    .help =
        "usage: tidemark replay [--data DIR | --db URL] FILE\n"
        "\n"
        "Applies the blocks of FILE (one JSON object a line; - is standard input) to the chain in\n"
        "the database, in order. Each block is decoded from its field \"raw\"; its other fields,\n"
        "the certificate, the state hash, the ten tree hashes and the set hashes are checked.\n"
        "Heights the database has are compared; block 0 but for its timestamp. The first\n"
        "difference ends the command with exit code 1, and nothing of that block stays.\n"
        "\n" CHAIN_OPTIONS_TEXT,
    .run = run,
};
