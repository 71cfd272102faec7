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

/* Raises, with a hint, unless earliest <= h <= the tip. */
void height_require(const struct tip *tip, height_t h);

/* The n-th argument (from 0), a height that can be asked for; raises where it is NULL too. */
height_t height_argument(FunctionCallInfo fcinfo, int n, const struct tip *tip);

#endif
