/* Heights that can be asked for, in the snapshot of the calling query. */
#ifndef PG_EXTENSION_HEIGHT_H
#define PG_EXTENSION_HEIGHT_H

#include "value/compat.h"

#include "fmgr.h"

#include "protocol/base/bytes.h"

struct tip {
    height_t height, earliest;
    struct hash32 state_hash;
};

/* The row of ledger.tip; raises before genesis. */
struct tip height_tip(void);

/* What tidemark.height(*given) answers, or tidemark.height() where given is NULL, but for the guard
 * of cursors (height_guard.h); *tip is what it was held against. Raises as they do. */
height_t height_resolve(const int64 *given, struct tip *tip);

/* Whether no version can have ended after h: it is the tip, and this transaction is not writing a
 * block after it. */
bool height_is_last(const struct tip *tip, height_t h);

/* Raises, with a hint, unless earliest <= h <= the tip. */
void height_require(const struct tip *tip, height_t h);

/* The error of a height that is NULL. */
void height_raise_null(void);

/* The n-th argument (from 0), a height that can be asked for; raises where it is NULL too. */
height_t height_argument(FunctionCallInfo fcinfo, int n, const struct tip *tip);

#endif
