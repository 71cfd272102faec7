#include "block_end.h"

#include <stdlib.h>

enum tm_err end_rewards(struct ledger *l, struct tm_error *e)
{
    struct bytes collector = pool_key(l->rules, POOL_FEE_COLLECTOR);
    struct amount fees = AMOUNT_ZERO, cut;
    int64_t percent = 0;
    enum tm_err err = balance_read(l, TREE_POOL, collector, &fees, e);

    if (err == TM_OK)
        err = balance_set(l, TREE_POOL, collector, AMOUNT_ZERO, e);
    if (err == TM_OK)
        err = param_integer(l, "proposer_percentage_of_fees", &percent, e);
    if (err != TM_OK)
        return err;
    if (percent < 0 || percent > 100)
        return tm_refuse(e, 84, "proposer percentage outside 0..100: %lld", (long long)percent);
    cut = l->rules->float_proposer_share ? amount_percent_float(l->arena, fees, (int)percent)
                                         : amount_percent(l->arena, fees, (int)percent);
    l->end.fees = fees;
    l->end.reward = cut;
    err = balance_add(l, TREE_ACCOUNT, l->proposer, cut, e);
    if (err == TM_OK)
        err = balance_add(l, TREE_POOL, pool_key(l->rules, POOL_DAO),
                          amount_subtract(l->arena, fees, cut), e);
    return err;
}

static int by_key(const void *x, const void *y)
{
    const struct record *const *a = x, *const *b = y;

    return bytes_compare((*a)->key, (*b)->key);
}

/* A list of records of one tree that grows in the ledger's arena. */
struct found {
    const struct record **list;
    size_t count, capacity;
};

static void found_add(struct ledger *l, struct found *f, const struct record *r)
{
    if (f->count == f->capacity) {
        size_t capacity = f->capacity == 0 ? 16 : f->capacity * 2;
        const struct record **grown = arena_array(l->arena, const struct record *, capacity);

        if (f->count > 0)
            memcpy(grown, f->list, f->count * sizeof *grown);
        f->list = grown;
        f->capacity = capacity;
    }
    f->list[f->count++] = r;
}

/*
 * The newest records of a tree among: those listed (of the state before the block), unless the
 * block has written them, and those the block has written. Ascending by key.
 */
static void merge_layer(struct ledger *l, enum tree_id tree, const struct record *const *listed,
                        size_t count, struct found *f)
{
    for (size_t i = 0; i < count; i++)
        if (!layer_has(&l->layer, tree, listed[i]->key))
            found_add(l, f, listed[i]);
    for (size_t i = 0; i < l->layer.map.count; i++) {
        const struct state_entry *entry = &l->layer.map.entries[i];

        if (entry->tree == tree && entry->record != NULL && layer_has(&l->layer, tree, entry->key))
            found_add(l, f, entry->record);
    }
    if (f->count > 0)
        qsort(f->list, f->count, sizeof *f->list, by_key);
}

static bool unbonds(const struct ledger *l, const struct record *r)
{
    height_t at = r->actor.unstaking_height;

    /* An actor that leaves cannot be found twice; one that stays must be found once only (U7). */
    return l->rules->unbonded_actors_leave ? at != HEIGHT_NONE && at <= l->height : at == l->height;
}

enum tm_err find_unbonding(struct ledger *l, enum actor_kind kind, const struct record ***out,
                           size_t *count, struct tm_error *e)
{
    enum tree_id tree = actor_tree(kind);
    const struct record *const *listed = NULL;
    struct found all = {0}, due = {0};
    size_t n = 0;
    enum tm_err err = l->view->unstaking(l->view->ctx, tree, l->height, &listed, &n, e);

    if (err != TM_OK)
        return err;
    if (l->rules->reads_own_writes)
        merge_layer(l, tree, listed, n, &all);
    else
        for (size_t i = 0; i < n; i++)
            found_add(l, &all, listed[i]);
    for (size_t i = 0; i < all.count; i++)
        if (unbonds(l, all.list[i]))
            found_add(l, &due, all.list[i]);
    *out = due.list;
    *count = due.count;
    return TM_OK;
}

static enum tm_err unbond(struct ledger *l, enum actor_kind kind, const struct record *r,
                          struct tm_error *e)
{
    struct amount stake;
    enum tm_err err;

    if (amount_parse(l->arena, r->actor.stake_text, &stake) != TM_OK)
        return tm_refuse(e, 40, "not an integer: the stake of an actor that unbonds");
    err = check_account_key(r->actor.output, e);
    if (err == TM_OK)
        err = balance_subtract(l, TREE_POOL, pool_key(l->rules, pool_of_stakes(kind)), stake, e);
    if (err == TM_OK)
        err = balance_add(l, TREE_ACCOUNT, r->actor.output, stake, e);
    if (err != TM_OK)
        return err;
    if (l->rules->unbonded_actors_leave)
        return layer_remove(&l->layer, r->tree, r->key, e);
    l->end.stayed[kind]++;
    l->end.stayed_upokt[kind] = amount_add(l->arena, l->end.stayed_upokt[kind], stake);
    return TM_OK;
}

enum tm_err end_unbonding(struct ledger *l, struct tm_error *e)
{
    for (int kind = ACTOR_APP; kind <= ACTOR_VAL; kind++) {
        const struct record **due;
        size_t count;
        enum tm_err err = find_unbonding(l, (enum actor_kind)kind, &due, &count, e);

        for (size_t i = 0; err == TM_OK && i < count; i++)
            err = unbond(l, (enum actor_kind)kind, due[i], e);
        if (err != TM_OK)
            return err;
    }
    return TM_OK;
}

static enum tm_err end_long_pauses_of(struct ledger *l, enum actor_kind kind, struct tm_error *e)
{
    enum tree_id tree = actor_tree(kind);
    const struct record *const *listed = NULL;
    struct found all = {0};
    size_t n = 0;
    int64_t most = 0, blocks = 0;
    height_t before;
    enum tm_err err = actor_param_integer(l, kind, "_max_pause_blocks", &most, e);

    if (err == TM_OK)
        err = actor_param_integer(l, kind, "_unstaking_blocks", &blocks, e);
    if (err != TM_OK)
        return err;
    before = (height_t)((uint64_t)l->height - (uint64_t)most);
    if (before <= 0)
        return TM_OK;
    err = l->view->paused(l->view->ctx, tree, before, &listed, &n, e);
    if (err != TM_OK)
        return err;
    /* The reference does this as one UPDATE, which sees what the block has written. */
    merge_layer(l, tree, listed, n, &all);
    for (size_t i = 0; i < all.count; i++) {
        const struct actor *actor = &all.list[i]->actor;
        struct record *changed;

        if (actor->paused_height < 0 || actor->paused_height >= before ||
            (l->rules->long_pause_unstakes_once && actor->unstaking_height != HEIGHT_NONE))
            continue;
        changed = actor_successor(l, all.list[i]);
        changed->actor.unstaking_height = height_add(l->height, blocks);
        err = layer_put(&l->layer, changed, e);
        if (err != TM_OK)
            return err;
    }
    return TM_OK;
}

enum tm_err end_long_pauses(struct ledger *l, struct tm_error *e)
{
    enum tm_err err = TM_OK;

    for (int kind = ACTOR_APP; err == TM_OK && kind <= ACTOR_VAL; kind++)
        err = end_long_pauses_of(l, (enum actor_kind)kind, e);
    return err;
}
