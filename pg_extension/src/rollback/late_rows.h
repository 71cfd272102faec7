/*
 * Rows of a current table that began after a height. No index tells them: they are found page by
 * page, or by the keys that the blocks above the height changed.
 */
#ifndef PG_EXTENSION_LATE_ROWS_H
#define PG_EXTENSION_LATE_ROWS_H

#include "rollback/versioned_pair.h"

enum late_rows_way { LATE_ROWS_CHEAPER, LATE_ROWS_BY_PAGE, LATE_ROWS_BY_KEY };

struct late_rows;

/* current: the pair's table, open until late_rows_close. ended: how many of its rows have ended
 * since the height, at least; LATE_ROWS_CHEAPER asks. */
struct late_rows *late_rows_open(const struct versioned_pair *pair, Relation current,
                                 height_t height, enum late_rows_way way, size_t ended);
void late_rows_close(struct late_rows *l);

/* Calls `found` for each that the active snapshot sees. It may write the row. */
void late_rows_each(const struct late_rows *l, void (*found)(void *context, TupleTableSlot *row),
                    void *context);

#endif
