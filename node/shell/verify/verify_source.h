/* Reads the raw rows of a stored chain, height by height, for the verifier. */
#ifndef NODE_SHELL_VERIFY_VERIFY_SOURCE_H
#define NODE_SHELL_VERIFY_VERIFY_SOURCE_H

#include <libpq-fe.h>

#include "node/verify/verify.h"

struct verify_source;

/* The chain's constants and its tip, as the rows say. */
struct verify_chain {
    struct bytes genesis_file;
    struct bytes chain_id, rules;
    int64_t genesis_seconds;
    int32_t genesis_nanos;
    struct bytes max_block_bytes; /* decimal */
    int32_t block_interval_msec, empty_block_interval_msec;
    height_t tip, earliest;
    struct bytes tip_state_hash;
};

/* Begins a read-only snapshot in which everything is read; ended by verify_source_close. */
enum tm_err verify_source_open(PGconn *conn, struct verify_source **out, struct tm_error *e);
void verify_source_close(struct verify_source *s);

/* TM_ERR_NOT_FOUND: the database has no chain. Lives as long as the source. */
enum tm_err verify_source_chain(struct verify_source *s, struct verify_chain *out,
                                struct tm_error *e);

/* The state as of a height, in the arena. */
enum tm_err verify_source_state(struct verify_source *s, struct arena *a, height_t height,
                                struct verify_resume *out, struct tm_error *e);

/* The row of ledger.block of one height, in the arena; nothing else of it. */
enum tm_err verify_source_header(struct verify_source *s, struct arena *a, height_t height,
                                 struct verify_height *out, struct tm_error *e);

/* False and a sentence where rows are left that end at or before the earliest height whose state is
 * kept, or changes or bytes of transactions before it. */
bool verify_source_is_pruned(struct verify_source *s, height_t earliest, struct tm_error *e);

/* Prepares to read the rows of heights first, first + 1, … last (or of all heights from `first` on
 * that there are rows of, with HEIGHT_NONE). */
enum tm_err verify_source_begin(struct verify_source *s, height_t first, height_t last,
                                struct tm_error *e);

/* All rows of the next height, in the arena. TM_ERR_MISMATCH: a value no row may have. */
enum tm_err verify_source_next(struct verify_source *s, struct arena *a, height_t height,
                               struct verify_height *out, struct tm_error *e);

/* After the last height: false and a sentence where rows of other heights are left. */
bool verify_source_exhausted(struct verify_source *s, struct tm_error *e);

#endif
