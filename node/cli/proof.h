/* `tidemark proof verify`, and all of the program `tidemark-proof`: needs files, no database. */
#ifndef NODE_CLI_PROOF_H
#define NODE_CLI_PROOF_H

#include "cli.h"

extern const struct cli_command cli_proof_command;

#endif
