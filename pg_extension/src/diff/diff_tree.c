/*
 * diff_tree(tree, h1, h2): the leaves that differ between two heights, found from the tree alone:
 * both versions are walked from the root, and what lies under equal digests is never read.
 */
#include "value/argument.h"
#include "table/asof.h"
#include "height/height.h"
#include "value/memory.h"
#include "tree/page_source.h"
#include "value/raise.h"
#include "value/result.h"
#include "block/stored_block.h"

#include "protocol/sha256/sha256.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

enum {
    COLUMNS = 4,
    PAGES_AT_ONCE = 256,
    SLOTS = 1 << SMT_PAGE_BITS,
    SHOWN_NAME_MAX = 64,
    LAST_DEPTH = SMT_PAGE_BITS * SMT_STORED_LEVELS /* of a page: leaves only below */
};

PG_FUNCTION_INFO_V1(tidemark_diff_tree);

struct walk {
    FunctionCallInfo fcinfo;
    MemoryContext level, batch; /* pages of the next level; what one batch of pages reads */
    enum tree_id tree;
    height_t from, to;
};

/* Prefixes of pages of one depth, ascending, that both versions do not agree on. */
struct pages {
    int64 *prefix;
    size_t count, capacity;
};

/* Nodes of depth $5 under the pages $4 in either version: prefix, whether both have the same. */
static struct query *level_query(void)
{
    static struct query q;
    static const char *const heights[] = {"$1", "$2"};
    StringInfoData sql;

    if (q.sql != NULL)
        return &q;
    initStringInfo(&sql);
    appendStringInfoString(&sql, "SELECT COALESCE(x.prefix, y.prefix), x.digest IS NOT NULL AND "
                                 "y.digest IS NOT NULL AND x.digest" OP_EQ "y.digest FROM ");
    for (int side = 0; side < 2; side++) {
        appendStringInfoString(&sql,
                               "(SELECT n.prefix, n.digest FROM unnest($4) AS w(page), LATERAL (");
        asof_append(&sql, "prefix, digest", "tree_node",
                    "tree" OP_EQ "$3 AND depth" OP_EQ "$5 AND (prefix" OP_SHIFT "6)" OP_EQ
                    "w.page AND prefix" OP_GE "(w.page OPERATOR(pg_catalog.*) 64) AND prefix" OP_LT
                    "((w.page" OP_PLUS "1) OPERATOR(pg_catalog.*) 64)",
                    heights[side]);
        appendStringInfoString(&sql, side == 0 ? ") n) x FULL JOIN " : ") n) y");
    }
    appendStringInfoString(&sql, " ON x.prefix" OP_EQ "y.prefix ORDER BY 1");
    q = (struct query){MemoryContextStrdup(TopMemoryContext, sql.data),
                       5,
                       {INT8OID, INT8OID, INT2OID, INT8ARRAYOID, INT2OID},
                       NULL};
    return &q;
}

static void emit(const struct walk *w, const struct record *row, const char *op,
                 const struct hash32 *from, const struct hash32 *to)
{
    ReturnSetInfo *set = (ReturnSetInfo *)w->fcinfo->resultinfo;
    Datum values[COLUMNS] = {result_bytes(row->key), result_text(bytes_of(op))};
    bool nulls[COLUMNS] = {false, false, from == NULL, to == NULL};

    if (from != NULL)
        values[2] = result_hash(from);
    if (to != NULL)
        values[3] = result_hash(to);
    tuplestore_putvalues(set->setResult, set->setDesc, values, nulls);
}

/* A leaf of one version. */
struct side_leaf {
    struct hash32 path;
    const struct record *row;
};

static int by_path(const void *x, const void *y)
{
    const struct side_leaf *a = x, *b = y;

    return memcmp(a->path.b, b->path.b, sizeof a->path.b);
}

static struct side_leaf *read_side(struct arena *a, const struct walk *w, height_t height,
                                   const struct path_ranges *r, size_t *count)
{
    const struct record **rows = reader_paths_at(a, w->tree, height, r, count);
    struct side_leaf *leaves = arena_array(a, struct side_leaf, *count);

    for (size_t i = 0; i < *count; i++)
        leaves[i] = (struct side_leaf){record_path(rows[i]), rows[i]};
    if (*count > 0)
        qsort(leaves, *count, sizeof *leaves, by_path);
    return leaves;
}

/* Compares the leaves of both versions in the ranges. */
static void compare_leaves(const struct walk *w, struct arena *a, const struct path_ranges *r)
{
    size_t from_count, to_count, i = 0, k = 0;
    struct side_leaf *from, *to;
    struct buffer scratch;

    if (r->count == 0)
        return;
    from = read_side(a, w, w->from, r, &from_count);
    to = read_side(a, w, w->to, r, &to_count);
    buffer_init(&scratch, a, 512);
    while (i < from_count || k < to_count) {
        int order = i == from_count ? 1 : k == to_count ? -1 : by_path(&from[i], &to[k]);
        struct hash32 old = {{0}}, new = {{0}};

        if (order <= 0)
            old = record_value_hash(from[i].row, &scratch);
        if (order >= 0)
            new = record_value_hash(to[k].row, &scratch);
        if (order < 0)
            emit(w, from[i].row, "delete", &old, NULL);
        else if (order > 0)
            emit(w, to[k].row, "insert", NULL, &new);
        else if (!hash32_equal(&old, &new))
            emit(w, to[k].row, "update", &old, &new);
        i += order <= 0;
        k += order >= 0;
    }
}

