#include "store_pg.h"

#include <stdlib.h>

#include "protocol/sha256/sha256.h"

static enum tm_err no_chain(struct tm_error *e)
{
    return tm_fail(e, TM_ERR_NOT_FOUND,
                   "the database holds no chain; load a genesis file with tidemark init");
}

enum tm_err store_pg_chain(void *ctx, struct arena *a, struct store_chain *out, struct tm_error *e)
{
    struct store_pg *s = ctx;
    struct pg_params none;
    PGresult *r;
    enum tm_err err = store_reconnect(s, e);

    pg_params_init(&none, a);
    if (err == TM_OK)
        err = pg_query_prepared(s->conn, "chain", &none, &r, e);
    if (err != TM_OK)
        return err;
    if (PQntuples(r) == 0) {
        err = no_chain(e);
    } else {
        *out = (struct store_chain){
            .chain_id = arena_copy(a, pg_get_bytes(r, 0, 0)),
            .rules = rules_by_name(pg_get_bytes(r, 0, 1)),
            .max_block_bytes = (uint64_t)pg_get_int64(r, 0, 2),
            .block_interval_msec = (uint32_t)pg_get_int32(r, 0, 3),
            .empty_block_interval_msec = (uint32_t)pg_get_int32(r, 0, 4),
        };
        if (out->rules == NULL)
            err = tm_fail(e, TM_ERR_MISMATCH, "ledger.chain names an unknown rule set");
    }
    PQclear(r);
    return err;
}

enum tm_err store_pg_tip(void *ctx, height_t *height, struct hash32 *state_hash, struct tm_error *e)
{
    struct store_pg *s = ctx;
    struct pg_params none;
    PGresult *r;
    enum tm_err err = store_reconnect(s, e);

    pg_params_init(&none, NULL);
    if (err == TM_OK)
        err = pg_query_prepared(s->conn, "tip", &none, &r, e);
    if (err != TM_OK)
        return err;
    if (PQntuples(r) == 0) {
        err = no_chain(e);
    } else {
        *height = pg_get_int64(r, 0, 0);
        err = pg_get_hash(r, 0, 1, state_hash, e);
    }
    PQclear(r);
    return err;
}

/* A digest column that may be null. */
static enum tm_err read_hash(const PGresult *r, int column, bool *has, struct hash32 *out,
                             struct tm_error *e)
{
    *has = !pg_is_null(r, 0, column);
    return *has ? pg_get_hash(r, 0, column, out, e) : TM_OK;
}

static enum tm_err read_roots(struct arena *a, const PGresult *r, struct block_header *h,
                              struct tm_error *e)
{
    struct bytes *roots;
    size_t count;
    enum tm_err err = pg_get_bytes_array(a, r, 0, 7, &roots, &count, e);

    for (size_t i = 0; i < TREES && err == TM_OK; i++) {
        if (count != TREES || roots[i].size != sizeof h->tree_roots[i].b)
            return tm_fail(e, TM_ERR_MISMATCH, "block %llu: tree_roots are not ten digests",
                           (unsigned long long)h->height);
        memcpy(h->tree_roots[i].b, roots[i].data, sizeof h->tree_roots[i].b);
    }
    h->has_tree_roots = true;
    return err;
}

static enum tm_err read_header(struct arena *a, const PGresult *r, struct block_header *h,
                               struct tm_error *e)
{
    enum tm_err err;

