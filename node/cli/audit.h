/* `tidemark audit`: checks the stored chain in the background. */
#ifndef NODE_CLI_AUDIT_H
#define NODE_CLI_AUDIT_H

#include "cli.h"

extern const struct cli_command cli_audit_command;

#endif
