#include "verifier.h"

#include <inttypes.h>
#include <stdlib.h>

struct verifier *verifier_new(const struct genesis *genesis, verify_report *report, void *ctx)
{
    struct verifier *v = calloc(1, sizeof *v);

    if (v == NULL)
        abort();
    v->genesis = genesis;
    v->found = (struct findings){.report = report, .ctx = ctx};
    ledger_memory_init(&v->state);
    node_map_init(&v->nodes);
    arena_init(&v->kept);
    for (int t = 0; t < TREES; t++)
        v->trees[t] = smt_new();
    return v;
}

void verifier_free(struct verifier *v)
{
    if (v == NULL)
        return;
    for (int t = 0; t < TREES; t++)
        smt_free(v->trees[t]);
    ledger_memory_free(&v->state);
    node_map_free(&v->nodes);
    arena_free(&v->kept);
    free(v);
}

/* Keeps what the next height is checked against. */
static void keep(struct verifier *v, struct block_header header)
{
    arena_reset(&v->kept);
    header.network_id = arena_copy(&v->kept, header.network_id);
    header.proposer = arena_copy(&v->kept, header.proposer);
    header.certificate = bytes_make(NULL, 0);
    v->previous = header;
    v->validators = ledger_memory_validators(&v->state, v->genesis->rules, &v->kept);
}

/* Is it in the tree of transactions, which a resumed state knows by their paths alone? */
static bool is_in_tree(void *ctx, const struct hash32 *hash)
{
    const struct verifier *v = ctx;
    const struct record key = {.tree = TREE_TRANSACTIONS, .key = bytes_hash(hash)};
    struct hash32 path = record_path(&key), value_hash;

    return smt_get(smt_base(v->trees[TREE_TRANSACTIONS]), &path, &value_hash) == TM_OK;
}

size_t verifier_resume(struct verifier *v, struct verify_resume *from)
{
    struct arena a;

    v->found.count = 0;
    arena_init(&a);
    verify_resumed_trees(v, &a, from);
    arena_free(&a);
    if (v->found.count == 0) {
        ledger_memory_load(&v->state, from->records, from->record_count);
        v->state.has_other = is_in_tree;
        v->state.other_ctx = v;
        keep(v, from->header);
        v->next = (height_t)from->header.height + 1;
    }
    return v->found.count;
}

size_t verifier_link(struct verifier *v, const struct verify_height *rows)
{
    struct arena a;

    v->found.count = 0;
    arena_init(&a);
    verify_link(v, &a, rows);
    arena_free(&a);
    if (v->found.count == 0)
        keep(v, rows->header);
    return v->found.count;
}

size_t verifier_step(struct verifier *v, const struct verify_height *rows)
{
    struct arena a;
    struct verify_execution execution = {0};
    struct validator_set after;

    v->found.count = 0;
    if (rows->height != v->next) {
        verify_find(&v->found, v->next, "the rows of height %" PRId64 " came instead",
                    rows->height);
        return v->found.count;
    }
    if (!rows->has_block) {
        verify_find(&v->found, rows->height, "there is no row in ledger.block");
        return v->found.count;
    }
    arena_init(&a);
    verify_rows(v, &a, rows, &execution);
    verify_trees(v, &a, rows);
    if (execution.done && v->found.count == 0) {
        ledger_memory_apply(&v->state, execution.writes, execution.write_count);
        after = ledger_memory_validators(&v->state, v->genesis->rules, &a);
        verify_header(v, &a, rows, &after);
    }
    if (v->found.count == 0) {
        keep(v, rows->header);
        v->next++;
        v->totals.blocks++;
        v->totals.transactions += rows->transaction_count;
        v->totals.versions += rows->birth_count;
        v->totals.nodes += rows->node_birth_count;
    }
    arena_free(&a);
    verify_found(&v->found, rows->height);
    return v->found.count;
}

struct verify_totals verifier_totals(const struct verifier *v)
{
    return v->totals;
}

struct hash32 verifier_state_hash(const struct verifier *v)
{
    return v->previous.state_hash;
}
