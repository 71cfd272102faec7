#include "state_cache.h"

#include <stdlib.h>

static bool is_actor(enum tree_id tree)
{
    return tree == TREE_APP || tree == TREE_VAL || tree == TREE_FISH || tree == TREE_SERVICER;
}

static bool is_idle(const struct record *r)
{
    return r->actor.paused_height == HEIGHT_NONE && r->actor.unstaking_height == HEIGHT_NONE;
}

static bool is_active_validator(const struct record *r)
{
    return r != NULL && r->tree == TREE_VAL && is_idle(r);
}

/* The record's own key outlives any other copy of it. */
static void put(struct state_cache *c, enum tree_id tree, struct bytes key, const struct record *r)
{
    const struct state_entry *old = is_actor(tree) ? state_map_find(&c->actors, tree, key) : NULL;

    state_map_put(&c->rows, tree, key, r);
    if (!is_actor(tree))
        return;
    if (old != NULL)
        c->validators -= is_active_validator(old->record);
    if (old != NULL || (r != NULL && (tree == TREE_VAL || !is_idle(r)))) {
        state_map_put(&c->actors, tree, key, r);
        c->validators += is_active_validator(r);
    }
}

static enum tm_err load_base(struct state_cache *c, struct tm_error *e)
{
    const struct record *const *records;
    size_t count;
    enum tm_err err = c->store->base(c->store->ctx, &c->arena, &records, &count, e);

    if (err != TM_OK)
        return err;
    for (size_t i = 0; i < count; i++)
        put(c, records[i]->tree, records[i]->key, records[i]);
    return TM_OK;
}

enum tm_err state_cache_open(struct state_cache *c, const struct store *store, struct tm_error *e)
{
    *c = (struct state_cache){.store = store};
    arena_init(&c->arena);
    arena_init(&c->retired);
    state_map_init(&c->rows);
    state_map_init(&c->actors);
    return load_base(c, e);
}

void state_cache_free(struct state_cache *c)
{
    state_map_free(&c->rows);
    state_map_free(&c->actors);
    arena_free(&c->retired);
    arena_free(&c->arena);
}

void cache_keys_init(struct cache_keys *k, struct state_cache *c)
{
    k->cache = c;
    arena_init(&k->arena);
    state_map_init(&k->wanted);
}

void cache_keys_want(void *keys, enum tree_id tree, struct bytes key)
{
    struct cache_keys *k = keys;

    if (tree == TREE_TRANSACTIONS || state_map_find(&k->cache->rows, tree, key) != NULL ||
        state_map_find(&k->wanted, tree, key) != NULL)
        return;
    state_map_put(&k->wanted, tree, arena_copy(&k->arena, key), NULL);
}

void cache_keys_want_due(struct cache_keys *k, height_t height)
{
    const struct state_map *actors = &k->cache->actors;

    for (size_t i = 0; i < actors->count; i++) {
        const struct record *r = actors->entries[i].record;

        if (r != NULL && r->actor.unstaking_height != HEIGHT_NONE &&
            r->actor.unstaking_height <= height)
            cache_keys_want(k, TREE_ACCOUNT, r->actor.output);
    }
}

static enum tm_err fetch(struct state_cache *c, struct store_key *keys, size_t count,
                         struct tm_error *e)
{
    enum tm_err err = c->store->fetch(c->store->ctx, &c->arena, keys, count, e);

    if (err != TM_OK)
        return err;
    for (size_t i = 0; i < count; i++) {
        const struct record *r = keys[i].record;

        put(c, keys[i].tree, r != NULL ? r->key : arena_copy(&c->arena, keys[i].key), r);
    }
    return TM_OK;
}

enum tm_err cache_keys_fetch(struct cache_keys *k, struct tm_error *e)
{
    size_t count = k->wanted.count;
    enum tm_err err = TM_OK;

    if (count > 0) {
        struct store_key *keys = arena_array(&k->arena, struct store_key, count);

        for (size_t i = 0; i < count; i++) {
            keys[i].tree = k->wanted.entries[i].tree;
            keys[i].key = k->wanted.entries[i].key;
        }
        err = fetch(k->cache, keys, count, e);
    }
    arena_free(&k->arena);
    state_map_free(&k->wanted);
    return err;
}

static enum tm_err view_get(void *ctx, enum tree_id tree, struct bytes key,
                            const struct record **out, struct tm_error *e)
{
    struct cache_view *v = ctx;
    const struct state_entry *entry = state_map_find(&v->cache->rows, tree, key);

    if (entry == NULL) {
        struct store_key missing = {.tree = tree, .key = key};
        enum tm_err err = fetch(v->cache, &missing, 1, e);

        if (err != TM_OK)
            return err;
        *out = missing.record;
        return TM_OK;
    }
    *out = entry->record;
    return TM_OK;
}

static enum tm_err view_has_transaction(void *ctx, const struct hash32 *hash, bool *out,
                                        struct tm_error *e)
{
    struct cache_view *v = ctx;
    const struct record key = {.tree = TREE_TRANSACTIONS, .key = bytes_hash(hash)};
    struct hash32 path = record_path(&key);
    struct hash32 value_hash;
    enum tm_err err = smt_get(v->transactions, &path, &value_hash);

