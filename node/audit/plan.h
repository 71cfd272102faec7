/*
 * What the audit checks next. Blocks are followed to the tip with verify_block and executed again,
 * each in order of heights and each with a cursor that lasts; heights to be verified in full are
 * drawn at random, without end. A pure decider: where the chain and the cursors stand comes in, a
 * task comes out.
 */
#ifndef NODE_AUDIT_PLAN_H
#define NODE_AUDIT_PLAN_H

#include "protocol/state/record.h"

enum audit_kind {
    AUDIT_BLOCK,     /* verify_block: the rows a block touched are under the roots of its header */
    AUDIT_EXECUTION, /* the block executed again on the state before it */
    AUDIT_STATE,     /* a height in full: the whole state before its block, and the block */
    AUDIT_KINDS
};

/* "block", "execution", "state". */
const char *audit_kind_name(enum audit_kind kind);

enum {
    AUDIT_RUN_HEIGHTS = 64 /* heights of one task at most: what a snapshot is held for */
};

struct audit_position {
    height_t earliest, tip;      /* of the chain: the state is kept from `earliest` on */
    height_t cursor[2];          /* last height done of blocks and executions; HEIGHT_NONE: none */
    uint64_t spent[AUDIT_KINDS]; /* processor time each kind has had, in any unit */
    uint64_t left[AUDIT_KINDS];  /* heights each kind may still do; UINT64_MAX: no end */
};

struct audit_task {
    enum audit_kind kind;
    height_t first, last;
    bool pruned; /* these heights cannot be checked any more: only the cursor moves */
};

/*
 * The next task; false: there is nothing to do before the chain grows. Of the kinds that have work
 * the one that has had the least time, heights in full at a weight of their own. `random` draws the
 * height.
 */
bool audit_next(const struct audit_position *p, uint64_t random, struct audit_task *out);

/* Both cursors stand at the tip, or have no height left to do. */
bool audit_at_tip(const struct audit_position *p);

/* The lowest height of a kind that can be checked with the state kept from `earliest` on. */
height_t audit_lowest(enum audit_kind kind, height_t earliest);

#endif
