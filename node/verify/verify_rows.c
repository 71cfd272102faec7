/* Executes the block of one height on the state before it and compares its stored rows. */
#include "verifier.h"

#include <stdlib.h>

/* Rows of genesis and provenance step -1 against the file's records. */
static void make_genesis_writes(struct verifier *v, struct arena *a, struct verify_execution *out)
{
    const struct genesis *g = v->genesis;
    struct ledger_write *writes = arena_array(a, struct ledger_write, g->record_count);

    for (size_t i = 0; i < g->record_count; i++)
        writes[i] =
            (struct ledger_write){g->records[i].tree, g->records[i].key, NULL, &g->records[i]};
    out->writes = writes;
    out->write_count = g->record_count;
    out->done = true;
}

static enum tm_err execute_one(struct verifier *v, struct arena *a, struct ledger *l, height_t h,
                               const struct verify_transaction *row, struct tm_error *e)
{
    const struct rules *rules = v->genesis->rules;
    struct transaction *tx = arena_new(a, struct transaction);
    struct ledger_result result;
    enum tm_err err = transaction_decode(a, row->tx, tx, e);

    if (err == TM_OK)
        err = transaction_check(tx, rules, e);
    if (err == TM_OK)
        err = transaction_verify(tx, rules, e);
    if (err == TM_OK && rules->message_checks)
        err = message_check(&tx->message, e);
    if (err == TM_OK)
        err = ledger_apply(l, tx, &result, e);
    if (err == TM_OK) {
        const struct store_transaction executed = {.code = result.code,
                                                   .error = result.error,
                                                   .signer = result.signer,
                                                   .recipient = transaction_recipient(tx),
                                                   .message_type = message_name(tx->message.kind)};

        verify_result(&v->found, a, h, row, &executed);
    }
    return err;
}

static void execute(struct verifier *v, struct arena *a, const struct verify_height *rows,
                    struct verify_execution *out)
{
    struct ledger_view view = ledger_memory_view(&v->state);
    struct ledger *l;
    struct tm_error e;
    const struct ledger_touch *touches;
    size_t touch_count;

    if (ledger_begin(a, v->genesis->rules, &view, rows->height, rows->header.proposer, &l, &e) !=
        TM_OK) {
        verify_find(&v->found, rows->height, "the block cannot begin: %s", e.text);
        return;
    }
    verify_sort_transactions(rows);
    for (size_t i = 0; i < rows->transaction_count; i++) {
        const struct verify_transaction *row = &rows->transaction_rows[i];

        if (row->index != (int32_t)i) {
            verify_find(&v->found, rows->height, "transaction with tx_index %zu is missing", i);
            return;
        }
        if (execute_one(v, a, l, rows->height, row, &e) != TM_OK) {
            verify_find(&v->found, rows->height, "transaction %zu is not includable: %s", i,
                        e.text);
            return;
        }
    }
    if (ledger_end(l, &e) != TM_OK) {
        verify_find(&v->found, rows->height, "the block cannot end: %s", e.text);
        return;
    }
    out->write_count = ledger_writes(l, &out->writes);
    out->done = true;
    touch_count = ledger_touches(l, &touches);
    verify_touches(&v->found, a, rows, touches, touch_count);
}

void verify_rows(struct verifier *v, struct arena *a, const struct verify_height *rows,
                 struct verify_execution *out)
{
    struct ledger_write *sorted;

    if (rows->height == 0) {
        struct ledger_touch *touches;

        make_genesis_writes(v, a, out);
        touches = arena_array(a, struct ledger_touch, out->write_count + 1);
        for (size_t i = 0; i < out->write_count; i++)
            touches[i] =
                (struct ledger_touch){out->writes[i].tree, out->writes[i].key, STEP_GENESIS};
        verify_touches(&v->found, a, rows, touches, out->write_count);
        if (rows->transaction_count != 0)
            verify_find(&v->found, 0, "genesis has %zu transactions", rows->transaction_count);
    } else {
        execute(v, a, rows, out);
    }
    if (!out->done)
        return;
    sorted = arena_array(a, struct ledger_write, out->write_count + 1);
    if (out->write_count > 0) {
        memcpy(sorted, out->writes, out->write_count * sizeof *sorted);
        qsort(sorted, out->write_count, sizeof *sorted, verify_compare_writes);
    }
    out->writes = sorted;
    verify_births(&v->found, a, rows, out);
    verify_ends(&v->found, a, rows, out);
}
