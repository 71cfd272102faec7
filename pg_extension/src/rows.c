#include "rows.h"

#include "result.h"

#include "protocol/sha256/sha256.h"

#include "utils/array.h"
#include "utils/builtins.h"

#define ACTOR_COLUMNS                                                                              \
    "address, valid_from, public_key, output_address, stake, stake_text, service_url, chains, "    \
    "paused_height, unstaking_height"

static const struct tree_table TABLE[TREES] = {
    [TREE_APP] = {"application", "address", BYTEAOID, ACTOR_COLUMNS, "tidemark.path64(address)"},
    [TREE_VAL] = {"validator", "address", BYTEAOID, ACTOR_COLUMNS, "tidemark.path64(address)"},
    [TREE_FISH] = {"fisherman", "address", BYTEAOID, ACTOR_COLUMNS, "tidemark.path64(address)"},
    [TREE_SERVICER] = {"servicer", "address", BYTEAOID, ACTOR_COLUMNS, "tidemark.path64(address)"},
    [TREE_ACCOUNT] = {"account", "address", BYTEAOID, "address, valid_from, balance",
                      "tidemark.path64(address)"},
    [TREE_POOL] = {"pool", "address", BYTEAOID, "address, valid_from, balance",
                   "tidemark.path64(address)"},
    [TREE_TRANSACTIONS] = {"transaction", "hash", BYTEAOID, "hash, height, tx, value_hash",
                           "tidemark.path64(hash)"},
    [TREE_PARAMS] = {"param", "name", TEXTOID, "name, valid_from, value",
                     "tidemark.path64(tidemark.param_key(name))"},
    [TREE_FLAGS] = {"flag", "name", TEXTOID, "name, valid_from, value, enabled",
                    "tidemark.path64(tidemark.param_key(name))"},
    [TREE_IBC] = {"ibc_entry", "path", BYTEAOID, "key, valid_from, value", "tidemark.path64(key)"},
};

const struct tree_table *rows_table(enum tree_id tree)
{
    return &TABLE[tree];
}

static struct bytes number(struct arena *a, HeapTuple row, int n)
{
    bool is_null;
    Datum value = query_value(row, n, NUMERICOID, &is_null);

    if (is_null)
        return (struct bytes){NULL, 0};
    return arena_copy(a, bytes_of(DatumGetCString(DirectFunctionCall1(numeric_out, value))));
}

static void read_actor(struct arena *a, HeapTuple row, struct actor *actor)
{
    bool is_null;
    Datum value, *elements;
    bool *nulls;
    int count;

    actor->public_key = query_bytes(row, 3, BYTEAOID, a);
    actor->output = query_bytes(row, 4, BYTEAOID, a);
    query_value(row, 6, TEXTOID, &is_null);
    actor->stake_text = is_null ? number(a, row, 5) : query_bytes(row, 6, TEXTOID, a);
    actor->service_url = query_bytes(row, 7, TEXTOID, a);
    actor->paused_height = query_int64(row, 9);
    actor->unstaking_height = query_int64(row, 10);
    value = query_value(row, 8, TEXTARRAYOID, &is_null);
    if (is_null)
        return;
    deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &elements,
                      &nulls, &count);
    actor->chains = arena_array(a, struct bytes, count);
    for (int i = 0; i < count; i++) {
        text *t;

        if (nulls[i])
            continue;
        t = DatumGetTextPP(elements[i]);
        actor->chains[actor->chain_count++] =
            arena_copy(a, bytes_make(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)));
    }
}

/* Zeros where the column is no digest: no leaf has those. */
static const struct hash32 *read_digest(struct arena *a, HeapTuple row, int n)
{
    struct hash32 *digest = arena_new(a, struct hash32);
    struct bytes b = query_bytes(row, n, BYTEAOID, a);

    memset(digest, 0, sizeof *digest);
    if (b.size == sizeof *digest)
        memcpy(digest, b.data, sizeof *digest);
    return digest;
}

struct record *rows_record(struct arena *a, enum tree_id tree, HeapTuple row)
{
    struct record *r = arena_new(a, struct record);
    bool is_null;

    r->tree = tree;
    r->key = query_bytes(row, 1, tree == TREE_PARAMS || tree == TREE_FLAGS ? TEXTOID : BYTEAOID, a);
    r->valid_from = query_int64(row, 2);
    switch (tree) {
    case TREE_APP:
    case TREE_VAL:
    case TREE_FISH:
    case TREE_SERVICER:
        read_actor(a, row, &r->actor);
        break;
    case TREE_ACCOUNT:
    case TREE_POOL:
        r->balance.text = number(a, row, 3);
        break;
    case TREE_PARAMS:
        r->value = query_bytes(row, 3, TEXTOID, a);
        break;
    case TREE_FLAGS:
        r->flag.value = query_bytes(row, 3, TEXTOID, a);
        r->flag.enabled = DatumGetBool(query_value(row, 4, BOOLOID, &is_null));
        break;
    case TREE_TRANSACTIONS:
        query_value(row, 3, BYTEAOID, &is_null);
        if (is_null)
            r->pruned = read_digest(a, row, 4);
        else
            r->value = query_bytes(row, 3, BYTEAOID, a);
        break;
    case TREE_IBC:
        r->value = query_bytes(row, 3, BYTEAOID, a);
        break;
    case TREES:
        break;
    }
    return r;
}

const struct record **rows_records(struct arena *a, enum tree_id tree, size_t *count)
{
    const struct record **out = arena_array(a, const struct record *, SPI_processed);

    for (uint64 i = 0; i < SPI_processed; i++)
        out[i] = rows_record(a, tree, SPI_tuptable->vals[i]);
    *count = SPI_processed;
    return out;
}

Datum rows_key(enum tree_id tree, struct bytes key)
{
    struct hash32 path;

    if (tree != TREE_IBC)
        return result_bytes(key);
    path = sha256(key);
    return result_hash(&path);
}
