/*
 * Pages of the trees: the stored nodes six levels down, and the leaves under the places where there
 * is none (at most one leaf each, or the node would be there).
 */
#include "store_pg.h"

#include <stdlib.h>

#include "protocol/sha256/sha256.h"

enum { SLOTS = 1 << SMT_PAGE_BITS };
/* Leaves below depth 60: only ground keys share that much of a path. */
enum { DEEP_LEAVES_MAX = 65536 };

/* A page while it is being put together. */
struct page_parts {
    struct smt_node_row rows[SLOTS];
    uint64_t covered; /* bit i: slot i has a node row */
    struct smt_leaf *leaves;
    size_t leaf_count, leaf_room;
};

static enum tm_err send_nodes(struct store_pg *s, struct arena *a, const struct store_page *pages,
                              size_t count, struct tm_error *e)
{
    struct pg_params p;
    struct pg_array number, tree, depth, prefix;
    enum tm_err err;

    pg_array_begin(&number, a, PG_INT4);
    pg_array_begin(&tree, a, PG_INT2);
    pg_array_begin(&depth, a, PG_INT2);
    pg_array_begin(&prefix, a, PG_INT8);
    for (size_t i = 0; i < count; i++) {
        if (pages[i].id.depth >= SMT_PAGE_BITS * SMT_STORED_LEVELS)
            continue;
        pg_array_int32(&number, (int32_t)i);
        pg_array_int16(&tree, (int16_t)pages[i].tree);
        pg_array_int16(&depth, pages[i].id.depth);
        pg_array_int64(&prefix, (int64_t)pages[i].id.prefix);
    }
    pg_params_init(&p, a);
    pg_param_array(&p, &number);
    pg_param_array(&p, &tree);
    pg_param_array(&p, &depth);
    pg_param_array(&p, &prefix);
    if (s->at != HEIGHT_NONE)
        pg_param_int64(&p, s->at);
    err = pg_send_prepared(s->conn, s->at == HEIGHT_NONE ? "page_nodes" : "page_nodes_at", &p, e);
    return err == TM_OK ? pg_sync(s->conn, e) : err;
}

static enum tm_err receive_nodes(struct store_pg *s, const struct store_page *pages, size_t count,
                                 struct page_parts *parts, struct tm_error *e)
{
    PGresult *r;
    enum tm_err err = pg_receive(s->conn, "fetching tree nodes", &r, e);

    for (int i = 0; err == TM_OK && i < PQntuples(r); i++) {
        size_t page = (size_t)pg_get_int32(r, i, 0);
        uint64_t prefix = (uint64_t)pg_get_int64(r, i, 1);
        struct smt_node_row *row;

        if (page >= count || prefix >> SMT_PAGE_BITS != pages[page].id.prefix) {
            err = tm_fail(e, TM_ERR_MISMATCH, "a tree node that was not asked for");
            break;
        }
        row = &parts[page].rows[prefix % SLOTS];
        row->depth = (uint8_t)(pages[page].id.depth + SMT_PAGE_BITS);
        row->prefix = prefix;
        err = pg_get_hash(r, i, 2, &row->digest, e);
        parts[page].covered |= (uint64_t)1 << prefix % SLOTS;
    }
    PQclear(r);
    return err == TM_OK ? pg_synced(s->conn, e) : err;
}

struct ranges {
    struct pg_array page, low, high, most;
    size_t count;
};

/* The first bits of a path as path64 puts them in order. */
static int64_t ordered(uint64_t first_bits)
{
    return (int64_t)(first_bits ^ (uint64_t)1 << 63);
}

static void add_range(struct ranges *r, size_t page, uint64_t first, uint64_t last, int64_t most)
{
    pg_array_int32(&r->page, (int32_t)page);
    pg_array_int64(&r->low, ordered(first));
    pg_array_int64(&r->high, ordered(last));
    pg_array_int64(&r->most, most);
    r->count++;
}

/* Runs of slots without node row, as ranges of path64. */
static void add_page_ranges(struct ranges *r, size_t number, const struct smt_page_id *id,
                            uint64_t covered)
{
    unsigned below = 64 - id->depth - SMT_PAGE_BITS; /* bits of path64 under one slot */
    uint64_t base = id->depth == 0 ? 0 : id->prefix << (64 - id->depth);

    if (id->depth >= SMT_PAGE_BITS * SMT_STORED_LEVELS) {
        add_range(r, number, base, base | (((uint64_t)1 << (64 - id->depth)) - 1), DEEP_LEAVES_MAX);
        return;
    }
    for (uint64_t slot = 0; slot < SLOTS;) {
        uint64_t first = slot;

        while (slot < SLOTS && (covered >> slot & 1) == 0)
            slot++;
        if (slot > first)
            add_range(r, number, base | first << below,
                      (base | (slot - 1) << below) | (((uint64_t)1 << below) - 1),
                      (int64_t)(slot - first));
        else
            slot++;
    }
}

static const char *leaves_statement(const struct store_pg *s, struct arena *a, enum tree_id tree)
{
    const struct versioned *v = versioned_of(tree);

    if (v == NULL)
        return s->at == HEIGHT_NONE ? "leaves_transaction" : "leaves_transaction_at";
    return statement_name(a, v, s->at == HEIGHT_NONE ? STATEMENT_LEAVES : STATEMENT_LEAVES_AT);
}

