/* `tidemark export`. */
#ifndef NODE_CLI_EXPORT_H
#define NODE_CLI_EXPORT_H

#include "cli.h"

extern const struct cli_command cli_export_command;

#endif
