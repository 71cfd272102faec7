/* `tidemark replay`. */
#ifndef NODE_CLI_REPLAY_H
#define NODE_CLI_REPLAY_H

#include "cli.h"

extern const struct cli_command cli_replay_command;

#endif
