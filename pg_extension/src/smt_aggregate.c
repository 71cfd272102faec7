/* The aggregate smt_root(key, value): the root over any set of rows (state.md 2.1). */
#include "argument.h"
#include "leaf_set.h"
#include "result.h"

#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(tidemark_smt_root_add);
PG_FUNCTION_INFO_V1(tidemark_smt_root_add_hashed);
PG_FUNCTION_INFO_V1(tidemark_smt_root_combine);
PG_FUNCTION_INFO_V1(tidemark_smt_root_serialise);
PG_FUNCTION_INFO_V1(tidemark_smt_root_deserialise);
PG_FUNCTION_INFO_V1(tidemark_smt_root_final);

/* Where the state lives; also keeps anyone from calling with an `internal` of his own making. */
static MemoryContext aggregate_context(FunctionCallInfo fcinfo)
{
    MemoryContext context;

    if (!AggCheckCallContext(fcinfo, &context))
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("smt_root is called outside an aggregate")));
    return context;
}

static struct leaf_set *state_of(FunctionCallInfo fcinfo, int n)
{
    return PG_ARGISNULL(n) ? NULL : (struct leaf_set *)PG_GETARG_POINTER(n);
}

Datum tidemark_smt_root_add(PG_FUNCTION_ARGS)
{
    MemoryContext context = aggregate_context(fcinfo);
    struct leaf_set *set = state_of(fcinfo, 0);
    struct bytes key = argument_bytes(argument_present(fcinfo, 1, "key"), KEY_BYTES_MAX, "key");

    if (set == NULL)
        set = leaf_set_new(context);
    if (!PG_ARGISNULL(2))
        leaf_set_add(set, key, argument_bytes(PG_GETARG_DATUM(2), LEAF_BYTES_MAX, "value"));
    PG_RETURN_POINTER(set);
}

/* Of a leaf whose bytes are gone the digest is kept. */
Datum tidemark_smt_root_add_hashed(PG_FUNCTION_ARGS)
{
    MemoryContext context;
    struct leaf_set *set;
    struct hash32 value_hash;
    struct bytes key, digest;

    if (!PG_ARGISNULL(2) || PG_ARGISNULL(3))
        return tidemark_smt_root_add(fcinfo);
    context = aggregate_context(fcinfo);
    set = state_of(fcinfo, 0);
    key = argument_bytes(argument_present(fcinfo, 1, "key"), KEY_BYTES_MAX, "key");
    digest = argument_bytes(PG_GETARG_DATUM(3), LEAF_BYTES_MAX, "value_hash");
    if (digest.size != sizeof value_hash)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("value_hash has %zu bytes, a SHA-256 has %zu", digest.size,
                               sizeof value_hash)));
    memcpy(&value_hash, digest.data, sizeof value_hash);
    if (set == NULL)
        set = leaf_set_new(context);
    leaf_set_add_hash(set, key, &value_hash);
    PG_RETURN_POINTER(set);
}

Datum tidemark_smt_root_combine(PG_FUNCTION_ARGS)
{
    MemoryContext context = aggregate_context(fcinfo);
    struct leaf_set *set = state_of(fcinfo, 0);
    struct leaf_set *other = state_of(fcinfo, 1);

    if (other == NULL) {
        if (set == NULL)
            PG_RETURN_NULL();
        PG_RETURN_POINTER(set);
    }
    if (set == NULL)
        set = leaf_set_new(context);
    leaf_set_append(set, other);
    PG_RETURN_POINTER(set);
}

Datum tidemark_smt_root_serialise(PG_FUNCTION_ARGS)
{
    aggregate_context(fcinfo);
    PG_RETURN_BYTEA_P(leaf_set_write((struct leaf_set *)PG_GETARG_POINTER(0)));
}

/* The result need only live for the combine call that follows. */
Datum tidemark_smt_root_deserialise(PG_FUNCTION_ARGS)
{
    aggregate_context(fcinfo);
    PG_RETURN_POINTER(leaf_set_read(CurrentMemoryContext,
                                    argument_bytes(PG_GETARG_DATUM(0), MaxAllocSize, "state")));
}

Datum tidemark_smt_root_final(PG_FUNCTION_ARGS)
{
    struct leaf_set *set;
    struct hash32 root = {{0}};

    aggregate_context(fcinfo);
    set = state_of(fcinfo, 0);
    if (set != NULL)
        root = leaf_set_root(set);
    return result_hash(&root);
}
