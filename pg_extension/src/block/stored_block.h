/* A row of ledger.block as a header of protocol/, and the checks that need nothing else. */
#ifndef PG_EXTENSION_STORED_BLOCK_H
#define PG_EXTENSION_STORED_BLOCK_H

#include "table/reader.h"

#include "protocol/block/block.h"

struct stored_block {
    struct block_header header;
    bool has_header_hash;
    struct hash32 header_hash;
    int64 transactions; /* as the row counts them */
};

/* False when there is no such row. Between query_begin and query_end. */
bool stored_block_read(struct arena *a, height_t height, struct stored_block *out);

/*
 * Does the row agree with itself, with its transactions and with the block before (NULL: none is
 * kept)? NULL, or the first thing that does not hold.
 */
const char *stored_block_check(struct arena *a, const struct rules *rules,
                               const struct stored_block *block,
                               const struct stored_block *previous);

#endif
