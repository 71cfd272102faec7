#include "rollback/ended_rows.h"

#include "table/asof.h"
#include "rollback/row_writer.h"
#include "table/place_scan.h"

#include "access/attmap.h"
#include "access/table.h"
#include "access/tupconvert.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"

enum {
    FIRST_ROOM = 1024,
    /* Of a batch: large values that still stand in their rows (up to 2 kB each) end it early. */
    BATCH_BYTES = 128 * 1024 * 1024
};

/* A row on its way back; NULL once it is given. */
struct ended_row {
    struct bytes key;
    uint32 hash;
    char status;
    HeapTuple row;
};

#define SH_PREFIX         by_key
#define SH_ELEMENT_TYPE   struct ended_row
#define SH_KEY_TYPE       struct bytes
#define SH_KEY            key
#define SH_HASH_KEY(t, k) hash_bytes((k).data, (int)(k).size)
#define SH_EQUAL(t, a, b) ((a).size == (b).size && memcmp((a).data, (b).data, (a).size) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(t, a) (a)->hash
#define SH_SCOPE          static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct ended_rows {
    const struct versioned_pair *pair;
    height_t height;
    struct pair_columns current_columns;
    /* The table that is read, where rows is not NULL. */
    int class;
    struct row_scan table;
    struct place_scan *rows;
    struct row_writer *writer;
    struct pair_columns columns;
    AttrNumber valid_from;
    AttrMap *map;
    bool is_ahead; /* the table's slot has a row that the last batch had no room for */
    TupleTableSlot *mapped;
    size_t removed;
    MemoryContext batch;
    size_t bytes;
    struct by_key_hash *by_key;
    struct by_key_iterator left;
};

static const struct row_scan_key BY_END = {1, {"valid_to"}, 0};

struct ended_rows *ended_rows_open(const struct versioned_pair *pair, Relation current,
                                   height_t height)
{
    struct ended_rows *e = palloc0(sizeof *e);

    e->pair = pair;
    e->height = height;
    e->class = -1;
    e->current_columns = versioned_pair_columns(pair, current);
    e->mapped = MakeSingleTupleTableSlot(RelationGetDescr(current), &TTSOpsVirtual);
    e->batch = AllocSetContextCreate(CurrentMemoryContext, "ended rows", ALLOCSET_DEFAULT_SIZES);
    return e;
}

static void close_table(struct ended_rows *e)
{
    if (e->rows == NULL)
        return;
    row_writer_end(e->writer);
    place_scan_end(e->rows);
    table_close(e->table.heap, NoLock);
    row_scan_close(&e->table);
    free_attrmap(e->map);
    e->rows = NULL;
}

void ended_rows_close(struct ended_rows *e)
{
    close_table(e);
    ExecDropSingleTupleTableSlot(e->mapped);
    MemoryContextDelete(e->batch);
    pfree(e);
}

/* The history of the next class; false after the last. */
static bool next_table(struct ended_rows *e)
{
    ScanKeyData condition;

    close_table(e);
    if (++e->class >= ASOF_CLASSES)
        return false;
    row_scan_open(&e->table, asof_table(e->pair->table, e->class).text, &BY_END, 1);
    e->columns = versioned_pair_columns(e->pair, e->table.heap);
    e->valid_from = row_scan_column(&e->table, "valid_from");
    e->map = compat_map_by_name(RelationGetDescr(e->table.heap), e->mapped->tts_tupleDescriptor);
    table_open(RelationGetRelid(e->table.heap), RowExclusiveLock);
    e->writer = row_writer_begin(e->table.heap, ACL_DELETE);
    row_scan_condition(&e->table, &condition, 1, BTGreaterStrategyNumber, F_INT8GT,
                       Int64GetDatum(e->height));
    e->rows = place_scan_begin(&e->table, &condition);
    return true;
}

/* What is in the slot; it can still be read there. */
static void remove_row(struct ended_rows *e)
{
    row_writer_delete(e->writer, e->table.slot);
    e->removed++;
}

/* The next row that was true at the height, in the slot of the table that is read. */
static bool next_row(struct ended_rows *e)
{
    bool is_null;

    if (e->is_ahead) {
        e->is_ahead = false;
        return true;
    }
    for (;;) {
        while (e->rows != NULL && place_scan_next(e->rows)) {
            if (DatumGetInt64(slot_getattr(e->table.slot, e->valid_from, &is_null)) <= e->height)
                return true;
            remove_row(e);
        }
        if (e->class >= ASOF_CLASSES || !next_table(e))
            return false;
    }
}

static struct bytes copy_of(struct bytes key)
{
    return bytes_make(memcpy(palloc(key.size), key.data, key.size), key.size);
}

static void add(struct ended_rows *e)
{
    int64 numbers[PAIR_KEY_COLUMNS_MAX];
    struct bytes key = versioned_pair_key(e->columns, e->table.slot, numbers);
    bool is_there;
    struct ended_row *row = by_key_insert(e->by_key, key, &is_there);

    if (is_there)
        ereport(ERROR,
                (errcode(ERRCODE_DATA_CORRUPTED),
                 errmsg("the history of \"%s\" has two rows of one key at height " INT64_FORMAT,
                        e->pair->table, e->height),
                 errhint("Find the damage with tidemark verify.")));
    row->key = copy_of(key);
    row->row = ExecCopySlotHeapTuple(execute_attr_map_slot(e->map, e->table.slot, e->mapped));
    e->bytes += row->row->t_len;
}

bool ended_rows_fill(struct ended_rows *e, size_t most)
{
    MemoryContext caller = CurrentMemoryContext;

    MemoryContextReset(e->batch);
    e->by_key = by_key_create(e->batch, FIRST_ROOM, NULL);
    e->bytes = 0;
    while (next_row(e)) {
        if (e->by_key->members >= most || e->bytes >= BATCH_BYTES) {
            e->is_ahead = true;
            break;
        }
        MemoryContextSwitchTo(e->batch);
        add(e);
        MemoryContextSwitchTo(caller);
        remove_row(e);
    }
    by_key_start_iterate(e->by_key, &e->left);
    return e->is_ahead;
}

size_t ended_rows_removed(const struct ended_rows *e)
{
    return e->removed;
}

static HeapTuple give(struct ended_row *row)
{
    HeapTuple given = row->row;

    row->row = NULL;
    return given;
}

HeapTuple ended_rows_take(struct ended_rows *e, TupleTableSlot *current)
{
    int64 numbers[PAIR_KEY_COLUMNS_MAX];
    struct ended_row *row =
        by_key_lookup(e->by_key, versioned_pair_key(e->current_columns, current, numbers));

    return row == NULL ? NULL : give(row);
}

HeapTuple ended_rows_take_any(struct ended_rows *e)
{
    struct ended_row *row;

    while ((row = by_key_iterate(e->by_key, &e->left)) != NULL)
        if (row->row != NULL)
            return give(row);
    return NULL;
}
