/* prove, prove_row, multiproof: proofs as SQL values; proof_bundle and block_header: what is
 * checked without a database (block.md, "Light proof"). */
#include "value/argument.h"
#include "value/memory.h"
#include "proof/proof_value.h"
#include "proof/prover.h"
#include "table/query.h"
#include "value/result.h"
#include "block/stored_block.h"

#include "protocol/proof/bundle.h"

PG_FUNCTION_INFO_V1(tidemark_prove_bytes);
PG_FUNCTION_INFO_V1(tidemark_prove_text);
PG_FUNCTION_INFO_V1(tidemark_prove_row_bytes);
PG_FUNCTION_INFO_V1(tidemark_prove_row_text);
PG_FUNCTION_INFO_V1(tidemark_multiproof);
PG_FUNCTION_INFO_V1(tidemark_proof_bundle_bytes);
PG_FUNCTION_INFO_V1(tidemark_proof_bundle_text);
PG_FUNCTION_INFO_V1(tidemark_block_header);

/* Who reads a key given as bytes, and who one given as text. */
enum key_form { KEY_BYTES, KEY_TEXT };

/* The arguments that the functions of one key have in common: tree, key, height. */
struct request {
    struct arena a;
    enum tree_id tree;
    struct bytes key;
    int64 height;
};

static void read_request(FunctionCallInfo fcinfo, enum key_form form, struct request *r)
{
    memory_arena(&r->a, CurrentMemoryContext);
    r->tree = prover_tree(PG_GETARG_DATUM(0));
    r->key = form == KEY_BYTES ? prover_key_of_bytes(PG_GETARG_DATUM(1))
                               : prover_key_of_text(&r->a, r->tree, PG_GETARG_DATUM(1));
    r->height = PG_GETARG_INT64(2);
}

static Datum prove(FunctionCallInfo fcinfo, enum key_form form)
{
    struct request r;
    struct proof p;

    read_request(fcinfo, form, &r);
    query_begin();
    prover_prove(&r.a, r.tree, &r.key, 1, r.height, &p);
    query_end();
    return proof_value_make(&r.a, &p);
}

Datum tidemark_prove_bytes(PG_FUNCTION_ARGS)
{
    return prove(fcinfo, KEY_BYTES);
}

Datum tidemark_prove_text(PG_FUNCTION_ARGS)
{
    return prove(fcinfo, KEY_TEXT);
}

static Datum prove_row(FunctionCallInfo fcinfo, enum key_form form)
{
    struct request r;
    struct proof p;

    read_request(fcinfo, form, &r);
    if (form == KEY_BYTES && (r.tree == TREE_PARAMS || r.tree == TREE_FLAGS))
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                 errmsg("rows of %s are named by text", r.tree == TREE_PARAMS ? "param" : "flag"),
                 errhint("prove() takes the key of the tree as bytea.")));
    query_begin();
    prover_prove(&r.a, r.tree, &r.key, 1, r.height, &p);
    query_end();
    if (!p.items[0].present)
        ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
                        errmsg("there is no such row at height " INT64_FORMAT, r.height),
                        errhint("prove() gives the proof that it is not there.")));
    return proof_value_make(&r.a, &p);
}

Datum tidemark_prove_row_bytes(PG_FUNCTION_ARGS)
{
    return prove_row(fcinfo, KEY_BYTES);
}

Datum tidemark_prove_row_text(PG_FUNCTION_ARGS)
{
    return prove_row(fcinfo, KEY_TEXT);
}

Datum tidemark_multiproof(PG_FUNCTION_ARGS)
{
    struct argument_array array;
    struct bytes *keys;
    enum tree_id tree;
    struct proof p;
    struct arena a;

    memory_arena(&a, CurrentMemoryContext);
    tree = prover_tree(PG_GETARG_DATUM(0));
    array = argument_bytea_array(PG_GETARG_DATUM(1), PROOF_ITEMS_MAX, "keys");
    if (array.count == 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("there is no key to prove: keys is empty")));
    keys = arena_array(&a, struct bytes, array.count);
    for (int i = 0; i < array.count; i++) {
        if (array.nulls[i])
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a key is NULL")));
        keys[i] = prover_key_of_bytes(array.values[i]);
    }
    query_begin();
    prover_prove(&a, tree, keys, (size_t)array.count, PG_GETARG_INT64(2), &p);
    query_end();
    return proof_value_make(&a, &p);
}

/* The header as it was sent, certificate included. */
static void read_header(struct arena *a, int64 height, struct block_header *out)
{
    static struct query q = {
        "SELECT certificate FROM ledger.block WHERE height" OP_EQ "$1", 1, {INT8OID}, NULL};
    Datum value = Int64GetDatum(height);
    struct stored_block block;

    if (!stored_block_read(a, height, &block))
        ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND),
                        errmsg("there is no block " INT64_FORMAT, height)));
    *out = block.header;
    query_run(&q, &value);
    if (SPI_processed > 0)
        out->certificate = query_bytes(SPI_tuptable->vals[0], 1, BYTEAOID, a);
}

static Datum bundle(FunctionCallInfo fcinfo, enum key_form form)
{
    struct block_header header;
    struct request r;
    struct proof p;

    read_request(fcinfo, form, &r);
    query_begin();
    prover_prove(&r.a, r.tree, &r.key, 1, r.height, &p);
    read_header(&r.a, r.height, &header);
    query_end();
    if (header.certificate.size == 0)
        ereport(ERROR,
                (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                 errmsg("block " INT64_FORMAT " has no certificate: nobody signed it", r.height),
                 errhint("The state of the first block follows from the genesis file; prove() "
                         "proves against its root.")));
    return result_bytes(bundle_encode(&r.a, r.tree, &header, &p));
}

Datum tidemark_proof_bundle_bytes(PG_FUNCTION_ARGS)
{
    return bundle(fcinfo, KEY_BYTES);
}

Datum tidemark_proof_bundle_text(PG_FUNCTION_ARGS)
{
    return bundle(fcinfo, KEY_TEXT);
}

Datum tidemark_block_header(PG_FUNCTION_ARGS)
{
    struct block block = {0};
    struct arena a;

    memory_arena(&a, CurrentMemoryContext);
    query_begin();
    read_header(&a, PG_GETARG_INT64(0), &block.header);
    query_end();
    return result_bytes(block_encode(&a, &block));
}
