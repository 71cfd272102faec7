/* One line of a recorded chain: a block as JSON, its bytes as hex in "raw" beside the decoded
 * header fields. The form `tidemark replay` reads and `tidemark export` writes. */
#ifndef NODE_RECORDED_RECORDED_BLOCK_H
#define NODE_RECORDED_RECORDED_BLOCK_H

#include "protocol/block/block.h"

/* A line holds the block twice as hex, and its certificate once more. */
enum { RECORDED_LINE_MAX = 1024 * 1024 * 1024 };

struct recorded_block {
    height_t height;
    struct bytes raw; /* the encoded core.Block */
    struct block block;
};

/*
 * Parses a line, decodes raw, and checks every decoded field that is there against it. A missing
 * field but "height" and "raw" is no error, an unknown one neither. TM_ERR_MALFORMED or
 * TM_ERR_MISMATCH name the field.
 */
enum tm_err recorded_block_parse(struct arena *a, struct bytes line, struct recorded_block *out,
                                 struct tm_error *e);

/* The line for a block, without newline. */
char *recorded_block_format(struct arena *a, const struct block *b);

#endif
