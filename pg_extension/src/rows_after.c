/* Rows of a current table that a block above a height wrote, by where they lie. */
#include "argument.h"
#include "page_scan.h"
#include "row_scan.h"

#include "access/table.h"
#include "access/tableam.h"
#include "funcapi.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(tidemark_rows_after);

/* name, height */
Datum tidemark_rows_after(PG_FUNCTION_ARGS)
{
    struct page_scan_lifetime lifetime = {.height = PG_INT64_MAX};
    const ReturnSetInfo *result = (const ReturnSetInfo *)fcinfo->resultinfo;
    struct page_scan *pages;
    TupleTableSlot *row;
    Relation heap;
    struct bytes name =
        argument_text(argument_present(fcinfo, 0, "the table"), NAME_BYTES_MAX, "the table");

    lifetime.begins_after = DatumGetInt64(argument_present(fcinfo, 1, "the height"));
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    heap = row_scan_table(pnstrdup((const char *)name.data, name.size));
    lifetime.begins = row_scan_attribute(heap, "valid_from");
    row = table_slot_create(heap, NULL);
    pages = page_scan_begin(heap, GetActiveSnapshot(), lifetime, NULL, NULL, 0);
    while (page_scan_next(pages, row)) {
        Datum place = PointerGetDatum(&row->tts_tid);
        bool is_null = false;

        tuplestore_putvalues(result->setResult, result->setDesc, &place, &is_null);
    }
    ExecDropSingleTupleTableSlot(row);
    page_scan_end(pages);
    table_close(heap, AccessShareLock);
    PG_RETURN_VOID();
}
