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

#define NODE_FORMAT     "%s tree node at depth %d, prefix %" PRIx64
#define NODE_ARGS(t, r) tree_name(t), (r).depth, (r).prefix

static void check_roots(struct verifier *v, struct arena *a, height_t h,
                        const struct hash32 roots[TREES], const struct block_header *header)
{
    struct hash32 state_hash = state_hash_of_roots(roots);

    for (int t = 0; t < TREES; t++)
        if (!hash32_equal(&roots[t], &header->tree_roots[t]))
            verify_find(&v->found, h, "tree %s: root of the rows is %s, the header says %s",
                        tree_name((enum tree_id)t), hex_text(a, bytes_hash(&roots[t])),
                        hex_text(a, bytes_hash(&header->tree_roots[t])));
    if (!hash32_equal(&state_hash, &header->state_hash))
        verify_find(&v->found, h, "state hash of the rows is %s, the header says %s",
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
            verify_find(&v->found, h, NODE_FORMAT ": two rows are live",
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
            verify_find(&v->found, h, "tree %s: %s", tree_name((enum tree_id)t), e.text);
            return;
        }
        roots[t] = smt_root(version);
        count = smt_node_changes(version, a, &changes);
        expected += count;
        for (size_t i = 0; i < count; i++) {
            struct node_entry *live = node_map_at(&v->nodes, (enum tree_id)t, changes[i].row.depth,
                                                  changes[i].row.prefix);

            if (live->valid_from == HEIGHT_NONE)
                verify_find(&v->found, h, NODE_FORMAT ": its row is missing",
                            NODE_ARGS((enum tree_id)t, changes[i].row));
            else if (!hash32_equal(&live->row.digest, &changes[i].row.digest))
                verify_find(&v->found, h, NODE_FORMAT ": digest %s, computed %s",
                            NODE_ARGS((enum tree_id)t, changes[i].row),
                            hex_text(a, bytes_hash(&live->row.digest)),
                            hex_text(a, bytes_hash(&changes[i].row.digest)));
        }
        smt_commit(version);
    }
    if (from->node_count != expected)
        verify_find(&v->found, h, "%zu tree nodes are live, the trees have %zu", from->node_count,
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
            verify_find(&v->found, rows->height, "tree %s: %s", tree_name((enum tree_id)t), e.text);
            return;
        }
        roots[t] = smt_root(version);
        count = smt_node_changes(version, a, &changes);
        verify_nodes(&v->found, a, &v->nodes, rows, (enum tree_id)t, changes, count);
        smt_commit(version);
    }
    check_roots(v, a, rows->height, roots, &rows->header);
}
