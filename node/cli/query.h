/* `tidemark query`: what stands in the chain and in its state, as JSON. */
#ifndef NODE_CLI_QUERY_H
#define NODE_CLI_QUERY_H

#include "cli.h"

extern const struct cli_command cli_query_command;

#endif
