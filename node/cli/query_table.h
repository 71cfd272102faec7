/*
 * Every query of `tidemark query` as one row: how it is asked, and the SQL that makes its answer in
 * the shape of rpc.md 1.6.
 */
#ifndef NODE_CLI_QUERY_TABLE_H
#define NODE_CLI_QUERY_TABLE_H

#include <jansson.h>

#include "cli.h"

enum query_argument_kind {
    ARGUMENT_NONE,
    ARGUMENT_ADDRESS, /* 40 hexadecimal characters */
    ARGUMENT_HASH,    /* 64 of them */
    ARGUMENT_TEXT
};

enum { QUERY_ARGUMENTS_MAX = 3 };

/* Parameters of the SQL, those a query does not use included: $1 to $3 its arguments, then these.
 */
enum query_parameter {
    PARAMETER_HEIGHT = QUERY_ARGUMENTS_MAX, /* $4: NULL is the tip */
    PARAMETER_LIMIT,                        /* $5: rows of a page */
    PARAMETER_OFFSET,                       /* $6: rows before it */
    PARAMETER_DIRECTION,                    /* $7: 1 ascending, -1 descending */
    QUERY_PARAMETERS
};

struct query {
    struct cli_topic topic; /* the first word of its usage is the query's name */
    enum query_argument_kind arguments[QUERY_ARGUMENTS_MAX];
    size_t required;          /* of the arguments: so many */
    bool at_height;           /* takes --height */
    const char *sort;         /* takes --sort; this is the default */
    const char *thing;        /* "there is no <thing> <first argument>" */
    const char *list, *total; /* keys of a paged answer; a list without total has no such key */
    /* One row at most: the answer; of a paged one the number of items, then those of the page. */
    const char *sql;
    /* Completes the answer in ways that SQL cannot; NULL: nothing to do. */
    enum tm_err (*complete)(json_t *answer, struct tm_error *e);
};

/* Number i of the queries, NULL after the last. */
const struct query *query_at(size_t i);

/* The query of that name, or NULL. */
const struct query *query_find(const char *name);

#endif
