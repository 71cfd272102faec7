#include "chains.h"

#include <stdlib.h>

bool chain_id_is_standard(struct bytes id)
{
    if (id.size != CHAIN_ID_SIZE)
        return false;
    for (size_t i = 0; i < id.size; i++)
        if (id.data[i] < 0x21 || id.data[i] > 0x7e)
            return false;
    return true;
}

bool chain_id_pad(struct arena *a, struct bytes id, struct bytes *out)
{
    size_t characters = 0, kept = 0;
    uint8_t *padded;

    for (size_t i = 0; i < id.size; i++) {
        bool starts = (id.data[i] & 0xc0) != 0x80; /* not a UTF-8 continuation byte */

        if (id.data[i] == 0)
            return false;
        characters += starts;
        if (characters > CHAIN_ID_SIZE) {
            if (id.data[i] != ' ')
                return false;
        } else {
            kept = i + 1;
        }
    }
    if (characters >= CHAIN_ID_SIZE) {
        *out = bytes_make(id.data, kept);
        return true;
    }
    padded = arena_alloc(a, id.size + CHAIN_ID_SIZE - characters);
    if (id.size > 0)
        memcpy(padded, id.data, id.size);
    memset(padded + id.size, ' ', CHAIN_ID_SIZE - characters);
    *out = bytes_make(padded, id.size + CHAIN_ID_SIZE - characters);
    return true;
}

static int by_bytes(const void *x, const void *y)
{
    const struct bytes *a = x, *b = y;

    return bytes_compare(*a, *b);
}

struct chains chains_sorted(struct arena *a, const struct bytes *ids, size_t count)
{
    struct chains out = {arena_array(a, struct bytes, count), 0};

    if (count == 0)
        return out;
    memcpy(out.ids, ids, count * sizeof *ids);
    qsort(out.ids, count, sizeof *out.ids, by_bytes);
    for (size_t i = 0; i < count; i++)
        if (out.count == 0 || !bytes_equal(out.ids[i], out.ids[out.count - 1]))
            out.ids[out.count++] = out.ids[i];
    return out;
}

struct chains chains_union(struct arena *a, struct chains x, struct chains y)
{
    struct bytes *all = arena_array(a, struct bytes, x.count + y.count);

    if (x.count > 0)
        memcpy(all, x.ids, x.count * sizeof *all);
    if (y.count > 0)
        memcpy(all + x.count, y.ids, y.count * sizeof *all);
    return chains_sorted(a, all, x.count + y.count);
}
