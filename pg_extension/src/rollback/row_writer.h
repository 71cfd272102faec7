/*
 * Rows of one table written as a statement would, without a plan: constraints, large values and
 * indexes are the server's business. What is written counts for the current command, and so the
 * active snapshot does not see it.
 */
#ifndef PG_EXTENSION_ROW_WRITER_H
#define PG_EXTENSION_ROW_WRITER_H

#include "value/compat.h"

#include "access/htup.h"
#include "executor/tuptable.h"
#include "nodes/parsenodes.h"
#include "utils/relcache.h"

struct row_writer;

/* Raises where the user lacks one of the rights `wanted` (ACL_…) on the table, which the caller has
 * locked with RowExclusiveLock, in a transaction that may write. Of several writers the last begun
 * ends first. */
struct row_writer *row_writer_begin(Relation table, AclMode wanted);

/* old: a row of the table that the active snapshot sees, where it lies. row: in the table's form,
 * allocated with palloc; it is freed. An update leaves the primary key as it is. */
void row_writer_insert(struct row_writer *w, HeapTuple row);
void row_writer_update(struct row_writer *w, TupleTableSlot *old, HeapTuple row);
void row_writer_delete(struct row_writer *w, TupleTableSlot *old);

void row_writer_end(struct row_writer *w);

#endif
