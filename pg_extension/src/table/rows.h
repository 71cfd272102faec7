/* Rows of the versioned tables as records of protocol/, for every tree. */
#ifndef PG_EXTENSION_ROWS_H
#define PG_EXTENSION_ROWS_H

#include "table/query.h"

#include "protocol/state/record.h"

#include "utils/relcache.h"

enum { ROWS_COLUMNS_MAX = 10 };

/* How a tree's leaves lie in schema `ledger`; one row of a table for each tree. */
struct tree_table {
    const char *table;
    const char *key;     /* primary key column: what ledger.change holds, as bytes */
    Oid key_type;        /* bytea, or text for names */
    const char *columns; /* in the order rows_read reads them; the first is the record's key */
    Oid types[ROWS_COLUMNS_MAX]; /* of these columns */
};

/* Where a table has the columns of its tree, in the order of rows_read. */
struct rows_columns {
    int count;
    AttrNumber at[ROWS_COLUMNS_MAX];
};

/* Not for TREE_TRANSACTIONS' validity: its rows are append-only and have a height instead. */
const struct tree_table *rows_table(enum tree_id tree);

/* Raises unless a result has the types of the tree's columns: once before its rows are read. */
void rows_check(enum tree_id tree, TupleDesc desc);

/* The columns of one of the tree's tables; raises where one is missing or has another type. */
struct rows_columns rows_find_columns(enum tree_id tree, Relation table);

/* A row of such a result, or such columns of a table, as a record that borrows from the values;
 * what has to be fetched or made lies in the current memory context. */
void rows_read(enum tree_id tree, const Datum *values, const bool *nulls, struct record *out);

/* A row of the current SPI result, selected with the columns of its tree, copied to the arena. */
struct record *rows_record(struct arena *a, enum tree_id tree, HeapTuple row);

/* All rows of the current SPI result, which is freed. */
const struct record **rows_records(struct arena *a, enum tree_id tree, size_t *count);

/* The record's key as its row has it: the primary key (for IBC the SHA-256 of the key). */
Datum rows_key(enum tree_id tree, struct bytes key);

/* The path of a row by its primary key, as ledger.change has it (for IBC that is the path itself).
 */
struct hash32 rows_path(enum tree_id tree, struct bytes key);

#endif
