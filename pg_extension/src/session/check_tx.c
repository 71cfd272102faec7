/* check_tx(tx): admission on the rows of the tip, in the caller's snapshot (rules.md, Includable).
 */
#include "value/argument.h"
#include "height/height.h"
#include "value/memory.h"
#include "value/raise.h"
#include "table/reader.h"
#include "value/result.h"

#include "access/detoast.h"
#include "utils/memutils.h"

#include "protocol/ledger/ledger.h"

enum { CODE_UNMARSHAL = 26 }; /* utility.md 9 */

PG_FUNCTION_INFO_V1(tidemark_check_tx);

/* The errors of SPI are raised, so these getters have none to return. */
static enum tm_err get(void *ctx, enum tree_id tree, struct bytes key, const struct record **out,
                       struct tm_error *e)
{
    (void)e;
    *out = reader_current(ctx, tree, key);
    return TM_OK;
}

static enum tm_err has_transaction(void *ctx, const struct hash32 *hash, bool *out,
                                   struct tm_error *e)
{
    static struct query q = {
        "SELECT true FROM ledger.transaction WHERE hash" OP_EQ "$1 LIMIT 1", 1, {BYTEAOID}, NULL};
    Datum value = result_hash(hash);

    (void)ctx;
    (void)e;
    query_run(&q, &value);
    *out = SPI_processed > 0;
    return TM_OK;
}

/* Actors of a kind whose height in the column lies in 0 … limit. */
static enum tm_err waiting(struct arena *a, struct query queries[TREES], const char *column,
                           enum tree_id tree, height_t limit, const struct record *const **out,
                           size_t *count)
{
    struct query *q = &queries[tree];
    const struct tree_table *t = rows_table(tree);
    Datum value = Int64GetDatum(limit);

    if (q->sql == NULL) {
        char *sql = psprintf("SELECT %s FROM ledger.%s WHERE %s" OP_NE "-1 AND %s" OP_GE
                             "0 AND %s" OP_LE "$1 ORDER BY 1",
                             t->columns, t->table, column, column, column);

        *q = (struct query){MemoryContextStrdup(TopMemoryContext, sql), 1, {INT8OID}, NULL};
    }
    query_run(q, &value);
    *out = rows_records(a, tree, count);
    return TM_OK;
}

static enum tm_err unstaking(void *ctx, enum tree_id tree, height_t height,
                             const struct record *const **out, size_t *count, struct tm_error *e)
{
    static struct query queries[TREES];

    (void)e;
    return waiting(ctx, queries, "unstaking_height", tree, height, out, count);
}

static enum tm_err paused(void *ctx, enum tree_id tree, height_t before,
                          const struct record *const **out, size_t *count, struct tm_error *e)
{
    static struct query queries[TREES];

    (void)e;
    return waiting(ctx, queries, "paused_height", tree, before - 1, out, count);
}

static enum tm_err active_validators(void *ctx, size_t *out, struct tm_error *e)
{
    static struct query q = {"SELECT pg_catalog.count(*) FROM ledger.validator WHERE "
                             "paused_height" OP_EQ "-1 AND unstaking_height" OP_EQ "-1",
                             0,
                             {0},
                             NULL};

    (void)ctx;
    (void)e;
    query_run(&q, NULL);
    *out = (size_t)query_int64(SPI_tuptable->vals[0], 1);
    return TM_OK;
}

/* One that is too long to be decoded is refused like any other, by its size alone. */
static struct bytes transaction_bytes(Datum value)
{
    Size size = toast_raw_datum_size(value) - VARHDRSZ;
    struct tm_error e = {0};

    if (size > TRANSACTION_MAX) {
        tm_refuse(&e, CODE_UNMARSHAL, "the transaction has %zu bytes, at most %d are decoded", size,
                  TRANSACTION_MAX);
        raise_failure(&e);
    }
    return argument_bytes(value, TRANSACTION_MAX, "tx");
}

Datum tidemark_check_tx(PG_FUNCTION_ARGS)
{
    struct bytes raw = transaction_bytes(PG_GETARG_DATUM(0));
    struct ledger_view view = {.get = get,
                               .has_transaction = has_transaction,
                               .unstaking = unstaking,
                               .paused = paused,
                               .active_validators = active_validators};
    struct tm_error e = {0};
    const struct rules *rules;
    struct transaction tx;
    struct arena a;
    enum tm_err err;
    struct tip tip;

    memory_arena(&a, CurrentMemoryContext);
    view.ctx = &a;
    query_begin();
    tip = height_tip();
    rules = reader_rules();
    err = transaction_decode(&a, raw, &tx, &e);
    if (err == TM_OK)
        err = transaction_check(&tx, rules, &e);
    if (err == TM_OK)
        err = transaction_verify(&tx, rules, &e);
    if (err == TM_OK)
        err = ledger_admit(&a, rules, &view, tip.height + 1, &tx, &e);
    query_end();
    if (err != TM_OK)
        raise_failure(&e);
    return result_hash(&tx.hash);
}
