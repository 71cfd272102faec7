/* The versioned pairs of schema `ledger` whose rows are known here: those of the trees
 * (transactions excepted, which have no versions) and that of the trees' nodes. */
#ifndef PG_EXTENSION_VERSIONED_PAIR_H
#define PG_EXTENSION_VERSIONED_PAIR_H

#include "table/row_scan.h"

#include "protocol/state/record.h"

enum { PAIR_KEY_COLUMNS_MAX = 3 };

struct versioned_pair {
    const char *table;       /* of the current rows; the history's six stand beside it */
    enum tree_id tree;       /* TREES for the nodes */
    struct row_scan_key key; /* the primary key of the current rows */
};

/* False where there is no such pair. */
bool versioned_pair_find(struct bytes name, struct versioned_pair *out);

/* Where one of the pair's tables has the key's columns. */
struct pair_columns {
    int count;
    AttrNumber at[PAIR_KEY_COLUMNS_MAX];
};
struct pair_columns versioned_pair_columns(const struct versioned_pair *pair, Relation table);

/* The key of a row as bytes, the same for all tables of a pair; borrowed from the slot or
 * `numbers`, which hold a key of several columns. */
struct bytes versioned_pair_key(struct pair_columns columns, TupleTableSlot *row,
                                int64 numbers[PAIR_KEY_COLUMNS_MAX]);

#endif
