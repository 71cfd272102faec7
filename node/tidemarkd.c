/* tidemarkd: the daemon. In solo mode it makes the chain alone with the keys it holds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/shell/solo/solo_node.h"
#include "protocol/base/arena.h"

enum { EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_LATER = 3 };

static const char HELP[] =
    "usage: tidemarkd --db URL --keys DIR [options]\n"
    "\n"
    "Makes blocks alone with the private keys in DIR, which must be those of more than two thirds\n"
    "of the validators. One line per block on standard output. SIGTERM ends it.\n"
    "\n"
    "  --db URL               libpq URL of the database, as role tidemark_node\n"
    "  --keys DIR             private keys: files of 128 hexadecimal characters, or armoured keys\n"
    "  --data DIR             the node's directory; the vote guard file is kept in DIR/guard\n"
    "  --guard DIR            keep the vote guard file there (default without --data: KEYS.guard)\n"
    "  --interval S           seconds between blocks (default: the genesis file's)\n"
    "  --blocks N             end after N blocks\n"
    "  --tree-memory MB       memory for the state trees (default 256)\n"
    "  --reader-statement S   end sessions of readers whose statement runs longer (default 120)\n"
    "  --reader-transaction S or whose transaction stays open longer (default 300)\n"
    "  --reader-idle S        or that are idle longer (default 3600); 0: no such limit\n"
    "  --accept-older-state   go on although the vote guard has signed more than the database has\n"
    "\n"
    "TIDEMARK_SIGNATURE_LOG names a file to which every signature is appended as a line: height,\n"
    "round, step (4 is commit), header hash, address, signature.\n"
    "\n"
    "Exit codes: 0 ended as asked, 1 refused or stopped with a message, 2 usage, 3 not started\n"
    "because the database cannot be reached or has no room now.\n";

struct arguments {
    const char *db, *keys, *data, *guard, *interval, *blocks, *tree_memory;
    const char *reader_statement, *reader_transaction, *reader_idle;
    bool accept_older;
};

static int usage(const char *what, const char *which)
{
    fprintf(stderr, "tidemarkd: %s%s; see tidemarkd --help\n", what, which);
    return EXIT_USAGE;
}

/* 0, or the exit code. */
static int read_arguments(int argc, char **argv, struct arguments *a)
{
    const struct {
        const char *name;
        const char **value;
    } table[] = {{"--db", &a->db},
                 {"--keys", &a->keys},
                 {"--data", &a->data},
                 {"--guard", &a->guard},
                 {"--interval", &a->interval},
                 {"--blocks", &a->blocks},
                 {"--tree-memory", &a->tree_memory},
                 {"--reader-statement", &a->reader_statement},
                 {"--reader-transaction", &a->reader_transaction},
                 {"--reader-idle", &a->reader_idle}};

    for (int i = 1; i < argc; i++) {
        size_t k = 0;

        if (strcmp(argv[i], "--accept-older-state") == 0) {
            a->accept_older = true;
            continue;
        }
        while (k < sizeof table / sizeof *table && strcmp(argv[i], table[k].name) != 0)
            k++;
        if (k == sizeof table / sizeof *table)
            return usage("unknown argument ", argv[i]);
        if (i + 1 == argc)
            return usage(argv[i], " needs a value");
        *table[k].value = argv[++i];
    }
    return 0;
}

/* A number within [least, most], or false. */
static bool read_number(const char *text, double least, double most, double *out)
{
    char *rest;

    *out = strtod(text, &rest);
    return rest != text && *rest == '\0' && *out >= least && *out <= most;
}

/* Seconds into milliseconds; 0, or the exit code. */
static int read_limit(const char *name, const char *text, int64_t *msec)
{
    double number;

    if (text == NULL)
        return 0;
    if (!read_number(text, 0, WATCHDOG_SECONDS_MAX, &number)) {
        fprintf(stderr, "tidemarkd: %s takes seconds from 0 to %d, not %s; see tidemarkd --help\n",
                name, WATCHDOG_SECONDS_MAX, text);
        return EXIT_USAGE;
    }
    *msec = (int64_t)(number * 1000 + 0.5);
    return 0;
}

static int read_limits(const struct arguments *a, struct watchdog_limits *out)
{
    int status = read_limit("--reader-statement", a->reader_statement, &out->statement);

    if (status == 0)
        status = read_limit("--reader-transaction", a->reader_transaction, &out->transaction);
    if (status == 0)
        status = read_limit("--reader-idle", a->reader_idle, &out->idle);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments a = {0};
    struct solo_node_options options = {.interval = -1, .readers = watchdog_defaults()};
    struct arena arena;
    struct tm_error e = {0};
    enum tm_err err;
    double number;
    int status;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(HELP, stdout);
        return 0;
    }
    status = read_arguments(argc, argv, &a);
    if (status != 0)
        return status;
    if (a.db == NULL || a.keys == NULL)
        return usage("--db and --keys are needed", "");
    if (a.interval != NULL && !read_number(a.interval, 0, 86400, &options.interval))
        return usage("--interval takes seconds from 0 to 86400, not ", a.interval);
    if (a.blocks != NULL) {
        if (!read_number(a.blocks, 1, 1e9, &number))
            return usage("--blocks takes a number from 1 on, not ", a.blocks);
        options.blocks = (uint64_t)number;
    }
    if (a.tree_memory != NULL) {
        if (!read_number(a.tree_memory, 1, 1e6, &number))
            return usage("--tree-memory takes megabytes from 1 on, not ", a.tree_memory);
        options.tree_memory = (size_t)(number * 1024 * 1024);
    }
    status = read_limits(&a, &options.readers);
    if (status != 0)
        return status;
    arena_init(&arena);
    options.db = a.db;
    options.keys = a.keys;
    options.accept_older = a.accept_older;
    options.guard = a.guard;
    options.signature_log = getenv("TIDEMARK_SIGNATURE_LOG");
    if (options.guard == NULL && a.data != NULL)
        options.guard = arena_format(&arena, "%s/guard", a.data);
    if (options.guard == NULL) {
        size_t size = strlen(a.keys);

        while (size > 1 && a.keys[size - 1] == '/')
            size--;
        options.guard = arena_format(&arena, "%.*s.guard", (int)size, a.keys);
    }
    err = solo_node_run(&options, &e);
    if (err != TM_OK) {
        fprintf(stderr, "tidemarkd: %s\n", e.text);
        status = err == TM_ERR_AGAIN ? EXIT_LATER : EXIT_REFUSED;
    }
    arena_free(&arena);
    return status;
}
