#include "verify_source.h"

#include "node/shell/pg/pg_session.h"
#include "protocol/sha256/sha256.h"
#include "verify_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Rows fetched at once from each cursor: some megabytes in all. */
enum { SOURCE_FETCH = 2000 };

enum stream_kind {
    STREAM_BIRTHS,
    STREAM_ENDS,
    STREAM_NODE_BIRTHS,
    STREAM_NODE_ENDS,
    STREAM_TRANSACTIONS,
    STREAM_CHANGES,
    STREAM_BLOCKS
};

/* Rows of one query, ascending by the height in their first column. */
struct stream {
    enum stream_kind kind;
    const struct versioned *versioned;
    char cursor[32];
    PGresult *batch;
    int row;
    bool done;
};

enum { STREAMS_MAX = 2 * TREES + 5 };

struct verify_source {
    PGconn *conn;
    struct arena arena;
    struct stream streams[STREAMS_MAX];
    size_t count;
};

enum tm_err verify_source_open(PGconn *conn, struct verify_source **out, struct tm_error *e)
{
    struct verify_source *s;
    enum tm_err err;

    /* A reader's session: nothing a user made may stand in for a table, an operator or rows. */
    err = pg_run(conn, "SET search_path = pg_catalog, pg_temp", e);
    if (err == TM_OK)
        err = pg_run(conn, "SET row_security = off", e);
    if (err == TM_OK)
        err = pg_run(conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", e);
    if (err != TM_OK)
        return err;
    s = calloc(1, sizeof *s);
    if (s == NULL)
        abort();
    s->conn = conn;
    arena_init(&s->arena);
    *out = s;
    return TM_OK;
}

static void end_streams(struct verify_source *s)
{
    for (size_t i = 0; i < s->count; i++)
        PQclear(s->streams[i].batch);
    s->count = 0;
}

void verify_source_close(struct verify_source *s)
{
    struct tm_error ignored;

    if (s == NULL)
        return;
    end_streams(s);
    pg_run(s->conn, "ROLLBACK", &ignored);
    arena_free(&s->arena);
    free(s);
}

enum tm_err verify_source_chain(struct verify_source *s, struct verify_chain *out,
                                struct tm_error *e)
{
    PGresult *r;
    enum tm_err err;

