#include "store_memory.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/ledger/ledger_memory.h"

/* Rows of one tree, each list sorted; rebuilt by merging when a block is applied. */
struct memory_tree {
    struct smt_leaf *leaves;
    size_t leaf_count;
    struct smt_node_row *rows;
    size_t row_count;
};

struct memory_block {
    struct arena arena;
    struct block block;
};

struct store_memory {
    struct ledger_memory ledger;
    struct memory_tree trees[TREES];
    struct memory_block *blocks; /* by height */
    size_t block_count, block_room;
    struct arena constants;
    struct store_chain chain;
    unsigned failures, calls;
};

static void *grow(void *p, size_t count, size_t size)
{
    p = realloc(p, (count > 0 ? count : 1) * size);
    if (p == NULL) {
        fprintf(stderr, "out of memory\n");
        abort();
    }
    return p;
}

struct store_memory *store_memory_new(void)
{
    struct store_memory *m = grow(NULL, 1, sizeof *m);

    *m = (struct store_memory){0};
    ledger_memory_init(&m->ledger);
    arena_init(&m->constants);
    return m;
}

void store_memory_free(struct store_memory *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->block_count; i++)
        arena_free(&m->blocks[i].arena);
    for (int i = 0; i < TREES; i++) {
        free(m->trees[i].leaves);
        free(m->trees[i].rows);
    }
    free(m->blocks);
    ledger_memory_free(&m->ledger);
    arena_free(&m->constants);
    free(m);
}

void store_memory_fail(struct store_memory *m, unsigned count)
{
    m->failures = count;
}

unsigned store_memory_calls(const struct store_memory *m)
{
    return m->calls;
}

static enum tm_err memory_chain(void *ctx, struct arena *a, struct store_chain *out,
                                struct tm_error *e)
{
    struct store_memory *m = ctx;

    m->calls++;
    if (m->block_count == 0)
        return tm_fail(e, TM_ERR_NOT_FOUND, "no genesis was loaded");
    *out = m->chain;
    out->chain_id = arena_copy(a, m->chain.chain_id);
    return TM_OK;
}

static enum tm_err memory_block(void *ctx, struct arena *a, height_t height, struct block *out,
                                struct tm_error *e)
{
    struct store_memory *m = ctx;
    const struct block *b;

    m->calls++;
    if (height < 0 || (size_t)height >= m->block_count)
        return tm_fail(e, TM_ERR_NOT_FOUND, "no block of height %lld", (long long)height);
    b = &m->blocks[height].block;
    *out = *b;
    out->header.network_id = arena_copy(a, b->header.network_id);
    out->header.proposer = arena_copy(a, b->header.proposer);
    out->header.certificate = arena_copy(a, b->header.certificate);
    out->transactions = arena_array(a, struct bytes, b->transaction_count);
    for (size_t i = 0; i < b->transaction_count; i++)
        out->transactions[i] = arena_copy(a, b->transactions[i]);
    return TM_OK;
}

static enum tm_err memory_tip(void *ctx, height_t *height, struct hash32 *state_hash,
                              struct tm_error *e)
{
    struct store_memory *m = ctx;

    m->calls++;
    if (m->block_count == 0)
        return tm_fail(e, TM_ERR_NOT_FOUND, "no genesis was loaded");
    *height = (height_t)m->block_count - 1;
    *state_hash = m->blocks[*height].block.header.state_hash;
    return TM_OK;
}

static bool is_base(const struct record *r)
{
    switch (r->tree) {
    case TREE_PARAMS:
    case TREE_FLAGS:
    case TREE_POOL:
    case TREE_VAL:
        return true;
    case TREE_APP:
    case TREE_FISH:
    case TREE_SERVICER:
        return r->actor.paused_height != HEIGHT_NONE || r->actor.unstaking_height != HEIGHT_NONE;
    case TREE_ACCOUNT:
    case TREE_TRANSACTIONS:
    case TREE_IBC:
    case TREES:
        return false;
    }
    return false;
}

static enum tm_err memory_base(void *ctx, struct arena *a, const struct record *const **out,
                               size_t *count, struct tm_error *e)
{
    struct store_memory *m = ctx;
    const struct state_map *state = &m->ledger.state;
    const struct record **list = arena_array(a, const struct record *, state->count);

    (void)e;
    m->calls++;
    *count = 0;
    for (size_t i = 0; i < state->count; i++)
        if (state->entries[i].record != NULL && is_base(state->entries[i].record))
            list[(*count)++] = record_copy(a, state->entries[i].record);
    *out = list;
    return TM_OK;
}

