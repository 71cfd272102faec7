/* Proofs out of the tables, as of any height that is kept. */
#ifndef PG_EXTENSION_PROVER_H
#define PG_EXTENSION_PROVER_H

#include "value/compat.h"

#include "protocol/proof/proof.h"
#include "protocol/state/record.h"

/* Raises, naming the trees, for text that is the name of none. */
enum tree_id prover_tree(Datum name);

/* The tree key out of an argument: bytes as they are; text is the name of a parameter or flag, or
 * else hexadecimal digits. */
struct bytes prover_key_of_bytes(Datum value);
struct bytes prover_key_of_text(struct arena *a, enum tree_id tree, Datum value);

/*
 * What the tree held under the keys after block `height`, under the root that its header states.
 * Raises for heights that are not kept, for absent keys that no leaf of the tree can have by their
 * length, and where the rows do not hash to the root. Between query_begin and query_end.
 */
void prover_prove(struct arena *a, enum tree_id tree, const struct bytes *keys, size_t count,
                  int64 height, struct proof *out);

#endif
