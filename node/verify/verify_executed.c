/* Stored rows of a block against the block as the node's executor made it. */
#include "verify_compare.h"

#include "protocol/base/hex.h"

#include <inttypes.h>

/* Columns of ledger.block that are no part of the header. */
static void check_block(struct findings *f, struct arena *a, const struct verify_height *rows,
                        const struct store_block *b)
{
    height_t h = rows->height;

    if (!rows->has_block) {
        verify_find(f, h, "there is no row in ledger.block");
        return;
    }
    if (rows->round < 0 || (uint64_t)rows->round != b->round)
        verify_find(f, h, "ledger.block.round is %" PRId64 ", the certificate's %" PRIu64,
                    rows->round, b->round);
    if (rows->has_header_hash && !hash32_equal(&rows->header_hash, &b->header_hash))
        verify_find(f, h, "ledger.block.header_hash is %s, computed %s",
                    hex_text(a, bytes_hash(&rows->header_hash)),
                    hex_text(a, bytes_hash(&b->header_hash)));
    if (rows->block_time_usec != b->header.seconds * 1000000 + b->header.nanos / 1000)
        verify_find(f, h, "ledger.block.block_time is not seconds and nanos");
    if (rows->transactions != (int64_t)b->transaction_count)
        verify_find(f, h, "ledger.block.transactions is %" PRId64 ", by execution %zu",
                    rows->transactions, b->transaction_count);
}

static void check_transactions(struct findings *f, struct arena *a,
                               const struct verify_height *rows, const struct store_block *b)
{
    verify_sort_transactions(rows);
    if (rows->transaction_count != b->transaction_count)
        verify_find(f, rows->height, "%zu transactions, by execution %zu", rows->transaction_count,
                    b->transaction_count);
    for (size_t i = 0; i < b->transaction_count && i < rows->transaction_count; i++) {
        const struct verify_transaction *row = &rows->transaction_rows[i];

        if (row->index != (int32_t)i) {
            verify_find(f, rows->height, "transaction with tx_index %zu is missing", i);
            return;
        }
        if (!bytes_equal(row->tx, b->transactions[i].tx))
            verify_find(f, rows->height, "transaction %zu: other bytes than were executed", i);
        verify_result(f, a, rows->height, row, &b->transactions[i]);
    }
}

void verify_executed(struct findings *f, struct arena *a, const struct verify_height *rows,
                     struct node_map *live, const struct store_block *executed)
{
    const struct verify_execution x = {
        .done = true, .writes = executed->writes, .write_count = executed->write_count};

    check_block(f, a, rows, executed);
    check_transactions(f, a, rows, executed);
    verify_touches(f, a, rows, executed->touches, executed->touch_count);
    verify_births(f, a, rows, &x);
    verify_ends(f, a, rows, &x);
    for (int t = 0; t < TREES; t++)
        verify_nodes(f, a, live, rows, (enum tree_id)t, executed->nodes[t],
                     executed->node_count[t]);
    verify_found(f, rows->height);
}
