#include "page_source.h"

#include "asof.h"

#include "miscadmin.h"
#include "utils/memutils.h"

enum {
    PAGES_AT_ONCE = 256,
    SLOTS = 1 << SMT_PAGE_BITS,
    LAST_DEPTH = SMT_PAGE_BITS * SMT_STORED_LEVELS, /* of a page: no rows below, leaves only */
    /* Paths whose pages are guessed, and depth of the last guess: trees of 2^24 leaves have few
     * below. */
    GUESSED_PATHS_MAX = 8,
    GUESSED_DEPTH_MAX = 24,
    /* Leaves that share 60 bits of their paths: a second one takes 2^60 hashes to find. */
    GROUND_LEAVES_MAX = 1024
};

/* A page while it is put together. */
struct page {
    struct smt_page_id id;
    struct smt_node_row rows[SLOTS];
    size_t row_count;
    struct smt_leaf *leaves;
    size_t leaf_count;
};

/* Node rows of each page: place of the page (from 1), prefix, digest. */
static struct query *nodes_query(void)
{
    static struct query q;
    StringInfoData sql;

    if (q.sql != NULL)
        return &q;
    initStringInfo(&sql);
    appendStringInfoString(&sql, "SELECT w.place, n.prefix, n.digest FROM unnest($3, $4) WITH "
                                 "ORDINALITY AS w(depth, page, place), LATERAL (");
    asof_append(&sql, "prefix, digest", "tree_node",
                "tree" OP_EQ "$2 AND depth" OP_EQ "w.depth AND (prefix" OP_SHIFT "6)" OP_EQ
                "w.page AND prefix" OP_GE "(w.page OPERATOR(pg_catalog.*) 64) AND prefix" OP_LT
                "((w.page" OP_PLUS "1) OPERATOR(pg_catalog.*) 64)",
                "$1");
    appendStringInfoString(&sql, ") n ORDER BY 1, 2");
    q = (struct query){MemoryContextStrdup(TopMemoryContext, sql.data),
                       4,
                       {INT8OID, INT2OID, INT2ARRAYOID, INT8ARRAYOID},
                       NULL};
    return &q;
}

/* Single nodes: place in the list (from 1), digest. */
static struct query *node_query(void)
{
    static struct query q;
    StringInfoData sql;

    if (q.sql != NULL)
        return &q;
    initStringInfo(&sql);
    appendStringInfoString(&sql, "SELECT w.place, n.digest FROM unnest($3, $4) WITH ORDINALITY AS "
                                 "w(depth, prefix, place), LATERAL (");
    asof_append(&sql, "digest", "tree_node",
                "tree" OP_EQ "$2 AND depth" OP_EQ "w.depth AND prefix" OP_EQ
                "w.prefix AND (prefix" OP_SHIFT "6)" OP_EQ "(w.prefix" OP_SHIFT "6)",
                "$1");
    appendStringInfoString(&sql, ") n ORDER BY 1");
    q = (struct query){MemoryContextStrdup(TopMemoryContext, sql.data),
                       4,
                       {INT8OID, INT2OID, INT2ARRAYOID, INT8ARRAYOID},
                       NULL};
    return &q;
}

static struct hash32 digest_column(HeapTuple row, int n, struct arena *a)
{
    struct bytes b = query_bytes(row, n, BYTEAOID, a);
    struct hash32 h = {{0}};

    memcpy(&h, b.data, Min(b.size, sizeof h));
    return h;
}

/* Node rows on their way into their pages; page for page, ascending. */
struct receiver {
    DestReceiver pub;
    struct page *pages;
};

static void startup(DestReceiver *self, int operation, TupleDesc type)
{
    (void)self;
    (void)operation;
    query_check_type(type, 2, INT8OID);
    query_check_type(type, 3, BYTEAOID);
}

