#include "batch.h"

static struct smt_branch *parent_of(const struct smt_batch *u, uint32_t item)
{
    return item == SMT_NONE ? &u->v->root : u->s->item[item].from;
}

/* Fields are set one by one here and below: whole structs passed by value cost as much as all the
 * rest of the descent. */
static void push_task(struct smt_batch *u, uint32_t parent, bool side, uint32_t lo, uint32_t hi,
                      bool moved)
{
    struct smt_scratch *s = u->s;
    const struct smt_branch *b = s->item[parent].from;
    struct smt_task *k;

    if (s->task_count == s->task_room) {
        s->task_room *= 2;
        s->task = smt_grown(s->task, s->task_room, sizeof *s->task);
    }
    k = &s->task[s->task_count++];
    k->ref = b->child[side];
    k->lo = lo;
    k->hi = hi;
    k->parent = parent;
    k->depth = (uint16_t)(b->bit + 1);
    k->side = side;
    k->moved = moved;
    smt_prefetch(u->t, k->ref);
}

/* The item for a task's node; the caller sets `from`, `made` and `old`. */
static struct smt_item *push_item(struct smt_batch *u, const struct smt_task *k, unsigned bit)
{
    struct smt_scratch *s = u->s;
    struct smt_item *i;

    if (s->item_count == s->item_room) {
        s->item_room *= 2;
        s->item = smt_grown(s->item, s->item_room, sizeof *s->item);
    }
    i = &s->item[s->item_count++];
    i->to = parent_of(u, k->parent);
    i->parent = k->parent;
    i->lo = k->lo;
    i->bit = (uint8_t)bit;
    i->top = (uint8_t)k->depth;
    i->side = k->side;
    i->moved = k->moved;
    i->changed = false;
    return i;
}

