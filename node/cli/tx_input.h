/* An encoded transaction as a person gives it. */
#ifndef NODE_CLI_TX_INPUT_H
#define NODE_CLI_TX_INPUT_H

#include "protocol/base/arena.h"
#include "protocol/base/error.h"

/*
 * The bytes behind a word: a file's content, binary or hexadecimal ("-": standard input), or else
 * the word itself as hexadecimal. They need not decode. TM_ERR_USAGE: the word is neither;
 * TM_ERR_LIMIT: more than TRANSACTION_MAX bytes.
 */
enum tm_err tx_input(struct arena *a, const char *word, struct bytes *out, struct tm_error *e);

/* The same where only a file can be meant. */
enum tm_err tx_input_file(struct arena *a, const char *path, struct bytes *out, struct tm_error *e);

#endif
