#include "batch.h"

static void deliver(struct smt_batch *u, struct smt_item *i)
{
    i->to->child[i->side] = i->result;
    if (i->result != i->old)
        smt_mark_changed(u, i->parent);
}

/* Decides what the item's branch has become. False if nothing of it is to be hashed. */
static bool settle(struct smt_batch *u, struct smt_item *i)
{
    struct smt_branch *b = i->from;
    enum smt_kind left, right;

    if (i->made == 0) { /* moved as it is */
        i->result = i->old;
        return true;
    }
    if (!i->changed) {
        /* The old branch has the same digests, and stays. */
        smt_release(u->t, i->made);
        i->made = 0;
        i->result = i->old;
        i->from = smt_branch_at(u->t, i->old);
        return i->moved;
    }
    if (i->old != 0)
        smt_refs_add(&u->v->replaced, i->old);
    left = smt_kind(b->child[0]);
    right = smt_kind(b->child[1]);
    if (left != SMT_EMPTY && right != SMT_EMPTY) {
        smt_refs_add(&u->v->made, i->made);
        i->result = i->made;
        return true;
    }
    /* One side is left, or none: the branch goes. What it hashes to is a step of a run, but a lone
     * leaf hangs wherever it is the only one. */
    i->result = b->child[left == SMT_EMPTY];
    smt_release(u->t, i->made);
    if (smt_kind(i->result) == SMT_BRANCH || smt_kind(i->result) == SMT_STUB)
        return true;
    i->to->digest[i->side] = b->digest[left == SMT_EMPTY];
    deliver(u, i);
    return false;
}

static void hash_depth(struct smt_batch *u, unsigned depth, size_t *climbed)
{
    struct smt_item *items = u->s->item;
    size_t n = u->waiting_count;

    smt_hash_waiting(u, 1);
    for (size_t j = 0; j < n; j++) {
        struct smt_item *i = &items[u->waiting[j]];

        if (i->top == depth)
            deliver(u, i);
        else
            u->s->climbed[(*climbed)++] = u->waiting[j];
    }
}

static void enqueue(struct smt_batch *u, uint32_t item, unsigned depth, const struct hash32 *left,
                    const struct hash32 *right, size_t *climbed)
{
    struct smt_item *i = &u->s->item[item];

    u->left[u->waiting_count] = left;
    u->right[u->waiting_count] = right;
    u->out[u->waiting_count] = i->top == depth ? &i->to->digest[i->side] : &i->digest;
    u->waiting[u->waiting_count++] = item;
    if (u->waiting_count == SMT_HASHED_TOGETHER)
        hash_depth(u, depth, climbed);
}

/* A bit of the path that leads to an item, above it. */
static bool bit_above(const struct smt_batch *u, const struct smt_item *i, unsigned depth)
{
    if (i->made == 0) {
        struct hash32 path = smt_some_path(u->t, i->result);

        return smt_bit(path.b, depth);
    }
    return smt_bit(u->change[i->lo].path.b, depth);
}

/* Items from `start` on in order of their bit, those of one bit in order of their paths. Returns
 * one more than the greatest bit. */
static unsigned order(struct smt_scratch *s, size_t start, uint32_t first[SMT_DEPTH + 1])
{
    unsigned deepest = 0;

    memset(first, 0, (SMT_DEPTH + 1) * sizeof first[0]);
    if (s->order_room < s->item_room) {
        s->order_room = s->item_room;
        s->by_depth = smt_grown(s->by_depth, s->order_room, sizeof *s->by_depth);
        s->climbing = smt_grown(s->climbing, s->order_room, sizeof *s->climbing);
        s->climbed = smt_grown(s->climbed, s->order_room, sizeof *s->climbed);
    }
    for (size_t i = start; i < s->item_count; i++) {
        unsigned bit = s->item[i].bit;

        first[bit + 1]++;
        deepest = bit + 1 > deepest ? bit + 1 : deepest;
    }
    for (unsigned d = 0; d < deepest; d++)
        first[d + 1] += first[d];
    for (size_t i = start; i < s->item_count; i++)
        s->by_depth[first[s->item[i].bit]++] = (uint32_t)i;
    for (unsigned d = deepest; d > 0; d--)
        first[d] = first[d - 1];
    first[0] = 0;
    return deepest;
}

void smt_ascend(struct smt_batch *u, size_t start)
{
    struct smt_scratch *s = u->s;
    uint32_t first[SMT_DEPTH + 1];
    size_t climbing = 0;

    for (unsigned depth = order(s, start, first); depth-- > 0;) {
        size_t climbed = 0;
        uint32_t *swap;

        for (size_t j = 0; j < climbing; j++) {
            struct smt_item *i = &s->item[s->climbing[j]];
            bool right = bit_above(u, i, depth);

            enqueue(u, s->climbing[j], depth, right ? &smt_zero : &i->digest,
                    right ? &i->digest : &smt_zero, &climbed);
        }
        for (size_t j = first[depth]; j < first[depth + 1]; j++) {
            struct smt_item *i = &s->item[s->by_depth[j]];

            if (i->from != NULL) {
                if (settle(u, i))
                    enqueue(u, s->by_depth[j], depth, &i->from->digest[0], &i->from->digest[1],
                            &climbed);
            } else if (i->top == depth) {
                i->to->digest[i->side] = i->digest;
            } else {
                i->result = i->old;
                s->climbed[climbed++] = s->by_depth[j];
            }
        }
        hash_depth(u, depth, &climbed);
        swap = s->climbing;
        s->climbing = s->climbed;
        s->climbed = swap;
        climbing = climbed;
    }
    s->item_count = start;
}