/* The first of changes lo … hi - 1, which agree in the bits before, whose path has the bit set. */
static uint32_t split(const struct smt_batch *u, uint32_t lo, uint32_t hi, unsigned bit)
{
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (smt_bit(u->change[mid].path.b, bit))
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

static void add_leaf(struct smt_batch *u, const struct smt_task *k, const struct smt_change *c)
{
    uint32_t ref = smt_make(u->t, SMT_LEAF);
    struct smt_leaf *leaf = smt_leaf_at(u->t, ref);
    struct smt_branch *to = parent_of(u, k->parent);

    leaf->path = c->path;
    leaf->value_hash = c->value_hash;
    to->child[k->side] = ref;
    smt_refs_add(&u->v->made, ref);
    smt_mark_changed(u, k->parent);
    u->left[u->waiting_count] = &leaf->path;
    u->right[u->waiting_count] = &leaf->value_hash;
    u->out[u->waiting_count++] = &to->digest[k->side];
    if (u->waiting_count == SMT_HASHED_TOGETHER)
        smt_hash_waiting(u, 0);
}

/* Its children are empty yet. Returns the item. */
static uint32_t add_branch(struct smt_batch *u, const struct smt_task *k, unsigned bit)
{
    uint32_t ref = smt_make(u->t, SMT_BRANCH);
    struct smt_branch *b = smt_branch_at(u->t, ref);
    struct smt_item *i = push_item(u, k, bit);

    memset(b, 0, sizeof *b);
    b->stem = smt_stem(u->change[k->lo].path.b, bit);
    b->bit = (uint8_t)bit;
    b->epoch = u->t->epoch;
    i->from = b;
    i->made = ref;
    i->old = 0;
    i->changed = true;
    smt_mark_changed(u, k->parent);
    return (uint32_t)u->s->item_count - 1;
}

/* Leaves that go while there is none are no change: cut them off both ends. */
static bool trim(const struct smt_batch *u, struct smt_task *k)
{
    while (k->lo < k->hi && !u->change[k->lo].present)
        k->lo++;
    while (k->lo < k->hi && !u->change[k->hi - 1].present)
        k->hi--;
    return k->lo < k->hi;
}

static void into_empty(struct smt_batch *u, struct smt_task *k)
{
    uint32_t item, mid;
    unsigned bit;

    if (!trim(u, k))
        return;
    if (k->hi - k->lo == 1) {
        add_leaf(u, k, &u->change[k->lo]);
        return;
    }
    bit = smt_common(u->change[k->lo].path.b, u->change[k->hi - 1].path.b);
    item = add_branch(u, k, bit);
    mid = split(u, k->lo, k->hi, bit);
    push_task(u, item, 0, k->lo, mid, false);
    push_task(u, item, 1, mid, k->hi, false);
}

/* A new branch at `bit` above the task's node, which shares only the bits before with some change
 * that is present. */
static void divide(struct smt_batch *u, const struct smt_task *k, unsigned bit, const uint8_t *path)
{
    const struct smt_branch *above = parent_of(u, k->parent);
    struct hash32 digest = above->digest[k->side];
    bool side = smt_bit(path, bit);
    uint32_t item = add_branch(u, k, bit), mid = split(u, k->lo, k->hi, bit);
    struct smt_branch *b = u->s->item[item].from;

    b->child[side] = k->ref;
    b->digest[side] = digest;
    push_task(u, item, 0, k->lo, mid, !side);
    push_task(u, item, 1, mid, k->hi, side);
}

static void onto_leaf(struct smt_batch *u, struct smt_task *k)
{
    const struct smt_leaf *leaf = smt_leaf_at(u->t, k->ref);
    struct smt_branch *to = parent_of(u, k->parent);
    uint32_t same = k->lo;
    unsigned first, last;

    while (same < k->hi && !hash32_equal(&u->change[same].path, &leaf->path))
        same++;
    if (same < k->hi) {
        const struct smt_change *c = &u->change[same];

        if (k->hi - k->lo == 1 && c->present && hash32_equal(&c->value_hash, &leaf->value_hash))
            return;
        smt_refs_add(&u->v->replaced, k->ref);
        to->child[k->side] = 0;
        to->digest[k->side] = smt_zero;
        smt_mark_changed(u, k->parent);
        into_empty(u, k);
        return;
    }
    if (!trim(u, k))
        return;
    first = smt_common(u->change[k->lo].path.b, leaf->path.b);
    last = smt_common(u->change[k->hi - 1].path.b, leaf->path.b);
    divide(u, k, first < last ? first : last, leaf->path.b);
}

/* The number of leading bits, at most `limit`, that a change's path shares with a node's. */
static unsigned shared(const struct smt_change *c, const uint8_t *path, unsigned limit)
{
    unsigned n = smt_common(c->path.b, path);

    return n < limit ? n : limit;
}

/* A moved node gets its digest anew, itself unchanged. */
static void hash_again(struct smt_batch *u, const struct smt_task *k)
{
    struct smt_item *i;

    if (!k->moved)
        return;
    i = push_item(u, k, smt_depth(u->t, k->ref));
    i->made = 0;
    i->old = k->ref;
    i->from = NULL;
    if (smt_kind(k->ref) == SMT_STUB)
        i->digest = smt_stub_at(u->t, k->ref)->digest;
    else
        i->from = smt_branch_at(u->t, k->ref);
}

/* What happens at a branch or stub above its own depth `bit`: true if the task's changes all go on
 * below it, false if that was all. */
static bool through_run(struct smt_batch *u, struct smt_task *k, unsigned bit, const uint8_t *path)
{
    unsigned first = 0, last = 0;

    while (k->lo < k->hi && (first = shared(&u->change[k->lo], path, bit)) < bit &&
           !u->change[k->lo].present)
        k->lo++;
    while (k->lo < k->hi && (last = shared(&u->change[k->hi - 1], path, bit)) < bit &&
           !u->change[k->hi - 1].present)
        k->hi--;
    if (k->lo == k->hi) {
        hash_again(u, k);
        return false;
    }
    if (first < bit || last < bit) {
        divide(u, k, first < last ? first : last, path);
        return false;
    }
    return true;
}

static void onto_branch(struct smt_batch *u, struct smt_task *k)
{
    const struct smt_branch *old = smt_branch_at(u->t, k->ref);
    unsigned bit = old->bit;
    struct smt_branch *b;
    struct smt_item *i;
    uint32_t ref, item, mid;

    /* Mostly there is one change, and it goes through. */
    if (k->hi - k->lo != 1 || bit > SMT_STEM_BITS ||
        smt_passes_by(old, smt_word(u->change[k->lo].path.b, 0))) {
        struct hash32 path = smt_some_path(u->t, k->ref);

        if (!through_run(u, k, bit, path.b))
            return;
    }
    ref = smt_make(u->t, SMT_BRANCH);
    b = smt_branch_at(u->t, ref);
    *b = *old;
    b->epoch = u->t->epoch;
    i = push_item(u, k, bit);
    i->from = b;
    i->made = ref;
    i->old = k->ref;
    item = (uint32_t)u->s->item_count - 1;
    mid = split(u, k->lo, k->hi, bit);
    if (k->lo < mid)
        push_task(u, item, 0, k->lo, mid, false);
    if (mid < k->hi)
        push_task(u, item, 1, mid, k->hi, false);
}

bool smt_descend(struct smt_batch *u, size_t *next, size_t parts)
{
    struct smt_scratch *s = u->s;

    for (; *next < s->task_count && s->task_count - *next < parts; (*next)++) {
        struct smt_task k = s->task[*next];

        switch (smt_kind(k.ref)) {
        case SMT_EMPTY:
            into_empty(u, &k);
            break;
        case SMT_LEAF:
            onto_leaf(u, &k);
            break;
        case SMT_BRANCH:
            onto_branch(u, &k);
            break;
        case SMT_STUB: {
            struct hash32 path = smt_some_path(u->t, k.ref);

            if (through_run(u, &k, smt_depth(u->t, k.ref), path.b))
                return false;
            break;
        }
        }
    }
    smt_hash_waiting(u, 0);
    return true;
}
