/* Stored rows of one height against what executing its block gives. */
#include "verify_compare.h"

#include "protocol/base/hex.h"
#include "protocol/sha3/sha3.h"

#include <inttypes.h>
#include <stdlib.h>

/* How a key reads in a finding. */
static const char *key_text(struct arena *a, enum tree_id tree, struct bytes key)
{
    if (tree == TREE_PARAMS || tree == TREE_FLAGS)
        return arena_text(a, key);
    if (key.size > 64)
        key.size = 64;
    return hex_text(a, key);
}

static struct bytes leaf_of(struct arena *a, const struct record *r)
{
    struct buffer leaf;

    buffer_init(&leaf, a, 256);
    record_leaf(r, &leaf);
    return buffer_bytes(&leaf);
}

static bool is_actor(enum tree_id tree)
{
    return tree == TREE_APP || tree == TREE_VAL || tree == TREE_FISH || tree == TREE_SERVICER;
}

/* The parts of a row that its leaf does not hash, but that follow from it. */
static void check_derived(struct findings *f, struct arena *a, height_t h,
                          const struct verify_birth *row)
{
    const struct record *record = &row->record;
    struct bytes row_key = row->row_key, stake_number = row->stake_number;
    const char *name = tree_name(record->tree);

    if (record->tree == TREE_IBC) {
        struct hash32 path = record_path(record);

        if (!bytes_equal(row_key, bytes_hash(&path)))
            verify_find(f, h, "%s %s: path is not the SHA-256 of key", name,
                        key_text(a, record->tree, record->key));
    } else if (!bytes_equal(row_key, record->key)) {
        verify_find(f, h, "%s %s: the row's key differs", name,
                    key_text(a, record->tree, record->key));
    }
    if (record->tree == TREE_APP && record->actor.service_url.size != 0)
        verify_find(f, h, "app %s: an application has no service_url",
                    key_text(a, record->tree, record->key));
    if (record->tree == TREE_VAL && record->actor.chain_count != 0)
        verify_find(f, h, "val %s: a validator has no chains",
                    key_text(a, record->tree, record->key));
    if (is_actor(record->tree)) {
        struct amount stake;

        if (amount_parse(a, record->actor.stake_text, &stake) != TM_OK ||
            !bytes_equal(stake.text, stake_number))
            verify_find(f, h, "%s %s: stake %.*s is not the number of stake_text %.*s", name,
                        key_text(a, record->tree, record->key), (int)stake_number.size,
                        (const char *)stake_number.data, (int)record->actor.stake_text.size,
                        (const char *)record->actor.stake_text.data);
    }
}

int verify_compare_writes(const void *x, const void *y)
{
    const struct ledger_write *a = x, *b = y;

    return a->tree != b->tree ? (int)a->tree - (int)b->tree : bytes_compare(a->key, b->key);
}

static const struct ledger_write *find_write(const struct verify_execution *x, enum tree_id tree,
                                             struct bytes key)
{
    struct ledger_write wanted = {.tree = tree, .key = key};

    return bsearch(&wanted, x->writes, x->write_count, sizeof wanted, verify_compare_writes);
}

/* A row's leaf and the executed one side by side. */
static void find_leaf(struct findings *f, struct arena *a, height_t h, const struct record *row,
                      const struct record *executed)
{
    const char *key = key_text(a, row->tree, row->key);

    if (row->tree == TREE_ACCOUNT || row->tree == TREE_POOL) {
        verify_find(f, h, "%s %s: balance is %.*s in the row, %.*s by execution",
                    tree_name(row->tree), key, (int)row->balance.text.size,
                    (const char *)row->balance.text.data, (int)executed->balance.text.size,
                    (const char *)executed->balance.text.data);
        return;
    }
    verify_find(f, h, "%s %s: the row's leaf is %s, by execution %s", tree_name(row->tree), key,
                hex_text(a, leaf_of(a, row)), hex_text(a, leaf_of(a, executed)));
}

void verify_births(struct findings *f, struct arena *a, const struct verify_height *rows,
                   const struct verify_execution *x)
{
    size_t expected = 0;

    for (size_t i = 0; i < x->write_count; i++)
        expected += x->writes[i].tree != TREE_TRANSACTIONS && x->writes[i].after != NULL;
    for (size_t i = 0; i < rows->birth_count; i++) {
        const struct verify_birth *b = &rows->births[i];
        const struct ledger_write *w = find_write(x, b->record.tree, b->record.key);

        check_derived(f, a, rows->height, b);
        if (w == NULL || w->after == NULL)
            verify_find(f, rows->height, "%s %s: a version begins that the block did not write",
                        tree_name(b->record.tree), key_text(a, b->record.tree, b->record.key));
        else if (!record_equal(&b->record, w->after))
            find_leaf(f, a, rows->height, &b->record, w->after);
    }
    if (rows->birth_count != expected) {
        for (size_t i = 0; i < x->write_count; i++) {
            const struct ledger_write *w = &x->writes[i];
            bool found = w->after == NULL || w->tree == TREE_TRANSACTIONS;

            for (size_t k = 0; k < rows->birth_count && !found; k++)
                found = rows->births[k].record.tree == w->tree &&
                        bytes_equal(rows->births[k].record.key, w->key);
            if (!found)
                verify_find(f, rows->height, "%s %s: the version the block wrote is missing",
                            tree_name(w->tree), key_text(a, w->tree, w->key));
        }
        verify_find(f, rows->height, "%zu versions begin, %zu by execution", rows->birth_count,
                    expected);
    }
}

