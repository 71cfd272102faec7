/* A block header out of its canonical bytes. */
#ifndef PROTOCOL_BLOCK_HEADER_H
#define PROTOCOL_BLOCK_HEADER_H

#include "../codec/codec.h"
#include "block.h"

/* c is a core.BlockHeader; errors as in block_decode. */
enum tm_err header_decode(struct arena *a, const struct canonical *c, struct block_header *out,
                          struct tm_error *e);

#endif
