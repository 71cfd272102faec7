#include "node_map.h"

#include <assert.h>
#include <stdlib.h>

enum { NODE_MAP_FIRST = 1024 };

static uint64_t hash_of(enum tree_id tree, uint8_t depth, uint64_t prefix)
{
    uint64_t z = prefix ^ (uint64_t)tree << 60 ^ (uint64_t)depth << 52;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static void *must(void *p)
{
    if (p == NULL)
        abort();
    return p;
}

void node_map_init(struct node_map *m)
{
    *m = (struct node_map){.capacity = NODE_MAP_FIRST / 2, .slot_count = NODE_MAP_FIRST};
    m->entries = must(calloc(m->capacity, sizeof *m->entries));
    m->slots = must(calloc(m->slot_count, sizeof *m->slots));
}

void node_map_free(struct node_map *m)
{
    free(m->entries);
    free(m->slots);
    *m = (struct node_map){0};
}

static void grow(struct node_map *m)
{
    m->capacity *= 2;
    m->slot_count *= 2;
    m->entries = must(realloc(m->entries, m->capacity * sizeof *m->entries));
    free(m->slots);
    m->slots = must(calloc(m->slot_count, sizeof *m->slots));
    for (size_t i = 0; i < m->count; i++) {
        const struct node_entry *e = &m->entries[i];
        size_t at = hash_of(e->tree, e->row.depth, e->row.prefix) & (m->slot_count - 1);

        while (m->slots[at] != 0)
            at = (at + 1) & (m->slot_count - 1);
        m->slots[at] = (uint32_t)(i + 1);
    }
}

struct node_entry *node_map_at(struct node_map *m, enum tree_id tree, uint8_t depth,
                               uint64_t prefix)
{
    size_t at;
    struct node_entry *e;

    if (m->count == m->capacity)
        grow(m);
    at = hash_of(tree, depth, prefix) & (m->slot_count - 1);
    while (m->slots[at] != 0) {
        e = &m->entries[m->slots[at] - 1];
        if (e->tree == tree && e->row.depth == depth && e->row.prefix == prefix)
            return e;
        at = (at + 1) & (m->slot_count - 1);
    }
    assert(m->count < UINT32_MAX);
    e = &m->entries[m->count++];
    *e = (struct node_entry){
        .tree = tree, .row = {.depth = depth, .prefix = prefix}, .valid_from = HEIGHT_NONE};
    m->slots[at] = (uint32_t)m->count;
    return e;
}
