#include "executor_state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static void *allocate(size_t count, size_t size)
{
    void *p = calloc(count, size);

    if (p == NULL) {
        fprintf(stderr, "out of memory\n");
        abort();
    }
    return p;
}

/* One by one, where the caller gave no workers. */
static void run_here(void *ctx, void (*job)(void *arg, size_t index), void *arg, size_t count)
{
    (void)ctx;
    for (size_t i = 0; i < count; i++)
        job(arg, i);
}

static enum tm_err load_tip(struct executor *x, struct tm_error *e)
{
    height_t height;
    struct hash32 state_hash;
    struct block tip;
    enum tm_err err = x->store.chain(x->store.ctx, &x->constants, &x->chain, e);

    if (err == TM_OK)
        err = x->store.tip(x->store.ctx, &height, &state_hash, e);
    if (err == TM_OK)
        err = x->store.block(x->store.ctx, &x->constants, height, &tip, e);
    if (err != TM_OK)
        return err;
    if (!tip.header.has_tree_roots || !hash32_equal(&tip.header.state_hash, &state_hash))
        return tm_fail(e, TM_ERR_MISMATCH, "block %lld is not the block of the tip",
                       (long long)height);
    x->first_tip = tip.header;
    x->tip = &x->first_tip;
    return TM_OK;
}

static enum tm_err open_state(struct executor *x, struct tm_error *e)
{
    enum tm_err err = load_tip(x, e);

    if (err != TM_OK)
        return err;
    trees_open(&x->trees, &x->store, x->tip->tree_roots);
    err = state_cache_open(&x->cache, &x->store, e);
    if (err != TM_OK)
        return err;
    x->first_set = state_cache_validators(&x->cache, x->chain.rules, NULL, 0, &x->constants);
    x->set = &x->first_set;
    x->set_hash = validator_set_hash(x->set);
    if (x->tip->has_next_validator_set &&
        !hash32_equal(&x->set_hash, &x->tip->next_validator_set_hash))
        return tm_fail(e, TM_ERR_MISMATCH,
                       "the stored validators are not those block %llu names (%zu members)",
                       (unsigned long long)x->tip->height, x->set->count);
    return TM_OK;
}

enum tm_err executor_open(struct executor **out, const struct store *store,
                          const struct executor_workers *workers,
                          const struct executor_options *options, struct tm_error *e)
{
    struct executor *x = allocate(1, sizeof *x);
    enum tm_err err;

    x->store = *store;
    x->workers = workers != NULL ? *workers : (struct executor_workers){.run = run_here};
    x->options = options != NULL ? *options : (struct executor_options){0};
    if (x->options.tree_memory == 0)
        x->options.tree_memory = EXECUTOR_TREE_MEMORY_DEFAULT;
    if (x->options.cache_memory == 0)
        x->options.cache_memory = EXECUTOR_CACHE_MEMORY_DEFAULT;
    if (x->options.batch == 0)
        x->options.batch = 1;
    if (x->options.batch > EXECUTOR_BATCH_MAX)
        x->options.batch = EXECUTOR_BATCH_MAX;
    x->queue = allocate(x->options.batch, sizeof(struct proposal *));
    arena_init(&x->constants);
    arena_init(&x->admission);
    err = open_state(x, e);
    if (err != TM_OK) {
        executor_close(x);
        x = NULL;
    }
    *out = x;
    return err;
}

static void drop_proposals(struct executor *x)
{
    for (size_t i = 0; i < x->proposal_count; i++)
        proposal_free(x->proposals[i]);
    x->proposal_count = 0;
}

/* A decided proposal stays while tip or set point into it or it waits to be written. */
static void release(struct executor *x, struct proposal *p)
{
    if (p == NULL || p == x->last || p == x->set_owner)
        return;
    for (size_t i = 0; i < x->queued; i++)
        if (x->queue[i] == p)
            return;
    proposal_free(p);
}

void executor_close(struct executor *x)
{
    struct proposal *last, *set_owner;

    if (x == NULL)
        return;
    last = x->last;
    set_owner = x->set_owner;
    drop_proposals(x);
    x->last = x->set_owner = NULL;
    for (size_t i = 0; i < x->queued; i++)
        if (x->queue[i] != last && x->queue[i] != set_owner)
            proposal_free(x->queue[i]);
    proposal_free(last);
    if (set_owner != last)
        proposal_free(set_owner);
    trees_free(&x->trees);
    state_cache_free(&x->cache);
    arena_free(&x->admission);
    arena_free(&x->constants);
    free(x->queue);
    free(x);
}

const struct store_chain *executor_chain(const struct executor *x)
{
    return &x->chain;
}

height_t executor_height(const struct executor *x)
{
    return (height_t)x->tip->height;
}

const struct block_header *executor_tip(const struct executor *x)
{
    return x->tip;
}

const struct validator_set *executor_validators(const struct executor *x)
{
    return x->set;
}

size_t executor_tree_memory(const struct executor *x)
{
    return trees_memory(&x->trees);
}

size_t executor_queued(const struct executor *x)
{
    return x->queued;
}

