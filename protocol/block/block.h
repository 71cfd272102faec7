/* Block, header and set hashes (block.md, state.md 1.2 and 6). */
#ifndef PROTOCOL_BLOCK_BLOCK_H
#define PROTOCOL_BLOCK_BLOCK_H

#include "../base/arena.h"
#include "../base/error.h"
#include "../ed25519/ed25519.h"
#include "../rules/rules.h"
#include "../state/record.h"

enum {
    BLOCK_MAX = 512 * 1024 * 1024, /* bytes of an encoded block that is decoded at all */
    BLOCK_TRANSACTIONS_MAX = 4 * 1024 * 1024,
    NETWORK_ID_MAX = 255
};

/* Seconds since 1970 of the years 1 to 9999: what google.protobuf.Timestamp may hold. */
static const int64_t BLOCK_SECONDS_MIN = -62135596800, BLOCK_SECONDS_MAX = 253402300799;

struct block_header {
    uint64_t height;
    struct bytes network_id;
    bool has_state_hash;
    struct hash32 state_hash;
    bool has_previous; /* false at height 0 */
    struct hash32 previous_state_hash;
    struct bytes proposer;    /* 20 bytes, empty at 0 */
    struct bytes certificate; /* encoded quorum certificate, may be empty */
    bool has_timestamp;
    int64_t seconds;
    int32_t nanos;
    bool has_tree_roots; /* all ten or none */
    struct hash32 tree_roots[TREES];
    bool has_validator_set, has_next_validator_set, has_transactions_hash;
    struct hash32 validator_set_hash, next_validator_set_hash, transactions_hash;
};

struct block {
    struct block_header header;
    struct bytes *transactions;
    size_t transaction_count;
};

/*
 * Decodes core.Block. Hash fields must be empty or 64 lower-case hex digits and the tree map must
 * have exactly the ten names, else TM_ERR_MALFORMED. *canonical tells whether raw is its own
 * re-encoding. Transactions are borrowed from raw.
 */
enum tm_err block_decode(struct arena *a, struct bytes raw, struct block *out, bool *canonical,
                         struct tm_error *e);

struct bytes block_encode(struct arena *a, const struct block *b);
struct bytes header_encode(struct arena *a, const struct block_header *h);

/* Is the timestamp, 0 where there is none, in these years and nanos below a second? Under either
 * rule set a block is only taken with one that is: nothing else can be stored. */
bool header_time_valid(const struct block_header *h);

/* `standard`: SHA3-256 of the header encoded without field 6 (block.md, header hash). */
struct hash32 header_hash(const struct block_header *h);

/* SHA3-256 over the concatenated SHA3-256 of each transaction (block.md, field 11). */
struct hash32 transactions_hash(const struct bytes *transactions, size_t count);

/* Root of the root tree over the ten tree roots (state.md 3). */
struct hash32 state_hash_of_roots(const struct hash32 roots[TREES]);

/* One member of a validator set. */
struct validator {
    struct bytes address;    /* raw, 20 bytes but for odd `reference` genesis files */
    struct bytes public_key; /* raw, 32 bytes likewise */
};

/* Ascending by address. */
struct validator_set {
    struct validator *members;
    size_t count;
};

/* hash of encode(ValidatorSet) (block.md, vsh). */
struct hash32 validator_set_hash(const struct validator_set *set);

/* Proposer of (height, round): member number (height + round) mod n from 0; NULL for an empty set
 * (block.md, proposer; consensus.md 2). */
const struct validator *validator_set_proposer(const struct validator_set *set, uint64_t height,
                                               uint64_t round);

/* Is it the proposer of some round of the height up to this one (block.md, proposer: a block
 * decided in a round may have been prepared in an earlier one)? */
bool validator_set_has_led(const struct validator_set *set, struct bytes address, uint64_t height,
                           uint64_t round);

/* Member with this address, or -1. */
long validator_set_find(const struct validator_set *set, struct bytes address);

#endif