static enum tm_err memory_fetch(void *ctx, struct arena *a, struct store_key *keys, size_t count,
                                struct tm_error *e)
{
    struct store_memory *m = ctx;

    (void)e;
    m->calls++;
    for (size_t i = 0; i < count; i++) {
        const struct state_entry *entry =
            state_map_find(&m->ledger.state, keys[i].tree, keys[i].key);

        keys[i].record =
            entry != NULL && entry->record != NULL ? record_copy(a, entry->record) : NULL;
    }
    return TM_OK;
}

/* The first `depth` bits of a path, right-aligned. */
static uint64_t path_prefix(const struct hash32 *path, unsigned depth)
{
    uint64_t first = 0;

    for (int i = 0; i < 8; i++)
        first = first << 8 | path->b[i];
    return depth == 0 ? 0 : first >> (64 - depth);
}

static void fill_page(struct arena *a, const struct memory_tree *t, struct store_page *page)
{
    unsigned below = page->id.depth + SMT_PAGE_BITS;
    bool has_rows = below <= SMT_PAGE_BITS * SMT_STORED_LEVELS;
    struct smt_node_row *rows = arena_array(a, struct smt_node_row, 1u << SMT_PAGE_BITS);
    struct smt_leaf *leaves = NULL;
    size_t room = 0;

    page->rows = rows;
    for (size_t i = 0; has_rows && i < t->row_count; i++)
        if (t->rows[i].depth == below && t->rows[i].prefix >> SMT_PAGE_BITS == page->id.prefix)
            rows[page->row_count++] = t->rows[i];
    for (int pass = 0; pass < 2; pass++) {
        size_t n = 0;

        for (size_t i = 0; i < t->leaf_count; i++) {
            const struct smt_leaf *leaf = &t->leaves[i];
            bool covered = false;

            if (path_prefix(&leaf->path, page->id.depth) != page->id.prefix)
                continue;
            for (size_t k = 0; k < page->row_count && !covered; k++)
                covered = rows[k].prefix == path_prefix(&leaf->path, below);
            if (covered)
                continue;
            if (pass == 1)
                leaves[n] = *leaf;
            n++;
        }
        if (pass == 0)
            leaves = arena_array(a, struct smt_leaf, room = n);
    }
    page->leaves = leaves;
    page->leaf_count = room;
}

static enum tm_err memory_pages(void *ctx, struct arena *a, struct store_page *pages, size_t count,
                                struct tm_error *e)
{
    struct store_memory *m = ctx;

    (void)e;
    m->calls++;
    for (size_t i = 0; i < count; i++)
        fill_page(a, &m->trees[pages[i].tree], &pages[i]);
    return TM_OK;
}

static int compare_leaves(const void *x, const void *y)
{
    return memcmp(((const struct smt_leaf *)x)->path.b, ((const struct smt_leaf *)y)->path.b, 32);
}

static void set_leaf(struct memory_tree *t, const struct ledger_write *w, struct arena *scratch)
{
    struct smt_leaf leaf = {.path = record_path(w->after != NULL ? w->after : w->before)};
    struct smt_leaf *found =
        t->leaf_count == 0 ? NULL
                           : bsearch(&leaf, t->leaves, t->leaf_count, sizeof leaf, compare_leaves);
    size_t at;

    if (w->after != NULL) {
        struct buffer buffer;

        buffer_init(&buffer, scratch, 256);
        leaf.value_hash = record_value_hash(w->after, &buffer);
    }
    if (found != NULL && w->after != NULL) {
        *found = leaf;
        return;
    }
    if (found != NULL) {
        at = (size_t)(found - t->leaves);
        t->leaf_count--;
        memmove(found, found + 1, (t->leaf_count - at) * sizeof leaf);
        return;
    }
    if (w->after == NULL)
        return;
    t->leaves = grow(t->leaves, t->leaf_count + 1, sizeof leaf);
    for (at = t->leaf_count; at > 0 && compare_leaves(&t->leaves[at - 1], &leaf) > 0; at--)
        t->leaves[at] = t->leaves[at - 1];
    t->leaves[at] = leaf;
    t->leaf_count++;
}