static void push(const struct walk *w, struct pages *pages, int64 prefix)
{
    pages->prefix = memory_grow(w->level, pages->prefix, pages->count, 1, &pages->capacity,
                                sizeof *pages->prefix, "tree nodes that differ");
    pages->prefix[pages->count++] = prefix;
}

/* Sorts the slots of one page into those to go down into and those whose leaves are compared;
 * `row` is the place of its first row in the result of level_query. */
static uint64 sort_slots(const struct walk *w, int depth, uint64_t page, uint64 row,
                         struct pages *below, struct path_ranges *r)
{
    bool is_null;

    for (uint64_t slot = 0; slot < SLOTS; slot++) {
        uint64_t prefix = page << SMT_PAGE_BITS | slot;

        if (row < SPI_processed && query_int64(SPI_tuptable->vals[row], 1) == (int64)prefix) {
            if (!DatumGetBool(query_value(SPI_tuptable->vals[row], 2, BOOLOID, &is_null)))
                push(w, below, (int64)prefix);
            row++;
        } else {
            path_ranges_add(r, prefix, depth + SMT_PAGE_BITS, SIZE_MAX, 0);
        }
    }
    return row;
}

static void walk_batch(const struct walk *w, int depth, const int64 *prefix, size_t count,
                       struct pages *below)
{
    struct path_ranges r = {.list = palloc(sizeof *r.list * count * SLOTS)};
    struct arena a;
    uint64 row = 0;

    memory_arena(&a, w->batch);
    if (depth == LAST_DEPTH) {
        for (size_t i = 0; i < count; i++)
            path_ranges_add(&r, (uint64_t)prefix[i], depth, SIZE_MAX, 0);
    } else {
        Datum values[5] = {Int64GetDatum(w->from), Int64GetDatum(w->to),
                           Int16GetDatum((int16)w->tree), reader_int8_array(prefix, count),
                           Int16GetDatum((int16)(depth + SMT_PAGE_BITS))};

        query_run(level_query(), values);
        for (size_t i = 0; i < count; i++)
            row = sort_slots(w, depth, (uint64_t)prefix[i], row, below, &r);
        SPI_freetuptable(SPI_tuptable);
    }
    compare_leaves(w, &a, &r);
}

/* Level by level; the root's page is the only one at depth 0. */
static void walk_tree(const struct walk *w)
{
    struct pages pages = {0};

    push(w, &pages, 0);
    for (int depth = 0; pages.count > 0 && depth <= LAST_DEPTH; depth += SMT_PAGE_BITS) {
        struct pages below = {0};

        for (size_t from = 0; from < pages.count; from += PAGES_AT_ONCE) {
            MemoryContext caller = MemoryContextSwitchTo(w->batch);

            CHECK_FOR_INTERRUPTS();
            walk_batch(w, depth, pages.prefix + from, Min(pages.count - from, PAGES_AT_ONCE),
                       &below);
            MemoryContextSwitchTo(caller);
            MemoryContextReset(w->batch);
        }
        pfree(pages.prefix);
        pages = below;
    }
}

static bool roots_equal(struct arena *a, const struct walk *w)
{
    struct stored_block from, to;

    if (!stored_block_read(a, w->from, &from) || !stored_block_read(a, w->to, &to) ||
        !from.header.has_tree_roots || !to.header.has_tree_roots)
        ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                        errmsg("ledger.block lacks the block of height " INT64_FORMAT
                               " or " INT64_FORMAT ", or its tree_roots are not ten digests",
                               w->from, w->to)));
    return hash32_equal(&from.header.tree_roots[w->tree], &to.header.tree_roots[w->tree]);
}

static enum tree_id tree_argument(FunctionCallInfo fcinfo)
{
    struct bytes name = argument_text(argument_present(fcinfo, 0, "the tree"), NAME_BYTES_MAX,
                                      "the name of the tree");
    int tree = tree_by_name(name);

    if (tree < 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("there is no tree \"%.*s\"", (int)Min(name.size, SHOWN_NAME_MAX),
                               (const char *)name.data),
                        errhint("Trees are application, validator, fisherman, servicer, account, "
                                "pool, transaction, param, flag and ibc_entry.")));
    return (enum tree_id)tree;
}

Datum tidemark_diff_tree(PG_FUNCTION_ARGS)
{
    struct walk w = {.fcinfo = fcinfo, .tree = tree_argument(fcinfo)};
    struct arena a;
    struct tip tip;

    InitMaterializedSRF(fcinfo, 0);
    memory_arena(&a, CurrentMemoryContext);
    w.level = CurrentMemoryContext;
    query_begin();
    w.batch =
        AllocSetContextCreate(CurrentMemoryContext, "tidemark tree walk", ALLOCSET_DEFAULT_SIZES);
    tip = height_tip();
    w.from = height_argument(fcinfo, 1, &tip);
    w.to = height_argument(fcinfo, 2, &tip);
    if (!roots_equal(&a, &w))
        walk_tree(&w);
    query_end();
    PG_RETURN_VOID();
}
