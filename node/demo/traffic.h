/*
 * Seeded demo traffic for a LocalNet chain: what `make run` submits and what generated test chains
 * are made of. A pure generator: the same seed, start and calls give the same transactions. It
 * never stakes or unstakes a validator, so the validator set stays as it is.
 */
#ifndef NODE_DEMO_TRAFFIC_H
#define NODE_DEMO_TRAFFIC_H

#include "../../protocol/transaction/transaction.h"

enum {
    TRAFFIC_WALLETS = 24,
    TRAFFIC_FUNDERS_MAX = 16,
    TRAFFIC_BATCH_MAX = 64, /* most transactions one call makes */
    TRAFFIC_UNSTAKING_BLOCKS = 5
};

/* Where a chain stands in the set-up that random traffic needs. */
enum traffic_stage {
    TRAFFIC_FUND_OWNER, /* the parameter owner is funded, then the wallets */
    TRAFFIC_FUND_WALLETS,
    TRAFFIC_SET_PARAMETERS, /* short unbonding, sessions of five blocks */
    TRAFFIC_MIXED
};

struct traffic_wallet {
    struct private_key key;
    struct address address;
    int32_t staked_as; /* actor type, 0 = not as far as this generator knows */
    char stake_text[24];
};

struct traffic {
    uint64_t random;
    uint64_t serial; /* in every nonce, so no two transactions are equal */
    enum traffic_stage stage;
    struct private_key funders[TRAFFIC_FUNDERS_MAX];
    size_t funder_count;
    struct private_key owner;
    struct traffic_wallet wallets[TRAFFIC_WALLETS];
};

/*
 * funders: keys of accounts with money (LocalNet: the validators), at least one. serial: greater
 * than any used on this chain before, for example its height shifted left by 16.
 */
void traffic_init(struct traffic *t, uint64_t seed, uint64_t serial, enum traffic_stage stage,
                  const struct private_key *funders, size_t funder_count);

/* Signed transactions for the next block, at most TRAFFIC_BATCH_MAX, in the arena. */
size_t traffic_next(struct traffic *t, struct arena *a, struct bytes out[TRAFFIC_BATCH_MAX]);

/* Address of the published key that owns every parameter of LocalNet's genesis. */
struct address traffic_owner_address(void);

#endif
