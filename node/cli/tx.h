/* `tidemark tx`: makes, signs and submits transactions. */
#ifndef NODE_CLI_TX_H
#define NODE_CLI_TX_H

#include "cli.h"

extern const struct cli_command cli_tx_command;

#endif
