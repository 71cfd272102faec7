#include "verify.h"

#include "chain_options.h"
#include "node/shell/verify/verify_walk.h"
#include "protocol/base/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static const char NAME[] = "verify";

enum { VERIFY_PROGRESS_SECONDS = 2, VERIFY_TEXT_MAX = 1200 };

static void print_finding(void *ctx, const char *finding)
{
    (void)ctx;
    fprintf(stderr, "%s\n", finding);
}

static int resume(struct verify_source *source, struct verifier *v, height_t height)
{
    struct tm_error e;
    size_t findings;

    if (verify_walk_resume(source, v, height, &findings, &e) != TM_OK)
        return cli_fail(NAME, &e);
    return findings == 0 ? CLI_DONE : CLI_REFUSED;
}

static int check_chain(const struct verify_chain *chain, const struct genesis *g)
{
    struct tm_error e;

    if (verify_walk_same_chain(chain, g, &e))
        return CLI_DONE;
    fprintf(stderr, "%s\n", e.text);
    return CLI_REFUSED;
}

static int check_heights(struct verify_source *source, struct verifier *v, height_t first,
                         height_t last)
{
    struct arena a;
    struct tm_error e;
    time_t shown = time(NULL);
    int status = CLI_DONE;

    arena_init(&a);
    for (height_t h = first; h <= last && status == CLI_DONE; h++) {
        struct verify_height rows;

        arena_reset(&a);
        if (verify_source_next(source, &a, h, &rows, &e) != TM_OK) {
            fprintf(stderr, "height %" PRId64 ": %s\n", h, e.text);
            status = CLI_REFUSED;
        } else if (verifier_step(v, &rows) != 0) {
            status = CLI_REFUSED;
        }
        if (time(NULL) - shown >= VERIFY_PROGRESS_SECONDS) {
            shown = time(NULL);
            fprintf(stderr, "height %" PRId64 " of %" PRId64 "\n", h, last);
        }
    }
    arena_free(&a);
    return status;
}

static int check_tip(const struct verify_chain *chain, const struct verifier *v)
{
    struct hash32 state_hash = verifier_state_hash(v);

    if (bytes_equal(chain->tip_state_hash, bytes_hash(&state_hash)))
        return CLI_DONE;
    fprintf(stderr, "ledger.tip.state_hash is not that of block %" PRId64 "\n", chain->tip);
    return CLI_REFUSED;
}

/* What is kept of the heights before the earliest: headers, and nothing that has ended. */
static int check_pruned(struct verify_source *source, struct verifier *v, height_t earliest)
{
    struct arena a;
    struct tm_error e;
    int status = CLI_DONE;

    if (!verify_source_is_pruned(source, earliest, &e)) {
        fprintf(stderr, "%s\n", e.text);
        return CLI_REFUSED;
    }
    arena_init(&a);
    for (height_t h = 0; h <= earliest && status == CLI_DONE; h++) {
        struct verify_height rows;

        arena_reset(&a);
        if (verify_source_header(source, &a, h, &rows, &e) != TM_OK) {
            fprintf(stderr, "height %" PRId64 ": %s\n", h, e.text);
            status = CLI_REFUSED;
        } else if (verifier_link(v, &rows) != 0) {
            status = CLI_REFUSED;
        }
    }
    arena_free(&a);
    return status;
}