    err = pg_query(s->conn,
                   "SELECT c.genesis, c.chain_id, c.rules, c.genesis_seconds, c.genesis_nanos, "
                   "c.max_block_bytes, c.block_interval_msec, c.empty_block_interval_msec, "
                   "t.height, t.earliest, t.state_hash FROM ledger.chain c, ledger.tip t",
                   NULL, &r, e);
    if (err != TM_OK)
        return err;
    if (PQntuples(r) != 1) {
        PQclear(r);
        return tm_fail(e, TM_ERR_NOT_FOUND, "the database has no chain; tidemark init makes one");
    }
    out->genesis_file = arena_copy(&s->arena, pg_get_bytes(r, 0, 0));
    out->chain_id = arena_copy(&s->arena, pg_get_bytes(r, 0, 1));
    out->rules = arena_copy(&s->arena, pg_get_bytes(r, 0, 2));
    out->genesis_seconds = pg_get_int64(r, 0, 3);
    out->genesis_nanos = pg_get_int32(r, 0, 4);
    err = pg_get_numeric(&s->arena, r, 0, 5, &out->max_block_bytes, e);
    out->block_interval_msec = pg_get_int32(r, 0, 6);
    out->empty_block_interval_msec = pg_get_int32(r, 0, 7);
    out->tip = pg_get_int64(r, 0, 8);
    out->earliest = pg_get_int64(r, 0, 9);
    out->tip_state_hash = arena_copy(&s->arena, pg_get_bytes(r, 0, 10));
    PQclear(r);
    return err;
}

/* --- streams -------------------------------------------------------------------------------------
 */

static enum tm_err open_stream(struct verify_source *s, enum stream_kind kind,
                               const struct versioned *v, const char *sql, struct tm_error *e)
{
    struct stream *stream = &s->streams[s->count];
    struct arena a;
    enum tm_err err;

    *stream = (struct stream){.kind = kind, .versioned = v};
    snprintf(stream->cursor, sizeof stream->cursor, "verify_%zu", s->count);
    arena_init(&a);
    err = pg_run(s->conn,
                 arena_format(&a, "DECLARE %s BINARY NO SCROLL CURSOR FOR %s", stream->cursor, sql),
                 e);
    arena_free(&a);
    if (err == TM_OK)
        s->count++;
    return err;
}

/* "WHERE column BETWEEN first AND last", or from `first` on, or nothing. */
static const char *range(struct arena *a, const char *column, height_t first, height_t last)
{
    if (last == HEIGHT_NONE && first == 0)
        return "";
    if (last == HEIGHT_NONE)
        return arena_format(a, "WHERE %s >= %" PRId64, column, first);
    return arena_format(a, "WHERE %s BETWEEN %" PRId64 " AND %" PRId64, column, first, last);
}

/* Columns of a pair with its history, as `v`. */
static const char *both(struct arena *a, const struct versioned *v)
{
    const char *columns = "";

    for (int i = 0; i < v->column_count; i++)
        columns = arena_format(a, "%s%s, ", columns, v->columns[i].name);
    return arena_format(a,
                        "(SELECT %svalid_from, NULL::pg_catalog.int8 AS valid_to FROM ledger.%s "
                        "UNION ALL SELECT %svalid_from, valid_to FROM ledger.%s_history) v",
                        columns, v->table, columns, v->table);
}

static enum tm_err open_versioned(struct verify_source *s, const struct versioned *v,
                                  height_t first, height_t last, struct arena *a,
                                  struct tm_error *e)
{
    enum tm_err err;

    err = open_stream(s, STREAM_BIRTHS, v,
                      arena_format(a, "SELECT v.valid_from, %s FROM %s %s ORDER BY v.valid_from",
                                   versioned_select(a, v), both(a, v),
                                   range(a, "v.valid_from", first, last)),
                      e);
    if (err != TM_OK)
        return err;
    return open_stream(s, STREAM_ENDS, v,
                       arena_format(a,
                                    "SELECT v.valid_to, %s, v.class FROM ledger.%s_history v %s "
                                    "ORDER BY v.valid_to",
                                    versioned_select(a, v), v->table,
                                    range(a, "v.valid_to", first, last)),
                       e);
}

static enum tm_err open_others(struct verify_source *s, height_t first, height_t last,
                               struct arena *a, struct tm_error *e)
{
    const struct {
        enum stream_kind kind;
        const char *select, *column;
    } queries[] = {
        {STREAM_NODE_BIRTHS,
         "SELECT v.valid_from, v.tree, v.depth, v.prefix, v.digest FROM (SELECT valid_from, tree, "
         "depth, prefix, digest FROM ledger.tree_node UNION ALL SELECT valid_from, tree, depth, "
         "prefix, digest FROM ledger.tree_node_history) v",
         "v.valid_from"},
        {STREAM_NODE_ENDS,
         "SELECT v.valid_to, v.tree, v.depth, v.prefix, v.digest, v.valid_from, v.class FROM "
         "ledger.tree_node_history v",
         "v.valid_to"},
        {STREAM_TRANSACTIONS,
         "SELECT v.height, v.tx_index, v.hash, v.tx, v.result_code, v.error, v.signer, "
         "v.recipient, v.message_type, v.value_hash FROM ledger.transaction v",
         "v.height"},
        {STREAM_CHANGES, "SELECT v.height, v.tree, v.key, v.step FROM ledger.change v", "v.height"},
        {STREAM_BLOCKS, "SELECT " BLOCK_COLUMNS " FROM ledger.block b", "b.height"},
    };
    enum tm_err err = TM_OK;

