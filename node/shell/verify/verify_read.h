/* Rows of schema `ledger` as values of the verifier. What they hold lives in the arena. */
#ifndef NODE_SHELL_VERIFY_VERIFY_READ_H
#define NODE_SHELL_VERIFY_VERIFY_READ_H

#include "node/verify/verify.h"
#include "node/shell/store/statements.h"

/* Columns of ledger.block b as read_block takes them. */
#define BLOCK_COLUMNS                                                                              \
    "b.height, b.network_id, b.state_hash, b.previous_state_hash, b.proposer, b.certificate, "     \
    "b.seconds, b.nanos, (EXTRACT(epoch FROM b.block_time) * 1000000)::pg_catalog.int8, "          \
    "b.tree_roots, b.validator_set_hash, b.next_validator_set_hash, b.transactions_hash, "         \
    "b.round, "                                                                                    \
    "b.transactions::pg_catalog.int8, b.header_hash"

/* List grows by one element; a list in an arena, copied at each power of two. */
void *read_grow(struct arena *a, void *list, size_t count, size_t size);
#define READ_GROW(a, list, count) ((list) = read_grow((a), (list), (count), sizeof *(list)))

/* rows (NULL: header only) takes what is not part of the header. */
enum tm_err read_block(struct arena *a, const PGresult *r, int row, struct block_header *h,
                       struct verify_height *rows, struct tm_error *e);

/* Columns: a height, then those of versioned_select. */
enum tm_err read_birth(struct arena *a, const struct versioned *v, const PGresult *r, int row,
                       struct verify_birth *out, struct tm_error *e);

/* The same with class behind. */
enum tm_err read_end(struct arena *a, const struct versioned *v, const PGresult *r, int row,
                     struct verify_end *out, struct tm_error *e);

/* Columns: a height, tree, depth, prefix, digest. */
enum tm_err read_node(const PGresult *r, int row, enum tree_id *tree, struct smt_node_row *out,
                      struct tm_error *e);

/* Columns: height, tree, key, step. */
enum tm_err read_touch(struct arena *a, const PGresult *r, int row, struct verify_touch *out,
                       struct tm_error *e);

/* Columns: height, tx_index, hash, tx, result_code, error, signer, recipient, message_type. */
void read_transaction(struct arena *a, const PGresult *r, int row, struct verify_transaction *out);

#endif
