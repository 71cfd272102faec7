/*
 * A plan for tidemark.diff_rows in FROM that gives its rows as they are asked for (diff_scan.h), in
 * place of a FunctionScan, which writes all of them down before it returns the first;
 * `tidemark.enable_diff_scan` leaves it out.
 */
#ifndef PG_EXTENSION_DIFF_PATH_H
#define PG_EXTENSION_DIFF_PATH_H

#include "value/compat.h"

#include "nodes/pathnodes.h"

/* Defines the setting; once, when the library is loaded. */
void diff_path_init(void);

/* Adds the path for one entry of a range table, where it is that function alone. */
void diff_path_add(PlannerInfo *root, RelOptInfo *rel, Index entry, RangeTblEntry *rte);

#endif
