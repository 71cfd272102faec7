#include "leaf_set.h"

#include "memory.h"

#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/memutils.h"

#include "protocol/base/hex.h"
#include "protocol/sha256/sha256.h"

enum {
    BUCKET_LEAVES = 4,      /* leaves in a bucket of the sort, on average */
    BUCKET_BITS_MAX = 20,   /* 2^20 counters are 8 MB */
    SMALL_BUCKET = 24,      /* at most this many are sorted by insertion */
    LEAVES_PER_CHECK = 8192 /* between two looks for a cancel request */
};

struct leaf_set *leaf_set_new(MemoryContext context)
{
    struct leaf_set *set = MemoryContextAllocZero(context, sizeof *set);

    set->context = context;
    return set;
}

void leaf_set_add(struct leaf_set *set, struct bytes key, struct bytes value)
{
    struct hash32 value_hash = sha256(value);

    leaf_set_add_hash(set, key, &value_hash);
}

void leaf_set_add_hash(struct leaf_set *set, struct bytes key, const struct hash32 *value_hash)
{
    set->leaves = memory_grow(set->context, set->leaves, set->count, 1, &set->capacity,
                              sizeof *set->leaves, "leaves");
    set->leaves[set->count].path = sha256(key);
    set->leaves[set->count].value_hash = *value_hash;
    set->count++;
}

/* The first 64 bits of the path, as a number. */
static uint64 first_bits(const struct smt_leaf *leaf)
{
    uint64 bits;

    memcpy(&bits, leaf->path.b, sizeof bits);
    return pg_ntoh64(bits);
}

static bool comes_before(const struct smt_leaf *a, const struct smt_leaf *b)
{
    uint64 x = first_bits(a), y = first_bits(b);

    return x != y ? x < y : memcmp(a->path.b, b->path.b, sizeof a->path.b) < 0;
}

static int by_path(const void *x, const void *y)
{
    const struct smt_leaf *a = x, *b = y;

    return memcmp(a->path.b, b->path.b, sizeof a->path.b);
}

static void sort_small(struct smt_leaf *leaves, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct smt_leaf leaf;
        size_t j = i;

        if (!comes_before(&leaves[i], &leaves[i - 1]))
            continue;
        leaf = leaves[i];
        do {
            leaves[j] = leaves[j - 1];
            j--;
        } while (j > 0 && comes_before(&leaf, &leaves[j - 1]));
        leaves[j] = leaf;
    }
}

/*
 * Sorts into another array. Paths are digests, so their first bits spread the leaves evenly over
 * buckets of a few; where someone ground them into one bucket, that bucket is sorted by comparison.
 */
static void sort_by_path(struct leaf_set *set, const struct smt_leaf *leaves, size_t count,
                         struct smt_leaf *sorted)
{
    size_t buckets, *start;
    int bits = 1;

