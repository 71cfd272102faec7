/* `tidemark rollback`: back to an earlier height, or nothing. */
#ifndef NODE_CLI_ROLLBACK_H
#define NODE_CLI_ROLLBACK_H

#include "cli.h"

extern const struct cli_command cli_rollback_command;

#endif
