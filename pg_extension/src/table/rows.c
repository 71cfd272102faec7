#include "table/rows.h"

#include "table/row_scan.h"
#include "value/result.h"
#include "value/stored_number.h"

#include "protocol/sha256/sha256.h"

#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#define ACTOR_COLUMNS                                                                              \
    "address, valid_from, public_key, output_address, stake, stake_text, service_url, chains, "    \
    "paused_height, unstaking_height"
#define ACTOR_TYPES                                                                                \
    {                                                                                              \
        BYTEAOID, INT8OID, BYTEAOID, BYTEAOID, NUMERICOID, TEXTOID, TEXTOID, TEXTARRAYOID,         \
            INT8OID, INT8OID                                                                       \
    }

#define ACTOR(name)                                                                                \
    {                                                                                              \
        name, "address", BYTEAOID, ACTOR_COLUMNS, ACTOR_TYPES                                      \
    }

#define BALANCE(name)                                                                              \
    {                                                                                              \
        name, "address", BYTEAOID, "address, valid_from, balance",                                 \
        {                                                                                          \
            BYTEAOID, INT8OID, NUMERICOID                                                          \
        }                                                                                          \
    }

static const struct tree_table TABLE[TREES] = {
    [TREE_APP] = ACTOR("application"),
    [TREE_VAL] = ACTOR("validator"),
    [TREE_FISH] = ACTOR("fisherman"),
    [TREE_SERVICER] = ACTOR("servicer"),
    [TREE_ACCOUNT] = BALANCE("account"),
    [TREE_POOL] = BALANCE("pool"),
    [TREE_TRANSACTIONS] = {"transaction",
                           "hash",
                           BYTEAOID,
                           "hash, height, tx, value_hash",
                           {BYTEAOID, INT8OID, BYTEAOID, BYTEAOID}},
    [TREE_PARAMS] =
        {"param", "name", TEXTOID, "name, valid_from, value", {TEXTOID, INT8OID, TEXTOID}},
    [TREE_FLAGS] = {"flag",
                    "name",
                    TEXTOID,
                    "name, valid_from, value, enabled",
                    {TEXTOID, INT8OID, TEXTOID, BOOLOID}},
    [TREE_IBC] =
        {"ibc_entry", "path", BYTEAOID, "key, valid_from, value", {BYTEAOID, INT8OID, BYTEAOID}},
};

const struct tree_table *rows_table(enum tree_id tree)
{
    return &TABLE[tree];
}

void rows_check(enum tree_id tree, TupleDesc desc)
{
    const Oid *types = TABLE[tree].types;

    for (int i = 0; i < ROWS_COLUMNS_MAX && types[i] != InvalidOid; i++)
        query_check_type(desc, i + 1, types[i]);
}

struct rows_columns rows_find_columns(enum tree_id tree, Relation table)
{
    const char *name = TABLE[tree].columns;
    struct rows_columns columns = {0};

    for (;;) {
        size_t size = strcspn(name, ",");
        AttrNumber n = row_scan_attribute(table, pnstrdup(name, size));

        query_check_type(RelationGetDescr(table), n, TABLE[tree].types[columns.count]);
        columns.at[columns.count++] = n;
        if (name[size] == '\0')
            return columns;
        name += size + strlen(", ");
    }
}

/* A row on its way to a record. Columns are counted from 1. */
struct row {
    const Datum *values;
    const bool *nulls;
};

static struct bytes bytes_at(const struct row *row, int n)
{
    struct varlena *v;

    if (row->nulls[n - 1])
        return (struct bytes){NULL, 0};
    v = pg_detoast_datum_packed((struct varlena *)DatumGetPointer(row->values[n - 1]));
    return bytes_make(VARDATA_ANY(v), VARSIZE_ANY_EXHDR(v));
}

static int64 int64_at(const struct row *row, int n)
{
    if (row->nulls[n - 1])
        ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                        errmsg("column %d of a row of schema \"ledger\" is NULL", n)));
    return DatumGetInt64(row->values[n - 1]);
}

static struct bytes number_at(const struct row *row, int n)
{
    if (row->nulls[n - 1])
        return (struct bytes){NULL, 0};
    return stored_number_text(row->values[n - 1]);
}

