/*
 * A batch of changes in two passes. Down: breadth first, all changes one branch further each time,
 * copying the branches they pass (many independent reads in flight instead of one chain of cache
 * misses per path). Up: depth by depth from the deepest, all nodes of one depth hashed together.
 * A large batch is divided by subtrees, so that what goes down is still in the cache on its way up.
 */
#include "nodes.h"

#include <stdlib.h>

#include "../sha256/sha256.h"

enum {
    NONE = UINT32_MAX,
    HASHED_TOGETHER = 256,
    TOGETHER = 256, /* changes that go down and up at once: their nodes fit into a level 2 cache */
    PARTS = 16      /* subtrees a larger batch is divided into, again and again */
};

/* Changes lo … hi - 1 belong below the node that is child `side` of an item's branch. */
struct task {
    uint32_t ref, lo, hi;
    uint32_t parent; /* item, or NONE: the version's root */
    uint16_t depth;
    uint8_t side;
    bool moved; /* hangs at another depth than before: its digest there is not known */
};

/* A subtree of two leaves or more whose digest is to be worked out. */
struct item {
    struct smt_branch *from; /* its two digests lie here; NULL for a stub */
    struct smt_branch *to;   /* where result and digest go … */
    uint32_t parent;         /* … and the item of that branch, or NONE */
    uint32_t made, old;      /* copy or new branch; the node it stands for, if any: 0 = none */
    uint32_t result;
    uint32_t lo; /* a change whose path starts like this subtree's, as far as `above` tells */
    uint8_t bit, top, side;
    bool changed, moved;
    struct hash32 digest;
};

struct smt_scratch {
    struct task *task;
    struct item *item;
    uint32_t *by_depth, *climbing, *climbed;
    size_t task_count, task_room, item_count, item_room, order_room;
};

struct update {
    struct smt *t;
    struct smt_version *v;
    const struct smt_change *change;
    struct smt_scratch *s;
    uint32_t waiting[HASHED_TOGETHER];
    const struct hash32 *left[HASHED_TOGETHER], *right[HASHED_TOGETHER];
    struct hash32 *out[HASHED_TOGETHER];
    size_t waiting_count;
};

static struct smt_scratch *new_scratch(void)
{
    struct smt_scratch *s = smt_grown(NULL, 1, sizeof *s);

    *s = (struct smt_scratch){.task_room = TOGETHER, .item_room = TOGETHER};
    s->task = smt_grown(NULL, s->task_room, sizeof *s->task);
    s->item = smt_grown(NULL, s->item_room, sizeof *s->item);
    return s;
}

void smt_scratch_free(struct smt_scratch *s)
{
    if (s == NULL)
        return;
    free(s->task);
    free(s->item);
    free(s->by_depth);
    free(s->climbing);
    free(s->climbed);
    free(s);
}

/* --- down ----------------------------------------------------------------------------------------
 */

static struct smt_branch *parent_of(const struct update *u, uint32_t item)
{
    return item == NONE ? &u->v->root : u->s->item[item].from;
}

/* Fields are set one by one here and below: whole structs passed by value cost as much as all the
 * rest of the descent. */
