/* A node of a plan: the rows of tidemark.diff_rows, each made when it is asked for. */
#ifndef PG_EXTENSION_DIFF_SCAN_H
#define PG_EXTENSION_DIFF_SCAN_H

#include "value/compat.h"

#include "nodes/plannodes.h"

#define DIFF_SCAN_NAME "Tidemark differences"

enum { DIFF_ARGUMENTS = 3 }; /* the view, both heights */

/* Once, when the library is loaded. */
void diff_scan_init(void);

/* Completes a plan that has its scan tuple, of columns of the function. */
void diff_scan_describe(CustomScan *scan, const FuncExpr *call);

#endif
