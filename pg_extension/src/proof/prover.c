#include "proof/prover.h"

#include "value/argument.h"
#include "height/height.h"
#include "table/row_scan.h"
#include "tree/page_source.h"
#include "value/raise.h"

#include "protocol/base/hex.h"
#include "protocol/sha256/sha256.h"
#include "protocol/sha3/sha3.h"

#include "utils/array.h"
#include "utils/fmgroids.h"

enum { TREE_NAME_MAX = 64, SHOWN_KEY_MAX = 64, ANY_SIZE = 0 };

/* Bytes that a key of the tree has; pools had longer ones as well (state.md 5.4). */
static const struct {
    size_t size, other;
} KEY_SIZE[TREES] = {
    [TREE_APP] = {20, 20},          [TREE_VAL] = {20, 20},
    [TREE_FISH] = {20, 20},         [TREE_SERVICER] = {20, 20},
    [TREE_ACCOUNT] = {20, 20},      [TREE_POOL] = {20, 40},
    [TREE_TRANSACTIONS] = {32, 32}, [TREE_PARAMS] = {32, 32},
    [TREE_FLAGS] = {32, 32},        [TREE_IBC] = {ANY_SIZE, ANY_SIZE},
};

enum tree_id prover_tree(Datum name)
{
    struct bytes text = argument_text(name, TEXT_BYTES_MAX, "tree");
    int tree = text.size <= TREE_NAME_MAX ? tree_by_name(text) : -1;

    if (tree < 0)
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                 errmsg("there is no tree \"%.*s\"", (int)Min(text.size, TREE_NAME_MAX),
                        (const char *)text.data),
                 errhint("The trees are app, val, fish, servicer, account, pool, transactions, "
                         "params, flags and ibc; names of views stand for them too.")));
    return (enum tree_id)tree;
}

struct bytes prover_key_of_bytes(Datum value)
{
    return argument_bytes(value, KEY_BYTES_MAX, "key");
}

struct bytes prover_key_of_text(struct arena *a, enum tree_id tree, Datum value)
{
    bool named = tree == TREE_PARAMS || tree == TREE_FLAGS;
    struct bytes text =
        argument_text(value, named ? NAME_BYTES_MAX : 2 * (size_t)KEY_BYTES_MAX + 2, "key");
    struct hash32 name;
    uint8_t *raw;

    if (named) {
        name = sha3_256(text);
        return arena_copy(a, bytes_hash(&name));
    }
    if (text.size >= 2 && (text.data[0] == '\\' || text.data[0] == '0') && text.data[1] == 'x')
        text = bytes_make(text.data + 2, text.size - 2);
    raw = arena_alloc(a, text.size / 2 + 1);
    if (!hex_decode(text, raw))
        ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                        errmsg("a key of tree %s is given as hexadecimal text", tree_name(tree)),
                        errhint("Names are keys of params and flags only.")));
    return bytes_make(raw, text.size / 2);
}

static void check_size(struct arena *a, enum tree_id tree, struct bytes key)
{
    struct bytes shown = bytes_make(key.data, Min(key.size, SHOWN_KEY_MAX));

    if (KEY_SIZE[tree].size == ANY_SIZE || key.size == KEY_SIZE[tree].size ||
        key.size == KEY_SIZE[tree].other)
        return;
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("a key of tree %s has %zu bytes, not %zu", tree_name(tree),
                           KEY_SIZE[tree].size, key.size),
                    errdetail("The key is \\x%s%s.", hex_text(a, shown),
                              shown.size < key.size ? "…" : "")));
}

/* False where a block has no such root. */
static bool take_root(Datum roots, bool is_null, enum tree_id tree, struct hash32 *out)
{
    int place = (int)tree + 1;
    struct varlena *root;
    Datum value;

    if (is_null)
        return false;
    value = array_get_element(roots, 1, &place, -1, -1, false, TYPALIGN_INT, &is_null);
    if (is_null)
        return false;
    root = PG_DETOAST_DATUM_PACKED(value);
    if (VARSIZE_ANY_EXHDR(root) != sizeof *out)
        return false;
    memcpy(out, VARDATA_ANY(root), sizeof *out);
    return true;
}

static struct hash32 read_root(enum tree_id tree, int64 height)
{
    static const struct row_scan_key HEIGHT = {1, {"height"}, 0};
    struct row_scan blocks;
    ScanKeyData condition;
    struct hash32 root;
    bool is_null;
    Datum roots;

