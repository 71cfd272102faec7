/* The end of writing a block: what was stored is what the node computed (architecture.md 3). */
#include "value/argument.h"
#include "table/query.h"
#include "value/result.h"

#include "protocol/base/hex.h"
#include "protocol/block/block.h"

#include "utils/array.h"

enum { ARRAY_LIMIT = 64 }; /* ten are expected; more is told, not a limit error */

PG_FUNCTION_INFO_V1(tidemark_state_root);
PG_FUNCTION_INFO_V1(tidemark_seal);

/* A digest as an error shows it. */
static char *shown(const struct hash32 *h)
{
    char *text = palloc0(2 * sizeof *h + 1);

    hex_encode(bytes_hash(h), text);
    return text;
}

/* Ten digests; a NULL element, or the whole array being NULL, reads as zero. */
static void read_digests(FunctionCallInfo fcinfo, int n, const char *what, bool zeroes,
                         struct hash32 out[TREES])
{
    struct argument_array array;

    memset(out, 0, sizeof *out * TREES);
    if (zeroes && PG_ARGISNULL(n))
        return;
    array = argument_bytea_array(argument_present(fcinfo, n, what), ARRAY_LIMIT, what);
    if (array.count != TREES)
        ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                        errmsg("%s has %d elements, not one for each of the %d trees", what,
                               array.count, TREES)));
    for (int i = 0; i < TREES; i++) {
        if (!array.nulls[i])
            out[i] = argument_hash(array.values[i], what);
        else if (!zeroes)
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                            errmsg("%s has a NULL for tree \"%s\"", what, tree_name(i))));
    }
}

static struct hash32 read_digest(FunctionCallInfo fcinfo, int n, const char *what)
{
    struct hash32 zero = {{0}};

    return PG_ARGISNULL(n) ? zero : argument_hash(PG_GETARG_DATUM(n), what);
}

static void raise_difference(height_t height, const char *what, const struct hash32 *stored,
                             const struct hash32 *computed)
{
    ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                    errmsg("block " INT64_FORMAT " is not sealed: %s differ", height, what),
                    errdetail("Stored: %s. Computed: %s.", shown(stored), shown(computed)),
                    errhint("The rows were changed on their way (a trigger, a coercion, another "
                            "encoder), or node and extension are of different builds.")));
}

/* One digest of a row of the SPI result; a NULL reads as zero. */
static struct hash32 column_hash(HeapTuple row, int n, const char *what)
{
    bool is_null;
    Datum value = query_value(row, n, BYTEAOID, &is_null);
    struct hash32 zero = {{0}};

    return is_null ? zero : argument_hash(value, what);
}

static HeapTuple only_row(struct query *q, height_t height, const char *what)
{
    Datum value = Int64GetDatum(height);

    query_run_fresh(q, &value);
    if (SPI_processed != 1)
        ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                        errmsg("block " INT64_FORMAT " is not sealed: %s", height, what)));
    return SPI_tuptable->vals[0];
}

/* The stored block and tip against roots that are already known to be what the node computed. */
static void check_block(height_t height, const struct hash32 roots[TREES])
{
    static struct query block = {
        "SELECT state_hash, previous_state_hash, tree_roots FROM ledger.block WHERE height" OP_EQ
        "$1",
        1,
        {INT8OID},
        NULL};
    static struct query previous = {"SELECT state_hash FROM ledger.block WHERE height" OP_EQ
                                    "($1 OPERATOR(pg_catalog.-) 1)",
                                    1,
                                    {INT8OID},
                                    NULL};
    static struct query tip = {
        "SELECT state_hash FROM ledger.tip WHERE height" OP_EQ "$1", 1, {INT8OID}, NULL};
    struct hash32 computed = state_hash_of_roots(roots), state_hash, link, found;
    struct argument_array stored_roots;
    HeapTuple row = only_row(&block, height, "there is no such row in ledger.block");
    bool is_null;
    Datum value;

    state_hash = column_hash(row, 1, "state_hash");
    link = column_hash(row, 2, "previous_state_hash");
    value = query_value(row, 3, BYTEAARRAYOID, &is_null);
    if (is_null)
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("tree_roots is NULL")));
    stored_roots = argument_bytea_array(value, ARRAY_LIMIT, "tree_roots");
    for (int i = 0; i < TREES; i++) {
        if (i >= stored_roots.count || stored_roots.nulls[i])
            ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("tree_roots lacks a root")));
        found = argument_hash(stored_roots.values[i], "tree_roots");
        if (!hash32_equal(&found, &roots[i]))
            raise_difference(height, psprintf("the roots of tree \"%s\"", tree_name(i)), &found,
                             &roots[i]);
    }
    if (!hash32_equal(&state_hash, &computed))
        raise_difference(height, "the state hashes", &state_hash, &computed);
    if (height > 0) {
        row = only_row(&previous, height, "the block before is not there");
        found = column_hash(row, 1, "state_hash");
        if (!hash32_equal(&found, &link))
            raise_difference(height, "previous_state_hash and the state hash before", &link,
                             &found);
    }
    row = only_row(&tip, height, "ledger.tip stands at another height");
    found = column_hash(row, 1, "state_hash");
    if (!hash32_equal(&found, &state_hash))
        raise_difference(height, "the state hashes of tip and block", &found, &state_hash);
}

Datum tidemark_state_root(PG_FUNCTION_ARGS)
{
    struct hash32 roots[TREES], state_hash;

    read_digests(fcinfo, 0, "roots", false, roots);
    state_hash = state_hash_of_roots(roots);
    return result_hash(&state_hash);
}

Datum tidemark_seal(PG_FUNCTION_ARGS)
{
    struct hash32 stored[TREES], computed[TREES], roots[TREES], stored_nodes, computed_nodes;
    height_t height = DatumGetInt64(argument_present(fcinfo, 0, "height"));

    read_digests(fcinfo, 1, "stored", true, stored);
    read_digests(fcinfo, 2, "computed", true, computed);
    stored_nodes = read_digest(fcinfo, 3, "stored_nodes");
    computed_nodes = read_digest(fcinfo, 4, "computed_nodes");
    read_digests(fcinfo, 5, "roots", false, roots);
    for (int i = 0; i < TREES; i++)
        if (!hash32_equal(&stored[i], &computed[i]))
            raise_difference(height, psprintf("the changed rows of tree \"%s\"", tree_name(i)),
                             &stored[i], &computed[i]);
    if (!hash32_equal(&stored_nodes, &computed_nodes))
        raise_difference(height, "the changed tree nodes", &stored_nodes, &computed_nodes);
    query_begin();
    check_block(height, roots);
    query_end();
    PG_RETURN_VOID();
}
