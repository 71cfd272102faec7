/*
 * A node of a plan: the rows of one versioned pair as of a height. Without a key it reads the
 * current table, and of the history the pages that hold a row that ended in its class's window;
 * with one it looks the key up, table by table, and stops at the row that was true at the height.
 */
#ifndef PG_EXTENSION_ASOF_SCAN_H
#define PG_EXTENSION_ASOF_SCAN_H

#include "planner/asof_match.h"

#include "nodes/plannodes.h"

#define ASOF_SCAN_NAME "Tidemark as of height"

/* Once, when the library is loaded. */
void asof_scan_init(void);

/*
 * Completes a plan that has its scan tuple and its expressions: the height and, with a key, that.
 * The scan tuple has columns of the range table's entry that was matched; any other is the height.
 */
void asof_scan_describe(CustomScan *scan, const struct asof_match *m, Index entry, bool has_key);

#endif
