/*
 * A game with a tree and its model, for tests: bytes are moves (updates on several versions, page
 * loads from a store of rows, evictions, commits, drops, proofs), and after each the two must
 * agree.
 */
#ifndef PROTOCOL_SMT_PLAY_H
#define PROTOCOL_SMT_PLAY_H

#include "model.h"
#include "nodes.h"

#include <stdio.h>

enum { PLAY_VERSIONS = 5, PLAY_LEAVES = 32, PLAY_BATCH = 8, PLAY_MOVES = 24 };

#define PLAY_CHECK(x)                                                                              \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* One version with the leaves it should have; [0] is the base. */
struct play_version {
    struct smt_version *v;
    int parent; /* -1: the slot is free */
    struct model m;
    struct smt_leaf leaf[PLAY_LEAVES + PLAY_BATCH];
};

struct play {
    struct smt *t;
    const uint8_t *move;
    size_t left;
    struct play_version version[PLAY_VERSIONS];
};

static inline uint8_t play_byte(struct play *g)
{
    if (g->left == 0)
        return 0;
    g->left--;
    return *g->move++;
}

/*
 * Paths out of a small world in which they meet: a zero path with one bit set, and behind it
 * nothing, or noise; so any two may share any number of bits.
 */
static inline struct hash32 play_path(struct play *g)
{
    unsigned bit = play_byte(g), noise = play_byte(g);
    struct hash32 path = {{0}}, random;

    if (noise % 8 == 6 && g->version[0].m.count > 0) { /* next to one that is there */
        path = g->version[0].leaf[noise / 8 % g->version[0].m.count].path;
        path.b[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        return path;
    }
    if (noise % 8 == 7) { /* crowded near the root, as real paths are */
        uint8_t seed = (uint8_t)(bit & 0x3f);

        return sha256(bytes_make(&seed, 1));
    }
    path.b[bit / 8] = (uint8_t)(0x80 >> bit % 8);
    if (noise % 8 < 3)
        return path;
    noise &= 0x1f;
    random = sha256(bytes_make(&noise, 1));
    path.b[bit / 8] |= (uint8_t)(random.b[31] & (0x7f >> bit % 8));
    memcpy(path.b + bit / 8 + 1, random.b, 31 - bit / 8);
    return path;
}

static inline void play_copy(struct play_version *to, const struct play_version *from)
{
    memcpy(to->leaf, from->leaf, sizeof to->leaf);
    to->m = (struct model){to->leaf, from->m.count};
}

static inline struct play_version *play_pick(struct play *g)
{
    struct play_version *p = &g->version[play_byte(g) % PLAY_VERSIONS];

    return p->v != NULL ? p : &g->version[0];
}

/* Nodes reachable from a version, each counted once over all versions by marks in `seen`. */
static inline void play_count(const struct smt *t, uint32_t ref, uint8_t **seen, size_t count[4])
{
    uint32_t index = ref & ((1u << SMT_INDEX_BITS) - 1);
    enum smt_kind kind = smt_kind(ref);

    if (kind == SMT_EMPTY || seen[kind][index]++ != 0)
        return;
    count[kind]++;
    if (kind == SMT_BRANCH) {
        const struct smt_branch *b = smt_branch_at(t, ref);

        PLAY_CHECK(b->child[0] != 0 && b->child[1] != 0);
        PLAY_CHECK(b->stem == smt_stem(smt_some_path(t, ref).b, b->bit));
        play_count(t, b->child[0], seen, count);
        play_count(t, b->child[1], seen, count);
    }
}

/* Every node in use is somebody's, and every node of somebody is in use. */
static inline void play_check(const struct play *g)
{
    uint8_t *seen[4];
    size_t count[4] = {0};

    for (int kind = 0; kind < 4; kind++)
        seen[kind] = calloc(g->t->pool[kind].fresh + 1, 1);
    for (int i = 0; i < PLAY_VERSIONS; i++) {
        const struct play_version *p = &g->version[i];

        if (p->v != NULL)
            play_count(g->t, p->v->root.child[0], seen, count);
    }
    for (int kind = 1; kind < 4; kind++) {
        PLAY_CHECK(count[kind] == g->t->pool[kind].in_use);
        PLAY_CHECK(g->t->pool[kind].in_use + g->t->pool[kind].spare_count ==
                   g->t->pool[kind].fresh);
    }
    for (int kind = 0; kind < 4; kind++)
        free(seen[kind]);
}

static inline void play_load_page(struct play *g, struct smt_page_id page, unsigned damage)
{
    struct smt_node_row rows[PLAY_LEAVES + PLAY_BATCH];
    struct smt_leaf leaves[PLAY_LEAVES + PLAY_BATCH];
    size_t row_count, leaf_count;
    enum tm_err want = TM_OK;

    model_page(&g->version[0].m, page, rows, &row_count, leaves, &leaf_count);
    if (damage > 0) {
        want = TM_ERR_MISMATCH;
        switch (damage % 5) {
        case 0:
            if (row_count > 0)
                row_count--;
            else
                leaf_count--;
            break;
        case 1:
            if (leaf_count > 0)
                leaves[damage % leaf_count].value_hash.b[damage % 32] ^= 1;
            else
                rows[damage % row_count].digest.b[damage % 32] ^= 1;
            break;
        case 2:
            if (leaf_count > 0)
                leaves[damage % leaf_count].path.b[0] ^= 0x80;
            else
                rows[damage % row_count].prefix ^= 1u << (damage / 4) % 20;
            break;
        case 3:
            if (row_count > 0)
                rows[row_count - 1].depth = (uint8_t)(rows[row_count - 1].depth + damage / 4);
            else
                leaves[leaf_count - 1].path.b[31] ^= 1;
            if (row_count > 0 && damage / 4 == 0)
                want = TM_OK;
            break;
        case 4:
            if (leaf_count > 0) {
                leaves[leaf_count] = leaves[0];
                leaf_count++;
            } else {
                rows[row_count] = rows[0];
                row_count++;
            }
            break;
        }
    }
    PLAY_CHECK(smt_install(g->t, page, rows, row_count, leaves, leaf_count, NULL) == want);
}

/* Loads all pages that the paths need in a version, some at a time; damaged ones first, sometimes.
 */
static inline void play_load(struct play *g, struct smt_version *v, const struct hash32 *paths,
                             size_t count, uint8_t how)
{
    struct smt_page_id page[4];
    size_t n;

    while ((n = smt_want(v, paths, count, page, 1 + how % 4)) > 0) {
        struct hash32 before = smt_root(v);

        PLAY_CHECK(n <= 1u + how % 4);
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j < i; j++)
                PLAY_CHECK(page[i].depth != page[j].depth || page[i].prefix != page[j].prefix);
            if (how >= 128)
                play_load_page(g, page[i], 1 + how % 61);
            play_load_page(g, page[i], 0);
            play_load_page(g, page[i], 0);
        }
        PLAY_CHECK(hash32_equal(&before, &(struct hash32[1]){smt_root(v)}[0]));
    }
}

