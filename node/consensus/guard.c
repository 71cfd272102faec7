#include "guard.h"

int guard_compare(const struct guard_record *x, const struct guard_record *y)
{
    if (x->height != y->height)
        return x->height < y->height ? -1 : 1;
    if (x->round != y->round)
        return x->round < y->round ? -1 : 1;
    return (x->step > y->step) - (x->step < y->step);
}

bool guard_may_sign(const struct guard_record *last, uint64_t height, uint64_t round,
                    enum hotstuff_step step, const struct hash32 *header_hash)
{
    const struct guard_record next = {.height = height, .round = round, .step = step};
    int order = guard_compare(&next, last);

    if (order == 0)
        return hash32_equal(header_hash, &last->header_hash);
    if (height <= last->past_height && round <= last->past_round)
        return false;
    return order > 0;
}

uint64_t guard_next_round(const struct guard_record *last, uint64_t height)
{
    uint64_t round = 0;

    if (height == last->height && last->step != STEP_UNKNOWN)
        round = last->round + 1;
    if (height <= last->past_height && round <= last->past_round)
        round = last->past_round + 1;
    return round;
}

static uint64_t greater(uint64_t x, uint64_t y)
{
    return x > y ? x : y;
}

struct guard_record guard_merge(const struct guard_record *file, const struct guard_record *row)
{
    const struct guard_record *first = file != NULL ? file : row;
    const struct guard_record *second = file != NULL ? row : NULL;
    struct guard_record merged = {0};

    if (first == NULL)
        return merged;
    merged = *first;
    if (second == NULL)
        return merged;
    if (guard_compare(second, first) > 0)
        merged = *second;
    else if (guard_compare(second, first) == 0 &&
             !hash32_equal(&second->header_hash, &first->header_hash))
        merged.header_hash = (struct hash32){{0}}; /* two nodes wrote them: sign neither again */
    merged.sequence = greater(first->sequence, second->sequence);
    merged.highest_round = greater(greater(first->highest_round, second->highest_round),
                                   greater(first->round, second->round));
    merged.past_height = greater(first->past_height, second->past_height);
    merged.past_round = greater(first->past_round, second->past_round);
    return merged;
}

struct guard_record guard_accept_older(const struct guard_record *last, uint64_t tip)
{
    struct guard_record accepted = *last;

    accepted.past_height = greater(last->past_height, last->height);
    accepted.past_round = greater(last->past_round, greater(last->highest_round, last->round));
    if (last->height > tip) {
        accepted.height = tip;
        accepted.round = 0;
        accepted.step = STEP_UNKNOWN;
        accepted.header_hash = (struct hash32){{0}};
    }
    return accepted;
}