static void push_task(struct update *u, uint32_t parent, bool side, uint32_t lo, uint32_t hi,
                      bool moved)
{
    struct smt_scratch *s = u->s;
    const struct smt_branch *b = s->item[parent].from;
    struct task *k;

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
static struct item *push_item(struct update *u, const struct task *k, unsigned bit)
{
    struct smt_scratch *s = u->s;
    struct item *i;

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

static void mark_changed(struct update *u, uint32_t item)
{
    if (item != NONE)
        u->s->item[item].changed = true;
}

/* The first of changes lo … hi - 1, which agree in the bits before, whose path has the bit set. */
static uint32_t split(const struct update *u, uint32_t lo, uint32_t hi, unsigned bit)
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

static void hash_waiting(struct update *u, uint8_t prefix)
{
    sha256_nodes(prefix, u->left, u->right, u->out, u->waiting_count);
    u->waiting_count = 0;
}

static void add_leaf(struct update *u, const struct task *k, const struct smt_change *c)
{
    uint32_t ref = smt_make(u->t, SMT_LEAF);
    struct smt_leaf *leaf = smt_at(u->t, ref);
    struct smt_branch *to = parent_of(u, k->parent);

    leaf->path = c->path;
    leaf->value_hash = c->value_hash;
    to->child[k->side] = ref;
    smt_refs_add(&u->v->made, ref);
    mark_changed(u, k->parent);
    u->left[u->waiting_count] = &leaf->path;
    u->right[u->waiting_count] = &leaf->value_hash;
    u->out[u->waiting_count++] = &to->digest[k->side];
    if (u->waiting_count == HASHED_TOGETHER)
        hash_waiting(u, 0);
}

/* Its children are empty yet. Returns the item. */
static uint32_t add_branch(struct update *u, const struct task *k, unsigned bit)
{
    uint32_t ref = smt_make(u->t, SMT_BRANCH);
    struct smt_branch *b = smt_at(u->t, ref);
    struct item *i = push_item(u, k, bit);

    memset(b, 0, sizeof *b);
    b->stem = smt_stem(u->change[k->lo].path.b, bit);
    b->bit = (uint8_t)bit;
    b->epoch = u->t->epoch;
    i->from = b;
    i->made = ref;
    i->old = 0;
    i->changed = true;
    mark_changed(u, k->parent);
    return (uint32_t)u->s->item_count - 1;
}

/* Leaves that go while there is none are no change: cut them off both ends. */
static bool trim(const struct update *u, struct task *k)
{
    while (k->lo < k->hi && !u->change[k->lo].present)
        k->lo++;
    while (k->lo < k->hi && !u->change[k->hi - 1].present)
        k->hi--;
    return k->lo < k->hi;
}

static void into_empty(struct update *u, struct task *k)
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
static void divide(struct update *u, const struct task *k, unsigned bit, const uint8_t *path)
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

static void onto_leaf(struct update *u, struct task *k)
{
    const struct smt_leaf *leaf = smt_at(u->t, k->ref);
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
        mark_changed(u, k->parent);
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
static void hash_again(struct update *u, const struct task *k)
{
    struct item *i;

    if (!k->moved)
        return;
    i = push_item(u, k, smt_depth(u->t, k->ref));
    i->made = 0;
    i->old = k->ref;
    i->from = NULL;
    if (smt_kind(k->ref) == SMT_STUB)
        i->digest = ((const struct smt_stub *)smt_at(u->t, k->ref))->digest;
    else
        i->from = smt_at(u->t, k->ref);
}

/* What happens at a branch or stub above its own depth `bit`: true if the task's changes all go on
 * below it, false if that was all. */
static bool through_run(struct update *u, struct task *k, unsigned bit, const uint8_t *path)
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

static void onto_branch(struct update *u, struct task *k)
{
    const struct smt_branch *old = smt_at(u->t, k->ref);
    unsigned bit = old->bit;
    struct smt_branch *b;
    struct item *i;
    uint32_t ref, item, mid;

    /* Mostly there is one change, and it goes through. */
    if (k->hi - k->lo != 1 || bit > SMT_STEM_BITS ||
        smt_passes_by(old, smt_word(u->change[k->lo].path.b, 0))) {
        struct hash32 path = smt_some_path(u->t, k->ref);

        if (!through_run(u, k, bit, path.b))
            return;
    }
    ref = smt_make(u->t, SMT_BRANCH);
    b = smt_at(u->t, ref);
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

/* Takes tasks from *next on until none is left or `parts` of them wait. False if a page is missing.
 */
static bool descend(struct update *u, size_t *next, size_t parts)
{
    struct smt_scratch *s = u->s;

    for (; *next < s->task_count && s->task_count - *next < parts; (*next)++) {
        struct task k = s->task[*next];

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
    hash_waiting(u, 0);
    return true;
}

/* --- up ------------------------------------------------------------------------------------------
 */

static void deliver(struct update *u, struct item *i)
{
    i->to->child[i->side] = i->result;
    if (i->result != i->old)
        mark_changed(u, i->parent);
}

/* Decides what the item's branch has become. False if nothing of it is to be hashed. */
static bool settle(struct update *u, struct item *i)
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
        i->from = smt_at(u->t, i->old);
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

static void hash_depth(struct update *u, unsigned depth, size_t *climbed)
{
    struct item *items = u->s->item;
    size_t n = u->waiting_count;

    hash_waiting(u, 1);
    for (size_t j = 0; j < n; j++) {
        struct item *i = &items[u->waiting[j]];

        if (i->top == depth)
            deliver(u, i);
        else
            u->s->climbed[(*climbed)++] = u->waiting[j];
    }
}

static void enqueue(struct update *u, uint32_t item, unsigned depth, const struct hash32 *left,
                    const struct hash32 *right, size_t *climbed)
{
    struct item *i = &u->s->item[item];

    u->left[u->waiting_count] = left;
    u->right[u->waiting_count] = right;
    u->out[u->waiting_count] = i->top == depth ? &i->to->digest[i->side] : &i->digest;
    u->waiting[u->waiting_count++] = item;
    if (u->waiting_count == HASHED_TOGETHER)
        hash_depth(u, depth, climbed);
}

/* A bit of the path that leads to an item, above it. */
static bool bit_above(const struct update *u, const struct item *i, unsigned depth)
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

/* Finishes the items from `start` on. */
static void ascend(struct update *u, size_t start)
{
    struct smt_scratch *s = u->s;
    uint32_t first[SMT_DEPTH + 1];
    size_t climbing = 0;

    for (unsigned depth = order(s, start, first); depth-- > 0;) {
        size_t climbed = 0;
        uint32_t *swap;

        for (size_t j = 0; j < climbing; j++) {
            struct item *i = &s->item[s->climbing[j]];
            bool right = bit_above(u, i, depth);

            enqueue(u, s->climbing[j], depth, right ? &smt_zero : &i->digest,
                    right ? &i->digest : &smt_zero, &climbed);
        }
        for (size_t j = first[depth]; j < first[depth + 1]; j++) {
            struct item *i = &s->item[s->by_depth[j]];

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

/* One task with all that follows from it. False if a page is missing; then its items are left. */
static bool carry_out(struct update *u, const struct task *whole)
{
    struct task part[PARTS + 1];
    size_t start = u->s->item_count, next = 0, parts;
    bool large = whole->hi - whole->lo > TOGETHER;

    u->s->task[0] = *whole;
    u->s->task_count = 1;
    if (!descend(u, &next, large ? PARTS : SIZE_MAX))
        return false;
    parts = u->s->task_count - next;
    memcpy(part, u->s->task + next, parts * sizeof *part);
    for (size_t i = 0; i < parts; i++)
        if (!carry_out(u, &part[i]))
            return false;
    ascend(u, start);
    return true;
}

/* --- both ----------------------------------------------------------------------------------------
 */

static void discard(struct update *u)
{
    for (size_t i = 0; i < u->s->item_count; i++)
        if (u->s->item[i].made != 0)
            smt_release(u->t, u->s->item[i].made);
    smt_drop(u->v);
}

static struct smt_version *child_of(struct smt_version *parent)
{
    struct smt_version *v = smt_grown(NULL, 1, sizeof *v);

    memset(v, 0, sizeof *v);
    v->tree = parent->tree;
    v->root = parent->root;
    v->parent = parent;
    v->next = parent->children;
    parent->children = v;
    return v;
}

enum tm_err smt_update(struct smt_version *v, const struct smt_change *changes, size_t count,
                       struct smt_version **out, struct tm_error *e)
{
    struct smt *t = v->tree;
    struct update u = {.t = t, .change = changes};
    struct task all = {.ref = v->root.child[0], .hi = (uint32_t)count, .parent = NONE};

    if (count >= NONE)
        return tm_fail(e, TM_ERR_LIMIT, "more changes in a batch than a tree has room for");
    for (size_t i = 1; i < count; i++)
        if (memcmp(changes[i - 1].path.b, changes[i].path.b, sizeof changes[i].path.b) >= 0)
            return tm_fail(e, TM_ERR_MALFORMED, "changes are not in the order of their paths");
    if (t->scratch == NULL)
        t->scratch = new_scratch();
    u.s = t->scratch;
    u.s->item_count = 0;
    u.v = child_of(v);
    if (count > 0 && !carry_out(&u, &all)) {
        discard(&u);
        return tm_fail(e, TM_ERR_AGAIN, "a page of the tree is not in memory");
    }
    *out = u.v;
    return TM_OK;
}
