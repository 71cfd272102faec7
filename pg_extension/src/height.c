#include "height.h"

#include "height_guard.h"
#include "query.h"
#include "result.h"

#include "funcapi.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(tidemark_height);
PG_FUNCTION_INFO_V1(tidemark_height_check);
PG_FUNCTION_INFO_V1(tidemark_height_at);
PG_FUNCTION_INFO_V1(tidemark_tip);

/* False before genesis. */
static bool read_tip(struct tip *tip)
{
    static struct query q = {"SELECT height, earliest, state_hash FROM ledger.tip", 0, {0}, NULL};
    bool is_null;
    struct varlena *hash;
    HeapTuple row;

    query_run(&q, NULL);
    if (SPI_processed == 0)
        return false;
    row = SPI_tuptable->vals[0];
    tip->height = query_int64(row, 1);
    tip->earliest = query_int64(row, 2);
    hash = pg_detoast_datum_packed(
        (struct varlena *)DatumGetPointer(query_value(row, 3, BYTEAOID, &is_null)));
    memset(&tip->state_hash, 0, sizeof tip->state_hash);
    memcpy(&tip->state_hash, VARDATA_ANY(hash),
           Min(VARSIZE_ANY_EXHDR(hash), sizeof tip->state_hash));
    return true;
}

struct tip height_tip(void)
{
    struct tip tip;

    if (!read_tip(&tip))
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the chain has no block yet"),
                        errhint("Load its genesis with `tidemark init`.")));
    return tip;
}

void height_require(const struct tip *tip, height_t h)
{
    if (h > tip->height)
        ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                        errmsg("height " INT64_FORMAT " is above the tip", h),
                        errhint("The last committed block is " INT64_FORMAT ".", tip->height)));
    if (h < 0)
        ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                        errmsg("height " INT64_FORMAT " is below the first block", h),
                        errhint("Heights start at 0; SET tidemark.height = '-10' counts from the "
                                "tip.")));
    if (h < tip->earliest)
        ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                        errmsg("the state at height " INT64_FORMAT " is pruned", h),
                        errhint("The earliest height kept is " INT64_FORMAT ".", tip->earliest)));
}

/* Block times need not rise with the heights of a `reference` chain. */
static int64 height_of_moment(TimestampTz moment)
{
    static struct query q = {"SELECT height FROM ledger.block WHERE block_time" OP_LE
                             "$1 ORDER BY height DESC LIMIT 1",
                             1,
                             {TIMESTAMPTZOID},
                             NULL};
    Datum value = TimestampTzGetDatum(moment);

    query_run(&q, &value);
    if (SPI_processed == 0)
        ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                        errmsg("there is no block at or before %s", timestamptz_to_str(moment)),
                        errhint("The chain began later; chain.block shows when.")));
    return query_int64(SPI_tuptable->vals[0], 1);
}

static int64 resolve(const struct height_setting *setting, const struct tip *tip)
{
    switch (setting->kind) {
    case HEIGHT_LATEST:
        return tip->height;
    case HEIGHT_ABSOLUTE:
        return setting->value;
    case HEIGHT_FROM_TIP:
        return tip->height - setting->value;
    case HEIGHT_MOMENT:
        return height_of_moment(setting->moment);
    }
    return tip->height;
}

Datum tidemark_height(PG_FUNCTION_ARGS)
{
    struct height_setting setting = height_setting_now();
    struct tip tip;
    int64 h;

    height_guard_check(fcinfo);
    query_begin();
    tip = height_tip();
    h = resolve(&setting, &tip);
    height_require(&tip, h);
    query_end();
    PG_RETURN_INT64(h);
}

height_t height_argument(FunctionCallInfo fcinfo, int n, const struct tip *tip)
{
    if (PG_ARGISNULL(n))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the height is NULL"),
                        errhint("tidemark.height() is the height the views show.")));
    height_require(tip, PG_GETARG_INT64(n));
    return PG_GETARG_INT64(n);
}

Datum tidemark_height_check(PG_FUNCTION_ARGS)
{
    struct tip tip;
    height_t h;

    query_begin();
    tip = height_tip();
    h = height_argument(fcinfo, 0, &tip);
    query_end();
    PG_RETURN_INT64(h);
}

Datum tidemark_height_at(PG_FUNCTION_ARGS)
{
    int64 h;

    query_begin();
    h = height_of_moment(PG_GETARG_TIMESTAMPTZ(0));
    query_end();
    PG_RETURN_INT64(h);
}

Datum tidemark_tip(PG_FUNCTION_ARGS)
{
    static struct query q = {
        "SELECT block_time FROM ledger.block WHERE height" OP_EQ "$1", 1, {INT8OID}, NULL};
    TupleDesc desc;
    Datum values[4] = {0};
    bool nulls[4] = {true, true, true, true};
    struct tip tip;
    bool found;

    if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "tip() returns a record");
    query_begin();
    found = read_tip(&tip);
    if (found) {
        values[0] = Int64GetDatum(tip.height);
        query_run(&q, values);
        if (SPI_processed > 0)
            values[1] = query_value(SPI_tuptable->vals[0], 1, TIMESTAMPTZOID, &nulls[1]);
        nulls[0] = nulls[2] = nulls[3] = false;
    }
    query_end();
    if (found) {
        values[2] = result_hash(&tip.state_hash);
        values[3] = Int64GetDatum(tip.earliest);
    }
    return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}
