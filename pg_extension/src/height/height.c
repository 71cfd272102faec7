#include "height/height.h"

#include "height/height_guard.h"
#include "table/query.h"
#include "value/result.h"
#include "table/row_scan.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "funcapi.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(tidemark_height);
PG_FUNCTION_INFO_V1(tidemark_height_check);
PG_FUNCTION_INFO_V1(tidemark_height_at);
PG_FUNCTION_INFO_V1(tidemark_tip);

static Datum tip_column(Relation heap, TupleTableSlot *row, const char *name)
{
    bool is_null;

    return slot_getattr(row, row_scan_attribute(heap, name), &is_null);
}

/* False before genesis. Every view asks for this; a statement would take longer than a key does. */
static bool read_tip(struct tip *tip)
{
    Relation heap = row_scan_table("tip");
    TupleTableSlot *row = table_slot_create(heap, NULL);
    TableScanDesc scan = table_beginscan_strat(heap, GetActiveSnapshot(), 0, NULL, false, false);
    bool found = table_scan_getnextslot(scan, ForwardScanDirection, row);

    if (found) {
        struct varlena *hash = PG_DETOAST_DATUM_PACKED(tip_column(heap, row, "state_hash"));

        tip->height = DatumGetInt64(tip_column(heap, row, "height"));
        tip->earliest = DatumGetInt64(tip_column(heap, row, "earliest"));
        memset(&tip->state_hash, 0, sizeof tip->state_hash);
        memcpy(&tip->state_hash, VARDATA_ANY(hash),
               Min(VARSIZE_ANY_EXHDR(hash), sizeof tip->state_hash));
    }
    table_endscan(scan);
    ExecDropSingleTupleTableSlot(row);
    table_close(heap, AccessShareLock);
    return found;
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
    int64 h;

    query_begin();
    query_run(&q, &value);
    if (SPI_processed == 0)
        ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                        errmsg("there is no block at or before %s", timestamptz_to_str(moment)),
                        errhint("The chain began later; chain.block shows when.")));
    h = query_int64(SPI_tuptable->vals[0], 1);
    query_end();
    return h;
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

height_t height_resolve(const int64 *given, struct tip *tip)
{
    struct height_setting setting = height_setting_now();
    height_t h;

    *tip = height_tip();
    h = given != NULL ? *given : resolve(&setting, tip);
    height_require(tip, h);
    return h;
}

bool height_is_last(const struct tip *tip, height_t h)
{
    return h == tip->height && !TransactionIdIsValid(GetTopTransactionIdIfAny());
}

Datum tidemark_height(PG_FUNCTION_ARGS)
{
    struct tip tip;

    height_guard_check(fcinfo);
    PG_RETURN_INT64(height_resolve(NULL, &tip));
}

void height_raise_null(void)
{
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the height is NULL"),
                    errhint("tidemark.height() is the height the views show.")));
}

height_t height_argument(FunctionCallInfo fcinfo, int n, const struct tip *tip)
{
    if (PG_ARGISNULL(n))
        height_raise_null();
    height_require(tip, PG_GETARG_INT64(n));
    return PG_GETARG_INT64(n);
}

Datum tidemark_height_check(PG_FUNCTION_ARGS)
{
    struct tip tip = height_tip();

    PG_RETURN_INT64(height_argument(fcinfo, 0, &tip));
}

Datum tidemark_height_at(PG_FUNCTION_ARGS)
{
    PG_RETURN_INT64(height_of_moment(PG_GETARG_TIMESTAMPTZ(0)));
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
