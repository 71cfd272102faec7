#include "block/touched.h"

#include "tree/page_source.h"

#include "protocol/base/hex.h"
#include "protocol/sha256/sha256.h"

enum { SHOWN_KEY_MAX = 64 };

/* One leaf with its value hash before and after the block. */
struct touched {
    struct bytes key; /* as ledger.change has it */
    struct hash32 path;
    struct hash32 value_hash[2];
    bool present[2];
    bool listed; /* in ledger.change: it must differ */
};

enum side { BEFORE, AFTER };

static int by_path(const void *x, const void *y)
{
    const struct touched *a = x, *b = y;

    return memcmp(a->path.b, b->path.b, sizeof a->path.b);
}

static struct touched *read_keys(struct arena *a, const struct touched_tree *t, size_t *count)
{
    static struct query changes = {"SELECT key, true FROM ledger.change WHERE height" OP_EQ
                                   "$1 AND tree" OP_EQ "$2 GROUP BY key",
                                   2,
                                   {INT8OID, INT2OID},
                                   NULL};
    static struct query transactions = {
        "SELECT k.key, pg_catalog.bool_or(k.listed) FROM (SELECT key, true AS listed FROM "
        "ledger.change WHERE height" OP_EQ "$1 AND tree" OP_EQ
        "$2 UNION ALL SELECT hash, false FROM ledger.transaction WHERE height" OP_EQ
        "$1) k GROUP BY k.key",
        2,
        {INT8OID, INT2OID},
        NULL};
    Datum values[2] = {Int64GetDatum(t->height), Int16GetDatum((int16)t->tree)};
    struct touched *out;
    bool is_null;

    query_run(t->tree == TREE_TRANSACTIONS ? &transactions : &changes, values);
    *count = SPI_processed;
    out = arena_array(a, struct touched, SPI_processed);
    for (uint64 i = 0; i < SPI_processed; i++) {
        HeapTuple row = SPI_tuptable->vals[i];

        out[i].key = query_bytes(row, 1, BYTEAOID, a);
        out[i].path = rows_path(t->tree, out[i].key);
        out[i].listed = DatumGetBool(query_value(row, 2, BOOLOID, &is_null));
    }
    qsort(out, *count, sizeof *out, by_path);
    return out;
}

static const char *about(struct arena *a, const struct touched *leaf, const char *what)
{
    struct bytes key = leaf->key;
    bool cut = key.size > SHOWN_KEY_MAX;

    if (cut)
        key.size = SHOWN_KEY_MAX;
    return arena_format(a, "key \\x%s%s: %s", hex_text(a, key), cut ? "…" : "", what);
}

static void read_rows(struct arena *a, const struct touched_tree *t, enum side side,
                      struct touched *leaves, size_t count)
{
    struct bytes *keys = arena_array(a, struct bytes, count);
    const struct record **rows;
    struct buffer scratch;
    size_t found;

    for (size_t i = 0; i < count; i++)
        keys[i] = leaves[i].key;
    rows =
        reader_rows_at(a, t->tree, side == AFTER ? t->height : t->height - 1, keys, count, &found);
    buffer_init(&scratch, a, 512);
    for (size_t i = 0; i < found; i++) {
        struct touched wanted = {.path = record_path(rows[i])}, *leaf;

        leaf = bsearch(&wanted, leaves, count, sizeof *leaves, by_path);
        if (leaf == NULL)
            continue;
        leaf->present[side] = true;
        leaf->value_hash[side] = record_value_hash(rows[i], &scratch);
    }
}

/* Opens the tree with the root of one side and compares its leaves with the rows. */
static const char *check_side(struct arena *a, const struct touched_tree *t, enum side side,
                              struct smt *tree, const struct touched *leaves, size_t count)
{
    struct page_source source =
        page_source_at(t->tree, side == AFTER ? t->height : t->height - 1, t->tip);
    struct hash32 *paths = arena_array(a, struct hash32, count);
    struct tm_error e = {0};