static bool receive(TupleTableSlot *slot, DestReceiver *self)
{
    struct page *pages = ((struct receiver *)self)->pages, *page;
    struct smt_node_row *row;
    struct varlena *digest;

    slot_getallattrs(slot);
    page = &pages[DatumGetInt64(slot->tts_values[0]) - 1];
    /* A row twice in the history would not fit; the install finds the page wrong then. */
    if (page->row_count == SLOTS || slot->tts_isnull[1] || slot->tts_isnull[2])
        return true;
    row = &page->rows[page->row_count++];
    memset(row, 0, sizeof *row);
    row->depth = (uint8_t)(page->id.depth + SMT_PAGE_BITS);
    row->prefix = (uint64_t)DatumGetInt64(slot->tts_values[1]);
    digest = pg_detoast_datum_packed((struct varlena *)DatumGetPointer(slot->tts_values[2]));
    memcpy(row->digest.b, VARDATA_ANY(digest),
           Min(VARSIZE_ANY_EXHDR(digest), sizeof row->digest.b));
    return true;
}

static void nothing(DestReceiver *self)
{
    (void)self;
}

static void read_nodes(enum tree_id tree, height_t height, struct page *pages, size_t count)
{
    struct receiver r = {{receive, startup, nothing, nothing, DestNone}, pages};
    int16 *depth = palloc(sizeof *depth * count);
    int64 *prefix = palloc(sizeof *prefix * count);
    Datum values[4];

    for (size_t i = 0; i < count; i++) {
        depth[i] = (int16)(pages[i].id.depth + SMT_PAGE_BITS);
        prefix[i] = (int64)pages[i].id.prefix;
    }
    values[0] = Int64GetDatum(height);
    values[1] = Int16GetDatum((int16)tree);
    values[2] = reader_int2_array(depth, count);
    values[3] = reader_int8_array(prefix, count);
    query_run_into(nodes_query(), values, &r.pub);
}

int64 first_path64(uint64_t prefix, int depth)
{
    uint64_t bits = depth == 0 ? 0 : prefix << (64 - depth);

    return (int64)(bits ^ UINT64_C(1) << 63);
}

int64 last_path64(uint64_t prefix, int depth)
{
    uint64_t bits = depth == 0 ? 0 : prefix << (64 - depth);

    return (int64)((bits | UINT64_MAX >> depth) ^ UINT64_C(1) << 63);
}

struct ranges {
    int64 *low, *high;
    size_t count, leaves; /* leaves: at most this many can lie in them */
};

/* The parts of a page that none of its rows covers, neighbours joined. */
static void add_ranges(struct ranges *r, const struct page *page)
{
    int depth = page->id.depth + SMT_PAGE_BITS;
    size_t row = 0;
    bool joins = false;

    if (page->id.depth == LAST_DEPTH) {
        r->low[r->count] = first_path64(page->id.prefix, LAST_DEPTH);
        r->high[r->count++] = last_path64(page->id.prefix, LAST_DEPTH);
        r->leaves += GROUND_LEAVES_MAX;
        return;
    }
    for (uint64_t slot = 0; slot < SLOTS; slot++) {
        uint64_t prefix = page->id.prefix << SMT_PAGE_BITS | slot;

        while (row < page->row_count && page->rows[row].prefix < prefix)
            row++;
        if (row < page->row_count && page->rows[row].prefix == prefix) {
            joins = false;
            continue;
        }
        if (!joins)
            r->low[r->count++] = first_path64(prefix, depth);
        r->high[r->count - 1] = last_path64(prefix, depth);
        r->leaves++;
        joins = true;
    }
}

static int by_path(const void *x, const void *y)
{
    const struct smt_leaf *a = x, *b = y;

    return memcmp(a->path.b, b->path.b, sizeof a->path.b);
}

