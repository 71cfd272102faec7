/* The quorum certificate in the answer to `tidemark query block`. */
#ifndef NODE_CLI_QUERY_CERTIFICATE_H
#define NODE_CLI_QUERY_CERTIFICATE_H

#include <jansson.h>

#include "protocol/base/error.h"

/*
 * Replaces block_header.quorum_cert, the certificate's bytes in hexadecimal, by the object of
 * rpc.md 1.6. Empty bytes, those of genesis, become a certificate of nothing (rpc.md 1.5).
 */
enum tm_err query_certificate_expand(json_t *block, struct tm_error *e);

#endif
