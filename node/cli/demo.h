/* `tidemark demo`. */
#ifndef NODE_CLI_DEMO_H
#define NODE_CLI_DEMO_H

#include "cli.h"

extern const struct cli_command cli_demo_command;

#endif
