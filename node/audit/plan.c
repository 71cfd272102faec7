#include "plan.h"

/* A height in full costs as much as the chain is large and finds what the two others leave out; in
 * the long run it has half the time that each of them has while there is work for all. */
static const uint64_t WEIGHT[AUDIT_KINDS] = {
    [AUDIT_BLOCK] = 2, [AUDIT_EXECUTION] = 2, [AUDIT_STATE] = 1};

const char *audit_kind_name(enum audit_kind kind)
{
    switch (kind) {
    case AUDIT_BLOCK:
        return "block";
    case AUDIT_EXECUTION:
        return "execution";
    case AUDIT_STATE:
        return "state";
    case AUDIT_KINDS:
        break;
    }
    return "";
}

height_t audit_lowest(enum audit_kind kind, height_t earliest)
{
    switch (kind) {
    case AUDIT_BLOCK:
        return earliest;
    case AUDIT_EXECUTION: /* on the state of the height before; genesis is no execution */
        return earliest + 1;
    case AUDIT_STATE: /* likewise, but genesis is compared with its file */
        return earliest == 0 ? 0 : earliest + 1;
    case AUDIT_KINDS:
        break;
    }
    return 0;
}

static height_t next_height(const struct audit_position *p, enum audit_kind kind)
{
    height_t next = p->cursor[kind] + 1, lowest = audit_lowest(kind, 0);

    return next < lowest ? lowest : next;
}

static bool has_work(const struct audit_position *p, enum audit_kind kind)
{
    if (p->left[kind] == 0)
        return false;
    return kind == AUDIT_STATE ? audit_lowest(kind, p->earliest) <= p->tip
                               : next_height(p, kind) <= p->tip;
}

static void in_order(const struct audit_position *p, struct audit_task *t)
{
    height_t lowest = audit_lowest(t->kind, p->earliest);
    uint64_t most = p->left[t->kind] < AUDIT_RUN_HEIGHTS ? p->left[t->kind] : AUDIT_RUN_HEIGHTS;

    t->first = next_height(p, t->kind);
    t->pruned = t->first < lowest;
    if (t->pruned)
        t->last = lowest - 1 < p->tip ? lowest - 1 : p->tip;
    else
        t->last = (uint64_t)(p->tip - t->first) < most ? p->tip : t->first + (height_t)most - 1;
}

bool audit_next(const struct audit_position *p, uint64_t random, struct audit_task *out)
{
    int chosen = AUDIT_KINDS;
    height_t lowest = audit_lowest(AUDIT_STATE, p->earliest);

    for (int kind = 0; kind < AUDIT_KINDS; kind++)
        if (has_work(p, (enum audit_kind)kind) &&
            (chosen == AUDIT_KINDS ||
             p->spent[kind] / WEIGHT[kind] < p->spent[chosen] / WEIGHT[chosen]))
            chosen = kind;
    if (chosen == AUDIT_KINDS)
        return false;
    *out = (struct audit_task){.kind = (enum audit_kind)chosen};
    if (chosen == AUDIT_STATE)
        out->first = out->last = lowest + (height_t)(random % (uint64_t)(p->tip - lowest + 1));
    else
        in_order(p, out);
    return true;
}

bool audit_at_tip(const struct audit_position *p)
{
    return !has_work(p, AUDIT_BLOCK) && !has_work(p, AUDIT_EXECUTION);
}