static inline int play_by_path(const void *a, const void *b)
{
    return memcmp(((const struct smt_change *)a)->path.b, ((const struct smt_change *)b)->path.b,
                  32);
}

/* Sorts changes and keeps the first of each path; returns how many are left. */
static inline size_t play_sort(struct smt_change *change, size_t count)
{
    size_t n = 0;

    qsort(change, count, sizeof *change, play_by_path);
    for (size_t i = 0; i < count; i++)
        if (n == 0 || !hash32_equal(&change[i].path, &change[n - 1].path))
            change[n++] = change[i];
    return n;
}

static inline void play_compare_rows(const struct play_version *from, const struct play_version *to)
{
    struct smt_node_change *got, want[20 * (PLAY_LEAVES + PLAY_BATCH)];
    struct arena a;
    size_t count;

    arena_init(&a);
    count = smt_node_changes(to->v, &a, &got);
    PLAY_CHECK(count == model_changes(&from->m, &to->m, want));
    for (size_t i = 0; i < count; i++) {
        PLAY_CHECK(got[i].present == want[i].present);
        PLAY_CHECK(got[i].row.depth == want[i].row.depth);
        PLAY_CHECK(got[i].row.prefix == want[i].row.prefix);
        PLAY_CHECK(!got[i].present || hash32_equal(&got[i].row.digest, &want[i].row.digest));
    }
    arena_free(&a);
}

