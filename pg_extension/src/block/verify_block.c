/* verify_block(h): the rows one block touched against its header, at the cost of the change. */
#include "height/height.h"
#include "value/memory.h"
#include "value/result.h"
#include "block/stored_block.h"
#include "block/touched.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/tuplestore.h"

enum { COLUMNS = 4 };

PG_FUNCTION_INFO_V1(tidemark_verify_block);

static void emit(FunctionCallInfo fcinfo, const char *tree, size_t leaves, const char *detail)
{
    ReturnSetInfo *set = (ReturnSetInfo *)fcinfo->resultinfo;
    Datum values[COLUMNS] = {result_text(bytes_of(tree)), Int64GetDatum((int64)leaves),
                             BoolGetDatum(detail == NULL), 0};
    bool nulls[COLUMNS] = {false, false, false, detail == NULL};

    if (detail != NULL)
        values[3] = result_text(bytes_of(detail));
    tuplestore_putvalues(set->setResult, set->setDesc, values, nulls);
}

/* The trees whose root moved are those that must have touched leaves; a tree without either has
 * nothing to say. */
static void verify_trees(FunctionCallInfo fcinfo, struct arena *a, const struct tip *tip,
                         const struct stored_block *block, const struct stored_block *previous,
                         bool has_before)
{
    for (int i = 0; i < TREES; i++) {
        struct touched_tree tree = {
            .tree = (enum tree_id)i,
            .height = (height_t)block->header.height,
            .tip = tip,
            .has_before = has_before,
            .root = block->header.tree_roots[i],
        };
        const char *detail;
        size_t leaves;

        CHECK_FOR_INTERRUPTS();
        if (previous != NULL)
            tree.root_before = previous->header.tree_roots[i];
        leaves = touched_verify(a, &tree, &detail);
        if (leaves > 0 || detail != NULL)
            emit(fcinfo, tree_name(tree.tree), leaves, detail);
    }
}

Datum tidemark_verify_block(PG_FUNCTION_ARGS)
{
    struct stored_block block, previous;
    const struct rules *rules;
    const char *detail;
    bool has_previous;
    struct arena a;
    struct tip tip;
    height_t h;

    InitMaterializedSRF(fcinfo, 0);
    memory_arena(&a, CurrentMemoryContext);
    query_begin();
    tip = height_tip();
    h = height_argument(fcinfo, 0, &tip);
    rules = reader_rules();
    if (!stored_block_read(&a, h, &block)) {
        emit(fcinfo, "block", 0, "there is no such row in ledger.block");
        query_end();
        PG_RETURN_VOID();
    }
    has_previous =
        h > 0 && stored_block_read(&a, h - 1, &previous) && previous.header.has_tree_roots;
    detail = stored_block_check(&a, rules, &block, has_previous ? &previous : NULL);
    if (detail == NULL && h > 0 && !has_previous)
        detail = "the block before is not there";
    if (detail == NULL && h == tip.height &&
        !hash32_equal(&tip.state_hash, &block.header.state_hash))
        detail = "ledger.tip has another state hash";
    emit(fcinfo, "block", (size_t)block.transactions, detail);
    if (block.header.has_tree_roots)
        verify_trees(fcinfo, &a, &tip, &block, has_previous ? &previous : NULL,
                     h == 0 || (has_previous && h > tip.earliest));
    query_end();
    PG_RETURN_VOID();
}