    for (size_t i = 0; i < sizeof queries / sizeof *queries && err == TM_OK; i++)
        err = open_stream(s, queries[i].kind, NULL,
                          arena_format(a, "%s %s ORDER BY %s", queries[i].select,
                                       range(a, queries[i].column, first, last), queries[i].column),
                          e);
    return err;
}

enum tm_err verify_source_begin(struct verify_source *s, height_t first, height_t last,
                                struct tm_error *e)
{
    struct arena a;
    enum tm_err err = TM_OK;

    end_streams(s);
    arena_init(&a);
    for (int t = 0; t < TREES && err == TM_OK; t++) {
        const struct versioned *v = versioned_of((enum tree_id)t);

        if (v != NULL)
            err = open_versioned(s, v, first, last, &a, e);
    }
    if (err == TM_OK)
        err = open_others(s, first, last, &a, e);
    arena_free(&a);
    return err;
}

/* True when the stream's next row is there; fetches it if need be. */
static enum tm_err peek(struct verify_source *s, struct stream *stream, bool *there,
                        struct tm_error *e)
{
    char sql[64];
    enum tm_err err;

    *there = true;
    if (stream->batch != NULL && stream->row < PQntuples(stream->batch))
        return TM_OK;
    *there = false;
    if (stream->done)
        return TM_OK;
    PQclear(stream->batch);
    stream->batch = NULL;
    stream->row = 0;
    snprintf(sql, sizeof sql, "FETCH %d FROM %s", SOURCE_FETCH, stream->cursor);
    err = pg_query(s->conn, sql, NULL, &stream->batch, e);
    if (err != TM_OK)
        return err;
    *there = PQntuples(stream->batch) > 0;
    stream->done = !*there;
    return TM_OK;
}

static enum tm_err take(struct stream *stream, struct arena *a, struct verify_height *out,
                        struct tm_error *e)
{
    const PGresult *r = stream->batch;
    int row = stream->row++;
    struct block_header header;
    enum tm_err err = TM_OK;

    switch (stream->kind) {
    case STREAM_BIRTHS:
        READ_GROW(a, out->births, out->birth_count);
        err = read_birth(a, stream->versioned, r, row, &out->births[out->birth_count++], e);
        break;
    case STREAM_ENDS:
        READ_GROW(a, out->ends, out->end_count);
        err = read_end(a, stream->versioned, r, row, &out->ends[out->end_count++], e);
        break;
    case STREAM_NODE_BIRTHS: {
        struct verify_node_birth *n;

        READ_GROW(a, out->node_births, out->node_birth_count);
        n = &out->node_births[out->node_birth_count++];
        err = read_node(r, row, &n->tree, &n->row, e);
        break;
    }
    case STREAM_NODE_ENDS: {
        struct verify_node_end *n;

        READ_GROW(a, out->node_ends, out->node_end_count);
        n = &out->node_ends[out->node_end_count++];
        err = read_node(r, row, &n->tree, &n->row, e);
        n->valid_from = pg_get_int64(r, row, 5);
        n->class = pg_get_int16(r, row, 6);
        break;
    }
    case STREAM_TRANSACTIONS:
        READ_GROW(a, out->transaction_rows, out->transaction_count);
        read_transaction(a, r, row, &out->transaction_rows[out->transaction_count++]);
        break;
    case STREAM_CHANGES:
        READ_GROW(a, out->touches, out->touch_count);
        err = read_touch(a, r, row, &out->touches[out->touch_count++], e);
        break;
    case STREAM_BLOCKS:
        err = read_block(a, r, row, &header, out, e);
        out->header = header;
        break;
    }
    return err;
}

enum tm_err verify_source_next(struct verify_source *s, struct arena *a, height_t height,
                               struct verify_height *out, struct tm_error *e)
{
    enum tm_err err = TM_OK;

