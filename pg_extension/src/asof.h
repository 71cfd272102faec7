/* The text of "this table as of a height" over a versioned pair (storage.md). */
#ifndef PG_EXTENSION_ASOF_H
#define PG_EXTENSION_ASOF_H

#include "compat.h"

#include "lib/stringinfo.h"

/*
 * Appends the seven branches, joined by UNION ALL: the current table and the history's classes of
 * lifetime. `height` is an expression of type bigint, `condition` one over the table's columns;
 * both stand inside each branch, where the indexes are.
 */
void asof_append(StringInfo sql, const char *columns, const char *table, const char *condition,
                 const char *height);

#endif
