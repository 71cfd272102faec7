#include "change_digest.h"

#include "../sha256/sha256.h"

#include <stdlib.h>

static int by_key(const void *x, const void *y)
{
    const struct change_entry *a = x, *b = y;

    return bytes_compare(a->key, b->key);
}

static void little_endian(uint64_t n, uint8_t *out, int size)
{
    for (int i = 0; i < size; i++)
        out[i] = (uint8_t)(n >> 8 * i);
}

static void add_length(struct sha256_state *s, size_t n)
{
    uint8_t le[4];

    little_endian(n, le, sizeof le);
    sha256_add(s, bytes_make(le, sizeof le));
}

bool change_digest(struct change_entry *entries, size_t count, struct hash32 *out)
{
    static const uint8_t gone = 0, there = 1;
    struct sha256_state s;

    memset(out, 0, sizeof *out);
    if (count == 0)
        return true;
    qsort(entries, count, sizeof *entries, by_key);
    sha256_begin(&s);
    for (size_t i = 0; i < count; i++) {
        const struct change_entry *entry = &entries[i];

        if (entry->key.size > UINT32_MAX || (entry->present && entry->leaf.size > UINT32_MAX) ||
            (i > 0 && by_key(entry - 1, entry) == 0))
            return false;
        add_length(&s, entry->key.size);
        sha256_add(&s, entry->key);
        sha256_add(&s, bytes_make(entry->present ? &there : &gone, 1));
        if (entry->present) {
            add_length(&s, entry->leaf.size);
            sha256_add(&s, entry->leaf);
        }
    }
    *out = sha256_end(&s);
    return true;
}

static int by_place(const void *x, const void *y)
{
    const struct node_entry *a = x, *b = y;

    if (a->tree != b->tree)
        return a->tree < b->tree ? -1 : 1;
    if (a->depth != b->depth)
        return a->depth < b->depth ? -1 : 1;
    return (a->prefix > b->prefix) - (a->prefix < b->prefix);
}

bool node_digest(struct node_entry *entries, size_t count, struct hash32 *out)
{
    struct sha256_state s;

    memset(out, 0, sizeof *out);
    if (count == 0)
        return true;
    qsort(entries, count, sizeof *entries, by_place);
    sha256_begin(&s);
    for (size_t i = 0; i < count; i++) {
        const struct node_entry *entry = &entries[i];
        uint8_t head[11] = {entry->tree, entry->depth};

        if (i > 0 && by_place(entry - 1, entry) == 0)
            return false;
        little_endian(entry->prefix, head + 2, 8);
        head[10] = entry->present;
        sha256_add(&s, bytes_make(head, sizeof head));
        if (entry->present)
            sha256_add(&s, bytes_hash(&entry->digest));
    }
    *out = sha256_end(&s);
    return true;
}