void verify_ends(struct findings *f, struct arena *a, const struct verify_height *rows,
                 const struct verify_execution *x)
{
    size_t expected = 0;

    for (size_t i = 0; i < x->write_count; i++)
        expected += x->writes[i].tree != TREE_TRANSACTIONS && x->writes[i].before != NULL;
    for (size_t i = 0; i < rows->end_count; i++) {
        const struct verify_end *end = &rows->ends[i];
        const struct record *row = &end->row.record;
        const struct ledger_write *w = find_write(x, row->tree, row->key);
        const char *key = key_text(a, row->tree, row->key);

        if (w == NULL || w->before == NULL) {
            verify_find(f, rows->height, "%s %s: a version ends that the block did not replace",
                        tree_name(row->tree), key);
            continue;
        }
        if (w->before->valid_from != row->valid_from)
            verify_find(f, rows->height,
                        "%s %s: the version that ends began at %" PRId64 ", its row says %" PRId64,
                        tree_name(row->tree), key, w->before->valid_from, row->valid_from);
        if (!bytes_equal(leaf_of(a, row), leaf_of(a, w->before)))
            verify_find(f, rows->height, "%s %s: the version that ends has another leaf",
                        tree_name(row->tree), key);
        else
            check_derived(f, a, rows->height, &end->row);
        if (end->class != lifetime_class(rows->height - row->valid_from))
            verify_find(f, rows->height, "%s %s: class %d, its lifetime gives %d",
                        tree_name(row->tree), key, end->class,
                        lifetime_class(rows->height - row->valid_from));
    }
    if (rows->end_count != expected)
        verify_find(f, rows->height, "%zu versions end, %zu by execution", rows->end_count,
                    expected);
}

static struct bytes touch_row_key(struct arena *a, enum tree_id tree, struct bytes key)
{
    struct record r = {.tree = tree, .key = key};
    struct hash32 path;

    if (tree != TREE_IBC)
        return key;
    path = record_path(&r);
    return arena_copy(a, bytes_hash(&path));
}

static int compare_touch(const void *x, const void *y)
{
    const struct verify_touch *a = x, *b = y;
    int c =
        a->tree != b->tree ? (int)a->tree - (int)b->tree : bytes_compare(a->row_key, b->row_key);

    return c != 0 ? c : (a->step > b->step) - (a->step < b->step);
}

void verify_touches(struct findings *f, struct arena *a, const struct verify_height *rows,
                    const struct ledger_touch *touches, size_t count)
{
    struct verify_touch *expected = arena_array(a, struct verify_touch, count + 1);

    for (size_t i = 0; i < count; i++)
        expected[i] = (struct verify_touch){
            touches[i].tree, touch_row_key(a, touches[i].tree, touches[i].key), touches[i].step};
    if (count > 0)
        qsort(expected, count, sizeof *expected, compare_touch);
    if (rows->touch_count > 0)
        qsort(rows->touches, rows->touch_count, sizeof *rows->touches, compare_touch);
    if (rows->touch_count != count)
        verify_find(f, rows->height, "ledger.change has %zu rows, execution gives %zu",
                    rows->touch_count, count);
    for (size_t i = 0; i < count && i < rows->touch_count; i++)
        if (compare_touch(&expected[i], &rows->touches[i]) != 0) {
            verify_find(f, rows->height,
                        "ledger.change: row %zu is (%s, %s, %d), by execution (%s, %s, %d)", i,
                        tree_name(rows->touches[i].tree),
                        key_text(a, rows->touches[i].tree, rows->touches[i].row_key),
                        rows->touches[i].step, tree_name(expected[i].tree),
                        key_text(a, expected[i].tree, expected[i].row_key), expected[i].step);
            return;
        }
}

void verify_result(struct findings *f, struct arena *a, height_t h,
                   const struct verify_transaction *row, const struct store_transaction *executed)
{
    struct hash32 hash = sha3_256(row->tx);
    struct bytes type = bytes_of(executed->message_type);

    if (!bytes_equal(row->hash, bytes_hash(&hash)))
        verify_find(f, h, "transaction %d: hash %s is not that of its bytes", row->index,
                    hex_text(a, row->hash));
    if (!bytes_equal(row->signer, bytes_address(&executed->signer)))
        verify_find(f, h, "transaction %d: signer %s, its key gives %s", row->index,
                    hex_text(a, row->signer), hex_text(a, bytes_address(&executed->signer)));
    if (!bytes_equal(row->recipient, executed->recipient))
        verify_find(f, h, "transaction %d: recipient %s differs from its message", row->index,
                    hex_text(a, row->recipient));
    if (!bytes_equal(row->message_type, type))
        verify_find(f, h, "transaction %d: message_type %.*s, it is a %s", row->index,
                    (int)row->message_type.size, (const char *)row->message_type.data,
                    executed->message_type);
    if (row->pruned)
        verify_find(f, h, "transaction %d: value_hash must be empty here", row->index);
    if (row->result_code != executed->code)
        verify_find(f, h, "transaction %d: result_code %d, by execution %d", row->index,
                    row->result_code, executed->code);
    if (!bytes_equal(row->error, executed->error))
        verify_find(f, h, "transaction %d: error \"%.*s\", by execution \"%.*s\"", row->index,
                    (int)row->error.size, (const char *)row->error.data, (int)executed->error.size,
                    (const char *)executed->error.data);
}

static int compare_index(const void *x, const void *y)
{
    const struct verify_transaction *a = x, *b = y;

    return (a->index > b->index) - (a->index < b->index);
}

void verify_sort_transactions(const struct verify_height *rows)
{
    if (rows->transaction_count > 0)
        qsort(rows->transaction_rows, rows->transaction_count, sizeof *rows->transaction_rows,
              compare_index);
}
