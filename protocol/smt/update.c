/*
 * A batch of changes in two passes. Down: breadth first, all changes one branch further each time,
 * copying the branches they pass (many independent reads in flight instead of one chain of cache
 * misses per path). Up: depth by depth from the deepest, all nodes of one depth hashed together.
 * A large batch is divided by subtrees, so that what goes down is still in the cache on its way up.
 */
#include "batch.h"

#include <stdlib.h>

enum {
    TOGETHER = 256, /* changes that go down and up at once: their nodes fit into a level 2 cache */
    PARTS = 16      /* subtrees a larger batch is divided into, again and again */
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

/* One task with all that follows from it. False if a page is missing; then its items are left. */
static bool carry_out(struct smt_batch *u, const struct smt_task *whole)
{
    struct smt_task part[PARTS + 1];
    size_t start = u->s->item_count, next = 0, parts;
    bool large = whole->hi - whole->lo > TOGETHER;

    u->s->task[0] = *whole;
    u->s->task_count = 1;
    if (!smt_descend(u, &next, large ? PARTS : SIZE_MAX))
        return false;
    parts = u->s->task_count - next;
    memcpy(part, u->s->task + next, parts * sizeof *part);
    for (size_t i = 0; i < parts; i++)
        if (!carry_out(u, &part[i]))
            return false;
    smt_ascend(u, start);
    return true;
}

static void discard(struct smt_batch *u)
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
    struct smt_batch u = {.t = t, .change = changes};
    struct smt_task all = {.ref = v->root.child[0], .hi = (uint32_t)count, .parent = SMT_NONE};

    if (count >= SMT_NONE)
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