    h->network_id = arena_copy(a, pg_get_bytes(r, 0, 0));
    h->proposer = arena_copy(a, pg_get_bytes(r, 0, 3));
    h->certificate = arena_copy(a, pg_get_bytes(r, 0, 4));
    h->has_timestamp = true;
    h->seconds = pg_get_int64(r, 0, 5);
    h->nanos = pg_get_int32(r, 0, 6);
    err = read_hash(r, 1, &h->has_state_hash, &h->state_hash, e);
    if (err == TM_OK)
        err = read_hash(r, 2, &h->has_previous, &h->previous_state_hash, e);
    if (err == TM_OK)
        err = read_hash(r, 8, &h->has_validator_set, &h->validator_set_hash, e);
    if (err == TM_OK)
        err = read_hash(r, 9, &h->has_next_validator_set, &h->next_validator_set_hash, e);
    if (err == TM_OK)
        err = read_hash(r, 10, &h->has_transactions_hash, &h->transactions_hash, e);
    if (err == TM_OK)
        err = read_roots(a, r, h, e);
    return err;
}

enum tm_err store_pg_block(void *ctx, struct arena *a, height_t height, struct block *out,
                           struct tm_error *e)
{
    struct store_pg *s = ctx;
    struct pg_params p;
    PGresult *r, *list = NULL;
    enum tm_err err = store_reconnect(s, e);

    *out = (struct block){.header.height = (uint64_t)height};
    pg_params_init(&p, a);
    pg_param_int64(&p, height);
    if (err == TM_OK)
        err = pg_query_prepared(s->conn, "block", &p, &r, e);
    if (err != TM_OK)
        return err;
    if (PQntuples(r) == 0)
        err = tm_fail(e, TM_ERR_NOT_FOUND, "the database has no block %lld", (long long)height);
    if (err == TM_OK)
        err = read_header(a, r, &out->header, e);
    if (err == TM_OK && pg_get_int32(r, 0, 11) > 0)
        err = pg_query_prepared(s->conn, "block_transactions", &p, &list, e);
    if (list != NULL) {
        int count = PQntuples(list);

        out->transactions = arena_array(a, struct bytes, (size_t)count);
        out->transaction_count = (size_t)count;
        for (int i = 0; i < count && err == TM_OK; i++)
            if (pg_is_null(list, i, 0))
                err = tm_fail(e, TM_ERR_NOT_FOUND,
                              "the transactions of block %lld are pruned: of the blocks before "
                              "ledger.tip.earliest only the headers are kept",
                              (long long)height);
            else
                out->transactions[i] = arena_copy(a, pg_get_bytes(list, i, 0));
        PQclear(list);
    }
    PQclear(r);
    return err;
}

/* Rows of one statement as records, each handed to `each`. */
typedef void record_sink(void *ctx, const struct record *r);

static enum tm_err read_records(struct arena *a, const struct versioned *v, const PGresult *r,
                                record_sink *each, void *ctx, struct tm_error *e)
{
    for (int i = 0; i < PQntuples(r); i++) {
        struct record *record = arena_new(a, struct record);
        enum tm_err err = versioned_record(a, v, r, i, 0, record, e);

        if (err != TM_OK)
            return err;
        each(ctx, record);
    }
    return TM_OK;
}

struct record_list {
    struct arena *arena;
    const struct record **items;
    size_t count, room;
};

static void append(void *ctx, const struct record *r)
{
    struct record_list *l = ctx;

    if (l->count == l->room) {
        size_t room = l->room == 0 ? 256 : 2 * l->room;
        const struct record **items = arena_array(l->arena, const struct record *, room);

        if (l->count > 0)
            memcpy(items, l->items, l->count * sizeof *items);
        l->items = items;
        l->room = room;
    }
    l->items[l->count++] = r;
}

enum tm_err store_pg_base(void *ctx, struct arena *a, const struct record *const **out,
                          size_t *count, struct tm_error *e)
{
    struct store_pg *s = ctx;
    struct record_list list = {.arena = a};
    enum statement_kind kind = s->at == HEIGHT_NONE ? STATEMENT_BASE : STATEMENT_BASE_AT;
    struct arena scratch;
    enum tm_err err = store_reconnect(s, e);

    arena_init(&scratch);
    for (int tree = 0; tree < TREES && err == TM_OK; tree++) {
        const struct versioned *v = versioned_of((enum tree_id)tree);
        struct pg_params p;
        PGresult *r;

        if (v == NULL || statement_sql(&scratch, v, kind) == NULL)
            continue;
        pg_params_init(&p, &scratch);
        if (s->at != HEIGHT_NONE)
            pg_param_int64(&p, s->at);
        err = pg_query_prepared(s->conn, statement_name(&scratch, v, kind), &p, &r, e);
        if (err == TM_OK) {
            err = read_records(a, v, r, append, &list, e);
            PQclear(r);
        }
    }
    arena_free(&scratch);
    *out = list.items;
    *count = list.count;
    return err;
}

