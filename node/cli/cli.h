/*
 * The commands of `tidemark`: one file each, one row each in the table of node/tidemark.c.
 * Exit codes of every command: CLI_DONE, CLI_REFUSED, CLI_USAGE.
 */
#ifndef NODE_CLI_CLI_H
#define NODE_CLI_CLI_H

#include "protocol/base/error.h"
#include "protocol/base/bytes.h"

enum {
    CLI_DONE = 0,
    CLI_REFUSED = 1, /* a difference was found, or it could not be done */
    CLI_USAGE = 2
};

/* A subcommand's page; one with several forms has a row for each, with the text in the first. */
struct cli_topic {
    const char *usage; /* from the subcommand's word on: "get ADDRESS" */
    const char *text;  /* what it does, in lines of up to 80 characters; NULL: said above */
};

struct cli_command {
    const char *name;
    const char *summary; /* one line, for `tidemark --help` */
    /* Whole text of `tidemark NAME --help`, from "usage: tidemark NAME" on; with topics only what
     * stands between their usage and themselves. */
    const char *help;
    int (*run)(int argc, char **argv); /* argv[0] is the name */
    /* Number i of the subcommands, NULL after the last. NULL: the command has none. */
    const struct cli_topic *(*topic)(size_t i);
    const char *options; /* with topics: ends their pages and the command's */
};

extern const struct cli_command cli_db_command;
extern const struct cli_command cli_init_command;
extern const struct cli_command cli_migrate_command;
extern const struct cli_command cli_psql_command;
extern const struct cli_command cli_replica_command;
extern const struct cli_command cli_status_command;
extern const struct cli_command cli_up_command;

/*
 * Runs argv[1] of the program out of the commands (ended by NULL): the body of main. `--help`
 * anywhere prints the help of the command, or of its subcommand if one is named.
 */
int cli_main(const struct cli_command *const *commands, int argc, char **argv);

/* An option of a command: `--name VALUE` or `--name=VALUE`; a short name may stand beside it. */
struct cli_option {
    const char *name; /* "--data" */
    const char **value;
    bool *flag;          /* instead of value: an option without one */
    const char **values; /* instead of value: may be repeated, up to `most` times; NULL-terminated,
                            so with room for most + 1 */
    size_t most;
};

/*
 * Reads options (table ended by a row without name) from argv[1] on; words that are none go to
 * words[0 … *count), at most `most`. False: the message is printed, exit with CLI_USAGE. After "--"
 * everything is a word.
 */
bool cli_options(int argc, char **argv, const struct cli_option *options, const char **words,
                 size_t most, size_t *count);

/* "tidemark NAME: message" with a hint at --help, on standard error; returns CLI_USAGE. */
int cli_usage(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "tidemark NAME: the error's text" on standard error; CLI_USAGE for TM_ERR_USAGE, else
 * CLI_REFUSED. */
int cli_fail(const char *name, const struct tm_error *e);

/* Decimal text of an integer in [min, max]. */
bool cli_integer(const char *text, int64_t min, int64_t max, int64_t *out);

#endif
