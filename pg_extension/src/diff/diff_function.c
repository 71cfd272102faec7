/* tidemark.diff_rows(view, h1, h2) as a function: for calls that the planner has no scan for. */
#include "diff/diff.h"

#include "funcapi.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(tidemark_diff_rows);

Datum tidemark_diff_rows(PG_FUNCTION_ARGS)
{
    ReturnSetInfo *result = (ReturnSetInfo *)fcinfo->resultinfo;
    struct diff_row *row;
    struct diff *d;

    InitMaterializedSRF(fcinfo, 0);
    d = diff_begin(fcinfo, CurrentMemoryContext);
    while ((row = diff_next(d)) != NULL)
        tuplestore_putvalues(result->setResult, result->setDesc, row->values, row->nulls);
    diff_end(d);
    PG_RETURN_VOID();
}