/* Place of the first leaf that is not before the path64. */
static size_t first_leaf(const struct smt_leaf *leaves, size_t count, int64 low)
{
    size_t from = 0, to = count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (path64(&leaves[middle].path) < low)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* Of all leaves, those of the page that none of its rows covers: a page below may be among those
 * that are read. */
static void take_leaves(struct arena *a, struct page *page, const struct smt_leaf *leaves,
                        size_t count)
{
    int64 last = last_path64(page->id.prefix, page->id.depth);
    size_t from = first_leaf(leaves, count, first_path64(page->id.prefix, page->id.depth));
    size_t to = from, row = 0;

    while (to < count && path64(&leaves[to].path) <= last)
        to++;
    page->leaves = arena_array(a, struct smt_leaf, to - from);
    for (size_t i = from; i < to; i++) {
        uint64_t bits = (uint64_t)path64(&leaves[i].path) ^ UINT64_C(1) << 63;

        while (row < page->row_count &&
               page->rows[row].prefix < bits >> (64 - page->rows[row].depth))
            row++;
        if (row == page->row_count ||
            page->rows[row].prefix != bits >> (64 - page->rows[row].depth))
            page->leaves[page->leaf_count++] = leaves[i];
    }
}

static enum tm_err read_leaves(struct arena *a, enum tree_id tree, height_t height,
                               struct page *pages, size_t count, struct tm_error *e)
{
    struct ranges r = {.low = palloc(sizeof(int64) * count * SLOTS),
                       .high = palloc(sizeof(int64) * count * SLOTS)};
    const struct record **records;
    struct buffer scratch;
    struct smt_leaf *leaves;
    size_t found;

    for (size_t i = 0; i < count; i++)
        add_ranges(&r, &pages[i]);
    if (r.count == 0)
        return TM_OK;
    records = reader_paths_at(a, tree, height, r.low, r.high, r.count, r.leaves + 1, &found);
    if (found > r.leaves)
        return tm_fail(e, TM_ERR_LIMIT,
                       "tree nodes are missing: more than %zu rows lie where "
                       "the stored nodes leave room for them",
                       r.leaves);
    leaves = arena_array(a, struct smt_leaf, found);
    buffer_init(&scratch, a, 512);
    for (size_t i = 0; i < found; i++) {
        leaves[i].path = record_path(records[i]);
        leaves[i].value_hash = record_value_hash(records[i], &scratch);
    }
    qsort(leaves, found, sizeof *leaves, by_path);
    for (size_t i = 0; i < count; i++)
        take_leaves(a, &pages[i], leaves, found);
    return TM_OK;
}

/* The pages of a few paths: one round for each level of the tree that is not there yet. */
static enum tm_err fill(struct arena *a, struct smt *t, enum tree_id tree, height_t height,
                        const struct hash32 *paths, size_t count, struct page *pages,
                        struct tm_error *e)
{
    struct smt_page_id wanted[PAGES_AT_ONCE];
    enum tm_err err = TM_OK;
    size_t n;

    while (err == TM_OK && (n = smt_want(smt_base(t), paths, count, wanted, PAGES_AT_ONCE)) > 0) {
        CHECK_FOR_INTERRUPTS();
        memset(pages, 0, sizeof *pages * n);
        for (size_t i = 0; i < n; i++)
            pages[i].id = wanted[i];
        read_nodes(tree, height, pages, n);
        err = read_leaves(a, tree, height, pages, n, e);
        for (size_t i = 0; err == TM_OK && i < n; i++)
            err = smt_install(t, pages[i].id, pages[i].rows, pages[i].row_count, pages[i].leaves,
                              pages[i].leaf_count, e);
    }
    return err;
}

static bool has_row(const struct page *page, uint64_t prefix)
{
    for (size_t i = 0; i < page->row_count; i++)
        if (page->rows[i].prefix == prefix)
            return true;
    return false;
}

static bool has_page(const struct page *pages, size_t count, struct smt_page_id id)
{
    for (size_t i = 0; i < count; i++)
        if (pages[i].id.depth == id.depth && pages[i].id.prefix == id.prefix)
            return true;
    return false;
}

/* The pages on the way to one path, as far as their nodes say that they are there. */
static size_t keep_existing(struct page *pages, size_t count)
{
    size_t n = 1;

    while (n < count && has_row(&pages[n - 1], pages[n].id.prefix))
        n++;
    return n;
}

/*
 * The pages of a few paths in two statements instead of two for each level: which pages there can
 * be is known from the path alone, and the nodes tell which there are. Deeper ones are left to
 * fill.
 */
static enum tm_err guess(struct arena *a, struct smt *t, enum tree_id tree, height_t height,
                         const struct hash32 *paths, size_t count, struct page *pages,
                         struct tm_error *e)
{
    enum { LEVELS = GUESSED_DEPTH_MAX / SMT_PAGE_BITS + 1 };
    enum tm_err err;
    size_t kept = 0;

    memset(pages, 0, sizeof *pages * count * LEVELS);
    for (size_t i = 0; i < count * LEVELS; i++) {
        int depth = (int)(i % LEVELS) * SMT_PAGE_BITS;
        uint64_t bits = (uint64_t)path64(&paths[i / LEVELS]) ^ UINT64_C(1) << 63;

        pages[i].id = (struct smt_page_id){(uint8_t)depth, depth == 0 ? 0 : bits >> (64 - depth)};
    }
    read_nodes(tree, height, pages, count * LEVELS);
    for (size_t i = 0; i < count; i++) {
        struct page *way = pages + i * LEVELS;
        size_t n = keep_existing(way, LEVELS);

        for (size_t k = 0; k < n; k++)
            if (!has_page(pages, kept, way[k].id))
                pages[kept++] = way[k];
    }
    err = read_leaves(a, tree, height, pages, kept, e);
    for (size_t i = 0; err == TM_OK && i < kept; i++)
        err = smt_install(t, pages[i].id, pages[i].rows, pages[i].row_count, pages[i].leaves,
                          pages[i].leaf_count, e);
    return err;
}

enum tm_err page_source_fill(struct arena *a, struct smt *t, enum tree_id tree, height_t height,
                             const struct hash32 *paths, size_t count, struct tm_error *e)
{
    struct page *pages = palloc(sizeof *pages * PAGES_AT_ONCE);
    enum tm_err err = TM_OK;

    if (count > 0 && count <= GUESSED_PATHS_MAX)
        err = guess(a, t, tree, height, paths, count, pages, e);
    for (size_t from = 0; err == TM_OK && from < count; from += PAGES_AT_ONCE)
        err = fill(a, t, tree, height, paths + from, Min(count - from, PAGES_AT_ONCE), pages, e);
    pfree(pages);
    return err;
}

size_t page_source_compare(struct arena *a, enum tree_id tree, height_t height,
                           const struct smt_node_change *changes, size_t count, size_t *wrong)
{
    int16 *depth = palloc(sizeof *depth * (count + 1));
    int64 *prefix = palloc(sizeof *prefix * (count + 1));
    size_t differences = 0;
    uint64 next = 0;
    Datum values[4];

    for (size_t i = 0; i < count; i++) {
        depth[i] = (int16)changes[i].row.depth;
        prefix[i] = (int64)changes[i].row.prefix;
    }
    values[0] = Int64GetDatum(height);
    values[1] = Int16GetDatum((int16)tree);
    values[2] = reader_int2_array(depth, count);
    values[3] = reader_int8_array(prefix, count);
    query_run(node_query(), values);
    for (size_t i = 0; i < count; i++) {
        struct hash32 digest = {{0}};
        size_t rows = 0;

        while (next < SPI_processed && query_int64(SPI_tuptable->vals[next], 1) == (int64)i + 1) {
            digest = digest_column(SPI_tuptable->vals[next++], 2, a);
            rows++;
        }
        if (rows == (size_t)changes[i].present &&
            (rows == 0 || hash32_equal(&digest, &changes[i].row.digest)))
            continue;
        if (differences++ == 0)
            *wrong = i;
    }
    return differences;
}
