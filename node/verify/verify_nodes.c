/* Stored tree nodes that begin and end at a height against the changes of the trees. */
#include "verify_compare.h"

#include "protocol/base/hex.h"

#include <inttypes.h>
#include <stdlib.h>

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
static void check_node(struct findings *f, struct arena *a, struct node_map *map, height_t h,
                       enum tree_id tree, const struct smt_node_change *c,
                       const struct verify_node_birth *birth, const struct verify_node_end *end)
{
    struct node_entry *live = node_map_at(map, tree, c->row.depth, c->row.prefix);
    bool was = live->valid_from != HEIGHT_NONE;

    if (c->present != (birth != NULL))
        verify_find(f, h, NODE_FORMAT ": %s", NODE_ARGS(tree, c->row),
                    birth != NULL ? "a row begins that should not" : "its row is missing");
    else if (birth != NULL && !hash32_equal(&birth->row.digest, &c->row.digest))
        verify_find(f, h, NODE_FORMAT ": digest %s, computed %s", NODE_ARGS(tree, c->row),
                    hex_text(a, bytes_hash(&birth->row.digest)),
                    hex_text(a, bytes_hash(&c->row.digest)));
    if (was != (end != NULL)) {
        verify_find(f, h, NODE_FORMAT ": %s", NODE_ARGS(tree, c->row),
                    was ? "the row before it was not closed" : "a row ends that was not there");
    } else if (end != NULL) {
        if (end->valid_from != live->valid_from ||
            end->class != lifetime_class(h - end->valid_from))
            verify_find(f, h, NODE_FORMAT ": the closed row has another lifetime",
                        NODE_ARGS(tree, c->row));
        if (!hash32_equal(&end->row.digest, &live->row.digest))
            verify_find(f, h, NODE_FORMAT ": the closed row has another digest",
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
void verify_nodes(struct findings *f, struct arena *a, struct node_map *map,
                  const struct verify_height *rows, enum tree_id tree,
                  const struct smt_node_change *changes, size_t count)
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
                verify_find(f, rows->height, NODE_FORMAT ": a row begins that should not",
                            NODE_ARGS(tree, r.births[b].row));
        }
        for (; d < r.end_count; d++) {
            int order = c == NULL ? 1 : compare_node(c->row.depth, c->row.prefix, &r.ends[d].row);

            if (order < 0)
                break;
            if (order == 0 && end == NULL)
                end = &r.ends[d];
            else
                verify_find(f, rows->height, NODE_FORMAT ": a row ends that should not",
                            NODE_ARGS(tree, r.ends[d].row));
        }
        if (c != NULL)
            check_node(f, a, map, rows->height, tree, c, birth, end);
    }
}