    *out = err == TM_OK;
    if (err == TM_OK || err == TM_ERR_NOT_FOUND)
        return TM_OK;
    return tm_fail(e, err, "a page of the transactions tree is missing");
}

static int compare_records(const void *x, const void *y)
{
    const struct record *const *a = x;
    const struct record *const *b = y;

    return bytes_compare((*a)->key, (*b)->key);
}

/* Actors of a kind whose height (paused or unstaking) is in [0, below), ascending by key. */
static void list_due(const struct cache_view *v, enum tree_id tree, bool paused, height_t below,
                     const struct record *const **out, size_t *count)
{
    const struct state_map *actors = &v->cache->actors;
    const struct record **list = NULL;
    size_t n = 0, room = 0;

    for (size_t i = 0; i < actors->count; i++) {
        const struct record *r = actors->entries[i].record;

        if (r == NULL || r->tree != tree)
            continue;

        height_t h = paused ? r->actor.paused_height : r->actor.unstaking_height;

        if (h < 0 || h >= below)
            continue;
        if (n == room) {
            size_t larger = room == 0 ? 16 : 2 * room;
            const struct record **grown = arena_array(v->arena, const struct record *, larger);

            if (n > 0)
                memcpy(grown, list, n * sizeof *list);
            list = grown;
            room = larger;
        }
        list[n++] = r;
    }
    if (n > 1)
        qsort(list, n, sizeof *list, compare_records);
    *out = list;
    *count = n;
}

static enum tm_err view_unstaking(void *ctx, enum tree_id tree, height_t height,
                                  const struct record *const **out, size_t *count,
                                  struct tm_error *e)
{
    (void)e;
    list_due(ctx, tree, false, height + 1, out, count);
    return TM_OK;
}

static enum tm_err view_paused(void *ctx, enum tree_id tree, height_t before,
                               const struct record *const **out, size_t *count, struct tm_error *e)
{
    (void)e;
    list_due(ctx, tree, true, before, out, count);
    return TM_OK;
}

static enum tm_err view_active_validators(void *ctx, size_t *out, struct tm_error *e)
{
    const struct cache_view *v = ctx;

    (void)e;
    *out = v->cache->validators;
    return TM_OK;
}

struct ledger_view cache_view_ledger(struct cache_view *v)
{
    return (struct ledger_view){
        .ctx = v,
        .get = view_get,
        .has_transaction = view_has_transaction,
        .unstaking = view_unstaking,
        .paused = view_paused,
        .active_validators = view_active_validators,
    };
}

void state_cache_apply(struct state_cache *c, const struct ledger_write *writes, size_t count)
{
    arena_reset(&c->retired);
    for (size_t i = 0; i < count; i++) {
        const struct ledger_write *w = &writes[i];

        if (w->tree == TREE_TRANSACTIONS)
            continue;
        if (w->after != NULL) {
            const struct record *r = record_copy(&c->arena, w->after);

            put(c, w->tree, r->key, r);
        } else {
            put(c, w->tree, arena_copy(&c->arena, w->key), NULL);
        }
    }
}

void state_cache_trim(struct state_cache *c, size_t limit)
{
    struct state_cache fresh;
    struct tm_error ignored;

    if (c->arena.used <= limit)
        return;
    if (state_cache_open(&fresh, c->store, &ignored) != TM_OK) {
        state_cache_free(&fresh);
        return;
    }
    state_map_free(&c->rows);
    state_map_free(&c->actors);
    arena_free(&c->retired);
    fresh.retired = c->arena;
    *c = fresh;
}

static int compare_validators(const void *x, const void *y)
{
    const struct validator *a = x;
    const struct validator *b = y;

    return bytes_compare(a->address, b->address);
}

static void add_validator(struct validator_set *set, const struct record *r,
                          const struct rules *rules, struct arena *a)
{
    if (r == NULL || (rules->validator_set_filtered && !is_idle(r)))
        return;
    set->members[set->count].address = arena_copy(a, r->key);
    set->members[set->count].public_key = arena_copy(a, r->actor.public_key);
    set->count++;
}

struct validator_set state_cache_validators(const struct state_cache *c, const struct rules *rules,
                                            const struct ledger_write *writes, size_t count,
                                            struct arena *a)
{
    struct validator_set set = {.members = NULL, .count = 0};
    struct state_map changed;

    state_map_init(&changed);
    for (size_t i = 0; i < count; i++)
        if (writes[i].tree == TREE_VAL)
            state_map_put(&changed, TREE_VAL, writes[i].key, writes[i].after);
    set.members = arena_array(a, struct validator, c->actors.count + changed.count);
    for (size_t i = 0; i < c->actors.count; i++) {
        const struct state_entry *entry = &c->actors.entries[i];

        if (entry->tree == TREE_VAL && state_map_find(&changed, TREE_VAL, entry->key) == NULL)
            add_validator(&set, entry->record, rules, a);
    }
    for (size_t i = 0; i < changed.count; i++)
        add_validator(&set, changed.entries[i].record, rules, a);
    state_map_free(&changed);
    if (set.count > 1)
        qsort(set.members, set.count, sizeof *set.members, compare_validators);
    return set;
}
