#include "block/stored_block.h"

#include "value/argument.h"

#include "protocol/base/hex.h"
#include "protocol/sha3/sha3.h"

#include "utils/array.h"

/* False when the column is NULL or no digest. */
static bool read_hash(HeapTuple row, int n, struct arena *a, struct hash32 *out)
{
    struct bytes b = query_bytes(row, n, BYTEAOID, a);

    if (b.size != sizeof *out)
        return false;
    memcpy(out, b.data, sizeof *out);
    return true;
}

static bool read_roots(HeapTuple row, int n, struct hash32 roots[TREES])
{
    bool is_null;
    Datum value = query_value(row, n, BYTEAARRAYOID, &is_null);
    struct argument_array array;

    if (is_null)
        return false;
    array = argument_bytea_array(value, MESSAGE_CHAINS_MAX, "tree_roots");
    if (array.count != TREES)
        return false;
    for (int i = 0; i < TREES; i++) {
        struct bytes b;

        if (array.nulls[i])
            return false;
        b = argument_bytes(array.values[i], KEY_BYTES_MAX, "tree_roots");
        if (b.size != sizeof roots[i])
            return false;
        memcpy(&roots[i], b.data, sizeof roots[i]);
    }
    return true;
}

bool stored_block_read(struct arena *a, height_t height, struct stored_block *out)
{
    static struct query q = {
        "SELECT network_id, state_hash, previous_state_hash, proposer, seconds, "
        "nanos::pg_catalog.int8, tree_roots, validator_set_hash, next_validator_set_hash, "
        "transactions_hash, transactions::pg_catalog.int8, header_hash FROM ledger.block WHERE "
        "height" OP_EQ "$1",
        1,
        {INT8OID},
        NULL};
    Datum value = Int64GetDatum(height);
    struct block_header *h = &out->header;
    HeapTuple row;

    memset(out, 0, sizeof *out);
    query_run(&q, &value);
    if (SPI_processed == 0)
        return false;
    row = SPI_tuptable->vals[0];
    h->height = (uint64_t)height;
    h->network_id = query_bytes(row, 1, TEXTOID, a);
    h->has_state_hash = read_hash(row, 2, a, &h->state_hash);
    h->has_previous = read_hash(row, 3, a, &h->previous_state_hash);
    h->proposer = query_bytes(row, 4, BYTEAOID, a);
    h->has_timestamp = true;
    h->seconds = query_int64(row, 5);
    h->nanos = (int32_t)query_int64(row, 6);
    h->has_tree_roots = read_roots(row, 7, h->tree_roots);
    h->has_validator_set = read_hash(row, 8, a, &h->validator_set_hash);
    h->has_next_validator_set = read_hash(row, 9, a, &h->next_validator_set_hash);
    h->has_transactions_hash = read_hash(row, 10, a, &h->transactions_hash);
    out->transactions = query_int64(row, 11);
    out->has_header_hash = read_hash(row, 12, a, &out->header_hash);
    return true;
}

/* The transactions of the block against their hashes, their number and the header's field 11. */
static const char *check_transactions(struct arena *a, const struct stored_block *block)
{
    static struct query q = {"SELECT tx_index::pg_catalog.int8, hash, tx FROM ledger.transaction "
                             "WHERE height" OP_EQ "$1 ORDER BY tx_index",
                             1,
                             {INT8OID},
                             NULL};
    Datum value = Int64GetDatum((int64)block->header.height);
    struct bytes *txs;
    struct hash32 computed;

    query_run(&q, &value);
    if ((int64)SPI_processed != block->transactions)
        return arena_format(a, "it has %lld transactions, ledger.block counts %lld",
                            (long long)SPI_processed, (long long)block->transactions);
    txs = arena_array(a, struct bytes, SPI_processed);
    for (uint64 i = 0; i < SPI_processed; i++) {
        HeapTuple row = SPI_tuptable->vals[i];
        struct hash32 stored;

        txs[i] = query_bytes(row, 3, BYTEAOID, a);
        computed = sha3_256(txs[i]);
        if (query_int64(row, 1) != (int64)i)
            return arena_format(a, "transaction %lld is missing", (long long)i);
        if (!read_hash(row, 2, a, &stored) || !hash32_equal(&stored, &computed))
            return arena_format(a, "the hash of transaction %lld is not that of its bytes",
                                (long long)i);
    }
    computed = transactions_hash(txs, SPI_processed);
    if (block->header.has_transactions_hash &&
        !hash32_equal(&computed, &block->header.transactions_hash))
        return "transactions_hash is not that of the transactions";
    return NULL;
}

const char *stored_block_check(struct arena *a, const struct rules *rules,
                               const struct stored_block *block,
                               const struct stored_block *previous)
{
    const struct block_header *h = &block->header;
    struct hash32 computed;

    if (!h->has_state_hash || !h->has_tree_roots)
        return "state_hash or tree_roots is not made of 32-byte digests";
    computed = state_hash_of_roots(h->tree_roots);
    if (!hash32_equal(&computed, &h->state_hash))
        return arena_format(a, "tree_roots give the state hash %s, not %s",
                            hex_text(a, bytes_hash(&computed)),
                            hex_text(a, bytes_hash(&h->state_hash)));
    if (h->height == 0 && h->has_previous)
        return "the first block has a previous_state_hash";
    if (previous != NULL &&
        (!h->has_previous || !hash32_equal(&h->previous_state_hash, &previous->header.state_hash)))
        return "previous_state_hash is not the state hash of the block before";
    if (rules->signed_header) {
        if (!h->has_transactions_hash || !block->has_header_hash)
            return "transactions_hash or header_hash is missing";
        computed = header_hash(h);
        if (!hash32_equal(&computed, &block->header_hash))
            return "header_hash is not that of the header's columns";
        if (previous != NULL &&
            (!h->has_validator_set || !previous->header.has_next_validator_set ||
             !hash32_equal(&h->validator_set_hash, &previous->header.next_validator_set_hash)))
            return "validator_set_hash is not the next_validator_set_hash of the block before";
    }
    return check_transactions(a, block);
}
