/* Would a transaction be included in the next block? Answered on the state after the tip. */
#include "executor_state.h"

static enum tm_err prefetch(struct executor *x, const struct executor_candidate *candidates,
                            size_t count, struct tm_error *e)
{
    struct cache_keys keys;
    struct hash32 *paths = arena_array(&x->admission, struct hash32, count);
    size_t n = 0;
    enum tm_err err;

    cache_keys_init(&keys, &x->cache);
    for (size_t i = 0; i < count; i++) {
        const struct record r = {.tree = TREE_TRANSACTIONS,
                                 .key = bytes_hash(&candidates[i].tx->hash)};

        if (!candidates[i].verified)
            continue;
        ledger_keys(candidates[i].tx, cache_keys_want, &keys);
        paths[n++] = record_path(&r);
    }
    err = cache_keys_fetch(&keys, e);
    if (err == TM_OK)
        err = trees_load(&x->trees, TREE_TRANSACTIONS, paths, n, e);
    return err;
}

enum tm_err executor_admit(struct executor *x, struct executor_candidate *candidates, size_t count,
                           struct tm_error *e)
{
    struct cache_view view = {.cache = &x->cache,
                              .arena = &x->admission,
                              .transactions = smt_base(x->trees.tree[TREE_TRANSACTIONS])};
    struct ledger_view ledger_view = cache_view_ledger(&view);
    enum tm_err err;

    arena_reset(&x->admission);
    check_candidates(x, &x->admission, candidates, count);
    err = prefetch(x, candidates, count, e);
    for (size_t i = 0; i < count && err == TM_OK; i++) {
        struct executor_candidate *c = &candidates[i];
        struct tm_error refusal = {0};

        c->tried = true;
        c->included = false;
        if (!c->verified)
            continue;
        err = ledger_admit(&x->admission, x->chain.rules, &ledger_view, executor_height(x) + 1,
                           c->tx, &refusal);
        c->included = err == TM_OK;
        if (err == TM_ERR_RULE) {
            c->code = refusal.code;
            c->error = arena_text(&x->admission, bytes_of(refusal.text));
            err = TM_OK;
        } else if (err != TM_OK) {
            *e = refusal;
        }
    }
    return err;
}
