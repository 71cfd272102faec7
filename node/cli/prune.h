/* `tidemark prune`: the state of old heights is given up, headers stay. */
#ifndef NODE_CLI_PRUNE_H
#define NODE_CLI_PRUNE_H

#include "cli.h"

extern const struct cli_command cli_prune_command;

#endif