    *out = (struct verify_height){.height = height};
    for (size_t i = 0; i < s->count && err == TM_OK; i++) {
        struct stream *stream = &s->streams[i];
        bool there;

        while ((err = peek(s, stream, &there, e)) == TM_OK && there &&
               pg_get_int64(stream->batch, stream->row, 0) == height && err == TM_OK)
            if ((err = take(stream, a, out, e)) != TM_OK)
                break;
    }
    return err;
}

bool verify_source_exhausted(struct verify_source *s, struct tm_error *e)
{
    static const char *const WHAT[] = {"a version that begins",
                                       "a version that ends",
                                       "a tree node that begins",
                                       "a tree node that ends",
                                       "a transaction",
                                       "a row of ledger.change",
                                       "a block"};

    for (size_t i = 0; i < s->count; i++) {
        struct stream *stream = &s->streams[i];
        bool there;

        if (peek(s, stream, &there, e) != TM_OK)
            return false;
        if (!there)
            continue;
        tm_fail(e, TM_ERR_MISMATCH, "there is %s at height %" PRId64 "%s%s, outside the chain",
                WHAT[stream->kind], pg_get_int64(stream->batch, stream->row, 0),
                stream->versioned != NULL ? " in ledger." : "",
                stream->versioned != NULL ? stream->versioned->table : "");
        return false;
    }
    return true;
}

/* --- the state as of a height --------------------------------------------------------------------
 */

static enum tm_err state_records(struct verify_source *s, struct arena *a, height_t height,
                                 struct verify_resume *out, struct record **records,
                                 struct tm_error *e)
{
    enum tm_err err = TM_OK;

    for (int t = 0; t < TREES && err == TM_OK; t++) {
        const struct versioned *v = versioned_of((enum tree_id)t);
        PGresult *r;

        if (v == NULL)
            continue;
        err = pg_query(s->conn,
                       arena_format(a,
                                    "SELECT v.valid_from, %s FROM %s WHERE v.valid_from <= %" PRId64
                                    " AND (v.valid_to IS NULL OR v.valid_to > %" PRId64 ")",
                                    versioned_select(a, v), both(a, v), height, height),
                       NULL, &r, e);
        if (err != TM_OK)
            return err;
        for (int row = 0; row < PQntuples(r) && err == TM_OK; row++) {
            READ_GROW(a, *records, out->record_count);
            err = versioned_record(a, v, r, row, 1, &(*records)[out->record_count++], e);
        }
        PQclear(r);
    }
    return err;
}

static enum tm_err state_transactions(struct verify_source *s, struct arena *a, height_t height,
                                      struct verify_resume *out, struct tm_error *e)
{
    struct smt_leaf *leaves;
    PGresult *r;
    enum tm_err err = pg_query(s->conn,
                               arena_format(a,
                                            "SELECT hash, tx, value_hash FROM ledger.transaction "
                                            "WHERE height "
                                            "<= %" PRId64,
                                            height),
                               NULL, &r, e);

    if (err != TM_OK)
        return err;
    out->transaction_count = (size_t)PQntuples(r);
    leaves = arena_array(a, struct smt_leaf, out->transaction_count + 1);
    for (int row = 0; row < PQntuples(r) && err == TM_OK; row++) {
        leaves[row].path = sha256(pg_get_bytes(r, row, 0));
        if (pg_is_null(r, row, 1)) /* pruned */
            err = pg_get_hash(r, row, 2, &leaves[row].value_hash, e);
        else
            leaves[row].value_hash = sha256(pg_get_bytes(r, row, 1));
    }
    out->transactions = leaves;
    PQclear(r);
    return err;
}

static enum tm_err state_nodes(struct verify_source *s, struct arena *a, height_t height,
                               struct verify_resume *out, struct tm_error *e)
{
    struct verify_node_end *nodes;
    PGresult *r;
    enum tm_err err =
        pg_query(s->conn,
                 arena_format(a,
                              "SELECT v.valid_from, v.tree, v.depth, v.prefix, v.digest FROM "
                              "(SELECT valid_from, NULL::pg_catalog.int8 AS valid_to, tree, depth, "
                              "prefix, digest FROM ledger.tree_node UNION ALL SELECT valid_from, "
                              "valid_to, tree, depth, prefix, digest FROM "
                              "ledger.tree_node_history) v WHERE v.valid_from <= %" PRId64
                              " AND (v.valid_to IS NULL OR v.valid_to > %" PRId64 ")",
                              height, height),
                 NULL, &r, e);

