/*
 * Every query of `tidemark query` as one row: how it is asked, and the SQL that makes its answer in
 * the shape of rpc.md 1.6.
 */
#ifndef NODE_CLI_QUERY_TABLE_H
#define NODE_CLI_QUERY_TABLE_H

#include <jansson.h>

#include "cli.h"

enum query_argument {
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

enum query_answer {
    ANSWER_ONE,  /* the row; none is an error */
    ANSWER_ALL,  /* an array of the rows */
    ANSWER_PAGE, /* some of the rows, with their number */
};

struct query {
    struct cli_topic topic; /* the first word of its usage is the query's name */
    enum query_argument arguments[QUERY_ARGUMENTS_MAX];
    size_t required;          /* of the arguments: so many */
    bool at_height;           /* takes --height */
    const char *sort;         /* takes --sort; this is the default */
    enum query_answer answer; /* of a page: */
    const char *list, *total; /* its keys; without `total` the number is not told */
    const char *order;        /* columns */
    const char *thing;        /* "there is no <thing> <first argument>" */
    const char *sql;          /* a row is an object, its columns are the keys */
    /* Completes an object in ways that SQL cannot; NULL: nothing to do. */
    enum tm_err (*complete)(json_t *object, struct tm_error *e);
};

/* Number i of the queries, NULL after the last. */
const struct query *query_at(size_t i);

/* The query of that name, or NULL. */
const struct query *query_find(const char *name);

#endif
