/* Pages of the trees out of ledger.tree_node and the leaf rows, as of a height (storage.md). */
#ifndef PG_EXTENSION_PAGE_SOURCE_H
#define PG_EXTENSION_PAGE_SOURCE_H

#include "height/height.h"
#include "table/reader.h"

#include "protocol/smt/smt.h"

/* A tree as of a height. No table before first_table (asof.h) has a row of it. */
struct page_source {
    enum tree_id tree;
    height_t height;
    int first_table;
};

/* tip: ledger.tip in the snapshot that is read, of a chain that keeps the height. */
struct page_source page_source_at(enum tree_id tree, height_t height, const struct tip *tip);

/* Rows of leaves, in any order. */
struct page_rows {
    const struct record **list;
    size_t count, room;
};

/*
 * Installs every page that the paths (best ascending) need in the tree's base version.
 * TM_ERR_MISMATCH: the rows do not hash to the root the tree was opened with; TM_ERR_LIMIT: more
 * leaves lie under a page than its tree nodes allow. Between query_begin and query_end.
 */
enum tm_err page_source_fill(struct arena *a, struct smt *t, const struct page_source *source,
                             const struct hash32 *paths, size_t count, struct tm_error *e);

/* The same; *rows gets the rows that were read, those of the paths among them unless their pages
 * were there before. */
enum tm_err page_source_fill_rows(struct arena *a, struct smt *t, const struct page_source *source,
                                  const struct hash32 *paths, size_t count, struct page_rows *rows,
                                  struct tm_error *e);

/*
 * Compares tree nodes with the rows as of a height. Returns the number of changes whose row is not
 * as they say, the first of them in *wrong.
 */
size_t page_source_compare(struct arena *a, enum tree_id tree, height_t height,
                           const struct smt_node_change *changes, size_t count, size_t *wrong);

#endif
