#include "tree/leaf_buckets.h"

#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/memutils.h"

#include "protocol/base/hex.h"
#include "protocol/sha256/sha256.h"

enum {
    /* Chunks of a bucket grow by doubling, so that small trees stay small. */
    CHUNK_FIRST = 512,
    CHUNK_LAST = 16384,
    /* Rows that wait for the kernels, and room for the bytes of their keys and values. */
    ROWS_WAITING = 64,
    BYTES_WAITING = 16384,
    /* Sort within a bucket: leaves in one slot on average, and slots of at most so many bits. */
    SLOT_LEAVES = 4,
    SLOT_BITS_MAX = 20,
    SMALL_SLOT = 24 /* at most this many are sorted by insertion */
};

/* 64 bytes a leaf: 16 GB. A chain is far from it; a query that is out of its mind is not. */
#define LEAVES_MAX (UINT64CONST(1) << 28)

struct chunk {
    dsa_pointer before;
    uint32 count, room;
    struct smt_leaf leaves[];
};

StaticAssertDecl(sizeof(struct chunk) <= sizeof(struct smt_leaf), "a chunk's header is larger");

struct leaf_writer {
    struct leaf_memory memory;
    struct leaf_buckets *to;
    struct chunk *open[LEAF_BUCKETS];
    size_t rows, used;
    struct bytes key[ROWS_WAITING], value[ROWS_WAITING];
    struct hash32 path[ROWS_WAITING], value_hash[ROWS_WAITING];
    struct smt_leaf leaves[ROWS_WAITING];
    uint8 bytes[BYTES_WAITING];
};

struct leaf_writer *leaf_writer_new(struct leaf_memory memory, struct leaf_buckets *to)
{
    struct leaf_writer *w = MemoryContextAlloc(memory.context, sizeof *w);

    w->memory = memory;
    w->to = to;
    w->rows = w->used = 0;
    memset(w->open, 0, sizeof w->open);
    return w;
}

static struct chunk *chunk_at(struct leaf_memory memory, dsa_pointer p)
{
    if (memory.area != NULL)
        return dsa_get_address(memory.area, p);
    return (struct chunk *)(uintptr_t)p;
}

/* A new chunk at the end of a bucket, twice as large as the one before. */
static struct chunk *open_chunk(struct leaf_writer *w, unsigned bucket)
{
    struct leaf_bucket *b = &w->to->bucket[bucket];
    struct chunk *before = w->open[bucket], *chunk;
    /* A chunk's header takes the room of one leaf. */
    size_t size = before == NULL ? CHUNK_FIRST
                                 : Min(2 * (before->room + 1) * sizeof *before->leaves, CHUNK_LAST);
    dsa_pointer p;

    if (w->to->count > LEAVES_MAX)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("a tree with more than " UINT64_FORMAT " leaves is too large",
                               LEAVES_MAX)));
    if (w->memory.area != NULL) {
        p = dsa_allocate(w->memory.area, size);
        chunk = dsa_get_address(w->memory.area, p);
    } else {
        chunk = MemoryContextAlloc(w->memory.context, size);
        p = (dsa_pointer)(uintptr_t)chunk;
    }
    chunk->before = b->last;
    chunk->count = 0;
    chunk->room = (uint32)(size / sizeof *chunk->leaves) - 1;
    b->last = p;
    return w->open[bucket] = chunk;
}

/* The first 64 bits of the path, as a number. */
static uint64 first_bits(const struct smt_leaf *leaf)
{
    uint64 bits;

    memcpy(&bits, leaf->path.b, sizeof bits);
    return pg_ntoh64(bits);
}

void leaf_writer_add_hashed(struct leaf_writer *w, const struct smt_leaf *leaves, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned bucket = (unsigned)(first_bits(&leaves[i]) >> (64 - LEAF_BUCKET_BITS));
        struct chunk *chunk = w->open[bucket];

        if (chunk == NULL || chunk->count == chunk->room)
            chunk = open_chunk(w, bucket);
        chunk->leaves[chunk->count++] = leaves[i];
        w->to->bucket[bucket].count++;
        w->to->count++;
    }
}

void leaf_writer_flush(struct leaf_writer *w)
{
    sha256_many(w->key, w->path, w->rows);
    sha256_many(w->value, w->value_hash, w->rows);
    for (size_t i = 0; i < w->rows; i++)
        w->leaves[i] = (struct smt_leaf){w->path[i], w->value_hash[i]};
    smt_hash_leaves(w->leaves, w->rows);
    leaf_writer_add_hashed(w, w->leaves, w->rows);
    w->rows = w->used = 0;
}

static struct bytes keep(struct leaf_writer *w, struct bytes b)
{
    uint8 *to = w->bytes + w->used;

    if (b.size > 0)
        memcpy(to, b.data, b.size);
    w->used += b.size;
    return bytes_make(to, b.size);
}

void leaf_writer_add(struct leaf_writer *w, struct bytes key, struct bytes value)
{
    if (key.size + value.size > BYTES_WAITING) {
        struct hash32 value_hash = sha256(value);

        leaf_writer_add_hash(w, key, &value_hash);
        return;
    }
    if (w->rows == ROWS_WAITING || key.size + value.size > BYTES_WAITING - w->used)
        leaf_writer_flush(w);
    w->key[w->rows] = keep(w, key);
    w->value[w->rows] = keep(w, value);
    w->rows++;
}

void leaf_writer_add_hash(struct leaf_writer *w, struct bytes key, const struct hash32 *value_hash)
{
    struct smt_leaf leaf = {sha256(key), *value_hash};

    smt_hash_leaves(&leaf, 1);
    leaf_writer_add_hashed(w, &leaf, 1);
}

