/* The six pools and their keys (state.md 5.4, utility.md 3.1). */
#ifndef PROTOCOL_STATE_POOL_H
#define PROTOCOL_STATE_POOL_H

#include "../rules/rules.h"
#include "record.h"

/* The wire's numbers. */
enum pool_id {
    POOL_DAO = 1,
    POOL_FEE_COLLECTOR = 2,
    POOL_APP_STAKE = 3,
    POOL_VALIDATOR_STAKE = 4,
    POOL_SERVICER_STAKE = 5,
    POOL_FISHERMAN_STAKE = 6,
    POOL_LAST = POOL_FISHERMAN_STAKE
};

/* "DAO", "FeeCollector", "AppStakePool", … */
const char *pool_name(enum pool_id pool);

/* The 20 bytes of the name padded with zeros: the key of `standard`. */
struct bytes pool_short_key(enum pool_id pool);

/* The 40 hex characters of those bytes as ASCII: the key the reference uses at run time (D22). */
struct bytes pool_long_key(enum pool_id pool);

/* The one of the two that the rules use while blocks run. */
struct bytes pool_key(const struct rules *rules, enum pool_id pool);

/* The pool whose key, in either form, this is; 0 if none. */
enum pool_id pool_by_key(struct bytes key);

/* Where stakes of a kind lie (`reference` credits all kinds to APP_STAKE and takes from these). */
enum pool_id pool_of_stakes(enum actor_kind kind);

#endif
