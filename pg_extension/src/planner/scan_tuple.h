/* What every scan of our own hands up: a tuple of just the columns that its plan asks for. */
#ifndef PG_EXTENSION_SCAN_TUPLE_H
#define PG_EXTENSION_SCAN_TUPLE_H

#include "value/compat.h"

#include "nodes/pathnodes.h"

/* False where the expressions read a whole row or a system column of the range table's entry. */
bool scan_tuple_is_columns(const Node *expressions, Index entry);

/* custom_scan_tlist for a scan of these entries: the columns asked for, in the order asked for (so
 * that nothing has to be put in order later), then those that only conditions need. */
List *scan_tuple_columns(Relids entries, List *columns, List *conditions);

#endif
