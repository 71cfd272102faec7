/* Roots of the rows against the header, stored tree nodes against the trees. */
#include "verifier.h"

#include "protocol/base/hex.h"
#include "protocol/sha256/sha256.h"
#include "protocol/sha3/sha3.h"

#include <inttypes.h>
#include <stdlib.h>

struct list {
    struct smt_change *changes;
    size_t count;
};

static int compare_change(const void *x, const void *y)
{
    const struct smt_change *a = x, *b = y;
    int c = memcmp(a->path.b, b->path.b, sizeof a->path.b);

    /* A version that begins wins over the end of the one before it. */
    return c != 0 ? c : (int)b->present - (int)a->present;
}

static void add(struct list *l, struct hash32 path, struct hash32 value_hash, bool present)
{
    l->changes[l->count++] = (struct smt_change){path, value_hash, present};
}

static size_t without_repeats(struct smt_change *changes, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (n == 0 || !hash32_equal(&changes[n - 1].path, &changes[i].path))
            changes[n++] = changes[i];
    return n;
}

static void collect(struct arena *a, const struct verify_height *rows, struct list lists[TREES])
{
    size_t room[TREES] = {[TREE_TRANSACTIONS] = rows->transaction_count};
    struct buffer scratch;

    buffer_init(&scratch, a, 1024);
    for (size_t i = 0; i < rows->birth_count; i++)
        room[rows->births[i].record.tree]++;
    for (size_t i = 0; i < rows->end_count; i++)
        room[rows->ends[i].row.record.tree]++;
    for (int t = 0; t < TREES; t++)
        lists[t].changes = arena_array(a, struct smt_change, room[t] + 1);
    for (size_t i = 0; i < rows->birth_count; i++) {
        const struct record *r = &rows->births[i].record;

        scratch.size = 0;
        add(&lists[r->tree], record_path(r), record_value_hash(r, &scratch), true);
    }
    for (size_t i = 0; i < rows->end_count; i++) {
        const struct record *r = &rows->ends[i].row.record;

        add(&lists[r->tree], record_path(r), (struct hash32){{0}}, false);
    }
    for (size_t i = 0; i < rows->transaction_count; i++) {
        struct hash32 key = sha3_256(rows->transaction_rows[i].tx);

        add(&lists[TREE_TRANSACTIONS], sha256(bytes_hash(&key)),
            sha256(rows->transaction_rows[i].tx), true);
    }
    for (int t = 0; t < TREES; t++) {
        if (lists[t].count > 0)
            qsort(lists[t].changes, lists[t].count, sizeof *lists[t].changes, compare_change);
        lists[t].count = without_repeats(lists[t].changes, lists[t].count);
    }
}

static int compare_node(uint8_t depth, uint64_t prefix, const struct smt_node_row *row)
{
    if (depth != row->depth)
        return depth < row->depth ? -1 : 1;
    return (prefix > row->prefix) - (prefix < row->prefix);
}

static int compare_node_birth(const void *x, const void *y)
{
    const struct verify_node_birth *a = x, *b = y;

    return compare_node(a->row.depth, a->row.prefix, &b->row);
}

static int compare_node_end(const void *x, const void *y)
{
    const struct verify_node_end *a = x, *b = y;

    return compare_node(a->row.depth, a->row.prefix, &b->row);
}

#define NODE_FORMAT     "%s tree node at depth %d, prefix %" PRIx64
#define NODE_ARGS(t, r) tree_name(t), (r).depth, (r).prefix

/* One changed node of the tree: the row that begins and the row that ends. */
static void check_node(struct verifier *v, struct arena *a, height_t h, enum tree_id tree,
                       const struct smt_node_change *c, const struct verify_node_birth *birth,
                       const struct verify_node_end *end)
{
    struct node_entry *live = node_map_at(&v->nodes, tree, c->row.depth, c->row.prefix);
    bool was = live->valid_from != HEIGHT_NONE;

    if (c->present != (birth != NULL))
        verify_find(v, h, NODE_FORMAT ": %s", NODE_ARGS(tree, c->row),
                    birth != NULL ? "a row begins that should not" : "its row is missing");
    else if (birth != NULL && !hash32_equal(&birth->row.digest, &c->row.digest))
        verify_find(v, h, NODE_FORMAT ": digest %s, computed %s", NODE_ARGS(tree, c->row),
                    hex_text(a, bytes_hash(&birth->row.digest)),
                    hex_text(a, bytes_hash(&c->row.digest)));
    if (was != (end != NULL)) {
        verify_find(v, h, NODE_FORMAT ": %s", NODE_ARGS(tree, c->row),
                    was ? "the row before it was not closed" : "a row ends that was not there");
    } else if (end != NULL) {
        if (end->valid_from != live->valid_from ||
            end->class != lifetime_class(h - end->valid_from))
            verify_find(v, h, NODE_FORMAT ": the closed row has another lifetime",
                        NODE_ARGS(tree, c->row));
        if (!hash32_equal(&end->row.digest, &live->row.digest))
            verify_find(v, h, NODE_FORMAT ": the closed row has another digest",
                        NODE_ARGS(tree, c->row));
    }
    live->row.digest = c->row.digest;
    live->valid_from = c->present ? h : HEIGHT_NONE;
}

