/* The vote guard and the bodies of voted blocks in the database, beside the guard file. */
#ifndef NODE_SHELL_STORE_STORE_GUARD_H
#define NODE_SHELL_STORE_STORE_GUARD_H

#include "guard_file.h"
#include "store.h"

/* Which cluster and timeline the connection leads to; chain_id stays as it is. */
enum tm_err store_guard_place(struct store_pg *s, struct guard_place *place, struct tm_error *e);

/* All rows of ledger.vote_guard, in the arena; place is that of the row with the greatest record.
 */
enum tm_err store_guard_read(struct store_pg *s, struct arena *a, struct guard_content *out,
                             struct tm_error *e);

/*
 * Writes records (those marked) and the body to the database and all records to the file, side by
 * side; TM_OK when both are on disk. rows: the sequence each record's row had when this node last
 * read or wrote it, 0 for no row; brought up to date. TM_ERR_IO: try again. TM_ERR_CONFIG: another
 * node wrote a row meanwhile, or the file failed for good; nothing may be signed.
 */
enum tm_err store_guard_persist(struct store_pg *s, struct guard_file *file,
                                const struct guard_content *all, const bool *marked, uint64_t *rows,
                                uint64_t height, uint64_t round, const struct hash32 *header_hash,
                                struct bytes body, struct tm_error *e);

/* The stored body of a proposal, in the arena; TM_ERR_NOT_FOUND. */
enum tm_err store_guard_body(struct store_pg *s, struct arena *a, uint64_t height,
                             const struct hash32 *header_hash, struct bytes *out,
                             struct tm_error *e);

#endif
