#include "table/reader.h"

#include "table/asof.h"
#include "value/result.h"

#include "protocol/rules/rules.h"

#include "utils/array.h"
#include "utils/memutils.h"

/* The shapes of statements over a tree's table; each is made when first used. */
enum shape { SHAPE_CURRENT, SHAPE_ALL, SHAPE_ROWS, SHAPE_PATHS /* transactions */, SHAPES };

static struct query queries[SHAPES][TREES];

/* Transactions have no versions: they are there from their height on, the first of their hash.
 * Bytes that are pruned in one block may still be there in a later one: what counts is their
 * digest. */
static void append_versions(StringInfo sql, enum tree_id tree, const char *condition)
{
    const struct tree_table *t = rows_table(tree);

    if (tree == TREE_TRANSACTIONS)
        appendStringInfo(
            sql,
            "SELECT t.* FROM (SELECT DISTINCT ON (hash, COALESCE(value_hash, "
            "pg_catalog.sha256(tx))) hash, height, tx, value_hash FROM ledger.transaction WHERE "
            "(%s) AND height" OP_LE
            "$1 ORDER BY hash, COALESCE(value_hash, pg_catalog.sha256(tx)), height) t",
            condition);
    else
        asof_append(sql, t->columns, t->table, condition, "$1");
}

static struct query *prepare(enum shape shape, enum tree_id tree)
{
    struct query *q = &queries[shape][tree];
    const struct tree_table *t = rows_table(tree);
    Oid array = t->key_type == TEXTOID ? TEXTARRAYOID : BYTEAARRAYOID;
    StringInfoData sql;

    if (q->sql != NULL)
        return q;
    initStringInfo(&sql);
    *q = (struct query){.arguments = {INT8OID}, .argument_count = 1};
    switch (shape) {
    case SHAPE_CURRENT:
        appendStringInfo(&sql, "SELECT %s FROM ledger.%s WHERE %s" OP_EQ "$1", t->columns, t->table,
                         t->key);
        q->arguments[0] = t->key_type;
        break;
    case SHAPE_ALL:
        append_versions(&sql, tree, "true");
        appendStringInfoString(&sql, " ORDER BY 1");
        break;
    case SHAPE_ROWS:
        appendStringInfoString(&sql, "SELECT v.* FROM unnest($2) AS r(wanted), LATERAL (");
        append_versions(&sql, tree, psprintf("%s" OP_EQ "r.wanted", t->key));
        appendStringInfoString(&sql, ") v");
        q->arguments[q->argument_count++] = array;
        break;
    case SHAPE_PATHS:
        appendStringInfoString(&sql, "SELECT v.* FROM unnest($2, $3) AS r(low, high), LATERAL (");
        append_versions(&sql, tree,
                        "tidemark.path64(hash)" OP_GE "r.low AND tidemark.path64(hash)" OP_LE
                        "r.high");
        appendStringInfoString(&sql, ") v");
        q->arguments[q->argument_count++] = INT8ARRAYOID;
        q->arguments[q->argument_count++] = INT8ARRAYOID;
        break;
    case SHAPES:
        break;
    }
    q->sql = MemoryContextStrdup(TopMemoryContext, sql.data);
    return q;
}

Datum reader_int8_array(const int64 *values, size_t count)
{
    Datum *elements = palloc(sizeof *elements * (count + 1));

    for (size_t i = 0; i < count; i++)
        elements[i] = Int64GetDatum(values[i]);
    return PointerGetDatum(construct_array(elements, (int)count, INT8OID, sizeof(int64),
                                           FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

Datum reader_int2_array(const int16 *values, size_t count)
{
    Datum *elements = palloc(sizeof *elements * (count + 1));

    for (size_t i = 0; i < count; i++)
        elements[i] = Int16GetDatum(values[i]);
    return PointerGetDatum(
        construct_array(elements, (int)count, INT2OID, sizeof(int16), true, TYPALIGN_SHORT));
}

const struct record *reader_current(struct arena *a, enum tree_id tree, struct bytes key)
{
    Datum value = rows_key(tree, key);

    query_run(prepare(SHAPE_CURRENT, tree), &value);
    return SPI_processed == 0 ? NULL : rows_record(a, tree, SPI_tuptable->vals[0]);
}

const struct record **reader_all_at(struct arena *a, enum tree_id tree, height_t height,
                                    size_t *count)
{
    Datum value = Int64GetDatum(height);

    query_run(prepare(SHAPE_ALL, tree), &value);
    return rows_records(a, tree, count);
}

const struct record **reader_rows_at(struct arena *a, enum tree_id tree, height_t height,
                                     const struct bytes *keys, size_t key_count, size_t *count)
{
    Datum *elements = palloc(sizeof *elements * (key_count + 1));
    Datum values[2] = {Int64GetDatum(height)};

    /* bytea and text have the same form. */
    for (size_t i = 0; i < key_count; i++)
        elements[i] = result_bytes(keys[i]);
    values[1] = PointerGetDatum(construct_array(
        elements, (int)key_count, rows_table(tree)->key_type, -1, false, TYPALIGN_INT));
    query_run(prepare(SHAPE_ROWS, tree), values);
    return rows_records(a, tree, count);
}

const struct record **reader_paths_at(struct arena *a, enum tree_id tree, height_t height,
                                      const struct path_ranges *ranges, size_t *count)
{
    int64 *first, *last;
    Datum values[3];

    if (tree != TREE_TRANSACTIONS)
        return path_rows_at(a, tree, height, ranges, count);
    first = palloc(sizeof *first * (ranges->count + 1));
    last = palloc(sizeof *last * (ranges->count + 1));
    for (size_t i = 0; i < ranges->count; i++) {
        first[i] = ranges->list[i].first;
        last[i] = ranges->list[i].last;
    }
    values[0] = Int64GetDatum(height);
    values[1] = reader_int8_array(first, ranges->count);
    values[2] = reader_int8_array(last, ranges->count);
    query_run_generic(prepare(SHAPE_PATHS, tree), values);
    return rows_records(a, tree, count);
}

struct bytes reader_param_at(struct arena *a, const char *name, height_t height)
{
    struct bytes key = bytes_of(name);
    size_t count;
    const struct record **found = reader_rows_at(a, TREE_PARAMS, height, &key, 1, &count);

    return count == 0 ? (struct bytes){NULL, 0} : found[0]->value;
}

const struct rules *reader_rules(void)
{
    static struct query q = {"SELECT rules FROM ledger.chain", 0, {0}, NULL};
    const struct rules *rules = NULL;
    bool is_null;

    query_run(&q, NULL);
    if (SPI_processed > 0) {
        Datum value = query_value(SPI_tuptable->vals[0], 1, TEXTOID, &is_null);

        if (!is_null)
            rules = rules_by_name(bytes_make(VARDATA_ANY(DatumGetPointer(value)),
                                             VARSIZE_ANY_EXHDR(DatumGetPointer(value))));
    }
    if (rules == NULL)
        ereport(ERROR,
                (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                 errmsg("the chain has no genesis"), errhint("Load one with `tidemark init`.")));
    return rules;
}
