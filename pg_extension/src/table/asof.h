/* The text of "this table as of a height" over a versioned pair (storage.md). */
#ifndef PG_EXTENSION_ASOF_H
#define PG_EXTENSION_ASOF_H

#include "value/compat.h"

#include "lib/stringinfo.h"

/* A version of class c lived less than 8^(c+1) heights; the last class has no such bound. */
enum { ASOF_CLASSES = 6, ASOF_CLASS_FACTOR = 8 };

/* Tables of a pair by number: the classes, then the current one. */
enum { ASOF_CURRENT = ASOF_CLASSES, ASOF_TABLES };

/* Name of a pair's table in schema `ledger`. */
struct asof_name {
    char text[48];
};
struct asof_name asof_table(const char *pair, int table);

/* Heights that a version of the class has lived at least. */
int64 asof_shortest_life(int class);

/* How much of all keys at all heights a class with so many rows answers for: its rows times their
 * lives. */
double asof_share(int class, double rows);

/* The last height at which a row of the class that is true at `height` can end. */
int64 asof_latest_end(int class, int64 height);

/* The height above which such a row has begun. */
int64 asof_earliest_begin(int class, int64 height);

/*
 * Appends the seven branches, joined by UNION ALL: the current table and the history's classes of
 * lifetime. `height` is an expression of type bigint, `condition` one over the table's columns;
 * both stand inside each branch, where the indexes are.
 */
void asof_append(StringInfo sql, const char *columns, const char *table, const char *condition,
                 const char *height);

#endif
