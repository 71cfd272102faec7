#include "tree/page_source.h"

#include "table/node_scan.h"

#include "miscadmin.h"
#include "utils/memutils.h"

enum {
    PAGES_AT_ONCE = 256,
    SLOTS = NODE_SCAN_SLOTS,
    LAST_DEPTH = SMT_PAGE_BITS * SMT_STORED_LEVELS, /* of a page: no rows below, leaves only */
    WALKED_PATHS_MAX = 16,                          /* paths with all their pages at once */
    /* Leaves that share 60 bits of their paths: a second one takes 2^60 hashes to find. */
    GROUND_LEAVES_MAX = 1024
};

/* A page while it is put together. */
struct page {
    struct smt_page_id id;
    int first_table; /* that can have one of its rows or leaves */
    struct node_scan_rows rows;
    struct smt_leaf *leaves;
    size_t leaf_count;
};

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

static void read_page(struct node_scan *scan, const struct page_source *source, struct page *page)
{
    if (page->id.depth == LAST_DEPTH)
        page->rows.count = 0;
    else
        node_scan_page(scan, source->tree, page->id, source->height, page->first_table,
                       &page->rows);
}

static void read_nodes(const struct page_source *source, struct page *pages, size_t count)
{
    struct node_scan *scan = node_scan_begin();

    for (size_t i = 0; i < count; i++)
        read_page(scan, source, &pages[i]);
    node_scan_end(scan);
}

struct page_source page_source_at(enum tree_id tree, height_t height, const struct tip *tip)
{
    return (struct page_source){tree, height, height_is_last(tip, height) ? ASOF_CURRENT : 0};
}

