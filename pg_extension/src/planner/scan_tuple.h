/* What every scan of our own hands up: a tuple of just the columns that its plan asks for. */
#ifndef PG_EXTENSION_SCAN_TUPLE_H
#define PG_EXTENSION_SCAN_TUPLE_H

#include "value/compat.h"

#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"

/* False where what is asked of the range table's entry, or checked of it, is more than columns. */
bool scan_tuple_suffices(const RelOptInfo *rel, Index entry);

/* False where the expressions read a whole row or a system column of the range table's entry. */
bool scan_tuple_is_columns(const Node *expressions, Index entry);

/* custom_scan_tlist for a scan of these entries: the columns asked for, in the order asked for (so
 * that nothing has to be put in order later), then those that only conditions need. */
List *scan_tuple_columns(Relids entries, List *columns, List *conditions);

/* ExecScan's second look at a row that was locked: no query that may lock has a scan of our own. */
bool scan_tuple_recheck(ScanState *node, TupleTableSlot *row);

/* For a scan that does what a function would: raises where the user may not call that. */
void scan_tuple_check_function(Oid function);

#endif
