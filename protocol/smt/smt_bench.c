/* Prints `name<TAB>value<TAB>unit`: a tree of a million leaves, updated in batches of 10,000. */
#include "nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../sha256/sha256.h"

enum { LEAVES = 1000000, BATCH = 10000, ROUNDS = 31, BUILDS = 5, BLOCK = 200, BLOCKS = 101 };

static uint64_t random_state = 88172645463325252u;

static uint64_t next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *x, size_t n)
{
    qsort(x, n, sizeof *x, by_value);
    return x[n / 2];
}

static int by_path(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct hash32));
}

static struct hash32 random_hash(void)
{
    struct hash32 h;

    for (size_t i = 0; i < sizeof h.b; i += 8) {
        uint64_t x = next();

        memcpy(h.b + i, &x, 8);
    }
    return h;
}

static size_t random_batch(const struct smt_leaf *leaves, struct smt_change *change, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        change[i] = (struct smt_change){leaves[next() % LEAVES].path, random_hash(), true};
    qsort(change, count, sizeof *change, by_path);
    for (size_t i = 0; i < count; i++)
        if (n == 0 || !hash32_equal(&change[i].path, &change[n - 1].path))
            change[n++] = change[i];
    return n;
}

/* Hashes a batch of value changes needs: for each depth the subtrees of two leaves or more that
 * hold a changed leaf, and the leaves themselves. */
static size_t count_hashes(const struct smt *t, uint32_t ref, unsigned top,
                           const struct smt_change *change, size_t count)
{
    const struct smt_branch *b;
    size_t left = 0;

    if (count == 0)
        return 0;
    if (smt_kind(ref) == SMT_LEAF)
        return 1;
    b = smt_branch_at(t, ref);
    while (left < count && !smt_bit(change[left].path.b, b->bit))
        left++;
    return b->bit - top + 1u + count_hashes(t, b->child[0], b->bit + 1u, change, left) +
           count_hashes(t, b->child[1], b->bit + 1u, change + left, count - left);
}

static double kernel_seconds(size_t hashes)
{
    enum { AT_ONCE = 8192 };
    static struct hash32 input[2 * AT_ONCE], output[AT_ONCE];
    static const struct hash32 *left[AT_ONCE], *right[AT_ONCE];
    static struct hash32 *out[AT_ONCE];
    double start;

    for (size_t i = 0; i < AT_ONCE; i++) {
        input[i] = random_hash();
        left[i] = &input[2 * i];
        right[i] = &input[2 * i + 1];
        out[i] = &output[i];
    }
    start = now();
    for (size_t done = 0; done < hashes; done += AT_ONCE)
        sha256_nodes(1, left, right, out, hashes - done < AT_ONCE ? hashes - done : AT_ONCE);
    return now() - start;
}

static void bench_batches(const char *name, struct smt *t, const struct smt_leaf *leaves,
                          size_t batch, size_t rounds)
{
    struct smt_change *change = smt_grown(NULL, batch, sizeof *change);
    double update[BLOCKS], kernel[BLOCKS], commit[BLOCKS], changes[BLOCKS], hashes_each[BLOCKS];

    for (size_t r = 0; r < rounds; r++) {
        size_t n = random_batch(leaves, change, batch);
        size_t hashes = count_hashes(t, smt_base(t)->root.child[0], 0, change, n);
        struct smt_node_change *rows;
        struct smt_version *v;
        struct arena a;
        double start = now();

        if (smt_update(smt_base(t), change, n, &v, NULL) != TM_OK)
            abort();
        update[r] = (now() - start) * 1e6 / (double)n;
        kernel[r] = kernel_seconds(hashes) * 1e6 / (double)n;
        hashes_each[r] = (double)hashes / (double)n;
        arena_init(&a);
        start = now();
        smt_node_changes(v, &a, &rows);
        changes[r] = (now() - start) * 1e6 / (double)n;
        arena_free(&a);
        start = now();
        smt_commit(v);
        commit[r] = (now() - start) * 1e6 / (double)n;
    }
    printf("%s: update\t%.3f\tus/change\n", name, median(update, rounds));
    printf("%s: kernel for the same hashes\t%.3f\tus/change\n", name, median(kernel, rounds));
    printf("%s: hashes\t%.2f\t1/change\n", name, median(hashes_each, rounds));
    printf("%s: update / kernel\t%.2f\tratio\n", name,
           median(update, rounds) / median(kernel, rounds));
    printf("%s: rows that differ\t%.3f\tus/change\n", name, median(changes, rounds));
    printf("%s: commit\t%.3f\tus/change\n", name, median(commit, rounds));
    free(change);
}

int main(void)
{
    struct smt_leaf *leaves = smt_grown(NULL, LEAVES, sizeof *leaves);
    struct hash32 *scratch = smt_grown(NULL, LEAVES, sizeof *scratch), root;
    struct smt *t = smt_new();
    double build[BUILDS], aggregate[BUILDS];

    for (size_t i = 0; i < LEAVES; i++)
        leaves[i] = (struct smt_leaf){random_hash(), random_hash()};
    qsort(leaves, LEAVES, sizeof *leaves, by_path);
    for (int i = 0; i < BUILDS; i++) {
        double start = now();

        if (smt_build(t, leaves, LEAVES, NULL) != TM_OK)
            abort();
        build[i] = now() - start;
        start = now();
        if (smt_root_of_sorted(leaves, LEAVES, scratch, &root, NULL) != TM_OK)
            abort();
        aggregate[i] = now() - start;
    }
    printf("smt_build of 1,000,000 sorted leaves\t%.3f\ts\n", median(build, BUILDS));
    printf("smt_root_of_sorted of 1,000,000 leaves\t%.3f\ts\n", median(aggregate, BUILDS));
    printf("memory\t%.1f\tbytes/leaf\n", (double)smt_memory(t) / LEAVES);
    bench_batches("1,000,000 leaves, batches of 10,000", t, leaves, BATCH, ROUNDS);
    bench_batches("1,000,000 leaves, batches of 200", t, leaves, BLOCK, BLOCKS);
    smt_free(t);
    free(leaves);
    free(scratch);
    return 0;
}