static inline void play_update(struct play *g)
{
    struct play_version *from = play_pick(g), *to = NULL;
    struct smt_change change[PLAY_BATCH];
    struct hash32 paths[PLAY_BATCH], root, want;
    size_t count = play_byte(g) % (PLAY_BATCH + 1), n;
    uint8_t how = play_byte(g);

    for (int i = 1; i < PLAY_VERSIONS; i++)
        if (g->version[i].v == NULL)
            to = &g->version[i];
    if (to == NULL)
        return;
    memset(change, 0, sizeof change);
    for (size_t i = 0; i < count; i++) {
        uint8_t value = play_byte(g);

        change[i].path = play_path(g);
        if (value % 16 == 15 && from->m.count > 0) /* a path that is there */
            change[i].path = from->m.leaf[value % from->m.count].path;
        change[i].present = from->m.count < PLAY_LEAVES && value % 4 != 0;
        change[i].value_hash.b[7] = value & 0x3f;
    }
    n = play_sort(change, count);
    for (size_t i = 0; i < n; i++)
        paths[i] = change[i].path;
    if (smt_want(from->v, paths, n, &(struct smt_page_id){0}, 1) > 0)
        PLAY_CHECK(smt_update(from->v, change, n, &to->v, NULL) == TM_ERR_AGAIN);
    play_check(g);
    play_load(g, from->v, paths, n, how);
    PLAY_CHECK(smt_update(from->v, change, n, &to->v, NULL) == TM_OK);
    to->parent = (int)(from - g->version);
    play_copy(to, from);
    for (size_t i = 0; i < n; i++)
        model_apply(&to->m, &change[i]);
    root = smt_root(to->v);
    want = model_root(&to->m);
    PLAY_CHECK(hash32_equal(&root, &want));
    if (how % 4 == 0) /* costly for the model */
        play_compare_rows(from, to);
}

static inline void play_forget(struct play *g, int index)
{
    g->version[index].v = NULL;
    for (int i = 1; i < PLAY_VERSIONS; i++)
        if (g->version[i].v != NULL && g->version[i].parent == index)
            play_forget(g, i);
}

static inline void play_commit(struct play *g)
{
    struct play_version *p = play_pick(g);
    int index = (int)(p - g->version);

    if (index == 0 || p->parent != 0)
        return;
    smt_commit(p->v);
    for (int i = 1; i < PLAY_VERSIONS; i++)
        if (i != index && g->version[i].v != NULL && g->version[i].parent == 0)
            play_forget(g, i);
    for (int i = 1; i < PLAY_VERSIONS; i++)
        if (g->version[i].v != NULL && g->version[i].parent == index)
            g->version[i].parent = 0;
    g->version[0].v = p->v;
    play_copy(&g->version[0], p);
    p->v = NULL;
    PLAY_CHECK(smt_base(g->t) == g->version[0].v);
}

static inline void play_drop(struct play *g)
{
    int index = (int)(play_pick(g) - g->version);

    if (index == 0)
        return;
    smt_drop(g->version[index].v);
    play_forget(g, index);
}

