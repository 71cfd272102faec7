#include "tree/tree_scan.h"

#include "table/asof.h"
#include "value/memory.h"
#include "table/reader.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "storage/bufmgr.h"
#include "storage/itemptr.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "protocol/rules/rules.h"

enum {
    /* Of a table: large enough that starting a statement costs nothing, small enough that processes
     * end together. */
    PIECE_BLOCKS = 256,
    PIECES_MAX = 4096,
    LEAF_FIRST = 512 /* bytes; most leaves fit */
};

/* Where a piece lies: the current table, a class of the history, or, under `reference`, the
 * transactions of which one may stand in several blocks. */
enum { SOURCE_CURRENT, SOURCE_HISTORY, SOURCE_REPEATED = SOURCE_HISTORY + ASOF_CLASSES, SOURCES };

static struct query queries[SOURCES][TREES];

static struct query *prepare(enum tree_id tree, int source)
{
    struct query *q = &queries[source][tree];
    const struct tree_table *t = rows_table(tree);
    const char *from = tree == TREE_TRANSACTIONS ? "height" : "valid_from";
    StringInfoData sql;

    if (q->sql != NULL)
        return q;
    initStringInfo(&sql);
    *q = (struct query){.arguments = {INT8OID, INT8OID, INT8OID}, .argument_count = 3};
    if (source == SOURCE_CURRENT) {
        appendStringInfo(&sql,
                         "SELECT %s FROM ledger.%s WHERE ctid" OP_GE "$2 AND ctid" OP_LT
                         "$3 AND %s" OP_LE "$1",
                         t->columns, t->table, from);
        q->arguments[1] = q->arguments[2] = TIDOID;
    } else if (source == SOURCE_REPEATED) {
        appendStringInfoString(
            &sql, "SELECT DISTINCT ON (hash, COALESCE(value_hash, pg_catalog.sha256(tx))) hash, "
                  "height, tx, value_hash FROM ledger.transaction WHERE height" OP_LE "$1");
        q->argument_count = 1;
    } else {
        appendStringInfo(&sql,
                         "SELECT %s FROM ledger.%s WHERE valid_to" OP_GT "$2 AND valid_to" OP_LE
                         "$3 AND %s" OP_LE "$1",
                         t->columns, asof_table(t->table, source - SOURCE_HISTORY).text, from);
    }
    q->sql = MemoryContextStrdup(TopMemoryContext, sql.data);
    return q;
}

/* Of a table of schema `ledger`, locked until the transaction ends, as a query would. */
static BlockNumber blocks_of(const char *table)
{
    Oid oid = get_relname_relid(table, get_namespace_oid("ledger", false));
    BlockNumber blocks;
    Relation relation;

    if (!OidIsValid(oid))
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("there is no table ledger.%s", table),
                 errhint("The tables are not those of this version: run `tidemark migrate`.")));
    relation = table_open(oid, AccessShareLock);
    blocks = RelationGetNumberOfBlocks(relation);
    table_close(relation, NoLock);
    return blocks;
}

struct pieces {
    struct tree_piece *list;
    size_t count, room;
};

static void add(struct pieces *p, int source, int64 low, int64 high)
{
    if (p->count == p->room) {
        p->room = 2 * p->room + 8;
        p->list = p->list == NULL ? palloc(p->room * sizeof *p->list)
                                  : repalloc(p->list, p->room * sizeof *p->list);
    }
    p->list[p->count++] = (struct tree_piece){low, high, source};
}

static int64 divide(uint64 blocks, int64 most)
{
    int64 pieces = (int64)((blocks + PIECE_BLOCKS - 1) / PIECE_BLOCKS);

    return Max(Min(Min(pieces, PIECES_MAX), most), 1);
}

/* What a snapshot shows was in these pages when the snapshot was taken: a table that grows does not
 * matter. */
static void add_pages(struct pieces *p, BlockNumber blocks)
{
    int64 pieces = blocks == 0 ? 0 : divide(blocks, blocks);

    for (int64 i = 0; i < pieces; i++)
        add(p, SOURCE_CURRENT, (int64)blocks * i / pieces, (int64)blocks * (i + 1) / pieces);
}

