#include "table/query.h"

#include "catalog/namespace.h"
#include "nodes/params.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

Oid query_ledger(void)
{
    Oid schema = get_namespace_oid("ledger", true);

    if (!OidIsValid(schema))
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("this database holds no chain: there is no schema \"ledger\""),
                        errhint("Run `tidemark init` or `tidemark migrate` on it.")));
    return schema;
}

void query_begin(void)
{
    query_ledger();
    if (SPI_connect() != SPI_OK_CONNECT)
        elog(ERROR, "SPI_connect failed");
}

void query_end(void)
{
    SPI_finish();
}

static void prepare(struct query *q, int options)
{
    SPIPlanPtr plan;

    if (q->plan != NULL)
        return;
    plan = SPI_prepare_cursor(q->sql, q->argument_count, q->arguments, options);
    if (plan == NULL)
        elog(ERROR, "SPI_prepare: %s", SPI_result_code_string(SPI_result));
    if (SPI_keepplan(plan) != 0)
        elog(ERROR, "SPI_keepplan failed");
    q->plan = plan;
}

static void run(struct query *q, const Datum *values, bool read_only, int options)
{
    int code;

    prepare(q, options);
    code = SPI_execute_plan(q->plan, (Datum *)values, NULL, read_only, 0);
    if (code != SPI_OK_SELECT)
        elog(ERROR, "SPI_execute_plan: %s", SPI_result_code_string(code));
}

static void run_in_snapshot(struct query *q, const Datum *values, int options)
{
    bool pushed = !ActiveSnapshotSet();

    if (pushed)
        PushActiveSnapshot(GetTransactionSnapshot());
    run(q, values, true, options);
    if (pushed)
        PopActiveSnapshot();
}

void query_run(struct query *q, const Datum *values)
{
    run_in_snapshot(q, values, 0);
}

void query_run_generic(struct query *q, const Datum *values)
{
    run_in_snapshot(q, values, CURSOR_OPT_GENERIC_PLAN);
}

void query_run_into(struct query *q, const Datum *values, DestReceiver *to)
{
    SPIExecuteOptions options = {.read_only = true, .dest = to};
    bool pushed = !ActiveSnapshotSet();
    int code;

    prepare(q, CURSOR_OPT_GENERIC_PLAN);
    options.params = makeParamList(q->argument_count);
    for (int i = 0; i < q->argument_count; i++)
        options.params->params[i] = (ParamExternData){.value = values[i], .ptype = q->arguments[i]};
    if (pushed)
        PushActiveSnapshot(GetTransactionSnapshot());
    code = SPI_execute_plan_extended(q->plan, &options);
    if (code < 0)
        elog(ERROR, "SPI_execute_plan_extended: %s", SPI_result_code_string(code));
    if (pushed)
        PopActiveSnapshot();
}

void query_run_fresh(struct query *q, const Datum *values)
{
    run(q, values, false, 0);
}

void query_check_type(TupleDesc desc, int n, Oid type)
{
    Oid declared = SPI_gettypeid(desc, n), found;

    if (declared == type)
        return;
    found = getBaseType(declared);
    if (found != type)
        ereport(ERROR,
                (errcode(ERRCODE_DATATYPE_MISMATCH),
                 errmsg("column \"%s\" of schema \"ledger\" has type %u, not %u",
                        SPI_fname(desc, n), found, type),
                 errhint("The tables are not those of this version: run `tidemark migrate`.")));
}

Datum query_value(HeapTuple row, int n, Oid type, bool *is_null)
{
    query_check_type(SPI_tuptable->tupdesc, n, type);
    return SPI_getbinval(row, SPI_tuptable->tupdesc, n, is_null);
}

struct bytes query_bytes(HeapTuple row, int n, Oid type, struct arena *a)
{
    bool is_null;
    Datum value = query_value(row, n, type, &is_null);
    struct varlena *v;

    if (is_null)
        return (struct bytes){NULL, 0};
    v = pg_detoast_datum_packed((struct varlena *)DatumGetPointer(value));
    return arena_copy(a, bytes_make(VARDATA_ANY(v), VARSIZE_ANY_EXHDR(v)));
}

int64 query_int64(HeapTuple row, int n)
{
    bool is_null;
    Datum value = query_value(row, n, INT8OID, &is_null);

    if (is_null)
        ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                        errmsg("column \"%s\" of schema \"ledger\" is NULL",
                               SPI_fname(SPI_tuptable->tupdesc, n))));
    return DatumGetInt64(value);
}
