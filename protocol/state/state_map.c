#include "state_map.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { SLOTS_MIN = 64 };

/* A run of `to` elements that begins with the first `from` of the old one. */
static void *grow(struct state_map *m, void *old, size_t from, size_t to, size_t size)
{
    void *run;

    if (m->arena != NULL) {
        run = arena_alloc(m->arena, to * size);
        if (from > 0)
            memcpy(run, old, from * size);
        return run;
    }
    run = realloc(old, to * size);
    if (run == NULL) {
        fprintf(stderr, "out of memory: %zu bytes\n", to * size);
        abort();
    }
    return run;
}

/* Keys are mostly hashes, but addresses and IBC keys can be chosen by a sender: every byte counts.
 */
static uint64_t hash_key(enum tree_id tree, struct bytes key)
{
    uint64_t h = 0x9e3779b97f4a7c15u * (key.size + 1) ^ (uint64_t)tree;
    size_t i = 0;

    for (; i + 8 <= key.size; i += 8) {
        uint64_t word;

        memcpy(&word, key.data + i, sizeof word);
        h = (h ^ word) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    for (; i < key.size; i++)
        h = (h ^ key.data[i]) * 0x100000001b3u;
    h ^= h >> 33;
    h *= 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 29;
}

/* The slot of (tree, key), or the empty slot where it belongs. The map has slots. */
static size_t find_slot(const struct state_map *m, enum tree_id tree, struct bytes key)
{
    size_t mask = m->slot_count - 1;
    size_t slot = (size_t)hash_key(tree, key) & mask;

    while (m->slots[slot] != 0) {
        const struct state_entry *e = &m->entries[m->slots[slot] - 1];

        if (e->tree == tree && bytes_equal(e->key, key))
            break;
        slot = (slot + 1) & mask;
    }
    return slot;
}

static void rehash(struct state_map *m, size_t slot_count)
{
    m->slots = grow(m, m->slots, 0, slot_count, sizeof *m->slots);
    memset(m->slots, 0, slot_count * sizeof *m->slots);
    m->slot_count = slot_count;
    for (size_t i = 0; i < m->count; i++)
        m->slots[find_slot(m, m->entries[i].tree, m->entries[i].key)] = (uint32_t)(i + 1);
}

void state_map_init(struct state_map *m)
{
    *m = (struct state_map){0};
}

void state_map_init_in(struct state_map *m, struct arena *a)
{
    *m = (struct state_map){.arena = a};
}

void state_map_free(struct state_map *m)
{
    if (m->arena == NULL) {
        free(m->entries);
        free(m->slots);
    }
    state_map_init_in(m, m->arena);
}

void state_map_clear(struct state_map *m)
{
    m->count = 0;
    if (m->slot_count > 0)
        memset(m->slots, 0, m->slot_count * sizeof *m->slots);
}

const struct state_entry *state_map_find(const struct state_map *m, enum tree_id tree,
                                         struct bytes key)
{
    size_t slot;

    if (m->count == 0)
        return NULL;
    slot = find_slot(m, tree, key);
    return m->slots[slot] == 0 ? NULL : &m->entries[m->slots[slot] - 1];
}

void state_map_put(struct state_map *m, enum tree_id tree, struct bytes key,
                   const struct record *record)
{
    size_t slot;

    if (m->slot_count == 0)
        rehash(m, SLOTS_MIN);
    slot = find_slot(m, tree, key);
    if (m->slots[slot] != 0) {
        struct state_entry *e = &m->entries[m->slots[slot] - 1];

        if (record != NULL)
            e->key = key;
        e->record = record;
        return;
    }
    assert(m->count < UINT32_MAX);
    if (m->count == m->capacity) {
        size_t capacity = m->capacity == 0 ? SLOTS_MIN : m->capacity * 2;

        m->entries = grow(m, m->entries, m->capacity, capacity, sizeof *m->entries);
        m->capacity = capacity;
    }
    m->entries[m->count++] = (struct state_entry){tree, key, record};
    m->slots[slot] = (uint32_t)m->count;
    /* At most half full, so that probing stays short. */
    if (m->count * 2 > m->slot_count)
        rehash(m, m->slot_count * 2);
}
