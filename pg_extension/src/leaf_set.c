#include "leaf_set.h"

#include "memory.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "protocol/base/hex.h"
#include "protocol/sha256/sha256.h"

enum {
    LENGTH_SIZE = 4,
    HEADER_SIZE = 16,       /* LE8 count, LE8 bytes of keys */
    BUCKET_LEAVES = 8,      /* leaves in a bucket of the sort, on average */
    BUCKET_BITS_MAX = 20,   /* 2^20 counters are 8 MB */
    SMALL_BUCKET = 24,      /* at most this many are sorted by insertion */
    SHOWN_KEY_MAX = 64,     /* bytes of a key that an error shows */
    LEAVES_PER_CHECK = 8192 /* between two looks for a cancel request */
};

struct leaf_set *leaf_set_new(MemoryContext context)
{
    struct leaf_set *set = MemoryContextAllocZero(context, sizeof *set);

    set->context = context;
    return set;
}

static void write_le(uint8_t *out, uint64_t n, int size)
{
    for (int i = 0; i < size; i++)
        out[i] = (uint8_t)(n >> 8 * i);
}

static uint64_t read_le(const uint8_t *in, int size)
{
    uint64_t n = 0;

    for (int i = size - 1; i >= 0; i--)
        n = n << 8 | in[i];
    return n;
}

void leaf_set_add(struct leaf_set *set, struct bytes key, struct bytes value)
{
    struct hash32 value_hash = sha256(value);

    leaf_set_add_hash(set, key, &value_hash);
}

void leaf_set_add_hash(struct leaf_set *set, struct bytes key, const struct hash32 *value_hash)
{
    size_t need = LENGTH_SIZE + key.size;
    uint8_t *end;

    set->leaves = memory_grow(set->context, set->leaves, set->count, 1, &set->capacity,
                              sizeof *set->leaves, "leaves");
    set->keys = memory_grow(set->context, set->keys, set->key_bytes, need, &set->key_capacity, 1,
                            "bytes of keys");
    set->leaves[set->count].path = sha256(key);
    set->leaves[set->count].value_hash = *value_hash;
    set->count++;
    end = set->keys + set->key_bytes;
    write_le(end, key.size, LENGTH_SIZE);
    if (key.size > 0)
        memcpy(end + LENGTH_SIZE, key.data, key.size);
    set->key_bytes += need;
}

void leaf_set_append(struct leaf_set *set, const struct leaf_set *other)
{
    if (other->count == 0)
        return;
    set->leaves = memory_grow(set->context, set->leaves, set->count, other->count, &set->capacity,
                              sizeof *set->leaves, "leaves");
    set->keys = memory_grow(set->context, set->keys, set->key_bytes, other->key_bytes,
                            &set->key_capacity, 1, "bytes of keys");
    memcpy(set->leaves + set->count, other->leaves, other->count * sizeof *set->leaves);
    memcpy(set->keys + set->key_bytes, other->keys, other->key_bytes);
    set->count += other->count;
    set->key_bytes += other->key_bytes;
}

bytea *leaf_set_write(const struct leaf_set *set)
{
    size_t leaf_bytes = set->count * sizeof *set->leaves;
    size_t size = VARHDRSZ + HEADER_SIZE + leaf_bytes + set->key_bytes;
    bytea *out;
    uint8_t *p;

    if (size > MaxAllocSize)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("%zu leaves are too many for one parallel worker", set->count),
                        errhint("SET max_parallel_workers_per_gather = 0 and try again.")));
    out = palloc(size);
    SET_VARSIZE(out, size);
    p = (uint8_t *)VARDATA(out);
    write_le(p, set->count, 8);
    write_le(p + 8, set->key_bytes, 8);
    if (set->count > 0) {
        memcpy(p + HEADER_SIZE, set->leaves, leaf_bytes);
        memcpy(p + HEADER_SIZE + leaf_bytes, set->keys, set->key_bytes);
    }
    return out;
}

struct leaf_set *leaf_set_read(MemoryContext context, struct bytes bytes)
{
    struct leaf_set *set = leaf_set_new(context);
    struct leaf_set borrowed = {.context = context};
    size_t leaf_bytes = 0, walked = 0;
    bool ok = bytes.size >= HEADER_SIZE;

