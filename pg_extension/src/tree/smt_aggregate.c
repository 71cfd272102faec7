/* The aggregate smt_root(key, value): the root over any set of rows (state.md 2.1). */
#include "value/argument.h"
#include "tree/leaf_buckets.h"
#include "value/result.h"

#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(tidemark_smt_root_add);
PG_FUNCTION_INFO_V1(tidemark_smt_root_add_hashed);
PG_FUNCTION_INFO_V1(tidemark_smt_root_combine);
PG_FUNCTION_INFO_V1(tidemark_smt_root_serialise);
PG_FUNCTION_INFO_V1(tidemark_smt_root_deserialise);
PG_FUNCTION_INFO_V1(tidemark_smt_root_final);

struct state {
    struct leaf_buckets buckets;
    struct leaf_memory memory;
    struct leaf_writer *writer;
};

/* Where the state lives; also keeps anyone from calling with an `internal` of his own making. */
static MemoryContext aggregate_context(FunctionCallInfo fcinfo)
{
    MemoryContext context;

    if (!AggCheckCallContext(fcinfo, &context))
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("smt_root is called outside an aggregate")));
    return context;
}

static struct state *state_new(MemoryContext context)
{
    struct state *state = MemoryContextAllocZero(context, sizeof *state);

    state->memory.context = context;
    state->writer = leaf_writer_new(state->memory, &state->buckets);
    return state;
}

static struct state *state_of(FunctionCallInfo fcinfo, int n)
{
    return PG_ARGISNULL(n) ? NULL : (struct state *)PG_GETARG_POINTER(n);
}

Datum tidemark_smt_root_add(PG_FUNCTION_ARGS)
{
    MemoryContext context = aggregate_context(fcinfo);
    struct state *state = state_of(fcinfo, 0);
    struct bytes key = argument_bytes(argument_present(fcinfo, 1, "key"), KEY_BYTES_MAX, "key");

    if (state == NULL)
        state = state_new(context);
    if (!PG_ARGISNULL(2))
        leaf_writer_add(state->writer, key,
                        argument_bytes(PG_GETARG_DATUM(2), LEAF_BYTES_MAX, "value"));
    PG_RETURN_POINTER(state);
}

/* Of a leaf whose bytes are gone the digest is kept. */
Datum tidemark_smt_root_add_hashed(PG_FUNCTION_ARGS)
{
    MemoryContext context;
    struct state *state;
    struct hash32 value_hash;
    struct bytes key;

    if (!PG_ARGISNULL(2) || PG_ARGISNULL(3))
        return tidemark_smt_root_add(fcinfo);
    context = aggregate_context(fcinfo);
    state = state_of(fcinfo, 0);
    key = argument_bytes(argument_present(fcinfo, 1, "key"), KEY_BYTES_MAX, "key");
    value_hash = argument_hash(PG_GETARG_DATUM(3), "value_hash");
    if (state == NULL)
        state = state_new(context);
    leaf_writer_add_hash(state->writer, key, &value_hash);
    PG_RETURN_POINTER(state);
}

Datum tidemark_smt_root_combine(PG_FUNCTION_ARGS)
{
    MemoryContext context = aggregate_context(fcinfo);
    struct state *state = state_of(fcinfo, 0);
    struct state *other = state_of(fcinfo, 1);

    if (other == NULL) {
        if (state == NULL)
            PG_RETURN_NULL();
        PG_RETURN_POINTER(state);
    }
    if (state == NULL)
        state = state_new(context);
    leaf_writer_flush(other->writer);
    leaf_writer_append(state->writer, &other->buckets);
    PG_RETURN_POINTER(state);
}

/* The leaves with their digests, in any order. */
Datum tidemark_smt_root_serialise(PG_FUNCTION_ARGS)
{
    struct state *state = (struct state *)PG_GETARG_POINTER(0);
    size_t size;
    bytea *out;

    aggregate_context(fcinfo);
    leaf_writer_flush(state->writer);
    size = VARHDRSZ + state->buckets.count * sizeof(struct smt_leaf);
    if (size > MaxAllocSize)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg(UINT64_FORMAT " leaves are too many for one parallel worker",
                               state->buckets.count),
                        errhint("SET max_parallel_workers_per_gather = 0 and try again.")));
    out = palloc(size);
    SET_VARSIZE(out, size);
    leaf_buckets_copy(state->memory, &state->buckets, (struct smt_leaf *)VARDATA(out));
    PG_RETURN_BYTEA_P(out);
}

/* The result need only live for the combine call that follows. */
Datum tidemark_smt_root_deserialise(PG_FUNCTION_ARGS)
{
    struct bytes bytes = argument_bytes(PG_GETARG_DATUM(0), MaxAllocSize, "state");
    struct state *state;

    aggregate_context(fcinfo);
    if (bytes.size % sizeof(struct smt_leaf) != 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
                        errmsg("not a serialised state of smt_root")));
    state = state_new(CurrentMemoryContext);
    leaf_writer_add_hashed(state->writer, (const struct smt_leaf *)bytes.data,
                           bytes.size / sizeof(struct smt_leaf));
    PG_RETURN_POINTER(state);
}

Datum tidemark_smt_root_final(PG_FUNCTION_ARGS)
{
    struct smt_subtree subtrees[LEAF_BUCKETS];
    bool there[LEAF_BUCKETS];
    struct hash32 root = {{0}};
    struct state *state;

    aggregate_context(fcinfo);
    state = state_of(fcinfo, 0);
    if (state == NULL)
        return result_hash(&root);
    leaf_writer_flush(state->writer);
    for (unsigned i = 0; i < LEAF_BUCKETS; i++)
        there[i] = leaf_buckets_subtree(state->memory, &state->buckets, 1, i, &subtrees[i]);
    root = leaf_buckets_root(subtrees, there);
    return result_hash(&root);
}
