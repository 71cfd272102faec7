/* The aggregates change_digest and node_digest: what a block's statements wrote, as stored. */
#include "value/argument.h"
#include "value/memory.h"
#include "value/result.h"

#include "protocol/smt/smt.h"
#include "protocol/state/change_digest.h"
#include "protocol/state/record.h"

PG_FUNCTION_INFO_V1(tidemark_change_digest_add);
PG_FUNCTION_INFO_V1(tidemark_change_digest_final);
PG_FUNCTION_INFO_V1(tidemark_node_digest_add);
PG_FUNCTION_INFO_V1(tidemark_node_digest_final);

/* Exactly one of the arrays is used. */
struct digest_state {
    MemoryContext context;
    struct change_entry *changes;
    struct node_entry *nodes;
    size_t count, capacity;
};

static struct digest_state *begin(FunctionCallInfo fcinfo)
{
    MemoryContext context;
    struct digest_state *state;

    if (!AggCheckCallContext(fcinfo, &context))
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("a digest is called outside an aggregate")));
    if (!PG_ARGISNULL(0))
        return (struct digest_state *)PG_GETARG_POINTER(0);
    state = MemoryContextAllocZero(context, sizeof *state);
    state->context = context;
    return state;
}

static struct bytes keep(MemoryContext context, struct bytes b)
{
    uint8_t *copy = MemoryContextAllocHuge(context, b.size + 1);

    if (b.size > 0)
        memcpy(copy, b.data, b.size);
    return bytes_make(copy, b.size);
}

Datum tidemark_change_digest_add(PG_FUNCTION_ARGS)
{
    struct digest_state *state = begin(fcinfo);
    struct change_entry *entry;

    state->changes = memory_grow(state->context, state->changes, state->count, 1, &state->capacity,
                                 sizeof *state->changes, "changes");
    entry = &state->changes[state->count];
    entry->key = keep(state->context,
                      argument_bytes(argument_present(fcinfo, 1, "key"), KEY_BYTES_MAX, "key"));
    entry->present = !PG_ARGISNULL(2);
    entry->leaf = (struct bytes){NULL, 0};
    if (entry->present)
        entry->leaf =
            keep(state->context, argument_bytes(PG_GETARG_DATUM(2), LEAF_BYTES_MAX, "leaf"));
    state->count++;
    PG_RETURN_POINTER(state);
}

Datum tidemark_change_digest_final(PG_FUNCTION_ARGS)
{
    struct digest_state *state = begin(fcinfo);
    struct hash32 digest;

    if (!change_digest(state->changes, state->count, &digest))
        ereport(ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION),
                        errmsg("a key occurs twice among the changed rows")));
    return result_hash(&digest);
}

/* A number of a tree node's place, in the range its column may have. */
static int64 place(FunctionCallInfo fcinfo, int n, const char *what, int64 limit)
{
    Datum value = argument_present(fcinfo, n, what);
    int64 number = n == 3 ? DatumGetInt64(value) : DatumGetInt16(value);

    if (number < 0 || number >= limit)
        ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                        errmsg("no tree node has %s " INT64_FORMAT, what, number)));
    return number;
}

Datum tidemark_node_digest_add(PG_FUNCTION_ARGS)
{
    struct digest_state *state = begin(fcinfo);
    int depth_max = SMT_PAGE_BITS * SMT_STORED_LEVELS;
    struct node_entry *entry;

    state->nodes = memory_grow(state->context, state->nodes, state->count, 1, &state->capacity,
                               sizeof *state->nodes, "tree nodes");
    entry = &state->nodes[state->count];
    memset(entry, 0, sizeof *entry);
    entry->tree = (uint8_t)place(fcinfo, 1, "tree", TREES);
    entry->depth = (uint8_t)place(fcinfo, 2, "depth", depth_max + 1);
    entry->prefix = (uint64_t)place(fcinfo, 3, "prefix", INT64CONST(1) << depth_max);
    entry->present = !PG_ARGISNULL(4);
    if (entry->present)
        entry->digest = argument_hash(PG_GETARG_DATUM(4), "digest");
    state->count++;
    PG_RETURN_POINTER(state);
}

Datum tidemark_node_digest_final(PG_FUNCTION_ARGS)
{
    struct digest_state *state = begin(fcinfo);
    struct hash32 digest;

    if (!node_digest(state->nodes, state->count, &digest))
        ereport(ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION), errmsg("a tree node occurs twice")));
    return result_hash(&digest);
}