static void read_actor(const struct row *row, struct actor *actor)
{
    Datum *elements;
    bool *nulls;
    int count;

    actor->public_key = bytes_at(row, 3);
    actor->output = bytes_at(row, 4);
    actor->stake_text = row->nulls[5] ? number_at(row, 5) : bytes_at(row, 6);
    actor->service_url = bytes_at(row, 7);
    actor->paused_height = int64_at(row, 9);
    actor->unstaking_height = int64_at(row, 10);
    if (row->nulls[7])
        return;
    deconstruct_array(DatumGetArrayTypeP(row->values[7]), TEXTOID, -1, false, TYPALIGN_INT,
                      &elements, &nulls, &count);
    actor->chains = palloc(sizeof *actor->chains * (count + 1));
    for (int i = 0; i < count; i++) {
        text *t;

        if (nulls[i])
            continue;
        t = DatumGetTextPP(elements[i]);
        actor->chains[actor->chain_count++] = bytes_make(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
    }
}

/* Zeros where the column is no digest: no leaf has those. */
static const struct hash32 *digest_at(const struct row *row, int n)
{
    struct hash32 *digest = palloc0(sizeof *digest);
    struct bytes b = bytes_at(row, n);

    if (b.size == sizeof *digest)
        memcpy(digest, b.data, sizeof *digest);
    return digest;
}

void rows_read(enum tree_id tree, const Datum *values, const bool *nulls, struct record *out)
{
    struct row row = {values, nulls};

    memset(out, 0, sizeof *out);
    out->tree = tree;
    out->key = bytes_at(&row, 1);
    out->valid_from = int64_at(&row, 2);
    switch (tree) {
    case TREE_APP:
    case TREE_VAL:
    case TREE_FISH:
    case TREE_SERVICER:
        read_actor(&row, &out->actor);
        break;
    case TREE_ACCOUNT:
    case TREE_POOL:
        out->balance.text = number_at(&row, 3);
        break;
    case TREE_TRANSACTIONS:
        if (nulls[2])
            out->pruned = digest_at(&row, 4);
        else
            out->value = bytes_at(&row, 3);
        break;
    case TREE_FLAGS:
        out->flag.value = bytes_at(&row, 3);
        out->flag.enabled = !nulls[3] && DatumGetBool(values[3]);
        break;
    case TREE_PARAMS:
    case TREE_IBC:
        out->value = bytes_at(&row, 3);
        break;
    case TREES:
        break;
    }
}

static struct record *record_of(struct arena *a, enum tree_id tree, HeapTuple tuple)
{
    Datum values[ROWS_COLUMNS_MAX];
    bool nulls[ROWS_COLUMNS_MAX];
    struct record row;

    heap_deform_tuple(tuple, SPI_tuptable->tupdesc, values, nulls);
    rows_read(tree, values, nulls, &row);
    return record_copy(a, &row);
}

struct record *rows_record(struct arena *a, enum tree_id tree, HeapTuple row)
{
    rows_check(tree, SPI_tuptable->tupdesc);
    return record_of(a, tree, row);
}

const struct record **rows_records(struct arena *a, enum tree_id tree, size_t *count)
{
    const struct record **out = arena_array(a, const struct record *, SPI_processed);
    MemoryContext row = AllocSetContextCreate(CurrentMemoryContext, "row", ALLOCSET_SMALL_SIZES);
    MemoryContext before = MemoryContextSwitchTo(row);

    rows_check(tree, SPI_tuptable->tupdesc);
    for (uint64 i = 0; i < SPI_processed; i++) {
        out[i] = record_of(a, tree, SPI_tuptable->vals[i]);
        MemoryContextReset(row);
    }
    MemoryContextSwitchTo(before);
    MemoryContextDelete(row);
    *count = SPI_processed;
    SPI_freetuptable(SPI_tuptable);
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

struct hash32 rows_path(enum tree_id tree, struct bytes key)
{
    struct record row = {.tree = tree, .key = key};
    struct hash32 path;

    if (tree == TREE_IBC && key.size == sizeof path) {
        memcpy(&path, key.data, sizeof path);
        return path;
    }
    return record_path(&row);
}
