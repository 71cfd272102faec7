#include "genesis_block.h"

#include <stdlib.h>

#include "proposal.h"

static int compare_records(const void *x, const void *y)
{
    const struct record *const *a = x;
    const struct record *const *b = y;
    int trees = (int)(*a)->tree - (int)(*b)->tree;

    return trees != 0 ? trees : bytes_compare((*a)->key, (*b)->key);
}

static void make_writes(struct arena *a, const struct genesis *genesis, struct store_block *out)
{
    size_t count = genesis->record_count;
    const struct record **sorted = arena_array(a, const struct record *, count);
    struct ledger_write *writes = arena_array(a, struct ledger_write, count);
    struct ledger_touch *touches = arena_array(a, struct ledger_touch, count);

    for (size_t i = 0; i < count; i++)
        sorted[i] = &genesis->records[i];
    qsort(sorted, count, sizeof *sorted, compare_records);
    for (size_t i = 0; i < count; i++) {
        const struct record *r = sorted[i];

        writes[i] = (struct ledger_write){.tree = r->tree, .key = r->key, .after = r};
        touches[i] = (struct ledger_touch){.tree = r->tree, .key = r->key, .step = STEP_GENESIS};
    }
    out->writes = writes;
    out->touches = touches;
    out->write_count = out->touch_count = count;
}

/* An empty tree with all leaves added at once; its nodes are then all new. */
static enum tm_err make_tree(struct arena *a, enum tree_id tree, const struct tree_changes *changes,
                             struct store_block *out, struct tm_error *e)
{
    struct smt *t = smt_new();
    struct smt_version *v = NULL;
    struct smt_node_change *nodes = NULL;
    enum tm_err err = TM_OK;

    out->header.tree_roots[tree] = smt_root(smt_base(t));
    if (changes->count > 0)
        err = smt_update(smt_base(t), changes->changes, changes->count, &v, e);
    if (err == TM_OK && v != NULL) {
        out->header.tree_roots[tree] = smt_root(v);
        out->node_count[tree] = smt_node_changes(v, a, &nodes);
        out->nodes[tree] = nodes;
    }
    smt_free(t);
    return err;
}

static int compare_validators(const void *x, const void *y)
{
    const struct validator *a = x;
    const struct validator *b = y;

    return bytes_compare(a->address, b->address);
}

static struct validator_set first_set(struct arena *a, const struct genesis *genesis)
{
    struct validator_set set = {arena_array(a, struct validator, genesis->record_count), 0};

    for (size_t i = 0; i < genesis->record_count; i++) {
        const struct record *r = &genesis->records[i];

        if (r->tree != TREE_VAL ||
            (genesis->rules->validator_set_filtered &&
             (r->actor.paused_height != HEIGHT_NONE || r->actor.unstaking_height != HEIGHT_NONE)))
            continue;
        set.members[set.count++] = (struct validator){r->key, r->actor.public_key};
    }
    qsort(set.members, set.count, sizeof *set.members, compare_validators);
    return set;
}

/* The reference took it from each node's configuration, whose default this is (state.md 5.1). */
static const char REFERENCE_NETWORK_ID[] = "localnet";

enum tm_err genesis_block(struct arena *a, const struct genesis *genesis, struct store_block *out,
                          struct tm_error *e)
{
    struct block_totals *totals = arena_new(a, struct block_totals);
    struct tree_changes changes[TREES];
    struct validator_set set;
    enum tm_err err;

    *out = (struct store_block){
        .header = {.network_id = genesis->rules->signed_header ? genesis->chain_id
                                                               : bytes_of(REFERENCE_NETWORK_ID),
                   .has_state_hash = true,
                   .has_timestamp = true,
                   .seconds = genesis->seconds,
                   .nanos = genesis->nanos,
                   .has_tree_roots = true,
                   .has_next_validator_set = true,
                   .has_transactions_hash = genesis->rules->signed_header},
    };
    make_writes(a, genesis, out);
    block_totals_init(totals);
    block_totals_finish(totals, a, out->writes, out->write_count, NULL);
    out->totals = totals;
    err = write_set_changes(a, out->writes, out->write_count, changes, out->tree_digests, e);
    for (int i = 0; i < TREES && err == TM_OK; i++)
        err = make_tree(a, i, &changes[i], out, e);
    if (err == TM_OK)
        err = node_changes_digest(a, out, &out->node_digest, e);
    if (err != TM_OK)
        return err;
    set = first_set(a, genesis);
    out->header.state_hash = state_hash_of_roots(out->header.tree_roots);
    out->header.next_validator_set_hash = validator_set_hash(&set);
    out->header.transactions_hash = transactions_hash(NULL, 0);
    out->header_hash = header_hash(&out->header);
    return TM_OK;
}