/* Versions of one class that were true at the height. None should have ended above the tip; the
 * last piece also has those that claim it. */
static void add_heights(struct pieces *p, int class, height_t height, height_t tip, int64 window,
                        BlockNumber blocks)
{
    int64 last = class < ASOF_CLASSES - 1 ? height + window : PG_INT64_MAX;
    int64 heights = Min(last, tip) - height, pieces = divide(blocks, heights), low = height;

    for (int64 i = 1; i < pieces; i++) {
        int64 high = height + (int64)((double)heights * (double)i / (double)pieces);

        add(p, SOURCE_HISTORY + class, low, high);
        low = high;
    }
    add(p, SOURCE_HISTORY + class, low, last);
}

struct tree_piece *tree_scan_pieces(enum tree_id tree, height_t height, const struct tip *tip,
                                    size_t *count, uint64 *blocks)
{
    const char *table = rows_table(tree)->table;
    struct pieces p = {.count = 0};
    BlockNumber current = blocks_of(table);
    int64 window = 1;

    *blocks = current;
    if (tree == TREE_TRANSACTIONS && !reader_rules()->canonical_transactions)
        add(&p, SOURCE_REPEATED, 0, 0);
    else
        add_pages(&p, current);
    for (int class = 0; class < ASOF_CLASSES && tree != TREE_TRANSACTIONS; class ++) {
        BlockNumber history = blocks_of(asof_table(table, class).text);

        window *= ASOF_CLASS_FACTOR;
        if (history > 0)
            add_heights(&p, class, height, tip->height, window, history);
        if (height < tip->height)
            *blocks += history;
    }
    *count = p.count;
    return p.list;
}

/* Rows on their way from the executor to the buckets. */
struct receiver {
    DestReceiver pub;
    enum tree_id tree;
    struct leaf_writer *to;
    MemoryContext row; /* values fetched or made for one row */
    struct arena arena;
    struct buffer leaf;
};

static void startup(DestReceiver *self, int operation, TupleDesc type)
{
    (void)operation;
    rows_check(((struct receiver *)self)->tree, type);
}

static bool receive(TupleTableSlot *slot, DestReceiver *self)
{
    struct receiver *r = (struct receiver *)self;
    MemoryContext before = MemoryContextSwitchTo(r->row);
    struct hash32 scratch;
    struct record row;
    struct bytes key;

    slot_getallattrs(slot);
    rows_read(r->tree, slot->tts_values, slot->tts_isnull, &row);
    key = record_tree_key(&row, &scratch);
    if (row.pruned != NULL) {
        leaf_writer_add_hash(r->to, key, row.pruned);
    } else {
        r->leaf.size = 0;
        record_leaf(&row, &r->leaf);
        leaf_writer_add(r->to, key, buffer_bytes(&r->leaf));
    }
    MemoryContextSwitchTo(before);
    MemoryContextReset(r->row);
    return true;
}

static void nothing(DestReceiver *self)
{
    (void)self;
}

void tree_scan_read(enum tree_id tree, height_t height, const struct tree_piece *piece,
                    struct leaf_writer *to)
{
    struct receiver r = {
        .pub = {receive, startup, nothing, nothing, DestNone},
        .tree = tree,
        .to = to,
        .row = AllocSetContextCreate(CurrentMemoryContext, "leaf", ALLOCSET_SMALL_SIZES),
    };
    ItemPointerData first, end;
    Datum values[3] = {Int64GetDatum(height), Int64GetDatum(piece->low),
                       Int64GetDatum(piece->high)};

    if (piece->source == SOURCE_CURRENT) {
        ItemPointerSet(&first, (BlockNumber)piece->low, 0);
        ItemPointerSet(&end, (BlockNumber)piece->high, 0);
        values[1] = PointerGetDatum(&first);
        values[2] = PointerGetDatum(&end);
    }
    memory_arena(&r.arena, CurrentMemoryContext);
    buffer_init(&r.leaf, &r.arena, LEAF_FIRST);
    query_run_into(prepare(tree, piece->source), values, &r.pub);
    arena_free(&r.arena);
    MemoryContextDelete(r.row);
}