    while (bits < BUCKET_BITS_MAX && (count >> bits) > BUCKET_LEAVES)
        bits++;
    buckets = (size_t)1 << bits;
    start = MemoryContextAllocExtended(set->context, (buckets + 1) * sizeof *start,
                                       MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
    for (size_t i = 0; i < count; i++)
        start[(first_bits(&leaves[i]) >> (64 - bits)) + 1]++;
    for (size_t i = 0; i < buckets; i++)
        start[i + 1] += start[i];
    for (size_t i = 0; i < count; i++)
        sorted[start[first_bits(&leaves[i]) >> (64 - bits)]++] = leaves[i];
    for (size_t i = 0, from = 0; i < buckets; from = start[i++]) {
        if (start[i] - from <= SMALL_BUCKET)
            sort_small(sorted + from, start[i] - from);
        else
            qsort(sorted + from, start[i] - from, sizeof *sorted, by_path);
        if (i % LEAVES_PER_CHECK == 0)
            CHECK_FOR_INTERRUPTS();
    }
    pfree(start);
}

static size_t end_of_runs(const struct leaf_set *set)
{
    return set->run_count > 0 ? set->run_end[set->run_count - 1] : 0;
}

/* Sorts the leaves from `from` on into a run of their own, the last. */
static void sort_rest(struct leaf_set *set, size_t from)
{
    size_t count = set->count - from;
    struct smt_leaf *sorted = MemoryContextAllocHuge(set->context, count * sizeof *sorted);

    sort_by_path(set, set->leaves + from, count, sorted);
    if (from == 0) {
        pfree(set->leaves);
        set->leaves = sorted;
        set->capacity = count;
        set->run_count = 0;
    } else {
        memcpy(set->leaves + from, sorted, count * sizeof *sorted);
        pfree(sorted);
    }
    set->run_end[set->run_count++] = set->count;
}

/* Makes runs of all leaves. */
static void settle(struct leaf_set *set)
{
    size_t from = end_of_runs(set);

    if (from == set->count)
        return;
    smt_hash_leaves(set->leaves + from, set->count - from);
    sort_rest(set, set->run_count == LEAF_RUNS_MAX ? 0 : from);
}

void leaf_set_append(struct leaf_set *set, const struct leaf_set *other)
{
    size_t from;

    if (other->count == 0)
        return;
    settle(set);
    from = set->count;
    set->leaves = memory_grow(set->context, set->leaves, set->count, other->count, &set->capacity,
                              sizeof *set->leaves, "leaves");
    memcpy(set->leaves + from, other->leaves, other->count * sizeof *set->leaves);
    set->count += other->count;
    if (set->run_count + other->run_count > LEAF_RUNS_MAX) {
        /* Only what has no digest yet is hashed. */
        smt_hash_leaves(set->leaves + from + end_of_runs(other), other->count - end_of_runs(other));
        sort_rest(set, 0);
        return;
    }
    for (int i = 0; i < other->run_count; i++)
        set->run_end[set->run_count++] = from + other->run_end[i];
    settle(set);
}

bytea *leaf_set_write(struct leaf_set *set)
{
    size_t size = VARHDRSZ + set->count * sizeof *set->leaves, from = end_of_runs(set);
    bytea *out;

    if (size > MaxAllocSize)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("%zu leaves are too many for one parallel worker", set->count),
                        errhint("SET max_parallel_workers_per_gather = 0 and try again.")));
    out = palloc(size);
    SET_VARSIZE(out, size);
    smt_hash_leaves(set->leaves + from, set->count - from);
    sort_by_path(set, set->leaves, set->count, (struct smt_leaf *)VARDATA(out));
    return out;
}

struct leaf_set *leaf_set_read(MemoryContext context, struct bytes bytes)
{
    struct leaf_set *set = leaf_set_new(context);

    if (bytes.size % sizeof *set->leaves != 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
                        errmsg("not a serialised state of smt_root")));
    set->leaves = (struct smt_leaf *)bytes.data;
    set->count = bytes.size / sizeof *set->leaves;
    if (set->count > 0)
        set->run_end[set->run_count++] = set->count;
    return set;
}

/* All leaves in the order of their paths. */
static const struct smt_leaf **merge(const struct leaf_set *set)
{
    const struct smt_leaf **merged =
        MemoryContextAllocHuge(set->context, set->count * sizeof *merged);
    const struct smt_leaf *next[LEAF_RUNS_MAX], *end[LEAF_RUNS_MAX];
    int runs = set->run_count;

    for (int i = 0; i < runs; i++) {
        next[i] = set->leaves + (i > 0 ? set->run_end[i - 1] : 0);
        end[i] = set->leaves + set->run_end[i];
    }
    for (size_t i = 0; i < set->count; i++) {
        int least = 0;

        for (int k = 1; k < runs; k++)
            if (comes_before(next[k], next[least]))
                least = k;
        merged[i] = next[least]++;
        if (next[least] == end[least]) {
            next[least] = next[--runs];
            end[least] = end[runs];
        }
    }
    return merged;
}

static void raise_twice(const struct smt_leaf *const *merged, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        char path[2 * sizeof(struct hash32) + 1] = {0};

        if (!hash32_equal(&merged[i - 1]->path, &merged[i]->path))
            continue;
        hex_encode(bytes_hash(&merged[i]->path), path);
        ereport(ERROR, (errcode(ERRCODE_UNIQUE_VIOLATION), errmsg("a key occurs twice"),
                        errdetail("Its path is \\x%s.", path),
                        errhint("tidemark.path(key) gives the path of a key.")));
    }
}

struct hash32 leaf_set_root(struct leaf_set *set)
{
    struct hash32 root = {{0}};
    const struct smt_leaf **merged;
    struct tm_error e = {0};

    if (set->count == 0)
        return root;
    settle(set);
    merged = merge(set);
    if (smt_root_of_hashed(merged, set->count, &root, &e) != TM_OK) {
        raise_twice(merged, set->count);
        elog(ERROR, "smt_root: %s", e.text);
    }
    pfree(merged);
    return root;
}