size_t executor_last_writes(const struct executor *x, const struct ledger_write **out)
{
    *out = x->last != NULL ? x->last->result.writes : NULL;
    return x->last != NULL ? x->last->result.write_count : 0;
}

const struct executor_proposal *executor_last(const struct executor *x)
{
    return x->last != NULL ? &x->last->public : NULL;
}

static size_t find_proposal(const struct executor *x, const struct hash32 *key)
{
    size_t i = 0;

    while (i < x->proposal_count && !hash32_equal(&x->proposals[i]->public.key, key))
        i++;
    return i;
}

const struct executor_proposal *executor_find(const struct executor *x, const struct hash32 *key)
{
    size_t i = find_proposal(x, key);

    return i < x->proposal_count ? &x->proposals[i]->public : NULL;
}

void executor_drop(struct executor *x, const struct hash32 *key)
{
    size_t i = find_proposal(x, key);

    if (i == x->proposal_count)
        return;
    proposal_free(x->proposals[i]);
    x->proposals[i] = x->proposals[--x->proposal_count];
}

enum tm_err keep_proposal(struct executor *x, struct proposal *p, struct tm_error *e)
{
    if (x->proposal_count == EXECUTOR_PROPOSALS_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "more than %d proposals at once", EXECUTOR_PROPOSALS_MAX);
    x->proposals[x->proposal_count++] = p;
    return TM_OK;
}

enum tm_err adopt_proposal(struct executor *x, struct proposal *p, struct bytes certificate,
                           uint64_t round, struct tm_error *e)
{
    size_t i = find_proposal(x, &p->public.key);
    struct proposal *old_last = x->last;
    struct proposal *old_owner = x->set_owner;

    if (i < x->proposal_count)
        x->proposals[i] = x->proposals[--x->proposal_count];
    drop_proposals(x);
    p->result.header = p->block.header;
    p->result.header.certificate = arena_copy(&p->arena, certificate);
    p->result.round = round;
    p->result.header_hash = p->public.key;
    trees_commit(&p->trees);
    state_cache_apply(&x->cache, p->result.writes, p->result.write_count);
    x->tip = &p->result.header;
    if (p->set_changed) {
        x->set = &p->next_set;
        x->set_hash = p->block.header.next_validator_set_hash;
        x->set_owner = p;
    }
    x->last = p;
    assert(x->queued < x->options.batch);
    x->queue[x->queued++] = p;
    x->queued_bytes += p->arena.used;
    release(x, old_last);
    if (old_owner != old_last)
        release(x, old_owner);
    if (x->queued >= x->options.batch || x->queued_bytes >= EXECUTOR_BATCH_BYTES)
        return executor_flush(x, e);
    return TM_OK;
}

enum tm_err executor_decide(struct executor *x, const struct hash32 *key, struct bytes certificate,
                            struct tm_error *e)
{
    size_t i = find_proposal(x, key);
    struct proposal *p;
    struct certificate c;
    struct block decided;
    bool canonical;
    enum tm_err err;

    if (i == x->proposal_count)
        return tm_fail(e, TM_ERR_NOT_FOUND, "no proposal has this header hash");
    if (x->queued >= x->options.batch)
        return tm_fail(e, TM_ERR_AGAIN, "the blocks decided before are not written yet");
    p = x->proposals[i];
    err = certificate_decode(&p->arena, certificate, &c, &canonical, e);
    if (err == TM_OK && !canonical)
        err = tm_fail(e, TM_ERR_NOT_CANONICAL, "the certificate is not its own re-encoding");
    if (err != TM_OK)
        return err;
    decided = p->block;
    decided.header.certificate = certificate;
    err = certificate_verify(&p->arena, &c, &decided, x->set, x->chain.rules, e);
    if (err == TM_OK &&
        !validator_set_has_led(x->set, decided.header.proposer, decided.header.height, c.round))
        err = tm_fail(e, TM_ERR_MISMATCH,
                      "the proposer leads no round up to the certificate's, which is %llu",
                      (unsigned long long)c.round);
    if (err != TM_OK)
        return err;
    return adopt_proposal(x, p, certificate, c.round, e);
}

enum tm_err executor_flush(struct executor *x, struct tm_error *e)
{
    struct proposal *written[EXECUTOR_BATCH_MAX];
    const struct store_block *blocks[EXECUTOR_BATCH_MAX];
    size_t count = x->queued;
    enum tm_err err;

    if (count == 0)
        return TM_OK;
    for (size_t i = 0; i < count; i++) {
        written[i] = x->queue[i];
        blocks[i] = &written[i]->result;
    }
    err = x->store.apply(x->store.ctx, blocks, count, e);
    if (err != TM_OK)
        return err;
    x->queued = x->queued_bytes = 0;
    for (size_t i = 0; i < count; i++)
        release(x, written[i]);
    if (x->proposal_count == 0) {
        trees_evict(&x->trees, x->options.tree_memory);
        state_cache_trim(&x->cache, x->options.cache_memory);
    }
    return TM_OK;
}
