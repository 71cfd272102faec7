/* Which stored tree node began at which height: the live rows of ledger.tree_node. */
#ifndef NODE_VERIFY_NODE_MAP_H
#define NODE_VERIFY_NODE_MAP_H

#include "protocol/smt/smt.h"
#include "protocol/state/record.h"

struct node_entry {
    enum tree_id tree;
    struct smt_node_row row;
    height_t valid_from; /* HEIGHT_NONE: not there */
};

struct node_map {
    struct node_entry *entries;
    size_t count, capacity;
    uint32_t *slots; /* open addressing over entries, index + 1 */
    size_t slot_count;
};

void node_map_init(struct node_map *m);
void node_map_free(struct node_map *m);

/* The entry of (tree, depth, prefix), made when it is not there with valid_from HEIGHT_NONE. The
 * pointer holds until the next call. */
struct node_entry *node_map_at(struct node_map *m, enum tree_id tree, uint8_t depth,
                               uint64_t prefix);

#endif
