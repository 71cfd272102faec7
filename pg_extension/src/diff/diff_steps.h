/* The steps that changed rows between two heights: their names, and the transactions among them. */
#ifndef PG_EXTENSION_DIFF_STEPS_H
#define PG_EXTENSION_DIFF_STEPS_H

#include "value/compat.h"

enum { DIFF_STEP_NAMES = 7 };

struct diff_transaction {
    int64 height;
    int32 tx_index;
    Datum hash, message_type;
};

struct diff_steps {
    struct diff_transaction *list; /* by height and tx_index */
    size_t count, room;
    int64 height; /* of the transaction that was looked up last */
    size_t first; /* the place of the first one of that height, where they are numbered from 0 */
    Datum names[DIFF_STEP_NAMES];
};

/* Reads what the active snapshot sees into the current memory context. */
void diff_steps_read(struct diff_steps *s, int64 low, int64 high);

/* The transaction of a step of ledger.change, or NULL: it is none. */
const struct diff_transaction *diff_steps_find(struct diff_steps *s, int64 height, int32 step);

/* What the step is called, a text. */
Datum diff_steps_name(const struct diff_steps *s, int32 step);

#endif
