#include "audit.h"

#include "chain_options.h"
#include "node/audit/share.h"
#include "node/shell/audit/auditor.h"

#include <inttypes.h>
#include <stdio.h>

static const char NAME[] = "audit";

static const char *what_was_done(enum audit_kind kind)
{
    switch (kind) {
    case AUDIT_BLOCK:
        return "verify_block of";
    case AUDIT_EXECUTION:
        return "executing again";
    case AUDIT_STATE:
        return "verifying in full";
    case AUDIT_KINDS:
        break;
    }
    return "";
}

static void print_finding(void *ctx, enum audit_kind kind, height_t height, struct bytes lines)
{
    (void)ctx;
    fflush(stdout);
    fprintf(stderr, "tidemark audit: %s block %" PRId64 ":\n%.*s\n", what_was_done(kind), height,
            (int)lines.size, (const char *)lines.data);
}

static void print_line(void *ctx, const char *line)
{
    (void)ctx;
    printf("%s\n", line);
    fflush(stdout);
}

static void print_height(const char *what, height_t height)
{
    if (height == HEIGHT_NONE)
        printf("%s none", what);
    else
        printf("%s to %" PRId64, what, height);
}

static void print_progress(void *ctx, const struct auditor_totals *t)
{
    (void)ctx;
    if (t->tip == HEIGHT_NONE)
        return;
    print_height("blocks verified:", t->block);
    print_height(", executed again:", t->execution);
    printf(" of %" PRId64 "; in this run %" PRIu64 " and %" PRIu64 " blocks, %" PRIu64
           " heights in full; %.1f s of processor time in %.1f s\n",
           t->tip, t->heights[AUDIT_BLOCK], t->heights[AUDIT_EXECUTION], t->heights[AUDIT_STATE],
           (double)t->work_usec / 1e6, (double)t->elapsed_usec / 1e6);
    fflush(stdout);
}

static int audit(PGconn *conn, const struct auditor_options *options)
{
    const struct auditor_listener listener = {
        .found = print_finding, .said = print_line, .progress = print_progress};
    struct auditor_totals totals;
    struct tm_error e;

    if (auditor_run(conn, options, &listener, &totals, &e) != TM_OK)
        return cli_fail(NAME, &e);
    if (totals.findings == 0)
        return CLI_DONE;
    fprintf(stderr,
            "tidemark audit: %" PRIu64 " of the heights checked do%s not hold; see ops.audit\n",
            totals.findings, totals.findings == 1 ? "es" : "");
    return CLI_REFUSED;
}

static int run(int argc, char **argv)
{
    struct chain_options options = {0};
    struct auditor_options how = {.percent = SHARE_DEFAULT};
    const char *share = NULL, *blocks = NULL;
    const struct cli_option table[] = {CHAIN_OPTION_ROWS(options),
                                       {.name = "--share", .value = &share},
                                       {.name = "--blocks", .value = &blocks},
                                       {.name = "--until-tip", .flag = &how.until_tip},
                                       {.name = "--keep-going", .flag = &how.keep_going},
                                       {0}};
    int64_t n;
    PGconn *conn;
    size_t count;
    int status;

    if (!cli_options(argc, argv, table, NULL, 0, &count))
        return CLI_USAGE;
    if (share != NULL) {
        if (!cli_integer(share, SHARE_LEAST, SHARE_MOST, &n))
            return cli_usage(NAME, "--share is a number from %d to %d, not \"%.40s\"", SHARE_LEAST,
                             SHARE_MOST, share);
        how.percent = (unsigned)n;
    }
    if (blocks != NULL) {
        if (!cli_integer(blocks, 1, INT64_MAX, &n))
            return cli_usage(NAME, "--blocks is a number from 1, not \"%.40s\"", blocks);
        how.blocks = (uint64_t)n;
    }
    conn = chain_connect(NAME, &options, "audit");
    if (conn == NULL)
        return CLI_REFUSED;
    status = audit(conn, &how);
    chain_disconnect(conn);
    return status;
}

const struct cli_command cli_audit_command = {
    .name = NAME,
    .summary = "check the stored chain in the background, beside a running node",
    .help =
        "usage: tidemark audit [--share PERCENT] [--blocks N] [--until-tip] [--keep-going]\n"
        "                      [--data DIR | --db URL]\n"
        "\n"
        "Follows the tip with verify_block, executes each block again on the state before it with\n"
        "the node's own code (rows, results, changes, tree nodes, roots and header must come out "
        "as\n"
        "they are stored), and verifies heights drawn at random in full. Changes nothing but\n"
        "ops.audit, where the results are; goes on where the last one stopped. Runs until it is\n"
        "stopped (SIGTERM: exit code 0) or something does not hold (exit code 1, and a row that\n"
        "stays). Heights that are pruned are skipped, and a rollback takes it back.\n"
        "\n"
        "  --share PERCENT   processor time it may take, own and the database's for it, of one\n"
        "                    core (1 to 100, default 25); it rests in proportion to its work\n"
        "  --blocks N        end when N blocks were executed again\n"
        "  --until-tip       end when everything up to the tip was checked and one height in full\n"
        "  --keep-going      go on behind a height that does not hold; the exit code is 1 all the\n"
        "                    same\n" CHAIN_OPTIONS_TEXT,
    .run = run,
};
