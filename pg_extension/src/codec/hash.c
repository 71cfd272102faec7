/* Hashes, keys and paths (state.md 2.1 and 3). */
#include "value/argument.h"
#include "value/result.h"

#include "protocol/sha256/sha256.h"
#include "protocol/sha3/sha3.h"
#include "protocol/state/record.h"

PG_FUNCTION_INFO_V1(tidemark_sha3_256);
PG_FUNCTION_INFO_V1(tidemark_path);
PG_FUNCTION_INFO_V1(tidemark_path64);
PG_FUNCTION_INFO_V1(tidemark_param_key);
PG_FUNCTION_INFO_V1(tidemark_tree_key);

Datum tidemark_sha3_256(PG_FUNCTION_ARGS)
{
    struct hash32 h = sha3_256(argument_bytes(PG_GETARG_DATUM(0), LEAF_BYTES_MAX, "message"));

    return result_hash(&h);
}

Datum tidemark_path(PG_FUNCTION_ARGS)
{
    struct hash32 path = sha256(argument_bytes(PG_GETARG_DATUM(0), KEY_BYTES_MAX, "key"));

    return result_hash(&path);
}

Datum tidemark_path64(PG_FUNCTION_ARGS)
{
    struct hash32 path = sha256(argument_bytes(PG_GETARG_DATUM(0), KEY_BYTES_MAX, "key"));

    PG_RETURN_INT64(path64(&path));
}

Datum tidemark_param_key(PG_FUNCTION_ARGS)
{
    struct hash32 key = sha3_256(argument_text(PG_GETARG_DATUM(0), NAME_BYTES_MAX, "name"));

    return result_hash(&key);
}

Datum tidemark_tree_key(PG_FUNCTION_ARGS)
{
    int16 tree = PG_GETARG_INT16(0);
    struct bytes key = argument_bytes(PG_GETARG_DATUM(1), KEY_BYTES_MAX, "key");
    struct record row = {.key = key};
    struct hash32 scratch;

    if (tree < 0 || tree >= TREES)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("there is no tree number %d", tree),
                        errhint("Trees are numbered 0 to %d.", TREES - 1)));
    row.tree = (enum tree_id)tree;
    return result_bytes(record_tree_key(&row, &scratch));
}
