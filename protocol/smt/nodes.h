/*
 * How a tree lies in memory; nobody outside protocol/smt includes this.
 *
 * A branch is an inner node with two children that are not empty. It keeps the digests of its
 * children, not its own: a node is hashed from itself alone, and one that moves up or down a
 * one-sided run stays as it is. A child's digest is that at depth bit + 1, the run below included.
 */
#ifndef PROTOCOL_SMT_NODES_H
#define PROTOCOL_SMT_NODES_H

#include "smt.h"

/* A reference to a node: its kind in the two upper bits, its index in the pool of that kind. */
enum smt_kind { SMT_EMPTY, SMT_LEAF, SMT_BRANCH, SMT_STUB };
enum { SMT_INDEX_BITS = 30 };

/* 80 bytes: never more than two cache lines. */
struct smt_branch {
    struct hash32 digest[2];
    uint32_t child[2];
    uint64_t stem : 48; /* the first 48 bits of the paths below, as far as they are the same in all;
                           then zeros */
    uint64_t epoch : 8; /* smt.epoch at its making */
    uint64_t bit : 8;   /* the first bit in which the paths below differ */
};

struct smt_stub {
    struct hash32 digest; /* at its own depth */
    uint64_t prefix;      /* left-aligned */
    uint32_t wanted;      /* number of the smt_want that named it last */
    uint8_t depth;
};

/* Items of one size in chunks that never move. */
struct smt_pool {
    size_t item;
    uint8_t **chunks;
    uint32_t chunk_count;
    uint32_t fresh; /* items from here on were never used */
    uint32_t in_use;
    uint32_t *spare; /* stack of the freed ones */
    uint32_t spare_count, spare_room;
};

/* A list of references. */
struct smt_refs {
    uint32_t *ref;
    size_t count, room;
};

struct smt_version {
    struct smt *tree;
    struct smt_version *parent, *children, *next; /* next: sibling */
    struct smt_branch root;   /* child[0] and digest[0] are those at depth 0; the rest is unused */
    struct smt_refs made;     /* nodes that only this version and its children have */
    struct smt_refs replaced; /* nodes of the parent that this version does not have */
};

struct smt_scratch;

struct smt {
    struct smt_pool pool[4]; /* by kind; the one of SMT_EMPTY is unused */
    struct smt_version *base;
    struct smt_scratch *scratch; /* of smt_update, kept from one to the next */
    uint32_t wants;              /* calls of smt_want so far */
    uint64_t hand;               /* stem from which smt_evict goes on */
    size_t filled;               /* memory when growing last counted as a round */
    uint8_t epoch;               /* rounds of smt_evict through the tree; it may wrap round */
};

extern const struct hash32 smt_zero;

/* Items of every size fill whole huge pages with this. */
enum { SMT_CHUNK = 1 << 17 };

static inline enum smt_kind smt_kind(uint32_t ref)
{
    return (enum smt_kind)(ref >> SMT_INDEX_BITS);
}

static inline uint32_t smt_index(uint32_t ref)
{
    return ref & ((1u << SMT_INDEX_BITS) - 1);
}

static inline struct smt_leaf *smt_leaf_at(const struct smt *t, uint32_t ref)
{
    uint32_t i = smt_index(ref);

    return (struct smt_leaf *)(void *)t->pool[SMT_LEAF].chunks[i / SMT_CHUNK] + i % SMT_CHUNK;
}

static inline struct smt_branch *smt_branch_at(const struct smt *t, uint32_t ref)
{
    uint32_t i = smt_index(ref);

    return (struct smt_branch *)(void *)t->pool[SMT_BRANCH].chunks[i / SMT_CHUNK] + i % SMT_CHUNK;
}

static inline struct smt_stub *smt_stub_at(const struct smt *t, uint32_t ref)
{
    uint32_t i = smt_index(ref);

    return (struct smt_stub *)(void *)t->pool[SMT_STUB].chunks[i / SMT_CHUNK] + i % SMT_CHUNK;
}

