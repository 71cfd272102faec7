#include "header_difference.h"

static bool same_hash(bool has_x, const struct hash32 *x, bool has_y, const struct hash32 *y)
{
    return has_x == has_y && (!has_x || hash32_equal(x, y));
}

int header_tree_difference(const struct block_header *x, const struct block_header *y)
{
    if (x->has_tree_roots && y->has_tree_roots)
        for (int i = 0; i < TREES; i++)
            if (!hash32_equal(&x->tree_roots[i], &y->tree_roots[i]))
                return i;
    return -1;
}

const char *header_difference(const struct block_header *x, const struct block_header *y)
{
    if (x->has_tree_roots != y->has_tree_roots || header_tree_difference(x, y) >= 0)
        return "state_tree_hashes";
    if (!same_hash(x->has_state_hash, &x->state_hash, y->has_state_hash, &y->state_hash))
        return "stateHash";
    if (x->height != y->height)
        return "height";
    if (!bytes_equal(x->network_id, y->network_id))
        return "networkId";
    if (!same_hash(x->has_previous, &x->previous_state_hash, y->has_previous,
                   &y->previous_state_hash))
        return "prevStateHash";
    if (!bytes_equal(x->proposer, y->proposer))
        return "proposerAddress";
    if (x->has_timestamp != y->has_timestamp || x->seconds != y->seconds || x->nanos != y->nanos)
        return "timestamp";
    if (!same_hash(x->has_validator_set, &x->validator_set_hash, y->has_validator_set,
                   &y->validator_set_hash))
        return "val_set_hash";
    if (!same_hash(x->has_next_validator_set, &x->next_validator_set_hash,
                   y->has_next_validator_set, &y->next_validator_set_hash))
        return "next_val_set_hash";
    if (!same_hash(x->has_transactions_hash, &x->transactions_hash, y->has_transactions_hash,
                   &y->transactions_hash))
        return "transactions_hash";
    return NULL;
}
