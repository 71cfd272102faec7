/* Decimal text of numerics that are whole numbers, as amounts are. */
#ifndef PG_EXTENSION_STORED_NUMBER_H
#define PG_EXTENSION_STORED_NUMBER_H

#include "value/compat.h"

#include "protocol/base/bytes.h"

/* What numeric_out says, in the current memory context; quick for whole numbers as tables hold
 * them. */
struct bytes stored_number_text(Datum value);

/* The same as a value of type text. */
Datum stored_number_datum(Datum value);

#endif