/* With `all` the whole chain in one pass, from the earliest height whose state is kept. */
static int verify_range(struct verify_source *source, const struct verify_chain *chain,
                        const struct genesis *g, height_t height, bool all)
{
    struct verifier *v = verifier_new(g, print_finding, NULL);
    height_t first = all ? chain->earliest : height, last = all ? chain->tip : height;
    struct tm_error e;
    int status = check_chain(chain, g);

    if (all && chain->earliest > 0) {
        printf("heights 0 to %" PRId64 " are pruned: their headers are checked, the state from "
               "height %" PRId64 " on\n",
               chain->earliest - 1, chain->earliest);
        if (status == CLI_DONE)
            status = check_pruned(source, v, chain->earliest);
        first++; /* the state at the earliest height is where execution begins */
    }

    if (status == CLI_DONE && first > 0)
        status = resume(source, v, first - 1);
    if (status == CLI_DONE &&
        verify_source_begin(source, first, all ? HEIGHT_NONE : height, &e) != TM_OK)
        status = cli_fail(NAME, &e);
    if (status == CLI_DONE)
        status = check_heights(source, v, first, last);
    if (status == CLI_DONE && !verify_source_exhausted(source, &e)) {
        fprintf(stderr, "%s\n", e.text);
        status = CLI_REFUSED;
    }
    if (status == CLI_DONE && last == chain->tip)
        status = check_tip(chain, v);
    if (status == CLI_DONE) {
        struct verify_totals totals = verifier_totals(v);
        struct hash32 state_hash = verifier_state_hash(v);
        char hex[65] = {0};

        hex_encode(bytes_hash(&state_hash), hex);
        printf("%" PRIu64 " blocks, %" PRIu64 " transactions, %" PRIu64 " versions, %" PRIu64
               " tree nodes verified\n"
               "height %" PRId64 ": state hash %s\n",
               totals.blocks, totals.transactions, totals.versions, totals.nodes, last, hex);
    }
    verifier_free(v);
    return status;
}

static int verify_database(PGconn *conn, const char *height_text, bool all)
{
    struct verify_source *source;
    struct verify_chain chain = {0};
    struct genesis g;
    struct arena a;
    struct tm_error e;
    int64_t height = 0;
    int status;

    if (verify_source_open(conn, &source, &e) != TM_OK)
        return cli_fail(NAME, &e);
    arena_init(&a);
    if (verify_walk_genesis(source, &a, &chain, &g, &e) != TM_OK) {
        status = cli_fail(NAME, &e);
    } else if (height_text != NULL && !cli_integer(height_text, 0, INT64_MAX, &height)) {
        status = cli_usage(NAME, "--height %s is no height", height_text);
    } else {
        if (height_text == NULL)
            height = chain.tip;
        if (height > chain.tip) {
            fprintf(stderr,
                    "tidemark verify: height %" PRId64 " is not there: the chain has %" PRId64
                    " to %" PRId64 "\n",
                    height, chain.earliest, chain.tip);
            status = CLI_REFUSED;
        } else if (!all && chain.earliest > 0 && height <= chain.earliest) {
            fprintf(stderr,
                    "tidemark verify: the state before block %" PRId64
                    " is pruned: heights %" PRId64 " to %" PRId64
                    " can be verified, or all with --all\n",
                    height, chain.earliest + 1, chain.tip);
            status = CLI_REFUSED;
        } else {
            status = verify_range(source, &chain, &g, height, all);
        }
    }
    verify_source_close(source);
    arena_free(&a);
    return status;
}

static int run(int argc, char **argv)
{
    struct chain_options options = {0};
    const char *height = NULL;
    bool all = false;
    const struct cli_option table[] = {CHAIN_OPTION_ROWS(options),
                                       {.name = "--height", .value = &height},
                                       {.name = "--all", .flag = &all},
                                       {0}};
    PGconn *conn;
    size_t words;
    int status;

    if (!cli_options(argc, argv, table, NULL, 0, &words))
        return CLI_USAGE;
    if (all && height != NULL)
        return cli_usage(NAME, "--height and --all exclude each other");
    conn = chain_connect(NAME, &options, "reader");
    if (conn == NULL)
        return CLI_REFUSED;
    status = verify_database(conn, height, all);
    chain_disconnect(conn);
    return status;
}

const struct cli_command cli_verify_command = {
    .name = NAME,
    .summary = "check rows against headers and certificates without trusting the database",
    .help =
        "usage: tidemark verify [--height H | --all] [--data DIR | --db URL]\n"
        "\n"
        "Reads raw rows and checks them with this program's own code: leaves, tree nodes, the ten\n"
        "roots, state hash, header, certificate; executes the block again and compares every row,\n"
        "result code and provenance with what comes out. Without an option the tip is checked, on\n"
        "the whole state before it. Findings are printed; exit code 1 if there is one.\n"
        "\n"
        "  --height H   check the state after block H - 1 and block H\n"
        "  --all        check every height in one pass; stops at the first with findings. Where\n"
        "               heights are pruned: their headers, then the state at the earliest one "
        "and\n"
        "               every block after it\n" CHAIN_OPTIONS_TEXT,
    .run = run,
};
