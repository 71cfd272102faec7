/* The options every command that needs a key has, and the words such commands take. */
#ifndef NODE_CLI_KEYS_OPTIONS_H
#define NODE_CLI_KEYS_OPTIONS_H

#include "cli.h"
#include "node/shell/keys/keystore.h"

struct keys_options {
    const char *directory;        /* NULL: $HOME/.tidemark/keys */
    struct passphrase passphrase; /* asked for once per command */
};

#define KEYS_OPTION_ROWS(o)                                                                        \
    {.name = "--keys", .value = &(o).directory},                                                   \
    {                                                                                              \
        .name = "--passphrase-file", .value = &(o).passphrase.file                                 \
    }

#define KEYS_OPTIONS_TEXT                                                                          \
    "  --keys DIR               directory of the keys (default $HOME/.tidemark/keys)\n"            \
    "  --passphrase-file FILE   the passphrase is the first line of FILE; without it the "         \
    "variable\n"                                                                                   \
    "                           TIDEMARK_PASSPHRASE is taken, or else you are asked\n"

/* 40 hexadecimal characters. False: the message is printed, exit with CLI_USAGE. */
bool keys_address_word(const char *command, const char *word, struct address *out);

/* Hexadecimal text of any length, in the arena; `what` names it in the message. */
bool keys_hex_word(const char *command, const char *what, const char *word, struct arena *a,
                   struct bytes *out);

/* The private key of an address, with the passphrase of the options. */
enum tm_err keys_open(struct keys_options *o, const struct address *address,
                      struct private_key *out, struct tm_error *e);

#endif