struct node_rows {
    struct verify_node_birth *births;
    size_t birth_count;
    struct verify_node_end *ends;
    size_t end_count;
};

static struct node_rows node_rows_of(struct arena *a, const struct verify_height *rows,
                                     enum tree_id tree)
{
    struct node_rows r = {0};

    r.births = arena_array(a, struct verify_node_birth, rows->node_birth_count + 1);
    r.ends = arena_array(a, struct verify_node_end, rows->node_end_count + 1);
    for (size_t i = 0; i < rows->node_birth_count; i++)
        if (rows->node_births[i].tree == tree)
            r.births[r.birth_count++] = rows->node_births[i];
    for (size_t i = 0; i < rows->node_end_count; i++)
        if (rows->node_ends[i].tree == tree)
            r.ends[r.end_count++] = rows->node_ends[i];
    if (r.birth_count > 0)
        qsort(r.births, r.birth_count, sizeof *r.births, compare_node_birth);
    if (r.end_count > 0)
        qsort(r.ends, r.end_count, sizeof *r.ends, compare_node_end);
    return r;
}

/* Merges the computed changes with the stored rows, all ascending by (depth, prefix). */
static void check_nodes(struct verifier *v, struct arena *a, const struct verify_height *rows,
                        enum tree_id tree, const struct smt_node_change *changes, size_t count)
{
    struct node_rows r = node_rows_of(a, rows, tree);
    size_t b = 0, d = 0;

    for (size_t i = 0; i <= count; i++) {
        const struct smt_node_change *c = i < count ? &changes[i] : NULL;
        const struct verify_node_birth *birth = NULL;
        const struct verify_node_end *end = NULL;

        for (; b < r.birth_count; b++) {
            int order = c == NULL ? 1 : compare_node(c->row.depth, c->row.prefix, &r.births[b].row);

            if (order < 0)
                break;
            if (order == 0 && birth == NULL)
                birth = &r.births[b];
            else
                verify_find(v, rows->height, NODE_FORMAT ": a row begins that should not",
                            NODE_ARGS(tree, r.births[b].row));
        }
        for (; d < r.end_count; d++) {
            int order = c == NULL ? 1 : compare_node(c->row.depth, c->row.prefix, &r.ends[d].row);

            if (order < 0)
                break;
            if (order == 0 && end == NULL)
                end = &r.ends[d];
            else
                verify_find(v, rows->height, NODE_FORMAT ": a row ends that should not",
                            NODE_ARGS(tree, r.ends[d].row));
        }
        if (c != NULL)
            check_node(v, a, rows->height, tree, c, birth, end);
    }
}

static void check_roots(struct verifier *v, struct arena *a, height_t h,
                        const struct hash32 roots[TREES], const struct block_header *header)
{
    struct hash32 state_hash = state_hash_of_roots(roots);

    for (int t = 0; t < TREES; t++)
        if (!hash32_equal(&roots[t], &header->tree_roots[t]))
            verify_find(v, h, "tree %s: root of the rows is %s, the header says %s",
                        tree_name((enum tree_id)t), hex_text(a, bytes_hash(&roots[t])),
                        hex_text(a, bytes_hash(&header->tree_roots[t])));
    if (!hash32_equal(&state_hash, &header->state_hash))
        verify_find(v, h, "state hash of the rows is %s, the header says %s",
                    hex_text(a, bytes_hash(&state_hash)),
                    hex_text(a, bytes_hash(&header->state_hash)));
}