static enum tm_err send_leaves(struct store_pg *s, struct arena *a, const struct store_page *pages,
                               size_t count, const struct page_parts *parts, bool asked[TREES],
                               struct tm_error *e)
{
    for (int tree = 0; tree < TREES; tree++) {
        struct ranges r = {.count = 0};
        struct pg_params p;
        enum tm_err err;

        pg_array_begin(&r.page, a, PG_INT4);
        pg_array_begin(&r.low, a, PG_INT8);
        pg_array_begin(&r.high, a, PG_INT8);
        pg_array_begin(&r.most, a, PG_INT8);
        for (size_t i = 0; i < count; i++)
            if ((int)pages[i].tree == tree)
                add_page_ranges(&r, i, &pages[i].id, parts[i].covered);
        asked[tree] = r.count > 0;
        if (!asked[tree])
            continue;
        pg_params_init(&p, a);
        pg_param_array(&p, &r.page);
        pg_param_array(&p, &r.low);
        pg_param_array(&p, &r.high);
        pg_param_array(&p, &r.most);
        if (s->at != HEIGHT_NONE)
            pg_param_int64(&p, s->at);
        err = pg_send_prepared(s->conn, leaves_statement(s, a, (enum tree_id)tree), &p, e);
        if (err != TM_OK)
            return err;
    }
    return pg_sync(s->conn, e);
}

static void add_leaf(struct page_parts *p, struct arena *a, const struct smt_leaf *leaf)
{
    if (p->leaf_count == p->leaf_room) {
        size_t room = p->leaf_room == 0 ? 8 : 2 * p->leaf_room;
        struct smt_leaf *leaves = arena_array(a, struct smt_leaf, room);

        if (p->leaf_count > 0)
            memcpy(leaves, p->leaves, p->leaf_count * sizeof *leaves);
        p->leaves = leaves;
        p->leaf_room = room;
    }
    p->leaves[p->leaf_count++] = *leaf;
}

/* The leaf of a row of STATEMENT_LEAVES or leaves_transaction: column 0 is the page's number. */
static enum tm_err read_leaf(enum tree_id tree, const PGresult *r, int row, struct arena *scratch,
                             struct smt_leaf *out, struct tm_error *e)
{
    const struct versioned *v = versioned_of(tree);
    struct record record = {.tree = tree};
    struct hash32 pruned;
    struct buffer buffer;
    enum tm_err err = TM_OK;

    if (v == NULL) {
        record.key = pg_get_bytes(r, row, 1);
        record.value = pg_get_bytes(r, row, 2);
        if (pg_is_null(r, row, 2)) {
            err = pg_get_hash(r, row, 3, &pruned, e);
            record.pruned = &pruned;
        }
    } else {
        err = versioned_record(scratch, v, r, row, 1, &record, e);
    }
    if (err != TM_OK)
        return err;
    buffer_init(&buffer, scratch, 512);
    out->path = record_path(&record);
    out->value_hash = record_value_hash(&record, &buffer);
    return TM_OK;
}

static enum tm_err receive_leaves(struct store_pg *s, struct arena *a, enum tree_id tree,
                                  size_t count, struct page_parts *parts, struct tm_error *e)
{
    struct arena scratch;
    PGresult *r;
    enum tm_err err = pg_receive(s->conn, "fetching leaves", &r, e);

    arena_init(&scratch);
    for (int i = 0; err == TM_OK && i < PQntuples(r); i++) {
        size_t page = (size_t)pg_get_int32(r, i, 0);
        struct smt_leaf leaf;

        if (page >= count) {
            err = tm_fail(e, TM_ERR_MISMATCH, "a leaf that was not asked for");
            break;
        }
        err = read_leaf(tree, r, i, &scratch, &leaf, e);
        if (err == TM_OK)
            add_leaf(&parts[page], a, &leaf);
        if (i % 4096 == 0)
            arena_reset(&scratch);
    }
    arena_free(&scratch);
    PQclear(r);
    return err;
}

static int compare_leaves(const void *x, const void *y)
{
    return memcmp(((const struct smt_leaf *)x)->path.b, ((const struct smt_leaf *)y)->path.b,
                  sizeof(struct hash32));
}

static void finish(struct arena *a, struct store_page *pages, size_t count,
                   struct page_parts *parts)
{
    for (size_t i = 0; i < count; i++) {
        struct smt_node_row *rows = arena_array(a, struct smt_node_row, SLOTS);

        pages[i].row_count = 0;
        for (int slot = 0; slot < SLOTS; slot++)
            if (parts[i].covered >> slot & 1)
                rows[pages[i].row_count++] = parts[i].rows[slot];
        pages[i].rows = rows;
        if (parts[i].leaf_count > 1)
            qsort(parts[i].leaves, parts[i].leaf_count, sizeof *parts[i].leaves, compare_leaves);
        pages[i].leaves = parts[i].leaves;
        pages[i].leaf_count = parts[i].leaf_count;
    }
}

enum tm_err store_pg_pages(void *ctx, struct arena *a, struct store_page *pages, size_t count,
                           struct tm_error *e)
{
    struct store_pg *s = ctx;
    struct arena scratch;
    struct page_parts *parts;
    bool asked[TREES];
    enum tm_err err = store_reconnect(s, e);

    if (err == TM_OK && PQenterPipelineMode(s->conn) != 1)
        err = pg_error(s->conn, NULL, "database", e);
    if (err != TM_OK)
        return err;
    arena_init(&scratch);
    parts = arena_array(&scratch, struct page_parts, count);
    err = send_nodes(s, &scratch, pages, count, e);
    if (err == TM_OK)
        err = receive_nodes(s, pages, count, parts, e);
    if (err == TM_OK)
        err = send_leaves(s, &scratch, pages, count, parts, asked, e);
    for (int tree = 0; tree < TREES && err == TM_OK; tree++)
        if (asked[tree])
            err = receive_leaves(s, a, (enum tree_id)tree, count, parts, e);
    if (err == TM_OK)
        err = pg_synced(s->conn, e);
    pg_abandon_pipeline(s->conn);
    if (err == TM_OK)
        finish(a, pages, count, parts);
    arena_free(&scratch);
    return err;
}