/* The parts of a page that none of its rows covers: a slot without a row has one leaf at most. */
static void add_ranges(struct path_ranges *r, const struct page *page)
{
    size_t row = 0;

    if (page->id.depth == LAST_DEPTH) {
        path_ranges_add(r, page->id.prefix, LAST_DEPTH, GROUND_LEAVES_MAX, page->first_table);
        return;
    }
    for (uint64_t slot = 0; slot < SLOTS; slot++) {
        uint64_t prefix = page->id.prefix << SMT_PAGE_BITS | slot;

        while (row < page->rows.count && page->rows.list[row].prefix < prefix)
            row++;
        if (row == page->rows.count || page->rows.list[row].prefix != prefix)
            path_ranges_add(r, prefix, page->id.depth + SMT_PAGE_BITS, 1, page->first_table);
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
    const struct node_scan_rows *rows = &page->rows;
    int64 last = last_path64(page->id.prefix, page->id.depth);
    size_t from = first_leaf(leaves, count, first_path64(page->id.prefix, page->id.depth));
    size_t to = from, row = 0;

    while (to < count && path64(&leaves[to].path) <= last)
        to++;
    page->leaves = arena_array(a, struct smt_leaf, to - from);
    for (size_t i = from; i < to; i++) {
        uint64_t bits = (uint64_t)path64(&leaves[i].path) ^ UINT64_C(1) << 63;

        while (row < rows->count && rows->list[row].prefix < bits >> (64 - rows->list[row].depth))
            row++;
        if (row == rows->count || rows->list[row].prefix != bits >> (64 - rows->list[row].depth))
            page->leaves[page->leaf_count++] = leaves[i];
    }
}

static void keep_rows(struct arena *a, struct page_rows *rows, const struct record **records,
                      size_t count)
{
    if (rows->count + count > rows->room) {
        const struct record **old = rows->list;

        rows->room = 2 * (rows->count + count);
        rows->list = arena_array(a, const struct record *, rows->room);
        if (rows->count > 0)
            memcpy(rows->list, old, sizeof *old * rows->count);
    }
    if (count > 0)
        memcpy(rows->list + rows->count, records, sizeof *records * count);
    rows->count += count;
}

static enum tm_err read_leaves(struct arena *a, const struct page_source *source,
                               struct page *pages, size_t count, struct page_rows *rows,
                               struct tm_error *e)
{
    struct path_ranges r = {.list = palloc(sizeof *r.list * count * SLOTS)};
    const struct record **records;
    struct smt_leaf *leaves;
    struct buffer scratch;
    size_t found, most = 0;

    for (size_t i = 0; i < count; i++)
        add_ranges(&r, &pages[i]);
    if (r.count == 0)
        return TM_OK;
    for (size_t i = 0; i < r.count; i++)
        most += r.list[i].most;
    records = reader_paths_at(a, source->tree, source->height, &r, &found);
    if (found > most)
        return tm_fail(e, TM_ERR_LIMIT,
                       "tree nodes are missing: more than %zu rows lie where "
                       "the stored nodes leave room for them",
                       most);
    if (rows != NULL)
        keep_rows(a, rows, records, found);
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

static enum tm_err install(struct smt *t, const struct page *pages, size_t count,
                           struct tm_error *e)
{
    enum tm_err err = TM_OK;

    for (size_t i = 0; err == TM_OK && i < count; i++)
        err = smt_install(t, pages[i].id, pages[i].rows.list, pages[i].rows.count, pages[i].leaves,
                          pages[i].leaf_count, e);
    return err;
}

/* The pages of a few paths: one round for each level of the tree that is not there yet. */
static enum tm_err fill(struct arena *a, struct smt *t, const struct page_source *source,
                        const struct hash32 *paths, size_t count, struct page *pages,
                        struct page_rows *rows, struct tm_error *e)
{
    struct smt_page_id wanted[PAGES_AT_ONCE];
    enum tm_err err = TM_OK;
    size_t n;

    while (err == TM_OK && (n = smt_want(smt_base(t), paths, count, wanted, PAGES_AT_ONCE)) > 0) {
        CHECK_FOR_INTERRUPTS();
        for (size_t i = 0; i < n; i++)
            pages[i] = (struct page){.id = wanted[i], .first_table = source->first_table};
        read_nodes(source, pages, n);
        err = read_leaves(a, source, pages, n, rows, e);
        if (err == TM_OK)
            err = install(t, pages, n, e);
    }
    return err;
}

/* The table that has the node above the page `below`; -1 where there is no such node. */
static int table_of_node(const struct page *page, struct smt_page_id below)
{
    for (size_t i = 0; i < page->rows.count; i++)
        if (page->rows.list[i].prefix == below.prefix)
            return page->rows.tables[i];
    return -1;
}

static struct page *find_page(struct page *pages, size_t count, struct smt_page_id id)
{
    for (size_t i = 0; i < count; i++)
        if (pages[i].id.depth == id.depth && pages[i].id.prefix == id.prefix)
            return &pages[i];
    return NULL;
}

/*
 * The pages of a few paths with one statement for all their leaves: which pages there can be is
 * known from the path alone, and the nodes of each tell whether there is one below.
 */
static enum tm_err walk(struct arena *a, struct smt *t, const struct page_source *source,
                        const struct hash32 *paths, size_t count, struct page *pages,
                        struct page_rows *rows, struct tm_error *e)
{
    struct node_scan *scan = node_scan_begin();
    enum tm_err err;
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t bits = (uint64_t)path64(&paths[i]) ^ UINT64_C(1) << 63;
        const struct page *above = NULL;
        int table = source->first_table;

        for (int depth = 0; depth <= LAST_DEPTH; depth += SMT_PAGE_BITS) {
            struct smt_page_id id = {(uint8_t)depth, depth == 0 ? 0 : bits >> (64 - depth)};
            struct page *page = find_page(pages, n, id);

            if (above != NULL && (table = table_of_node(above, id)) < 0)
                break;
            if (page == NULL) {
                page = &pages[n++];
                *page = (struct page){.id = id, .first_table = table};
                read_page(scan, source, page);
            }
            above = page;
        }
    }
    node_scan_end(scan);
    err = read_leaves(a, source, pages, n, rows, e);
    return err == TM_OK ? install(t, pages, n, e) : err;
}

enum tm_err page_source_fill_rows(struct arena *a, struct smt *t, const struct page_source *source,
                                  const struct hash32 *paths, size_t count, struct page_rows *rows,
                                  struct tm_error *e)
{
    struct page *pages = palloc(sizeof *pages * PAGES_AT_ONCE);
    enum tm_err err = TM_OK;

    if (count > 0 && count <= WALKED_PATHS_MAX)
        err = walk(a, t, source, paths, count, pages, rows, e);
    for (size_t from = 0; err == TM_OK && from < count; from += PAGES_AT_ONCE)
        err = fill(a, t, source, paths + from, Min(count - from, PAGES_AT_ONCE), pages, rows, e);
    pfree(pages);
    return err;
}

enum tm_err page_source_fill(struct arena *a, struct smt *t, const struct page_source *source,
                             const struct hash32 *paths, size_t count, struct tm_error *e)
{
    return page_source_fill_rows(a, t, source, paths, count, NULL, e);
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
