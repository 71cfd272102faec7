/* Records of schema `ledger`: at the tip, or as they were at a height. Between query_begin and
 * query_end; what is returned lives in the arena. */
#ifndef PG_EXTENSION_READER_H
#define PG_EXTENSION_READER_H

#include "table/path_rows.h"

/* The record the tip holds, or NULL. key: the record's key. */
const struct record *reader_current(struct arena *a, enum tree_id tree, struct bytes key);

/* All records of a tree as of a height, ascending by key. Not for transactions. */
const struct record **reader_all_at(struct arena *a, enum tree_id tree, height_t height,
                                    size_t *count);

/* Those of the given rows (keys as ledger.change has them) that are there, in any order. */
const struct record **reader_rows_at(struct arena *a, enum tree_id tree, height_t height,
                                     const struct bytes *keys, size_t key_count, size_t *count);

/* Those in the ranges, as path_rows_at reads them, but of any tree. */
const struct record **reader_paths_at(struct arena *a, enum tree_id tree, height_t height,
                                      const struct path_ranges *ranges, size_t *count);

/* Value of a parameter as of a height; empty when there is none. */
struct bytes reader_param_at(struct arena *a, const char *name, height_t height);

/* Name of the chain's rule set; raises where no genesis is loaded. */
const struct rules *reader_rules(void);

/* An int8[] or int2[] as a parameter. */
Datum reader_int8_array(const int64 *values, size_t count);
Datum reader_int2_array(const int16 *values, size_t count);

#endif
