/*
 * Rows of a history that were true at a height and are not any more, by their keys: what a way back
 * to that height puts into the table of the current rows. They are read a batch at a time, in the
 * order in which they lie. With them the history loses every row that ended after the height.
 */
#ifndef PG_EXTENSION_ENDED_ROWS_H
#define PG_EXTENSION_ENDED_ROWS_H

#include "rollback/versioned_pair.h"

#include "access/htup.h"

struct ended_rows;

/* current: the table of the current rows, open until ended_rows_close. The active snapshot, which
 * is used, lives as long. Raises where the user may not read the history or delete from it. */
struct ended_rows *ended_rows_open(const struct versioned_pair *pair, Relation current,
                                   height_t height);
void ended_rows_close(struct ended_rows *e);

/* Forgets the batch and reads the next, of at most `most` rows; false where it is the last one. */
bool ended_rows_fill(struct ended_rows *e, size_t most);

/* Number of rows that ended after the height and are gone from the history, whenever they began. */
size_t ended_rows_removed(const struct ended_rows *e);

/* The batch's row of the same key as this current one, in the form of the current table, to be
 * freed by the caller; NULL where there is none. Each is given once. */
HeapTuple ended_rows_take(struct ended_rows *e, TupleTableSlot *current);

/* Any row of the batch that has not been given yet; NULL where there is none. */
HeapTuple ended_rows_take_any(struct ended_rows *e);

#endif
