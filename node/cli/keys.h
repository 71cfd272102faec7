/* `tidemark keys`: private keys in files. */
#ifndef NODE_CLI_KEYS_H
#define NODE_CLI_KEYS_H

#include "cli.h"

extern const struct cli_command cli_keys_command;

/* Subcommands that sign and verify; argv[0] is "keys NAME". */
int keys_sign(int argc, char **argv);
int keys_verify(int argc, char **argv);
int keys_sign_tx(int argc, char **argv);
int keys_verify_tx(int argc, char **argv);

#endif