    if (err != TM_OK)
        return err;
    out->node_count = (size_t)PQntuples(r);
    nodes = arena_array(a, struct verify_node_end, out->node_count + 1);
    for (int row = 0; row < PQntuples(r) && err == TM_OK; row++) {
        err = read_node(r, row, &nodes[row].tree, &nodes[row].row, e);
        nodes[row].valid_from = pg_get_int64(r, row, 0);
    }
    out->nodes = nodes;
    PQclear(r);
    return err;
}

/* rows: NULL, or what stands beside the header. */
static enum tm_err header_row(struct verify_source *s, struct arena *a, height_t height,
                              struct block_header *out, struct verify_height *rows,
                              struct tm_error *e)
{
    PGresult *r;
    enum tm_err err = pg_query(
        s->conn,
        arena_format(a, "SELECT " BLOCK_COLUMNS " FROM ledger.block b WHERE b.height = %" PRId64,
                     height),
        NULL, &r, e);

    if (err != TM_OK)
        return err;
    err = PQntuples(r) == 1
              ? read_block(a, r, 0, out, rows, e)
              : tm_fail(e, TM_ERR_MISMATCH, "there is no block of height %" PRId64, height);
    PQclear(r);
    return err;
}

enum tm_err verify_source_header(struct verify_source *s, struct arena *a, height_t height,
                                 struct verify_height *out, struct tm_error *e)
{
    struct block_header header = {0};
    enum tm_err err;

    *out = (struct verify_height){.height = height};
    err = header_row(s, a, height, &header, out, e);
    out->header = header;
    return err;
}

bool verify_source_is_pruned(struct verify_source *s, height_t earliest, struct tm_error *e)
{
    struct arena a;
    bool pruned = true;

    arena_init(&a);
    for (int t = 0; t <= TREES + 2 && pruned; t++) {
        const struct versioned *v = t <= TREES ? versioned_of((enum tree_id)t) : NULL;
        const char *other = t == TREES + 1 ? "change" : "transaction", *sql;
        PGresult *r;

        if (t <= TREES && v == NULL)
            continue;
        sql = v != NULL
                  ? arena_format(&a,
                                 "SELECT v.valid_to FROM ledger.%s_history v WHERE "
                                 "v.valid_to <= %" PRId64 " LIMIT 1",
                                 v->table, earliest)
                  : arena_format(&a,
                                 "SELECT o.height FROM ledger.%s o WHERE o.height < %" PRId64
                                 "%s LIMIT 1",
                                 other, earliest, t == TREES + 2 ? " AND o.tx IS NOT NULL" : "");
        if (pg_query(s->conn, sql, NULL, &r, e) != TM_OK) {
            pruned = false;
            break;
        }
        if (PQntuples(r) > 0) {
            tm_fail(e, TM_ERR_MISMATCH,
                    "ledger.%s%s has a row of height %" PRId64
                    ", the chain is pruned up to %" PRId64,
                    v != NULL ? v->table : other, v != NULL ? "_history" : "",
                    pg_get_int64(r, 0, 0), earliest);
            pruned = false;
        }
        PQclear(r);
    }
    arena_free(&a);
    return pruned;
}

enum tm_err verify_source_state(struct verify_source *s, struct arena *a, height_t height,
                                struct verify_resume *out, struct tm_error *e)
{
    struct record *records = NULL;
    enum tm_err err;

    *out = (struct verify_resume){0};
    err = header_row(s, a, height, &out->header, NULL, e);
    if (err == TM_OK)
        err = state_records(s, a, height, out, &records, e);
    out->records = records;
    if (err == TM_OK)
        err = state_transactions(s, a, height, out, e);
    if (err == TM_OK)
        err = state_nodes(s, a, height, out, e);
    return err;
}