/* Leaf changes that make a whole state out of the empty trees. */
static void collect_state(struct arena *a, const struct verify_resume *from,
                          struct list lists[TREES])
{
    size_t room[TREES] = {[TREE_TRANSACTIONS] = from->transaction_count};
    struct buffer scratch;

    buffer_init(&scratch, a, 1024);
    for (size_t i = 0; i < from->record_count; i++)
        room[from->records[i].tree]++;
    for (int t = 0; t < TREES; t++)
        lists[t].changes = arena_array(a, struct smt_change, room[t] + 1);
    for (size_t i = 0; i < from->record_count; i++) {
        const struct record *r = &from->records[i];

        scratch.size = 0;
        add(&lists[r->tree], record_path(r), record_value_hash(r, &scratch), true);
    }
    for (size_t i = 0; i < from->transaction_count; i++)
        add(&lists[TREE_TRANSACTIONS], from->transactions[i].path, from->transactions[i].value_hash,
            true);
    for (int t = 0; t < TREES; t++) {
        if (lists[t].count > 0)
            qsort(lists[t].changes, lists[t].count, sizeof *lists[t].changes, compare_change);
        lists[t].count = without_repeats(lists[t].changes, lists[t].count);
    }
}

void verify_resumed_trees(struct verifier *v, struct arena *a, const struct verify_resume *from)
{
    height_t h = (height_t)from->header.height;
    struct list lists[TREES] = {{0}};
    struct hash32 roots[TREES];
    size_t expected = 0;

    collect_state(a, from, lists);
    for (size_t i = 0; i < from->node_count; i++) {
        struct node_entry *live = node_map_at(&v->nodes, from->nodes[i].tree,
                                              from->nodes[i].row.depth, from->nodes[i].row.prefix);

        if (live->valid_from != HEIGHT_NONE)
            verify_find(v, h, NODE_FORMAT ": two rows are live",
                        NODE_ARGS(from->nodes[i].tree, from->nodes[i].row));
        live->row = from->nodes[i].row;
        live->valid_from = from->nodes[i].valid_from;
    }
    for (int t = 0; t < TREES; t++) {
        struct smt_node_change *changes;
        struct smt_version *version;
        struct tm_error e;
        size_t count;

        if (smt_update(smt_base(v->trees[t]), lists[t].changes, lists[t].count, &version, &e) !=
            TM_OK) {
            verify_find(v, h, "tree %s: %s", tree_name((enum tree_id)t), e.text);
            return;
        }
        roots[t] = smt_root(version);
        count = smt_node_changes(version, a, &changes);
        expected += count;
        for (size_t i = 0; i < count; i++) {
            struct node_entry *live = node_map_at(&v->nodes, (enum tree_id)t, changes[i].row.depth,
                                                  changes[i].row.prefix);

            if (live->valid_from == HEIGHT_NONE)
                verify_find(v, h, NODE_FORMAT ": its row is missing",
                            NODE_ARGS((enum tree_id)t, changes[i].row));
            else if (!hash32_equal(&live->row.digest, &changes[i].row.digest))
                verify_find(v, h, NODE_FORMAT ": digest %s, computed %s",
                            NODE_ARGS((enum tree_id)t, changes[i].row),
                            hex_text(a, bytes_hash(&live->row.digest)),
                            hex_text(a, bytes_hash(&changes[i].row.digest)));
        }
        smt_commit(version);
    }
    if (from->node_count != expected)
        verify_find(v, h, "%zu tree nodes are live, the trees have %zu", from->node_count,
                    expected);
    check_roots(v, a, h, roots, &from->header);
}

void verify_trees(struct verifier *v, struct arena *a, const struct verify_height *rows)
{
    struct list lists[TREES] = {{0}};
    struct hash32 roots[TREES];

    collect(a, rows, lists);
    for (int t = 0; t < TREES; t++) {
        struct smt_node_change *changes;
        struct smt_version *version;
        struct tm_error e;
        size_t count;

        if (smt_update(smt_base(v->trees[t]), lists[t].changes, lists[t].count, &version, &e) !=
            TM_OK) {
            verify_find(v, rows->height, "tree %s: %s", tree_name((enum tree_id)t), e.text);
            return;
        }
        roots[t] = smt_root(version);
        count = smt_node_changes(version, a, &changes);
        check_nodes(v, a, rows, (enum tree_id)t, changes, count);
        smt_commit(version);
    }
    check_roots(v, a, rows->height, roots, &rows->header);
}