/* Always inlined: gcc takes a function that only prefetches for one without effect, and drops it.
 */
static inline __attribute__((always_inline)) void smt_prefetch(const struct smt *t, uint32_t ref)
{
    switch (smt_kind(ref)) {
    case SMT_EMPTY:
        break;
    case SMT_LEAF:
        __builtin_prefetch(smt_leaf_at(t, ref));
        break;
    case SMT_BRANCH:
        __builtin_prefetch(smt_branch_at(t, ref));
        __builtin_prefetch((const uint8_t *)(smt_branch_at(t, ref) + 1) - 1);
        break;
    case SMT_STUB:
        __builtin_prefetch(smt_stub_at(t, ref));
        break;
    }
}

static inline bool smt_bit(const uint8_t *path, unsigned i)
{
    return (path[i >> 3] >> (7 - (i & 7)) & 1) != 0;
}

/* 64 bits of a path from byte `at` on, the first one on top. */
static inline uint64_t smt_word(const uint8_t *path, size_t at)
{
    uint64_t x;

    memcpy(&x, path + at, sizeof x);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

/* x with everything from bit n on cleared. */
static inline uint64_t smt_first_bits(uint64_t x, unsigned n)
{
    return n == 0 ? 0 : n >= 64 ? x : x & ~(uint64_t)0 << (64 - n);
}

enum { SMT_STEM_BITS = 48 };

/* The stem of a path, of which a branch at `bit` keeps what lies above. */
static inline uint64_t smt_stem(const uint8_t *path, unsigned bit)
{
    return smt_first_bits(smt_word(path, 0), bit) >> (64 - SMT_STEM_BITS);
}

/* True if a path, given by its first 64 bits, leaves the run above a branch within the stem. */
static inline bool smt_passes_by(const struct smt_branch *b, uint64_t word)
{
    unsigned n = b->bit < SMT_STEM_BITS ? b->bit : SMT_STEM_BITS;

    return smt_first_bits(word ^ (uint64_t)b->stem << (64 - SMT_STEM_BITS), n) != 0;
}

/* The number of leading bits that two paths share: 0 … 256. */
static inline unsigned smt_common(const uint8_t *a, const uint8_t *b)
{
    for (unsigned i = 0; i < 32; i += 8) {
        uint64_t x = smt_word(a, i) ^ smt_word(b, i);

        if (x != 0)
            return 8 * i + (unsigned)__builtin_clzll(x);
    }
    return SMT_DEPTH;
}

/* Memory that is there; the program ends where there is none. */
void *smt_grown(void *old, size_t count, size_t item);

/* A new node of a kind; its content is what was there before. */
uint32_t smt_make(struct smt *t, enum smt_kind kind);
void smt_release(struct smt *t, uint32_t ref);
/* The node and all below it. */
void smt_release_subtree(struct smt *t, uint32_t ref);

void smt_refs_add(struct smt_refs *l, uint32_t ref);
void smt_refs_free(struct smt_refs *l);

struct hash32 smt_hash_leaf(const struct smt_leaf *leaf);
struct hash32 smt_hash_branch(const struct hash32 *left, const struct hash32 *right);

/* The digest at depth `to` of a subtree with two leaves or more whose digest at depth `from` is *d
 * and whose paths start like `path`. */
void smt_chain(struct hash32 *d, const uint8_t *path, unsigned from, unsigned to);

/* A path that starts like all paths below a branch or stub, down to its depth; what follows may be
 * anything. */
struct hash32 smt_some_path(const struct smt *t, uint32_t ref);

/* The depth at which a branch or stub hangs without its run: its bit, or its depth. */
unsigned smt_depth(const struct smt *t, uint32_t ref);

/* The digest of a branch or stub at depth `top`, hashed anew. */
struct hash32 smt_digest_at(const struct smt *t, uint32_t ref, unsigned top);

/* Frees all nodes and versions but the base, which is empty afterwards. */
void smt_clear(struct smt *t);

void smt_scratch_free(struct smt_scratch *s);

#endif
