/* Values of protocol/ as SQL values, in the current memory context. */
#ifndef PG_EXTENSION_RESULT_H
#define PG_EXTENSION_RESULT_H

#include "value/compat.h"

#include "protocol/base/bytes.h"

Datum result_bytes(struct bytes b);
Datum result_hash(const struct hash32 *h);

/* Text of decoded bytes; U+0000, which SQL text cannot hold, is written as \u0000. */
Datum result_text(struct bytes text);
Datum result_text_array(const struct bytes *elements, size_t count);

/* A numeric from decimal digits with an optional sign. */
Datum result_numeric(struct bytes digits);

#endif
