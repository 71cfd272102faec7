/* What SQL leaves encoded in answers of `tidemark query`: transactions and certificates. */
#ifndef NODE_CLI_QUERY_BLOCK_H
#define NODE_CLI_QUERY_BLOCK_H

#include <jansson.h>

#include "protocol/base/error.h"

/*
 * Makes an IndexedTransaction (rpc.md 1.6) of an object that has all of its members but `tx`, and
 * in their place `tx`, the transaction's bytes in hexadecimal, and the texts `hash` and `fee`. The
 * member `id` is taken away. Messages of the IBC store, which the reference cannot answer with,
 * read {signer, key, value} and {signer, key}.
 */
enum tm_err query_transaction_complete(json_t *object, struct tm_error *e);

/*
 * The same for {block_header, transactions}; block_header.quorum_cert, a certificate's bytes in
 * hexadecimal, becomes a QuorumCertificate: that of nothing where there are no bytes (genesis).
 */
enum tm_err query_block_complete(json_t *object, struct tm_error *e);

#endif
