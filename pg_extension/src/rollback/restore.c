/*
 * One versioned pair back to a height: what ended since then goes from the history to the current
 * rows, and what began later goes. A key that has both gets its row in place, which spares the
 * indexes.
 */
#include "value/argument.h"
#include "rollback/ended_rows.h"
#include "height/height.h"
#include "rollback/late_rows.h"
#include "table/query.h"
#include "rollback/row_writer.h"

#include "access/table.h"
#include "access/xact.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(tidemark_restore_rows);

enum {
    /* Rows of the history that are held at once: with their table some 50 MB of accounts. The
     * DEFAULT of the function's argument is the same. */
    BATCH_MAX = 262144,
    SHOWN_NAME_MAX = 64
};

struct restore {
    struct row_writer *writer;
    struct ended_rows *ended;
    bool is_last; /* of the batches: what has not met its row by now has none */
    int64 replaced, inserted, born, removed;
};

static struct versioned_pair pair_argument(FunctionCallInfo fcinfo)
{
    struct bytes name =
        argument_text(argument_present(fcinfo, 0, "the table"), NAME_BYTES_MAX, "the table");
    struct versioned_pair pair;

    if (!versioned_pair_find(name, &pair))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("there is no versioned table \"%.*s\"",
                               (int)Min(name.size, SHOWN_NAME_MAX), (const char *)name.data),
                        errhint("Those are the tables of the trees, as in ledger.versioned, and "
                                "tree_node.")));
    return pair;
}

static height_t kept_height_argument(FunctionCallInfo fcinfo)
{
    height_t height;
    struct tip tip;

    query_begin();
    tip = height_tip();
    height = height_argument(fcinfo, 1, &tip);
    query_end();
    return height;
}

static enum late_rows_way way_argument(FunctionCallInfo fcinfo)
{
    if (PG_ARGISNULL(2))
        return LATE_ROWS_CHEAPER;
    return PG_GETARG_BOOL(2) ? LATE_ROWS_BY_KEY : LATE_ROWS_BY_PAGE;
}

static size_t batch_argument(FunctionCallInfo fcinfo)
{
    int32 batch = DatumGetInt32(argument_present(fcinfo, 3, "the number of rows held at once"));

    if (batch < 1 || batch > BATCH_MAX)
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                 errmsg("the number of rows held at once is %d, not 1 to %d", batch, BATCH_MAX)));
    return (size_t)batch;
}

static void meet_late_row(void *context, TupleTableSlot *late)
{
    struct restore *r = context;
    HeapTuple row = ended_rows_take(r->ended, late);

    if (row != NULL) {
        row_writer_update(r->writer, late, row);
        r->replaced++;
    } else if (r->is_last) {
        row_writer_delete(r->writer, late);
        r->born++;
    }
}

static void insert_rest(struct restore *r)
{
    HeapTuple row;

    while ((row = ended_rows_take_any(r->ended)) != NULL) {
        CHECK_FOR_INTERRUPTS();
        row_writer_insert(r->writer, row);
        r->inserted++;
    }
}

static void require_writing(void)
{
    static const char WHAT[] = "tidemark.restore_rows()";

    PreventCommandIfReadOnly(WHAT);
    PreventCommandIfParallelMode(WHAT);
}

/* Rows that one batch has put back are not late for the next: each sees what those before it wrote.
 */
static void restore_table(struct restore *r, const struct versioned_pair *pair, Relation current,
                          height_t height, enum late_rows_way way, size_t batch)
{
    struct late_rows *late = NULL;

    PushCopiedSnapshot(GetActiveSnapshot());
    CommandCounterIncrement();
    UpdateActiveSnapshotCommandId();
    r->writer = row_writer_begin(current, ACL_INSERT | ACL_UPDATE | ACL_DELETE);
    r->ended = ended_rows_open(pair, current, height);
    do {
        r->is_last = !ended_rows_fill(r->ended, batch);
        if (late == NULL)
            late = late_rows_open(pair, current, height, way, ended_rows_removed(r->ended));
        late_rows_each(late, meet_late_row, r);
        insert_rest(r);
        CommandCounterIncrement();
        UpdateActiveSnapshotCommandId();
    } while (!r->is_last);
    r->removed = (int64)ended_rows_removed(r->ended);
    late_rows_close(late);
    ended_rows_close(r->ended);
    row_writer_end(r->writer);
    PopActiveSnapshot();
}

/* name, height, by key or NULL, rows held at once */
Datum tidemark_restore_rows(PG_FUNCTION_ARGS)
{
    struct versioned_pair pair = pair_argument(fcinfo);
    height_t height = kept_height_argument(fcinfo);
    enum late_rows_way way = way_argument(fcinfo);
    size_t batch = batch_argument(fcinfo);
    struct restore r = {.replaced = 0};
    bool nulls[4] = {false, false, false, false};
    Datum values[4];
    Relation read, current;
    TupleDesc desc;

    if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "the function does not return a record");
    require_writing();
    read = row_scan_table(pair.table);
    current = table_open(RelationGetRelid(read), RowExclusiveLock);
    table_close(read, NoLock);
    restore_table(&r, &pair, current, height, way, batch);
    table_close(current, NoLock);
    values[0] = Int64GetDatum(r.replaced);
    values[1] = Int64GetDatum(r.inserted);
    values[2] = Int64GetDatum(r.born);
    values[3] = Int64GetDatum(r.removed);
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
