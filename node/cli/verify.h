/* `tidemark verify`. */
#ifndef NODE_CLI_VERIFY_H
#define NODE_CLI_VERIFY_H

#include "cli.h"

extern const struct cli_command cli_verify_command;

#endif
