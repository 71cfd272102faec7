/* From the rows a source reads to a verifier: what every walk over a stored chain begins with. */
#ifndef NODE_SHELL_VERIFY_VERIFY_WALK_H
#define NODE_SHELL_VERIFY_VERIFY_WALK_H

#include "verify_source.h"

/* The chain's constants and the genesis file kept with it, in the arena. */
enum tm_err verify_walk_genesis(struct verify_source *source, struct arena *a,
                                struct verify_chain *chain, struct genesis *g, struct tm_error *e);

/* False and a sentence where the columns of ledger.chain are not those of the genesis file in it.
 */
bool verify_walk_same_chain(const struct verify_chain *chain, const struct genesis *g,
                            struct tm_error *e);

/* Brings a new verifier to the stored state as of `height`, its ten trees recomputed. *findings of
 * them were reported; the verifier goes on only where there is none. */
enum tm_err verify_walk_resume(struct verify_source *source, struct verifier *v, height_t height,
                               size_t *findings, struct tm_error *e);

/*
 * One height in full: the whole state before its block, and the block on it. Findings go to the
 * verifier's report, of a new verifier. TM_ERR_MISMATCH: a value no row may have.
 */
enum tm_err verify_walk_one(struct verify_source *source, struct verifier *v, height_t height,
                            size_t *findings, struct tm_error *e);

#endif
