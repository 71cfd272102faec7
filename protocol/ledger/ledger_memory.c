#include "ledger_memory.h"

#include <stdio.h>
#include <stdlib.h>

/* Replaced records stay in the arena until they outweigh the live ones by this much. */
enum { GARBAGE_MIN = 1 << 20 };

void ledger_memory_init(struct ledger_memory *m)
{
    *m = (struct ledger_memory){0};
    arena_init(&m->arena);
    state_map_init(&m->state);
}

void ledger_memory_free(struct ledger_memory *m)
{
    free(m->actors);
    free(m->listed);
    state_map_free(&m->state);
    arena_free(&m->arena);
}

static void *room(void *list, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return list;
    *capacity = *capacity == 0 ? 64 : *capacity * 2;
    list = realloc(list, *capacity * size);
    if (list == NULL) {
        fprintf(stderr, "out of memory: %zu bytes\n", *capacity * size);
        abort();
    }
    return list;
}

static bool is_actor_tree(enum tree_id tree)
{
    return actor_kind_of(tree) != 0;
}

static void put(struct ledger_memory *m, enum tree_id tree, struct bytes key,
                const struct record *copy)
{
    size_t before = m->state.count;

    state_map_put(&m->state, tree, key, copy);
    if (m->state.count > before && is_actor_tree(tree)) {
        m->actors = room(m->actors, m->actor_count, &m->actor_capacity, sizeof *m->actors);
        m->actors[m->actor_count++] = (uint32_t)before;
    }
}

/* Copies what is there into a fresh arena and forgets what is not. */
static void make_compact(struct ledger_memory *m)
{
    struct ledger_memory old = *m;

    arena_init(&m->arena);
    state_map_init(&m->state);
    m->actor_count = 0;
    for (size_t i = 0; i < old.state.count; i++) {
        const struct record *r = old.state.entries[i].record;

        if (r != NULL) {
            r = record_copy(&m->arena, r);
            put(m, r->tree, r->key, r);
        }
    }
    m->live = m->arena.used;
    state_map_free(&old.state);
    arena_free(&old.arena);
}

void ledger_memory_load(struct ledger_memory *m, const struct record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct record *copy = record_copy(&m->arena, &records[i]);

        put(m, copy->tree, copy->key, copy);
    }
    m->live = m->arena.used;
}

void ledger_memory_apply(struct ledger_memory *m, const struct ledger_write *writes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct ledger_write *w = &writes[i];

        if (w->after != NULL) {
            const struct record *copy = record_copy(&m->arena, w->after);

            put(m, copy->tree, copy->key, copy);
        } else {
            put(m, w->tree, arena_copy(&m->arena, w->key), NULL);
        }
    }
    if (m->arena.used > 2 * m->live + GARBAGE_MIN)
        make_compact(m);
}

static enum tm_err get(void *ctx, enum tree_id tree, struct bytes key, const struct record **out,
                       struct tm_error *e)
{
    const struct ledger_memory *m = ctx;
    const struct state_entry *entry = state_map_find(&m->state, tree, key);

    (void)e;
    *out = entry == NULL ? NULL : entry->record;
    return TM_OK;
}

static enum tm_err has_transaction(void *ctx, const struct hash32 *hash, bool *out,
                                   struct tm_error *e)
{
    const struct ledger_memory *m = ctx;
    const struct record *r;
    enum tm_err err = get(ctx, TREE_TRANSACTIONS, bytes_hash(hash), &r, e);

    *out = r != NULL || (m->has_other != NULL && m->has_other(m->other_ctx, hash));
    return err;
}

static int by_key(const void *x, const void *y)
{
    const struct record *const *a = x, *const *b = y;

    return bytes_compare((*a)->key, (*b)->key);
}

static height_t unstaking_height(const struct record *r)
{
    return r->actor.unstaking_height;
}

static height_t paused_height(const struct record *r)
{
    return r->actor.paused_height;
}

/* Actors of a tree whose height of one kind lies in [0, limit). */
static size_t list_actors(struct ledger_memory *m, enum tree_id tree,
                          height_t (*height_of)(const struct record *), height_t limit)
{
    size_t count = 0;

    for (size_t i = 0; i < m->actor_count; i++) {
        const struct record *r = m->state.entries[m->actors[i]].record;

        if (r == NULL || r->tree != tree || height_of(r) < 0 || height_of(r) >= limit)
            continue;
        m->listed = room(m->listed, count, &m->listed_capacity, sizeof *m->listed);
        m->listed[count++] = r;
    }
    if (count > 0)
        qsort(m->listed, count, sizeof *m->listed, by_key);
    return count;
}

static enum tm_err unstaking(void *ctx, enum tree_id tree, height_t height,
                             const struct record *const **out, size_t *count, struct tm_error *e)
{
    struct ledger_memory *m = ctx;

    (void)e;
    *count = list_actors(m, tree, unstaking_height, height + 1);
    *out = m->listed;
    return TM_OK;
}

static enum tm_err paused(void *ctx, enum tree_id tree, height_t before,
                          const struct record *const **out, size_t *count, struct tm_error *e)
{
    struct ledger_memory *m = ctx;

    (void)e;
    *count = list_actors(m, tree, paused_height, before);
    *out = m->listed;
    return TM_OK;
}

static bool counts(const struct record *r, bool active_only)
{
    return r != NULL && r->tree == TREE_VAL &&
           (!active_only ||
            (r->actor.paused_height == HEIGHT_NONE && r->actor.unstaking_height == HEIGHT_NONE));
}

static enum tm_err active_validators(void *ctx, size_t *out, struct tm_error *e)
{
    const struct ledger_memory *m = ctx;

    (void)e;
    *out = 0;
    for (size_t i = 0; i < m->actor_count; i++)
        *out += counts(m->state.entries[m->actors[i]].record, true);
    return TM_OK;
}

struct ledger_view ledger_memory_view(struct ledger_memory *m)
{
    return (struct ledger_view){m, get, has_transaction, unstaking, paused, active_validators};
}

static int by_address(const void *x, const void *y)
{
    const struct validator *a = x, *b = y;

    return bytes_compare(a->address, b->address);
}

struct validator_set ledger_memory_validators(struct ledger_memory *m, const struct rules *rules,
                                              struct arena *a)
{
    struct validator_set set = {arena_array(a, struct validator, m->actor_count), 0};

    for (size_t i = 0; i < m->actor_count; i++) {
        const struct record *r = m->state.entries[m->actors[i]].record;

        if (counts(r, rules->validator_set_filtered))
            set.members[set.count++] =
                (struct validator){arena_copy(a, r->key), arena_copy(a, r->actor.public_key)};
    }
    if (set.count > 0)
        qsort(set.members, set.count, sizeof *set.members, by_address);
    return set;
}
