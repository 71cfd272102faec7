#include "nodes.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

enum { HUGE_PAGE = 2 << 20, MADE_AHEAD = 16 /* nodes; enough to hide the latency of memory */ };

_Static_assert(SMT_CHUNK * sizeof(struct smt_branch) % HUGE_PAGE == 0, "size of a chunk");
_Static_assert(SMT_CHUNK * sizeof(struct smt_leaf) % HUGE_PAGE == 0, "size of a chunk");
_Static_assert(SMT_CHUNK * sizeof(struct smt_stub) % HUGE_PAGE == 0, "size of a chunk");

static void *present(void *p, size_t size)
{
    if (p == NULL) {
        fprintf(stderr, "out of memory: %zu bytes\n", size);
        abort();
    }
    return p;
}

void *smt_grown(void *old, size_t count, size_t item)
{
    return present(realloc(old, count * item), count * item);
}

/* A tree of more than one chunk is read all over the place: huge pages save half of the time that
 * takes. A single chunk takes ordinary ones, as few as are used, until there is a second. */
static void add_chunk(struct smt_pool *p)
{
    size_t size = SMT_CHUNK * p->item;
    uint8_t *chunk = present(aligned_alloc(HUGE_PAGE, size), size);

    assert(p->chunk_count < (1u << SMT_INDEX_BITS) / SMT_CHUNK);
#ifdef MADV_HUGEPAGE
    if (p->chunk_count > 0)
        madvise(chunk, size, MADV_HUGEPAGE);
#endif
#ifdef MADV_COLLAPSE
    if (p->chunk_count == 1)
        madvise(p->chunks[0], size, MADV_COLLAPSE);
#endif
    p->chunks = smt_grown(p->chunks, p->chunk_count + 1, sizeof *p->chunks);
    p->chunks[p->chunk_count++] = chunk;
}

uint32_t smt_make(struct smt *t, enum smt_kind kind)
{
    struct smt_pool *p = &t->pool[kind];

    p->in_use++;
    if (p->spare_count > MADE_AHEAD)
        smt_prefetch(t,
                     (uint32_t)kind << SMT_INDEX_BITS | p->spare[p->spare_count - MADE_AHEAD - 1]);
    if (p->spare_count > 0)
        return (uint32_t)kind << SMT_INDEX_BITS | p->spare[--p->spare_count];
    if (p->fresh == p->chunk_count * SMT_CHUNK)
        add_chunk(p);
    return (uint32_t)kind << SMT_INDEX_BITS | p->fresh++;
}

void smt_release(struct smt *t, uint32_t ref)
{
    struct smt_pool *p = &t->pool[smt_kind(ref)];

    if (p->spare_count == p->spare_room) {
        p->spare_room = p->spare_room == 0 ? 64 : 2 * p->spare_room;
        p->spare = smt_grown(p->spare, p->spare_room, sizeof *p->spare);
    }
    p->spare[p->spare_count++] = ref & ((1u << SMT_INDEX_BITS) - 1);
    p->in_use--;
}

void smt_release_subtree(struct smt *t, uint32_t ref)
{
    if (smt_kind(ref) == SMT_BRANCH) {
        const struct smt_branch *b = smt_branch_at(t, ref);

        smt_release_subtree(t, b->child[0]);
        smt_release_subtree(t, b->child[1]);
    }
    if (smt_kind(ref) != SMT_EMPTY)
        smt_release(t, ref);
}

void smt_refs_add(struct smt_refs *l, uint32_t ref)
{
    if (l->count == l->room) {
        l->room = l->room == 0 ? 16 : 2 * l->room;
        l->ref = smt_grown(l->ref, l->room, sizeof *l->ref);
    }
    l->ref[l->count++] = ref;
}

void smt_refs_free(struct smt_refs *l)
{
    free(l->ref);
    *l = (struct smt_refs){0};
}

static struct hash32 path_of_prefix(uint64_t prefix)
{
    struct hash32 path = {{0}};

    for (int i = 0; i < 8; i++)
        path.b[i] = (uint8_t)(prefix >> (56 - 8 * i));
    return path;
}

struct hash32 smt_some_path(const struct smt *t, uint32_t ref)
{
    const struct smt_branch *b;

    if (smt_kind(ref) == SMT_BRANCH && (b = smt_branch_at(t, ref))->bit <= SMT_STEM_BITS)
        return path_of_prefix((uint64_t)b->stem << (64 - SMT_STEM_BITS));
    while (smt_kind(ref) == SMT_BRANCH)
        ref = smt_branch_at(t, ref)->child[0];
    if (smt_kind(ref) == SMT_STUB)
        return path_of_prefix(smt_stub_at(t, ref)->prefix);
    return smt_leaf_at(t, ref)->path;
}

unsigned smt_depth(const struct smt *t, uint32_t ref)
{
    if (smt_kind(ref) == SMT_STUB)
        return smt_stub_at(t, ref)->depth;
    return smt_branch_at(t, ref)->bit;
}

struct hash32 smt_digest_at(const struct smt *t, uint32_t ref, unsigned top)
{
    struct hash32 path = smt_some_path(t, ref), d;

    if (smt_kind(ref) == SMT_STUB) {
        d = smt_stub_at(t, ref)->digest;
    } else {
        const struct smt_branch *b = smt_branch_at(t, ref);

        d = smt_hash_branch(&b->digest[0], &b->digest[1]);
    }
    smt_chain(&d, path.b, smt_depth(t, ref), top);
    return d;
}