static void put(void *ctx, const struct record *r)
{
    state_map_put(ctx, r->tree, r->key, r);
}

/* Queues a fetch for each tree that has keys; which trees those are comes back in `asked`. */
static enum tm_err send_fetches(struct store_pg *s, struct arena *scratch,
                                const struct store_key *keys, size_t count, bool asked[TREES],
                                struct tm_error *e)
{
    enum statement_kind kind = s->at == HEIGHT_NONE ? STATEMENT_FETCH : STATEMENT_FETCH_AT;

    for (int tree = 0; tree < TREES; tree++) {
        const struct versioned *v = versioned_of((enum tree_id)tree);
        struct pg_params p;
        struct pg_array array;
        enum tm_err err;

        asked[tree] = false;
        for (size_t i = 0; i < count && v != NULL; i++) {
            struct hash32 path;

            if ((int)keys[i].tree != tree)
                continue;
            if (!asked[tree])
                pg_array_begin(&array, scratch,
                               v->columns[0].kind == COLUMN_NAME ? PG_TEXT : PG_BYTEA);
            asked[tree] = true;
            path = tree == TREE_IBC ? sha256(keys[i].key) : (struct hash32){{0}};
            pg_array_bytes(&array, tree == TREE_IBC ? bytes_hash(&path) : keys[i].key);
        }
        if (!asked[tree])
            continue;
        pg_params_init(&p, scratch);
        pg_param_array(&p, &array);
        if (s->at != HEIGHT_NONE)
            pg_param_int64(&p, s->at);
        err = pg_send_prepared(s->conn, statement_name(scratch, v, kind), &p, e);
        if (err != TM_OK)
            return err;
    }
    return pg_sync(s->conn, e);
}

static enum tm_err enter_pipeline(struct store_pg *s, struct tm_error *e)
{
    enum tm_err err = store_reconnect(s, e);

    if (err == TM_OK && PQenterPipelineMode(s->conn) != 1)
        err = pg_error(s->conn, NULL, "database", e);
    return err;
}

enum tm_err store_pg_fetch(void *ctx, struct arena *a, struct store_key *keys, size_t count,
                           struct tm_error *e)
{
    struct store_pg *s = ctx;
    struct arena scratch;
    struct state_map found;
    bool asked[TREES];
    enum tm_err err;

    if (count == 0)
        return TM_OK;
    arena_init(&scratch);
    state_map_init(&found);
    err = enter_pipeline(s, e);
    if (err == TM_OK)
        err = send_fetches(s, &scratch, keys, count, asked, e);
    for (int tree = 0; tree < TREES && err == TM_OK; tree++) {
        PGresult *r;

        if (!asked[tree])
            continue;
        err = pg_receive(s->conn, "fetching rows", &r, e);
        if (err == TM_OK)
            err = read_records(a, versioned_of((enum tree_id)tree), r, put, &found, e);
        PQclear(r);
    }
    if (err == TM_OK)
        err = pg_synced(s->conn, e);
    pg_abandon_pipeline(s->conn);
    for (size_t i = 0; i < count && err == TM_OK; i++) {
        const struct state_entry *entry = state_map_find(&found, keys[i].tree, keys[i].key);

        keys[i].record = entry != NULL ? entry->record : NULL;
    }
    state_map_free(&found);
    arena_free(&scratch);
    return err;
}
