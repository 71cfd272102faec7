#include "value/raise.h"

static int state_of(enum tm_err err)
{
    switch (err) {
    case TM_OK:
    case TM_ERR_AGAIN:
        return ERRCODE_INTERNAL_ERROR;
    case TM_ERR_MALFORMED:
    case TM_ERR_NOT_CANONICAL:
        return ERRCODE_INVALID_BINARY_REPRESENTATION;
    case TM_ERR_LIMIT:
        return ERRCODE_PROGRAM_LIMIT_EXCEEDED;
    case TM_ERR_RULE:
        return ERRCODE_TIDEMARK_REFUSED;
    case TM_ERR_MISMATCH:
        return ERRCODE_DATA_CORRUPTED;
    case TM_ERR_NOT_FOUND:
        return ERRCODE_NO_DATA_FOUND;
    case TM_ERR_EXISTS:
        return ERRCODE_UNIQUE_VIOLATION;
    case TM_ERR_IO:
        return ERRCODE_IO_ERROR;
    case TM_ERR_CONFIG:
        return ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
    case TM_ERR_USAGE:
        return ERRCODE_INVALID_PARAMETER_VALUE;
    }
    return ERRCODE_INTERNAL_ERROR;
}

void raise_failure(const struct tm_error *e)
{
    if (e->err == TM_ERR_RULE && e->code != 0)
        ereport(ERROR, (errcode(ERRCODE_TIDEMARK_REFUSED),
                        errmsg("CODE: %d, ERROR: %s", e->code, e->text)));
    ereport(ERROR, (errcode(state_of(e->err)), errmsg("%s", e->text)));
}
