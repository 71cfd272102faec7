/*
 * Plans for reading the rows of a versioned pair as of a height (asof_match.h) with one node,
 * asof_scan.h, in place of a join with an Append over seven tables. The planner keeps both and
 * takes the cheaper one; `tidemark.enable_asof_scan` leaves this one out.
 */
#ifndef PG_EXTENSION_ASOF_PATH_H
#define PG_EXTENSION_ASOF_PATH_H

#include "value/compat.h"

#include "nodes/pathnodes.h"

/* Defines the setting and enters the planner's joins; once, when the library is loaded. */
void asof_path_init(void);

/* Adds the paths for one entry of a range table, where it is such a pair. */
void asof_path_add(PlannerInfo *root, RelOptInfo *rel, Index entry, RangeTblEntry *rte);

#endif
