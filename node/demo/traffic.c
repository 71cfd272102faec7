#include "traffic.h"

#include "../../protocol/base/hex.h"
#include "../../protocol/sha256/sha256.h"
#include "../../protocol/state/record.h"

#include <stdio.h>

/* Published test key of the parameter owner (utility.md 10). */
static const char OWNER_KEY[] = "ff538589deb7f28bbce1ba68b37d2efc0eaa03204b36513cf88422a875559e38"
                                "d6cbe0430ddd85a5e48e0c99ef3dea47bf0d1a83c6e6ad1640f72201dc8a0120";

static const char FUNDING[] = "1000000000000"; /* a million POKT: some stakes and many fees */

static uint64_t random_next(struct traffic *t)
{
    uint64_t z = t->random += 0x9e3779b97f4a7c15ull; /* splitmix64 */

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static uint64_t below(struct traffic *t, uint64_t n)
{
    return random_next(t) % n;
}

static struct private_key owner_key(void)
{
    struct private_key key;

    hex_decode(bytes_of(OWNER_KEY), key.b);
    return key;
}

static struct address address_of(const struct private_key *key)
{
    struct public_key public = ed25519_public(key);

    return address_of_key(&public);
}

struct address traffic_owner_address(void)
{
    struct private_key key = owner_key();

    return address_of(&key);
}

void traffic_init(struct traffic *t, uint64_t seed, uint64_t serial, enum traffic_stage stage,
                  const struct private_key *funders, size_t funder_count)
{
    *t = (struct traffic){.random = seed ^ serial, .serial = serial, .stage = stage};
    t->owner = owner_key();
    for (size_t i = 0; i < funder_count && i < TRAFFIC_FUNDERS_MAX; i++)
        t->funders[t->funder_count++] = funders[i];
    for (size_t i = 0; i < TRAFFIC_WALLETS; i++) {
        char name[64];
        struct hash32 wallet_seed;

        snprintf(name, sizeof name, "tidemark demo wallet %llu/%zu", (unsigned long long)seed, i);
        wallet_seed = sha256(bytes_of(name));
        t->wallets[i].key = ed25519_from_seed(wallet_seed.b);
        t->wallets[i].address = address_of(&t->wallets[i].key);
    }
}

static struct bytes sign(struct traffic *t, struct arena *a, const struct message *m,
                         const struct private_key *key)
{
    char *nonce = arena_format(a, "%llu", (unsigned long long)++t->serial);

    return transaction_sign(a, m, bytes_of(nonce), key);
}

static struct bytes make_send(struct traffic *t, struct arena *a, const struct private_key *from,
                              const struct address *to, const char *amount)
{
    struct address sender = address_of(from);
    struct message m = {.kind = MESSAGE_SEND,
                        .from = bytes_address(&sender),
                        .to = bytes_address(to),
                        .amount = bytes_of(amount)};

    return sign(t, a, &m, from);
}

static struct bytes make_parameter(struct traffic *t, struct arena *a, const char *name,
                                   const char *value)
{
    struct address owner = address_of(&t->owner);
    struct message m = {.kind = MESSAGE_CHANGE_PARAMETER,
                        .signer = bytes_address(&owner),
                        .owner = bytes_address(&owner),
                        .parameter_key = bytes_of(name),
                        .has_parameter_value = true,
                        .wrapper = WRAPPER_STRING,
                        .wrapper_decodes = true,
                        .text_value = bytes_of(value)};

    return sign(t, a, &m, &t->owner);
}

/* Stakes, or edits when the wallet is staked; `stake` in upokt. */
static struct bytes make_stake(struct traffic *t, struct arena *a, struct traffic_wallet *w,
                               int32_t kind, uint64_t stake)
{
    static const char *const CHAINS[] = {"0001", "0002", "0003", "0021"};
    struct public_key public = ed25519_public(&w->key);
    struct bytes chains[2];
    struct message m = {.kind = w->staked_as != 0 ? MESSAGE_EDIT_STAKE : MESSAGE_STAKE,
                        .actor_type = w->staked_as != 0 ? w->staked_as : kind,
                        .chains = chains,
                        .chain_count = 1 + below(t, 2)};
    uint64_t first = below(t, 4);

    chains[0] = bytes_of(CHAINS[first]);
    chains[1] = bytes_of(CHAINS[(first + 1) % 4]);
    snprintf(w->stake_text, sizeof w->stake_text, "%llu", (unsigned long long)stake);
    m.amount = bytes_of(w->stake_text);
    if (m.actor_type != ACTOR_APP)
        m.service_url = bytes_of(
            arena_format(a, "https://node%u.demo.example:443", (unsigned)(w - t->wallets)));
    if (m.kind == MESSAGE_STAKE) {
        m.public_key = bytes_make(public.b, sizeof public.b);
        m.output = bytes_address(&w->address);
    } else {
        m.address = bytes_address(&w->address);
    }
    w->staked_as = m.actor_type;
    return sign(t, a, &m, &w->key);
}

static struct bytes make_unstake(struct traffic *t, struct arena *a, struct traffic_wallet *w)
{
    struct message m = {
        .kind = MESSAGE_UNSTAKE, .actor_type = w->staked_as, .address = bytes_address(&w->address)};

    w->staked_as = 0;
    return sign(t, a, &m, &w->key);
}

static struct bytes make_ibc(struct traffic *t, struct arena *a, const struct traffic_wallet *w,
                             bool prune)
{
    char *key = arena_format(a, "clients/07-tendermint-%u/state", (unsigned)below(t, 6));
    char *value = arena_format(a, "state %llu", (unsigned long long)t->serial);
    struct message m = {.kind = prune ? MESSAGE_PRUNE_IBC_STORE : MESSAGE_UPDATE_IBC_STORE,
                        .signer = bytes_address(&w->address),
                        .key = bytes_of(key)};

    if (!prune)
        m.value = bytes_of(value);
    return sign(t, a, &m, &w->key);
}

/* One transaction of the mixed stage. */
static struct bytes make_mixed(struct traffic *t, struct arena *a)
{
    static const char *const FEES[] = {"message_send_fee", "message_stake_app_fee",
                                       "message_unstake_servicer_fee"};
    struct traffic_wallet *w = &t->wallets[below(t, TRAFFIC_WALLETS)];
    struct traffic_wallet *other = &t->wallets[below(t, TRAFFIC_WALLETS)];
    uint64_t roll = below(t, 100);

    if (roll < 60) {
        char amount[24];

        snprintf(amount, sizeof amount, "%llu", (unsigned long long)(1 + below(t, 2000000)));
        return make_send(t, a, &w->key, &other->address, amount);
    }
    if (roll < 64) /* more than anyone has: stays in the block, fails with code 41 */
        return make_send(t, a, &w->key, &other->address, "900000000000000000");
    if (roll < 67 && w->staked_as == 0) { /* below the minimum stake: code 45 */
        struct bytes tx = make_stake(t, a, w, ACTOR_APP, 1000);

        w->staked_as = 0;
        return tx;
    }
    if (roll < 80) {
        static const int32_t KINDS[] = {ACTOR_APP, ACTOR_SERVICER, ACTOR_FISH};

        return make_stake(t, a, w, KINDS[below(t, 3)], 15000000000ull + 1000 * (t->serial % 65536));
    }
    if (roll < 86 && w->staked_as != 0)
        return make_unstake(t, a, w);
    if (roll < 90)
        return make_parameter(t, a, FEES[below(t, 3)],
                              arena_format(a, "%u", (unsigned)(9000 + below(t, 2000))));
    return make_ibc(t, a, w, roll >= 97);
}

size_t traffic_next(struct traffic *t, struct arena *a, struct bytes out[TRAFFIC_BATCH_MAX])
{
    struct address owner = address_of(&t->owner);
    char blocks[16];
    size_t n = 0;

    switch (t->stage) {
    case TRAFFIC_FUND_OWNER:
        out[n++] = make_send(t, a, &t->funders[0], &owner, FUNDING);
        t->stage = TRAFFIC_FUND_WALLETS;
        break;
    case TRAFFIC_FUND_WALLETS:
        for (size_t i = 0; i < TRAFFIC_WALLETS; i++)
            out[n++] =
                make_send(t, a, &t->funders[i % t->funder_count], &t->wallets[i].address, FUNDING);
        t->stage = TRAFFIC_SET_PARAMETERS;
        break;
    case TRAFFIC_SET_PARAMETERS:
        snprintf(blocks, sizeof blocks, "%d", TRAFFIC_UNSTAKING_BLOCKS);
        out[n++] = make_parameter(t, a, "app_unstaking_blocks", blocks);
        out[n++] = make_parameter(t, a, "servicer_unstaking_blocks", blocks);
        out[n++] = make_parameter(t, a, "fisherman_unstaking_blocks", blocks);
        out[n++] = make_parameter(t, a, "blocks_per_session", "5");
        t->stage = TRAFFIC_MIXED;
        break;
    case TRAFFIC_MIXED: {
        size_t wanted = 2 + below(t, 6);

        while (n < wanted)
            out[n++] = make_mixed(t, a);
        break;
    }
    }
    return n;
}
