/* Leaves from typed columns: the bytes the trees hash (state.md 1.2 and 3). */
#include "value/argument.h"
#include "value/memory.h"
#include "value/result.h"

#include "protocol/state/record.h"

enum { LEAF_FIRST = 512 }; /* bytes; most leaves fit */

PG_FUNCTION_INFO_V1(tidemark_encode_account);
PG_FUNCTION_INFO_V1(tidemark_encode_application);
PG_FUNCTION_INFO_V1(tidemark_encode_validator);
PG_FUNCTION_INFO_V1(tidemark_encode_fisherman);
PG_FUNCTION_INFO_V1(tidemark_encode_servicer);
PG_FUNCTION_INFO_V1(tidemark_encode_param);
PG_FUNCTION_INFO_V1(tidemark_encode_flag);

/* Room for a typical leaf stands on the stack, so that encoding a row allocates its result only. */
struct leaf_memory {
    struct arena arena;
    uint8_t first[LEAF_FIRST];
};

static Datum encode(const struct record *row)
{
    struct leaf_memory m;
    struct buffer leaf = {.arena = &m.arena, .data = m.first, .capacity = sizeof m.first};
    Datum out;

    memory_arena(&m.arena, CurrentMemoryContext);
    record_leaf(row, &leaf);
    out = result_bytes(buffer_bytes(&leaf));
    arena_free(&m.arena);
    return out;
}

Datum tidemark_encode_account(PG_FUNCTION_ARGS)
{
    struct record row = {
        .tree = TREE_ACCOUNT,
        .key = argument_bytes(PG_GETARG_DATUM(0), KEY_BYTES_MAX, "address"),
        .balance = {argument_whole_number(PG_GETARG_DATUM(1), "balance")},
    };

    return encode(&row);
}

static Datum encode_actor(FunctionCallInfo fcinfo, enum tree_id tree)
{
    struct record row = {.tree = tree};
    struct actor *actor = &row.actor;

    row.key = argument_bytes(argument_present(fcinfo, 0, "address"), KEY_BYTES_MAX, "address");
    actor->public_key =
        argument_bytes(argument_present(fcinfo, 1, "public_key"), KEY_BYTES_MAX, "public_key");
    actor->output = argument_bytes(argument_present(fcinfo, 2, "output_address"), KEY_BYTES_MAX,
                                   "output_address");
    actor->stake_text = argument_whole_number(argument_present(fcinfo, 3, "stake"), "stake");
    if (!PG_ARGISNULL(4))
        actor->stake_text = argument_text(PG_GETARG_DATUM(4), TEXT_BYTES_MAX, "stake_text");
    actor->service_url =
        argument_text(argument_present(fcinfo, 5, "service_url"), TEXT_BYTES_MAX, "service_url");
    actor->chains = argument_text_array(argument_present(fcinfo, 6, "chains"), MESSAGE_CHAINS_MAX,
                                        "chains", &actor->chain_count);
    actor->paused_height = DatumGetInt64(argument_present(fcinfo, 7, "paused_height"));
    actor->unstaking_height = DatumGetInt64(argument_present(fcinfo, 8, "unstaking_height"));
    return encode(&row);
}

Datum tidemark_encode_application(PG_FUNCTION_ARGS)
{
    return encode_actor(fcinfo, TREE_APP);
}

Datum tidemark_encode_validator(PG_FUNCTION_ARGS)
{
    return encode_actor(fcinfo, TREE_VAL);
}

Datum tidemark_encode_fisherman(PG_FUNCTION_ARGS)
{
    return encode_actor(fcinfo, TREE_FISH);
}

Datum tidemark_encode_servicer(PG_FUNCTION_ARGS)
{
    return encode_actor(fcinfo, TREE_SERVICER);
}

Datum tidemark_encode_param(PG_FUNCTION_ARGS)
{
    struct record row = {
        .tree = TREE_PARAMS,
        .key = argument_text(PG_GETARG_DATUM(0), NAME_BYTES_MAX, "name"),
        .value = argument_text(PG_GETARG_DATUM(1), TEXT_BYTES_MAX, "value"),
        .valid_from = PG_GETARG_INT64(2),
    };

    return encode(&row);
}

Datum tidemark_encode_flag(PG_FUNCTION_ARGS)
{
    struct record row = {
        .tree = TREE_FLAGS,
        .key = argument_text(PG_GETARG_DATUM(0), NAME_BYTES_MAX, "name"),
        .flag = {.value = argument_text(PG_GETARG_DATUM(1), TEXT_BYTES_MAX, "value"),
                 .enabled = PG_GETARG_BOOL(2)},
        .valid_from = PG_GETARG_INT64(3),
    };

    return encode(&row);
}