    if (ok) {
        borrowed.count = read_le(bytes.data, 8);
        borrowed.key_bytes = read_le(bytes.data + 8, 8);
        ok = borrowed.count <= bytes.size / sizeof *set->leaves;
    }
    if (ok) {
        leaf_bytes = borrowed.count * sizeof *set->leaves;
        ok = borrowed.key_bytes <= bytes.size &&
             bytes.size == HEADER_SIZE + leaf_bytes + borrowed.key_bytes;
    }
    if (ok) {
        borrowed.leaves = (struct smt_leaf *)(bytes.data + HEADER_SIZE);
        borrowed.keys = (uint8_t *)(bytes.data + HEADER_SIZE + leaf_bytes);
        for (size_t i = 0; ok && i < borrowed.count; i++) {
            ok = borrowed.key_bytes - walked >= LENGTH_SIZE;
            if (ok)
                walked += LENGTH_SIZE + read_le(borrowed.keys + walked, LENGTH_SIZE);
            ok = ok && walked <= borrowed.key_bytes;
        }
        ok = ok && walked == borrowed.key_bytes;
    }
    if (!ok)
        ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
                        errmsg("not a serialised state of smt_root")));
    leaf_set_append(set, &borrowed);
    return set;
}

static int by_path(const void *x, const void *y)
{
    const struct smt_leaf *a = x, *b = y;

    return memcmp(a->path.b, b->path.b, sizeof a->path.b);
}

static void sort_small(struct smt_leaf *leaves, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct smt_leaf leaf = leaves[i];
        size_t j = i;

        while (j > 0 && by_path(&leaves[j - 1], &leaf) > 0) {
            leaves[j] = leaves[j - 1];
            j--;
        }
        leaves[j] = leaf;
    }
}

static uint32_t bucket_of(const struct smt_leaf *leaf, int bits)
{
    const uint8_t *b = leaf->path.b;
    uint32_t top = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];

    return bits == 0 ? 0 : top >> (32 - bits);
}

/*
 * Paths are digests, so their first bits spread the leaves evenly over buckets of a few; where
 * someone ground them into one bucket, that bucket is sorted by comparison.
 */
static void sort_by_path(struct leaf_set *set)
{
    size_t count = set->count, buckets, *start;
    struct smt_leaf *sorted;
    int bits = 0;

    while (bits < BUCKET_BITS_MAX && (count >> bits) > BUCKET_LEAVES)
        bits++;
    buckets = (size_t)1 << bits;
    start = MemoryContextAllocExtended(set->context, (buckets + 1) * sizeof *start,
                                       MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
    sorted = MemoryContextAllocHuge(set->context, count * sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        start[bucket_of(&set->leaves[i], bits) + 1]++;
    for (size_t i = 0; i < buckets; i++)
        start[i + 1] += start[i];
    for (size_t i = 0; i < count; i++)
        sorted[start[bucket_of(&set->leaves[i], bits)]++] = set->leaves[i];
    for (size_t i = 0, from = 0; i < buckets; from = start[i++]) {
        if (start[i] - from <= SMALL_BUCKET)
            sort_small(sorted + from, start[i] - from);
        else
            qsort(sorted + from, start[i] - from, sizeof *sorted, by_path);
        if (i % LEAVES_PER_CHECK == 0)
            CHECK_FOR_INTERRUPTS();
    }
    pfree(start);
    pfree(set->leaves);
    set->leaves = sorted;
    set->capacity = count;
}

static void raise_twice(const struct leaf_set *set, const struct hash32 *path)
{
    const uint8_t *p = set->keys;

    for (size_t i = 0; i < set->count; i++) {
        struct bytes key = bytes_make(p + LENGTH_SIZE, read_le(p, LENGTH_SIZE));
        struct hash32 found = sha256(key);
        char text[2 * SHOWN_KEY_MAX + 1] = {0};

        p = key.data + key.size;
        if (!hash32_equal(&found, path))
            continue;
        hex_encode(bytes_make(key.data, Min(key.size, SHOWN_KEY_MAX)), text);
        ereport(ERROR,
                (errcode(ERRCODE_UNIQUE_VIOLATION),
                 errmsg("key \\x%s%s occurs twice", text, key.size > SHOWN_KEY_MAX ? "…" : ""),
                 errdetail("A tree holds each key once.")));
    }
    elog(ERROR, "a path without a key");
}

struct hash32 leaf_set_root(struct leaf_set *set)
{
    struct hash32 root = {{0}}, *scratch;
    struct tm_error e = {0};

    if (set->count == 0)
        return root;
    sort_by_path(set);
    for (size_t i = 1; i < set->count; i++)
        if (by_path(&set->leaves[i - 1], &set->leaves[i]) == 0)
            raise_twice(set, &set->leaves[i].path);
    scratch = MemoryContextAllocHuge(set->context, set->count * sizeof *scratch);
    if (smt_root_of_sorted(set->leaves, set->count, scratch, &root, &e) != TM_OK)
        elog(ERROR, "smt_root: %s", e.text);
    pfree(scratch);
    return root;
}
