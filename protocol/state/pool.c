#include "pool.h"

static const struct {
    const char *name;
    char short_key[20 + 1];
    const char *long_key;
} POOL[POOL_LAST + 1] = {
    [POOL_DAO] = {"DAO", "DAO", "44414f0000000000000000000000000000000000"},
    [POOL_FEE_COLLECTOR] = {"FeeCollector", "FeeCollector",
                            "466565436f6c6c6563746f720000000000000000"},
    [POOL_APP_STAKE] = {"AppStakePool", "AppStakePool", "4170705374616b65506f6f6c0000000000000000"},
    [POOL_VALIDATOR_STAKE] = {"ValidatorStakePool", "ValidatorStakePool",
                              "56616c696461746f725374616b65506f6f6c0000"},
    [POOL_SERVICER_STAKE] = {"ServicerStakePool", "ServicerStakePool",
                             "53657276696365725374616b65506f6f6c000000"},
    [POOL_FISHERMAN_STAKE] = {"FishermanStakePool", "FishermanStakePool",
                              "4669736865726d616e5374616b65506f6f6c0000"},
};

const char *pool_name(enum pool_id pool)
{
    return POOL[pool].name;
}

struct bytes pool_short_key(enum pool_id pool)
{
    return bytes_make(POOL[pool].short_key, sizeof(struct address));
}

struct bytes pool_long_key(enum pool_id pool)
{
    return bytes_of(POOL[pool].long_key);
}

struct bytes pool_key(const struct rules *rules, enum pool_id pool)
{
    return rules->short_pool_addresses ? pool_short_key(pool) : pool_long_key(pool);
}

enum pool_id pool_by_key(struct bytes key)
{
    for (int i = POOL_DAO; i <= POOL_LAST; i++)
        if (bytes_equal(key, pool_short_key((enum pool_id)i)) ||
            bytes_equal(key, pool_long_key((enum pool_id)i)))
            return (enum pool_id)i;
    return (enum pool_id)0;
}

enum pool_id pool_of_stakes(enum actor_kind kind)
{
    switch (kind) {
    case ACTOR_APP:
        return POOL_APP_STAKE;
    case ACTOR_SERVICER:
        return POOL_SERVICER_STAKE;
    case ACTOR_FISH:
        return POOL_FISHERMAN_STAKE;
    case ACTOR_VAL:
        return POOL_VALIDATOR_STAKE;
    }
    return POOL_APP_STAKE;
}
