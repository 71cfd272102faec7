/*
 * Finds in a query what the views and functions of schema `state` are made of: seven SELECTs joined
 * by UNION ALL, the rows of one versioned pair as of a height (ledger.rows_at).
 */
#ifndef PG_EXTENSION_ASOF_MATCH_H
#define PG_EXTENSION_ASOF_MATCH_H

#include "table/asof.h"

#include "nodes/pathnodes.h"

/* One of the seven SELECTs. */
struct asof_branch {
    RangeTblEntry *table;
    Node *permission;  /* to read it: compat_permission */
    RelOptInfo *rel;   /* of the table, with its size and indexes */
    AttrNumber begins; /* valid_from */
    AttrNumber ends;   /* valid_to; of the history */
    List *columns;     /* attribute numbers of what it selects, in order */
    Oid by_key;        /* index that begins with the key (and goes on with valid_to); or none */
    Oid by_end;        /* index on valid_to; or none */
};

struct asof_match {
    Var *height;    /* of the query around it */
    AttrNumber key; /* the selected column that is the pair's key, a bytea; or 0 */
    struct asof_branch branches[ASOF_TABLES];
};

/* What the range table's entry is, planned already, or NULL where it is anything else. */
struct asof_match *asof_match(PlannerInfo *root, Index entry);

#endif