    row_scan_open(&blocks, "block", &HEIGHT, 1);
    row_scan_condition(&blocks, &condition, 1, BTEqualStrategyNumber, F_INT8EQ,
                       Int64GetDatum(height));
    row_scan_start(&blocks, &condition);
    if (!row_scan_next(&blocks))
        ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                        errmsg("there is no block " INT64_FORMAT " in ledger.block", height)));
    roots = slot_getattr(blocks.slot, row_scan_column(&blocks, "tree_roots"), &is_null);
    if (!take_root(roots, is_null, tree, &root))
        ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                        errmsg("ledger.block has no root of tree %s at height " INT64_FORMAT,
                               tree_name(tree), height)));
    row_scan_close(&blocks);
    return root;
}

static int by_path(const void *x, const void *y)
{
    const struct proof_item *a = x, *b = y;

    return memcmp(a->path.b, b->path.b, sizeof a->path.b);
}

/* The leaves of those keys whose rows were found; items are sorted by path. */
static void take_values(struct arena *a, const struct page_rows *rows, struct proof_item *items,
                        size_t count)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct proof_item wanted = {.path = record_path(rows->list[i])};
        struct proof_item *item = bsearch(&wanted, items, count, sizeof *items, by_path);
        struct buffer leaf;

        if (item == NULL)
            continue;
        buffer_init(&leaf, a, 256);
        record_leaf(rows->list[i], &leaf);
        /* The same key may have been asked for more than once. */
        while (item > items && by_path(item - 1, &wanted) == 0)
            item--;
        for (; item < items + count && by_path(item, &wanted) == 0; item++) {
            item->present = true;
            item->value = buffer_bytes(&leaf);
        }
    }
}

/* The rows must be the leaves of the tree that the header's root names. */
static void check_leaf(const struct page_source *source, const struct smt_version *version,
                       const struct proof_item *item)
{
    struct hash32 in_tree, in_row;
    bool present = smt_get(version, &item->path, &in_tree) == TM_OK;

    if (present && item->present)
        in_row = sha256(item->value);
    if (present != item->present || (present && !hash32_equal(&in_tree, &in_row)))
        ereport(ERROR,
                (errcode(ERRCODE_DATA_CORRUPTED),
                 errmsg("a row of tree %s at height " INT64_FORMAT
                        " is not the leaf under the header's root",
                        tree_name(source->tree), source->height),
                 errhint("tidemark.verify_state(" INT64_FORMAT ") says more.", source->height)));
}

static enum tm_err prove_items(struct arena *a, struct smt *t, const struct page_source *source,
                               struct proof_item *items, size_t count, struct proof *out,
                               struct tm_error *e)
{
    struct page_rows rows = {0};
    struct smt_proof *single = arena_array(a, struct smt_proof, count);
    struct hash32 *paths = arena_array(a, struct hash32, count);
    enum tm_err err;

    for (size_t i = 0; i < count; i++)
        paths[i] = items[i].path;
    err = page_source_fill_rows(a, t, source, paths, count, &rows, e);
    take_values(a, &rows, items, count);
    for (size_t i = 0; i < count && err == TM_OK; i++) {
        if (!items[i].present)
            check_size(a, source->tree, items[i].key);
        check_leaf(source, smt_base(t), &items[i]);
        err = smt_prove(smt_base(t), &paths[i], a, &single[i]);
        if (err != TM_OK)
            tm_fail(e, err, "tree %s has a part that cannot be read", tree_name(source->tree));
    }
    return err == TM_OK ? proof_make(a, items, single, count, out, e) : err;
}

void prover_prove(struct arena *a, enum tree_id tree, const struct bytes *keys, size_t count,
                  int64 height, struct proof *out)
{
    struct proof_item *items = arena_array(a, struct proof_item, count);
    struct tm_error e = {0};
    enum tm_err err = TM_OK;
    struct hash32 root;
    struct tip tip = height_tip();
    struct page_source source;
    struct smt *t;

    height_require(&tip, height);
    source = page_source_at(tree, height, &tip);
    for (size_t i = 0; i < count; i++)
        items[i] = (struct proof_item){.key = keys[i], .path = sha256(keys[i])};
    qsort(items, count, sizeof *items, by_path);
    root = read_root(tree, height);
    t = smt_new();
    PG_TRY();
    {
        smt_open(t, &root);
        err = prove_items(a, t, &source, items, count, out, &e);
    }
    PG_FINALLY();
    {
        smt_free(t);
    }
    PG_END_TRY();
    if (err != TM_OK)
        raise_failure(&e);
    if (!proof_verify(out, &root))
        elog(ERROR, "the proof does not lead to the root it was made under");
}