static inline void play_prove(struct play *g)
{
    struct play_version *p = play_pick(g);
    struct hash32 sides[SMT_DEPTH], path = play_path(g), root = smt_root(p->v), value;
    struct smt_proof got, want = {.sides = sides};
    uint8_t how = play_byte(g);
    bool there;
    struct arena a;

    arena_init(&a);
    if (how % 4 == 0 && p->m.count > 0)
        path = p->m.leaf[how / 4 % p->m.count].path;
    there = model_has(&p->m, &path);
    if (smt_want(p->v, &path, 1, &(struct smt_page_id){0}, 1) > 0) {
        PLAY_CHECK(smt_prove(p->v, &path, &a, &got) == TM_ERR_AGAIN);
        PLAY_CHECK(smt_get(p->v, &path, &value) == TM_ERR_AGAIN);
    }
    play_load(g, p->v, &path, 1, how);
    PLAY_CHECK(smt_get(p->v, &path, &value) == (there ? TM_OK : TM_ERR_NOT_FOUND));
    PLAY_CHECK(smt_prove(p->v, &path, &a, &got) == TM_OK);
    model_prove(&p->m, &path, &want);
    PLAY_CHECK(got.side_count == want.side_count);
    for (int i = 0; i < got.side_count; i++)
        PLAY_CHECK(hash32_equal(&got.sides[i], &want.sides[i]));
    PLAY_CHECK(got.has_other_leaf == want.has_other_leaf);
    if (got.has_other_leaf)
        PLAY_CHECK(memcmp(&got.other_leaf, &want.other_leaf, sizeof got.other_leaf) == 0);
    if (there) {
        const struct smt_leaf *leaf = &p->m.leaf[model_find(&p->m, &path)];

        PLAY_CHECK(hash32_equal(&value, &leaf->value_hash));
        PLAY_CHECK(smt_verify_member(&got, &root, &path, &value));
        value.b[how % 32] ^= 1;
        PLAY_CHECK(!smt_verify_member(&got, &root, &path, &value));
        PLAY_CHECK(!smt_verify_absent(&got, &root, &path));
    } else {
        PLAY_CHECK(smt_verify_absent(&got, &root, &path));
        memset(&value, how, sizeof value);
        PLAY_CHECK(!smt_verify_member(&got, &root, &path, &value));
    }
    arena_free(&a);
}

static inline void play_evict(struct play *g)
{
    size_t before = smt_memory(g->t), limit = 64u * play_byte(g);
    size_t after = smt_evict(g->t, limit);
    bool alone = true;

    for (int i = 1; i < PLAY_VERSIONS; i++)
        alone &= g->version[i].v == NULL;
    PLAY_CHECK(after == smt_memory(g->t) && after <= before);
    if (!alone || before <= limit)
        PLAY_CHECK(after == before);
    else if (limit == 0)
        PLAY_CHECK(g->t->pool[SMT_BRANCH].in_use == 0);
}

static inline void play_reopen(struct play *g)
{
    struct hash32 root = smt_root(g->version[0].v);

    for (int i = 1; i < PLAY_VERSIONS; i++)
        g->version[i].v = NULL;
    if (play_byte(g) % 4 == 0)
        PLAY_CHECK(smt_build(g->t, g->version[0].leaf, g->version[0].m.count, NULL) == TM_OK);
    else
        smt_open(g->t, &root);
    g->version[0].v = smt_base(g->t);
    PLAY_CHECK(hash32_equal(&root, &(struct hash32[1]){smt_root(g->version[0].v)}[0]));
}

static inline void play(const uint8_t *moves, size_t size)
{
    struct play *g = calloc(1, sizeof *g);

    g->t = smt_new();
    g->move = moves;
    g->left = size;
    g->version[0].v = smt_base(g->t);
    g->version[0].m.leaf = g->version[0].leaf;
    for (int i = 0; i < PLAY_MOVES && g->left > 0; i++) {
        static void (*const moves_of_game[])(struct play *) = {
            play_update, play_update, play_update, play_commit, play_commit,
            play_drop,   play_prove,  play_prove,  play_evict,  play_reopen,
        };

        moves_of_game[play_byte(g) % (sizeof moves_of_game / sizeof moves_of_game[0])](g);
        play_check(g);
    }
    smt_free(g->t);
    free(g);
}

#endif