static void set_node(struct memory_tree *t, const struct smt_node_change *c)
{
    size_t at = 0;

    while (at < t->row_count &&
           (t->rows[at].depth < c->row.depth ||
            (t->rows[at].depth == c->row.depth && t->rows[at].prefix < c->row.prefix)))
        at++;

    bool found = at < t->row_count && t->rows[at].depth == c->row.depth &&
                 t->rows[at].prefix == c->row.prefix;

    if (found && c->present) {
        t->rows[at] = c->row;
    } else if (found) {
        t->row_count--;
        memmove(&t->rows[at], &t->rows[at + 1], (t->row_count - at) * sizeof *t->rows);
    } else if (c->present) {
        t->rows = grow(t->rows, t->row_count + 1, sizeof *t->rows);
        memmove(&t->rows[at + 1], &t->rows[at], (t->row_count - at) * sizeof *t->rows);
        t->rows[at] = c->row;
        t->row_count++;
    }
}

static void add_block(struct store_memory *m, const struct store_block *b)
{
    struct arena scratch;
    struct memory_block *to;

    if (m->block_count == m->block_room) {
        m->block_room = m->block_room == 0 ? 64 : 2 * m->block_room;
        m->blocks = grow(m->blocks, m->block_room, sizeof *m->blocks);
    }
    to = &m->blocks[m->block_count++];
    arena_init(&to->arena);
    to->block = (struct block){.header = b->header, .transaction_count = b->transaction_count};
    to->block.header.network_id = arena_copy(&to->arena, b->header.network_id);
    to->block.header.proposer = arena_copy(&to->arena, b->header.proposer);
    to->block.header.certificate = arena_copy(&to->arena, b->header.certificate);
    to->block.transactions = arena_array(&to->arena, struct bytes, b->transaction_count);
    for (size_t i = 0; i < b->transaction_count; i++)
        to->block.transactions[i] = arena_copy(&to->arena, b->transactions[i].tx);
    arena_init(&scratch);
    for (size_t i = 0; i < b->write_count; i++)
        set_leaf(&m->trees[b->writes[i].tree], &b->writes[i], &scratch);
    arena_free(&scratch);
    for (int i = 0; i < TREES; i++)
        for (size_t k = 0; k < b->node_count[i]; k++)
            set_node(&m->trees[i], &b->nodes[i][k]);
    ledger_memory_apply(&m->ledger, b->writes, b->write_count);
}

static enum tm_err memory_apply(void *ctx, const struct store_block *const *blocks, size_t count,
                                struct tm_error *e)
{
    struct store_memory *m = ctx;

    m->calls++;
    if (m->failures > 0) {
        m->failures--;
        return tm_fail(e, TM_ERR_IO, "the store was told to fail");
    }
    for (size_t i = 0; i < count; i++) {
        const struct block_header *h = &blocks[i]->header;

        if (h->height < m->block_count) {
            if (!hash32_equal(&h->state_hash, &m->blocks[h->height].block.header.state_hash))
                return tm_fail(e, TM_ERR_MISMATCH, "height %llu holds another block",
                               (unsigned long long)h->height);
            continue;
        }
        if (h->height != m->block_count)
            return tm_fail(e, TM_ERR_MISMATCH, "height %llu does not follow the tip %zu",
                           (unsigned long long)h->height, m->block_count - 1);
        add_block(m, blocks[i]);
    }
    return TM_OK;
}

enum tm_err store_memory_genesis(struct store_memory *m, const struct genesis *genesis,
                                 const struct store_block *block, struct tm_error *e)
{
    if (m->block_count > 0)
        return tm_fail(e, TM_ERR_EXISTS, "there is a chain already");
    m->chain = (struct store_chain){
        .chain_id = arena_copy(&m->constants, genesis->chain_id),
        .rules = genesis->rules,
        .max_block_bytes = genesis->max_block_bytes,
        .block_interval_msec = genesis->block_interval_msec,
        .empty_block_interval_msec = genesis->empty_block_interval_msec,
    };
    add_block(m, block);
    return TM_OK;
}

struct store store_memory_store(struct store_memory *m)
{
    return (struct store){
        .ctx = m,
        .chain = memory_chain,
        .block = memory_block,
        .tip = memory_tip,
        .base = memory_base,
        .fetch = memory_fetch,
        .pages = memory_pages,
        .apply = memory_apply,
    };
}
