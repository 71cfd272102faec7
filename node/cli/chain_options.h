/* The options every command on a chain's database has: --data DIR or --db URL. */
#ifndef NODE_CLI_CHAIN_OPTIONS_H
#define NODE_CLI_CHAIN_OPTIONS_H

#include <libpq-fe.h>

#include "cli.h"

struct chain_options {
    const char *data; /* NULL: ./var */
    const char *url;  /* NULL: the database under data */
};

#define CHAIN_OPTION_ROWS(o)                                                                       \
    {.name = "--data", .value = &(o).data},                                                        \
    {                                                                                              \
        .name = "--db", .value = &(o).url                                                          \
    }

#define CHAIN_OPTIONS_TEXT                                                                         \
    "  --data DIR   directory of the embedded database (default ./var)\n"                          \
    "  --db URL     another database instead, as a libpq URL\n"

/* A connection in that role ("node", "reader", …) to a database with this program's schema; prints
 * what is wrong and returns NULL. `name` is the command's. */
PGconn *chain_connect(const char *name, const struct chain_options *o, const char *role);
void chain_disconnect(PGconn *conn);

#endif