void leaf_writer_append(struct leaf_writer *w, const struct leaf_buckets *from)
{
    for (unsigned i = 0; i < LEAF_BUCKETS; i++) {
        const struct chunk *chunk;

        for (dsa_pointer p = from->bucket[i].last; DsaPointerIsValid(p); p = chunk->before) {
            chunk = chunk_at(w->memory, p);
            leaf_writer_add_hashed(w, chunk->leaves, chunk->count);
        }
    }
}

void leaf_buckets_copy(struct leaf_memory memory, const struct leaf_buckets *from,
                       struct smt_leaf *to)
{
    for (unsigned i = 0; i < LEAF_BUCKETS; i++) {
        const struct chunk *chunk;

        for (dsa_pointer p = from->bucket[i].last; DsaPointerIsValid(p); p = chunk->before) {
            chunk = chunk_at(memory, p);
            memcpy(to, chunk->leaves, chunk->count * sizeof *to);
            to += chunk->count;
        }
    }
}

/* A leaf by what decides its place, nearly always. */
struct place {
    uint64 bits;
    const struct smt_leaf *leaf;
};

static bool comes_before(const struct place *a, const struct place *b)
{
    return a->bits != b->bits
               ? a->bits < b->bits
               : memcmp(a->leaf->path.b, b->leaf->path.b, sizeof a->leaf->path.b) < 0;
}

static int compare(const void *x, const void *y)
{
    const struct place *a = x, *b = y;

    return comes_before(a, b) ? -1 : comes_before(b, a);
}

static void sort_small(struct place *places, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct place place = places[i];
        size_t j = i;

        for (; j > 0 && comes_before(&place, &places[j - 1]); j--)
            places[j] = places[j - 1];
        places[j] = place;
    }
}

/*
 * Sorts the places of one bucket into `sorted`. Paths are digests, so the bits after those of the
 * bucket spread the leaves evenly over slots of a few; where someone ground them into one slot,
 * that slot is sorted by comparison.
 */
static void sort_places(const struct place *places, size_t count, const struct smt_leaf **sorted)
{
    struct place *out = palloc_extended(count * sizeof *out, MCXT_ALLOC_HUGE);
    size_t slots, *end;
    int bits = 1;

    while (bits < SLOT_BITS_MAX && (count >> bits) > SLOT_LEAVES)
        bits++;
    slots = (size_t)1 << bits;
    end = palloc0((slots + 1) * sizeof *end);
#define SLOT(p) ((p).bits << LEAF_BUCKET_BITS >> (64 - bits))
    for (size_t i = 0; i < count; i++)
        end[SLOT(places[i]) + 1]++;
    for (size_t i = 0; i < slots; i++)
        end[i + 1] += end[i];
    for (size_t i = 0; i < count; i++)
        out[end[SLOT(places[i])]++] = places[i];
#undef SLOT
    for (size_t i = 0, from = 0; i < slots; from = end[i++]) {
        if (end[i] - from <= SMALL_SLOT)
            sort_small(out + from, end[i] - from);
        else
            qsort(out + from, end[i] - from, sizeof *out, compare);
    }
    for (size_t i = 0; i < count; i++)
        sorted[i] = out[i].leaf;
    pfree(end);
    pfree(out);
}

static void raise_twice(const struct smt_leaf *const *sorted, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        char path[2 * sizeof(struct hash32) + 1] = {0};

        if (!hash32_equal(&sorted[i - 1]->path, &sorted[i]->path))
            continue;
        hex_encode(bytes_hash(&sorted[i]->path), path);
        ereport(ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION), errmsg("a key occurs twice"),
                        errdetail("Its path is \\x%s.", path),
                        errhint("tidemark.path(key) gives the path of a key.")));
    }
}

bool leaf_buckets_subtree(struct leaf_memory memory, const struct leaf_buckets *sets, size_t count,
                          unsigned bucket, struct smt_subtree *out)
{
    const struct smt_leaf **sorted;
    struct place *places;
    struct tm_error e = {0};
    size_t total = 0, n = 0;

    CHECK_FOR_INTERRUPTS();
    for (size_t i = 0; i < count; i++)
        total += sets[i].bucket[bucket].count;
    if (total == 0)
        return false;
    places = palloc_extended(total * sizeof *places, MCXT_ALLOC_HUGE);
    sorted = palloc_extended(total * sizeof *sorted, MCXT_ALLOC_HUGE);
    for (size_t i = 0; i < count; i++) {
        const struct chunk *chunk;

        for (dsa_pointer p = sets[i].bucket[bucket].last; DsaPointerIsValid(p); p = chunk->before) {
            chunk = chunk_at(memory, p);
            for (uint32 k = 0; k < chunk->count; k++)
                places[n++] = (struct place){first_bits(&chunk->leaves[k]), &chunk->leaves[k]};
        }
    }
    sort_places(places, total, sorted);
    if (smt_subtree_of_hashed(sorted, total, LEAF_BUCKET_BITS, out, &e) != TM_OK) {
        raise_twice(sorted, total);
        elog(ERROR, "smt_root: %s", e.text);
    }
    pfree(sorted);
    pfree(places);
    return true;
}

struct hash32 leaf_buckets_root(const struct smt_subtree *subtrees, const bool *there)
{
    struct smt_subtree list[LEAF_BUCKETS];
    struct hash32 root = {{0}};
    struct tm_error e = {0};
    size_t count = 0;

    for (unsigned i = 0; i < LEAF_BUCKETS; i++)
        if (there[i])
            list[count++] = subtrees[i];
    if (smt_root_of_subtrees(list, count, &root, &e) != TM_OK)
        elog(ERROR, "smt_root: %s", e.text);
    return root;
}
