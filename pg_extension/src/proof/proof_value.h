/* Values of the SQL type tidemark.proof: the bytes of protocol/proof, checked wherever they come
 * in. */
#ifndef PG_EXTENSION_PROOF_VALUE_H
#define PG_EXTENSION_PROOF_VALUE_H

#include "value/compat.h"

#include "protocol/proof/proof.h"

/* Decodes an argument, borrowing from it; raises what is wrong. */
void proof_value_read(struct arena *a, Datum value, struct proof *out);

Datum proof_value_make(struct arena *a, const struct proof *p);

#endif
