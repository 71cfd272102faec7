#include "verify_read.h"

#include "node/shell/pg/pg_session.h"

void *read_grow(struct arena *a, void *list, size_t count, size_t size)
{
    void *larger;

    if (count != 0 && (count & (count - 1)) != 0)
        return list;
    larger = arena_alloc(a, (count == 0 ? 1 : 2 * count) * size);
    if (count > 0)
        memcpy(larger, list, count * size);
    return larger;
}

static struct bytes column_bytes(struct arena *a, const PGresult *r, int row, int column)
{
    return pg_is_null(r, row, column) ? bytes_make(NULL, 0)
                                      : arena_copy(a, pg_get_bytes(r, row, column));
}

static bool column_hash(const PGresult *r, int row, int column, struct hash32 *out,
                        enum tm_err *err, struct tm_error *e)
{
    if (pg_is_null(r, row, column))
        return false;
    if (*err == TM_OK)
        *err = pg_get_hash(r, row, column, out, e);
    return true;
}

enum tm_err read_block(struct arena *a, const PGresult *r, int row, struct block_header *h,
                       struct verify_height *rows, struct tm_error *e)
{
    enum tm_err err = TM_OK;
    struct bytes *roots;
    size_t count;

    *h = (struct block_header){.height = (uint64_t)pg_get_int64(r, row, 0)};
    h->network_id = column_bytes(a, r, row, 1);
    h->has_state_hash = column_hash(r, row, 2, &h->state_hash, &err, e);
    h->has_previous = column_hash(r, row, 3, &h->previous_state_hash, &err, e);
    h->proposer = column_bytes(a, r, row, 4);
    h->certificate = column_bytes(a, r, row, 5);
    h->has_timestamp = true;
    h->seconds = pg_get_int64(r, row, 6);
    h->nanos = pg_get_int32(r, row, 7);
    h->has_validator_set = column_hash(r, row, 10, &h->validator_set_hash, &err, e);
    h->has_next_validator_set = column_hash(r, row, 11, &h->next_validator_set_hash, &err, e);
    h->has_transactions_hash = column_hash(r, row, 12, &h->transactions_hash, &err, e);
    if (err == TM_OK)
        err = pg_get_bytes_array(a, r, row, 9, &roots, &count, e);
    if (err != TM_OK)
        return err;
    if (count != TREES)
        return tm_fail(e, TM_ERR_MISMATCH, "ledger.block.tree_roots has %zu elements", count);
    for (size_t t = 0; t < TREES; t++) {
        if (roots[t].size != sizeof h->tree_roots[t].b)
            return tm_fail(e, TM_ERR_MISMATCH, "ledger.block.tree_roots[%zu] has %zu bytes", t + 1,
                           roots[t].size);
        memcpy(h->tree_roots[t].b, roots[t].data, roots[t].size);
    }
    h->has_tree_roots = true;
    if (rows == NULL)
        return TM_OK;
    rows->has_block = true;
    rows->block_time_usec = pg_get_int64(r, row, 8);
    rows->round = pg_get_int64(r, row, 13);
    rows->transactions = pg_get_int64(r, row, 14);
    rows->has_header_hash = column_hash(r, row, 15, &rows->header_hash, &err, e);
    return err;
}

enum tm_err read_birth(struct arena *a, const struct versioned *v, const PGresult *r, int row,
                       struct verify_birth *out, struct tm_error *e)
{
    *out = (struct verify_birth){.row_key = arena_copy(a, pg_get_bytes(r, row, 1))};
    for (int i = 0; i < v->column_count; i++)
        if (v->columns[i].kind == COLUMN_STAKE) {
            enum tm_err err = pg_get_numeric(a, r, row, 1 + i, &out->stake_number, e);

            if (err != TM_OK)
                return err;
        }
    return versioned_record(a, v, r, row, 1, &out->record, e);
}

enum tm_err read_end(struct arena *a, const struct versioned *v, const PGresult *r, int row,
                     struct verify_end *out, struct tm_error *e)
{
    out->class = pg_get_int16(r, row, v->column_count + 2);
    return read_birth(a, v, r, row, &out->row, e);
}

enum tm_err read_node(const PGresult *r, int row, enum tree_id *tree, struct smt_node_row *out,
                      struct tm_error *e)
{
    int t = pg_get_int16(r, row, 1);
    int depth = pg_get_int16(r, row, 2);

    if (t < 0 || t >= TREES)
        return tm_fail(e, TM_ERR_MISMATCH, "ledger.tree_node: there is no tree %d", t);
    if (depth < 0 || depth > SMT_PAGE_BITS * SMT_STORED_LEVELS)
        return tm_fail(e, TM_ERR_MISMATCH, "ledger.tree_node: there is no depth %d", depth);
    *tree = (enum tree_id)t;
    out->depth = (uint8_t)depth;
    out->prefix = (uint64_t)pg_get_int64(r, row, 3);
    return pg_get_hash(r, row, 4, &out->digest, e);
}

enum tm_err read_touch(struct arena *a, const PGresult *r, int row, struct verify_touch *out,
                       struct tm_error *e)
{
    int t = pg_get_int16(r, row, 1);

    if (t < 0 || t >= TREES)
        return tm_fail(e, TM_ERR_MISMATCH, "ledger.change: there is no tree %d", t);
    *out = (struct verify_touch){(enum tree_id)t, arena_copy(a, pg_get_bytes(r, row, 2)),
                                 pg_get_int32(r, row, 3)};
    return TM_OK;
}

void read_transaction(struct arena *a, const PGresult *r, int row, struct verify_transaction *out)
{
    *out = (struct verify_transaction){.index = pg_get_int32(r, row, 1),
                                       .hash = column_bytes(a, r, row, 2),
                                       .tx = column_bytes(a, r, row, 3),
                                       .result_code = pg_get_int32(r, row, 4),
                                       .error = column_bytes(a, r, row, 5),
                                       .signer = column_bytes(a, r, row, 6),
                                       .recipient = column_bytes(a, r, row, 7),
                                       .message_type = column_bytes(a, r, row, 8),
                                       .pruned = !pg_is_null(r, row, 9)};
}
