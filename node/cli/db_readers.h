/* tidemark db readers add|remove|list: login roles for people. */
#ifndef NODE_CLI_DB_READERS_H
#define NODE_CLI_DB_READERS_H

#include "node/shell/cluster/cluster.h"

struct db_readers_options {
    const char *name;          /* of the role; "" where none was given */
    const char *connections;   /* NULL: not given */
    const char *password_file; /* NULL: not given */
};

/* True for the words that stand behind `readers` and are these. */
bool db_readers_verb(const char *word);

/* Runs one of them on a cluster that was found; the exit code. */
int db_readers_run(const struct cluster *c, const char *verb, const struct db_readers_options *o);

#endif
