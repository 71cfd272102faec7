#include "proposal.h"

#include <stdio.h>
#include <stdlib.h>

struct proposal *proposal_new(void)
{
    struct proposal *p = calloc(1, sizeof *p);

    if (p == NULL) {
        fprintf(stderr, "out of memory\n");
        abort();
    }
    arena_init(&p->arena);
    block_totals_init(&p->totals);
    return p;
}

void proposal_free(struct proposal *p)
{
    if (p == NULL)
        return;
    trees_drop(&p->trees);
    arena_free(&p->arena);
    free(p);
}

void proposal_reserve(struct proposal *p, size_t count)
{
    p->block.transactions = arena_array(&p->arena, struct bytes, count);
    p->results = arena_array(&p->arena, struct store_transaction, count);
    p->result.transactions = p->results;
}

void proposal_add(struct proposal *p, const struct transaction *tx,
                  const struct ledger_result *result)
{
    size_t i = p->block.transaction_count++;
    struct store_transaction *t = &p->results[i];

    p->block.transactions[i] = arena_copy(&p->arena, tx->encoded);
    *t = (struct store_transaction){
        .tx = p->block.transactions[i],
        .hash = tx->hash,
        .code = result->code,
        .error = arena_copy(&p->arena, result->error),
        .signer = result->signer,
        .recipient = arena_copy(&p->arena, transaction_recipient(tx)),
        .message_type = message_name(tx->message.kind),
    };
    p->result.transaction_count = p->block.transaction_count;
    block_totals_add(&p->totals, &p->arena, tx, result);
}

/* Marks the first occurrence of each transaction whose leaf this block makes. */
static void mark_new(struct proposal *p)
{
    struct state_map made;
    struct store_transaction *list = p->results;

    state_map_init(&made);
    for (size_t i = 0; i < p->result.write_count; i++) {
        const struct ledger_write *w = &p->result.writes[i];

        if (w->tree == TREE_TRANSACTIONS && w->before == NULL)
            state_map_put(&made, w->tree, w->key, w->after);
    }
    for (size_t i = 0; i < p->result.transaction_count; i++) {
        struct bytes hash = bytes_hash(&list[i].hash);
        const struct state_entry *entry = state_map_find(&made, TREE_TRANSACTIONS, hash);

        list[i].is_new = entry != NULL && entry->record != NULL;
        if (list[i].is_new)
            state_map_put(&made, TREE_TRANSACTIONS, hash, NULL);
    }
    state_map_free(&made);
}

enum tm_err proposal_finish(struct proposal *p, struct ledger *l, struct trees *trees,
                            struct hash32 roots[TREES], struct tm_error *e)
{
    struct tree_changes changes[TREES];
    struct store_block *b = &p->result;
    enum tm_err err;

    b->write_count = ledger_writes(l, &b->writes);
    b->touch_count = ledger_touches(l, &b->touches);
    mark_new(p);
    block_totals_finish(&p->totals, &p->arena, b->writes, b->write_count, ledger_end_moved(l));
    b->totals = &p->totals;
    err = write_set_changes(&p->arena, b->writes, b->write_count, changes, b->tree_digests, e);
    if (err == TM_OK)
        err = trees_update(trees, changes, &p->trees, roots, e);
    for (int i = 0; i < TREES && err == TM_OK; i++)
        if (p->trees.version[i] != NULL) {
            struct smt_node_change *nodes;

            b->node_count[i] = smt_node_changes(p->trees.version[i], &p->arena, &nodes);
            b->nodes[i] = nodes;
        }
    if (err == TM_OK)
        err = node_changes_digest(&p->arena, b, &b->node_digest, e);
    return err;
}
