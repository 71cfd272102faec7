/* Rows of a versioned tree by ranges of path64, as of a height: through the indexes in tree order,
 * without the executor, since a plan over seven tables costs more than the few rows of a proof. */
#ifndef PG_EXTENSION_PATH_ROWS_H
#define PG_EXTENSION_PATH_ROWS_H

#include "table/rows.h"

/* A part of a tree: from the first path64 to the last. */
struct path_range {
    int64 first, last;
    size_t most; /* rows that can lie in it, as far as the stored nodes say; SIZE_MAX: any number */
    int first_table; /* of the tables (asof.h), the first that can have one of its rows */
};

struct path_ranges {
    struct path_range *list; /* its owner makes room */
    size_t count;
};

/* First and last path64 under a prefix of `depth` bits. */
int64 first_path64(uint64_t prefix, int depth);
int64 last_path64(uint64_t prefix, int depth);

/* Adds what lies under a prefix, to the range before where that ends right there. */
void path_ranges_add(struct path_ranges *r, uint64_t prefix, int depth, size_t most,
                     int first_table);

/*
 * Rows that lie in the ranges, in any order; copies in the arena. Once a table has given a range as
 * many as can lie in it the other tables are not asked; of more than that, one comes back. Not for
 * transactions, which have no versions. Raises where the user may not read the tree's tables.
 */
const struct record **path_rows_at(struct arena *a, enum tree_id tree, height_t height,
                                   const struct path_ranges *ranges, size_t *count);

#endif
