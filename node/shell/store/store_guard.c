#include "store_guard.h"

#include "store_pg.h"

enum tm_err store_guard_place(struct store_pg *s, struct guard_place *place, struct tm_error *e)
{
    struct pg_params none;
    PGresult *r;
    enum tm_err err = store_reconnect(s, e);

    pg_params_init(&none, NULL);
    if (err == TM_OK)
        err = pg_query_prepared(s->conn, "guard_place", &none, &r, e);
    if (err != TM_OK)
        return err;
    place->system_identifier = (uint64_t)pg_get_int64(r, 0, 0);
    place->timeline = (uint32_t)pg_get_int32(r, 0, 1);
    PQclear(r);
    return TM_OK;
}

static enum tm_err read_row(const PGresult *r, int row, struct guard_record *out,
                            struct tm_error *e)
{
    struct bytes address = pg_get_bytes(r, row, 0);

    if (address.size != sizeof out->address.b)
        return tm_fail(e, TM_ERR_MISMATCH, "ledger.vote_guard holds an address of %zu bytes",
                       address.size);
    memcpy(out->address.b, address.data, sizeof out->address.b);
    out->height = (uint64_t)pg_get_int64(r, row, 1);
    out->round = out->highest_round = (uint64_t)pg_get_int64(r, row, 2);
    out->step = (enum hotstuff_step)pg_get_int16(r, row, 3);
    out->sequence = (uint64_t)pg_get_int64(r, row, 5);
    return pg_get_hash(r, row, 4, &out->header_hash, e);
}

enum tm_err store_guard_read(struct store_pg *s, struct arena *a, struct guard_content *out,
                             struct tm_error *e)
{
    struct pg_params none;
    PGresult *r;
    enum tm_err err = store_reconnect(s, e);

    *out = (struct guard_content){.count = 0};
    pg_params_init(&none, a);
    if (err == TM_OK)
        err = pg_query_prepared(s->conn, "guard_rows", &none, &r, e);
    if (err != TM_OK)
        return err;
    out->count = (size_t)PQntuples(r);
    out->records = arena_array(a, struct guard_record, out->count);
    for (size_t i = 0; i < out->count && err == TM_OK; i++)
        err = read_row(r, (int)i, &out->records[i], e);
    if (err == TM_OK && out->count > 0) {
        /* Ascending by what was signed: the last row is the greatest. */
        int last = (int)out->count - 1;
        struct bytes chain_id = pg_get_bytes(r, last, 6);

        if (chain_id.size <= GUARD_CHAIN_ID_MAX)
            memcpy(out->place.chain_id, chain_id.data, chain_id.size);
        out->place.system_identifier = (uint64_t)pg_get_int64(r, last, 7);
        out->place.timeline = (uint32_t)pg_get_int32(r, last, 8);
    }
    PQclear(r);
    return err;
}

static enum tm_err send_rows(struct store_pg *s, struct arena *a, const struct guard_content *all,
                             const bool *marked, const uint64_t *rows, uint64_t height,
                             uint64_t round, const struct hash32 *header_hash, struct bytes body,
                             struct tm_error *e)
{
    struct pg_params p;
    struct pg_array address, sequence, row;

    pg_array_begin(&address, a, PG_BYTEA);
    pg_array_begin(&sequence, a, PG_INT8);
    pg_array_begin(&row, a, PG_INT8);
    for (size_t i = 0; i < all->count; i++)
        if (marked[i]) {
            pg_array_bytes(&address, bytes_address(&all->records[i].address));
            pg_array_int64(&sequence, (int64_t)all->records[i].sequence);
            pg_array_int64(&row, (int64_t)rows[i]);
        }
    pg_params_init(&p, a);
    pg_param_bytes(&p, bytes_of(all->place.chain_id));
    pg_param_int64(&p, (int64_t)height);
    pg_param_int64(&p, (int64_t)round);
    pg_param_int16(&p, STEP_COMMIT);
    pg_param_bytes(&p, bytes_hash(header_hash));
    pg_param_int64(&p, (int64_t)all->place.system_identifier);
    pg_param_int32(&p, (int32_t)all->place.timeline);
    pg_param_array(&p, &address);
    pg_param_array(&p, &sequence);
    pg_param_bytes(&p, body);
    pg_param_array(&p, &row);
    return pg_send_prepared(s->conn, "guard_persist", &p, e);
}

/* Takes the answer: every marked row was as this node knew it, or nothing may be signed. */
static enum tm_err finish_rows(PGconn *conn, const struct guard_content *all, const bool *marked,
                               uint64_t *rows, struct tm_error *e)
{
    PGresult *r = PQgetResult(conn), *end;
    enum tm_err err = TM_OK;
    int64_t expected = 0;

    for (size_t i = 0; i < all->count; i++)
        expected += marked[i];
    if (r == NULL || PQresultStatus(r) != PGRES_TUPLES_OK)
        err = pg_error(conn, r, "writing the vote guard", e);
    else if (pg_get_int64(r, 0, 0) != expected)
        err = tm_fail(e, TM_ERR_CONFIG,
                      "another node signs with these keys on this database: the vote guard is not "
                      "what this node wrote last; only one of the two may run");
    PQclear(r);
    while (PQstatus(conn) == CONNECTION_OK && (end = PQgetResult(conn)) != NULL)
        PQclear(end);
    for (size_t i = 0; i < all->count && err == TM_OK; i++)
        if (marked[i])
            rows[i] = all->records[i].sequence;
    return err;
}

enum tm_err store_guard_persist(struct store_pg *s, struct guard_file *file,
                                const struct guard_content *all, const bool *marked, uint64_t *rows,
                                uint64_t height, uint64_t round, const struct hash32 *header_hash,
                                struct bytes body, struct tm_error *e)
{
    struct arena a;
    struct tm_error row_error;
    enum tm_err err, row_err = store_reconnect(s, &row_error);

    arena_init(&a);
    if (row_err == TM_OK)
        row_err = send_rows(s, &a, all, marked, rows, height, round, header_hash, body, &row_error);
    /* While the server syncs its log, this process syncs the file. */
    err = guard_file_write(file, all, e);
    if (row_err == TM_OK)
        row_err = finish_rows(s->conn, all, marked, rows, &row_error);
    if (err == TM_OK && row_err != TM_OK) {
        *e = row_error;
        err = row_err;
    }
    arena_free(&a);
    return err;
}

enum tm_err store_guard_body(struct store_pg *s, struct arena *a, uint64_t height,
                             const struct hash32 *header_hash, struct bytes *out,
                             struct tm_error *e)
{
    struct pg_params p;
    PGresult *r;
    enum tm_err err = store_reconnect(s, e);

    pg_params_init(&p, a);
    pg_param_int64(&p, (int64_t)height);
    pg_param_bytes(&p, bytes_hash(header_hash));
    if (err == TM_OK)
        err = pg_query_prepared(s->conn, "guard_body", &p, &r, e);
    if (err != TM_OK)
        return err;
    if (PQntuples(r) == 0)
        err = tm_fail(e, TM_ERR_NOT_FOUND, "the body of the signed block %llu is not stored",
                      (unsigned long long)height);
    else
        *out = arena_copy(a, pg_get_bytes(r, 0, 0));
    PQclear(r);
    return err;
}