    for (size_t i = 0; i < count; i++)
        paths[i] = leaves[i].path;
    smt_open(tree, side == AFTER ? &t->root : &t->root_before);
    if (page_source_fill(a, tree, &source, paths, count, &e) != TM_OK)
        return arena_format(a, "%s the block: %s", side == AFTER ? "after" : "before", e.text);
    for (size_t i = 0; i < count; i++) {
        struct hash32 value_hash;
        enum tm_err err = smt_get(smt_base(tree), &leaves[i].path, &value_hash);

        if (err != TM_OK && err != TM_ERR_NOT_FOUND)
            return about(a, &leaves[i], "the tree's page could not be read");
        if ((err == TM_OK) == leaves[i].present[side] &&
            (err != TM_OK || hash32_equal(&value_hash, &leaves[i].value_hash[side])))
            continue;
        return about(a, &leaves[i],
                     side == AFTER ? "the row is not the leaf under this block's root"
                                   : "the row before is not the leaf under the root before");
    }
    return NULL;
}

/* From the root before by the changes to the root after, and the nodes that this writes. */
static const char *check_step(struct arena *a, const struct touched_tree *t, struct smt *tree,
                              const struct touched *leaves, size_t count)
{
    struct smt_change *changes = arena_array(a, struct smt_change, count);
    struct smt_node_change *nodes;
    struct smt_version *version;
    struct tm_error e = {0};
    struct hash32 root;
    size_t node_count, wrong = 0;

    for (size_t i = 0; i < count; i++) {
        const struct touched *leaf = &leaves[i];

        if (leaf->listed && leaf->present[BEFORE] == leaf->present[AFTER] &&
            (!leaf->present[AFTER] ||
             hash32_equal(&leaf->value_hash[BEFORE], &leaf->value_hash[AFTER])))
            return about(a, leaf, "listed as changed, but it is as before");
        changes[i] = (struct smt_change){leaf->path, leaf->value_hash[AFTER], leaf->present[AFTER]};
    }
    if (smt_update(smt_base(tree), changes, count, &version, &e) != TM_OK)
        return arena_format(a, "the changes do not apply: %s", e.text);
    root = smt_root(version);
    if (!hash32_equal(&root, &t->root))
        return arena_format(a, "the listed changes lead to root %s, not %s",
                            hex_text(a, bytes_hash(&root)), hex_text(a, bytes_hash(&t->root)));
    node_count = smt_node_changes(version, a, &nodes);
    if (page_source_compare(a, t->tree, t->height, nodes, node_count, &wrong) > 0)
        return arena_format(a, "tree node at depth %d, prefix %llu is not as the leaves make it",
                            nodes[wrong].row.depth, (unsigned long long)nodes[wrong].row.prefix);
    return NULL;
}

/* From the rows before, which are the leaves under the root before, to the root after: that proves
 * the rows after as well. */
static const char *check_before_and_step(struct arena *a, const struct touched_tree *t,
                                         struct smt *tree, struct touched *leaves, size_t count)
{
    const char *detail = NULL;

    /* The first block makes the whole tree. */
    if (t->height > 0) {
        read_rows(a, t, BEFORE, leaves, count);
        detail = check_side(a, t, BEFORE, tree, leaves, count);
    }
    return detail != NULL ? detail : check_step(a, t, tree, leaves, count);
}

size_t touched_verify(struct arena *a, const struct touched_tree *t, const char **detail)
{
    size_t count;
    struct touched *leaves = read_keys(a, t, &count);
    struct smt *trees[2] = {smt_new(), smt_new()};

    *detail = NULL;
    PG_TRY();
    {
        read_rows(a, t, AFTER, leaves, count);
        if (t->has_before)
            *detail = check_before_and_step(a, t, trees[BEFORE], leaves, count);
        /* Where something does not hold, the state after tells which row it is. */
        if (t->height > 0 && (!t->has_before || *detail != NULL)) {
            const char *after = check_side(a, t, AFTER, trees[AFTER], leaves, count);

            *detail = after != NULL ? after : *detail;
        }
    }
    PG_FINALLY();
    {
        smt_free(trees[BEFORE]);
        smt_free(trees[AFTER]);
    }
    PG_END_TRY();
    return count;
}
