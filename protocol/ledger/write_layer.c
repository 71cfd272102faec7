#include "write_layer.h"

#include <stdlib.h>

/* In an entry of the map: the layer says nothing (a write was taken back). */
static const struct record UNTOUCHED;

void layer_init(struct write_layer *l, struct arena *a, const struct ledger_view *view)
{
    *l = (struct write_layer){.arena = a, .view = view};
    state_map_init_in(&l->map, a);
}

bool is_active_validator(const struct record *r)
{
    return r != NULL && r->tree == TREE_VAL && r->actor.paused_height == HEIGHT_NONE &&
           r->actor.unstaking_height == HEIGHT_NONE;
}

/* The layer's entry, or NULL when it says nothing. */
static const struct state_entry *find(const struct write_layer *l, enum tree_id tree,
                                      struct bytes key)
{
    const struct state_entry *entry = state_map_find(&l->map, tree, key);

    return entry == NULL || entry->record == &UNTOUCHED ? NULL : entry;
}

bool layer_has(const struct write_layer *l, enum tree_id tree, struct bytes key)
{
    return find(l, tree, key) != NULL;
}

enum tm_err layer_committed(struct write_layer *l, enum tree_id tree, struct bytes key,
                            const struct record **out, struct tm_error *e)
{
    return l->view->get(l->view->ctx, tree, key, out, e);
}

enum tm_err layer_current(struct write_layer *l, enum tree_id tree, struct bytes key,
                          const struct record **out, struct tm_error *e)
{
    const struct state_entry *entry = find(l, tree, key);

    if (entry == NULL)
        return layer_committed(l, tree, key, out, e);
    *out = entry->record;
    return TM_OK;
}

/* One more element of a list in an arena; doubles its room when full. */
static void *extended(struct arena *a, void *list, size_t count, size_t *capacity, size_t size)
{
    size_t wanted = *capacity == 0 ? 64 : *capacity * 2;
    void *grown;

    if (count < *capacity)
        return list;
    grown = arena_alloc(a, wanted * size);
    if (count > 0)
        memcpy(grown, list, count * size);
    *capacity = wanted;
    return grown;
}

static void count_validator(struct write_layer *l, const struct record *from,
                            const struct record *to)
{
    l->active_validators += (long)is_active_validator(to) - (long)is_active_validator(from);
}

/* The record of an entry as seen from above the layer. */
static const struct record *effective(const struct write_layer *l, size_t entry)
{
    const struct record *r = l->map.entries[entry].record;

    return r == &UNTOUCHED ? l->before[entry] : r;
}

/* Makes sure that the map has an entry with its record of the view; *out is its index. */
static enum tm_err enter(struct write_layer *l, enum tree_id tree, struct bytes key, size_t *out,
                         struct tm_error *e)
{
    const struct state_entry *entry = state_map_find(&l->map, tree, key);
    const struct record *before = NULL;
    enum tm_err err;

    if (entry != NULL) {
        *out = (size_t)(entry - l->map.entries);
        return TM_OK;
    }
    /* Transactions are only ever added, and the ledger has asked for the hash before. */
    if (tree != TREE_TRANSACTIONS) {
        err = layer_committed(l, tree, key, &before, e);
        if (err != TM_OK)
            return err;
    }
    *out = l->map.count;
    l->before = extended(l->arena, l->before, l->map.count, &l->before_capacity, sizeof *l->before);
    l->before[*out] = before;
    state_map_put(&l->map, tree, arena_copy(l->arena, key), &UNTOUCHED);
    return TM_OK;
}

static enum tm_err write(struct write_layer *l, enum tree_id tree, struct bytes key,
                         const struct record *record, struct tm_error *e)
{
    size_t i;
    struct state_entry *entry;
    enum tm_err err = enter(l, tree, key, &i, e);

    if (err != TM_OK)
        return err;
    entry = &l->map.entries[i];
    l->undo = extended(l->arena, l->undo, l->undo_count, &l->undo_capacity, sizeof *l->undo);
    l->undo[l->undo_count++] = (struct layer_undo){tree, entry->key, entry->record};
    l->touches =
        extended(l->arena, l->touches, l->touch_count, &l->touch_capacity, sizeof *l->touches);
    l->touches[l->touch_count++] = (struct ledger_touch){tree, entry->key, l->step};
    count_validator(l, effective(l, i), record);
    entry->record = record;
    return TM_OK;
}

enum tm_err layer_put(struct write_layer *l, const struct record *record, struct tm_error *e)
{
    return write(l, record->tree, record->key, record, e);
}

enum tm_err layer_remove(struct write_layer *l, enum tree_id tree, struct bytes key,
                         struct tm_error *e)
{
    return write(l, tree, key, NULL, e);
}

struct layer_mark layer_mark(const struct write_layer *l)
{
    return (struct layer_mark){l->undo_count, l->touch_count};
}

void layer_rollback(struct write_layer *l, struct layer_mark mark)
{
    while (l->undo_count > mark.undo_count) {
        const struct layer_undo *u = &l->undo[--l->undo_count];
        const struct state_entry *entry = state_map_find(&l->map, u->tree, u->key);
        size_t i = (size_t)(entry - l->map.entries);
        const struct record *from = effective(l, i);

        l->map.entries[i].record = u->record;
        count_validator(l, from, effective(l, i));
    }
    l->touch_count = mark.touch_count;
}

void layer_settle(struct write_layer *l)
{
    l->undo_count = 0;
}

static int by_key(enum tree_id xt, struct bytes xk, enum tree_id yt, struct bytes yk)
{
    return xt != yt ? (xt < yt ? -1 : 1) : bytes_compare(xk, yk);
}

static int write_order(const void *x, const void *y)
{
    const struct ledger_write *a = x, *b = y;

    return by_key(a->tree, a->key, b->tree, b->key);
}

static int touch_order(const void *x, const void *y)
{
    const struct ledger_touch *a = x, *b = y;
    int c = by_key(a->tree, a->key, b->tree, b->key);

    return c != 0 ? c : (a->step > b->step) - (a->step < b->step);
}

size_t layer_writes(struct write_layer *l, const struct ledger_write **out)
{
    struct ledger_write *writes = arena_array(l->arena, struct ledger_write, l->map.count);
    size_t count = 0;

    for (size_t i = 0; i < l->map.count; i++) {
        const struct state_entry *entry = &l->map.entries[i];
        const struct record *before = l->before[i], *after = entry->record;

        if (after == &UNTOUCHED || (before == NULL && after == NULL) ||
            (before != NULL && after != NULL && record_equal(before, after)))
            continue;
        writes[count++] = (struct ledger_write){entry->tree, entry->key, before, after};
    }
    qsort(writes, count, sizeof *writes, write_order);
    *out = writes;
    return count;
}

size_t layer_touches(struct write_layer *l, const struct ledger_write *writes, size_t write_count,
                     const struct ledger_touch **out)
{
    struct ledger_touch *touches = arena_array(l->arena, struct ledger_touch, l->touch_count);
    size_t count = 0, w = 0;

    if (l->touch_count > 0)
        qsort(l->touches, l->touch_count, sizeof *l->touches, touch_order);
    for (size_t i = 0; i < l->touch_count; i++) {
        const struct ledger_touch *t = &l->touches[i];

        while (w < write_count && by_key(writes[w].tree, writes[w].key, t->tree, t->key) < 0)
            w++;
        if (w == write_count)
            break;
        if (by_key(writes[w].tree, writes[w].key, t->tree, t->key) == 0 &&
            (count == 0 || touch_order(&touches[count - 1], t) != 0))
            touches[count++] = *t;
    }
    *out = touches;
    return count;
}
