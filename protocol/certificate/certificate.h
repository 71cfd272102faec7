/* Votes and quorum certificates of both rule sets (block.md; consensus.md 7). */
#ifndef PROTOCOL_CERTIFICATE_CERTIFICATE_H
#define PROTOCOL_CERTIFICATE_CERTIFICATE_H

#include "../block/block.h"

enum hotstuff_step {
    STEP_UNKNOWN = 0,
    STEP_NEWROUND = 1,
    STEP_PREPARE = 2,
    STEP_PRECOMMIT = 3,
    STEP_COMMIT = 4,
    STEP_DECIDE = 5
};

enum { CERTIFICATE_SIGNATURES_MAX = 10000 }; /* members of a set that may sign */

struct partial_signature {
    struct bytes address;   /* raw bytes of the hex text */
    struct bytes signature; /* 64 bytes when well-formed */
};

struct certificate {
    uint64_t height, round;
    enum hotstuff_step step;
    struct block block; /* `standard`: the signed header alone; `reference`: with transactions */
    struct bytes block_raw; /* canonical encoding of block, unknown fields included */
    struct partial_signature *signatures;
    size_t signature_count;
};

enum tm_err certificate_decode(struct arena *a, struct bytes raw, struct certificate *out,
                               bool *canonical, struct tm_error *e);
struct bytes certificate_encode(struct arena *a, const struct certificate *c);

/* The bytes a vote signs: encode(HotstuffMessage{height, step, round, block}). */
struct bytes vote_bytes(struct arena *a, uint64_t height, enum hotstuff_step step, uint64_t round,
                        struct bytes block_encoded);

/* Is this the member's signature over the vote's bytes? */
bool partial_signature_holds(const struct partial_signature *s, const struct validator *member,
                             struct bytes vote, enum ed25519_rule rule);

/* 3 * count > 2 * members. */
bool is_quorum(size_t count, size_t members);

/*
 * Checks a decoded certificate against the block it decides and the set that signed it (the set
 * after height - 1). `standard`: block.md, "QuorumCertificate". `reference`: distinct members with
 * valid signatures over QC.block, whose header fields 1, 3, 4, 5 and transactions (re-encoded)
 * equal the block's; entries that do not verify are skipped. TM_ERR_MISMATCH says what does not
 * hold.
 */
enum tm_err certificate_verify(struct arena *a, const struct certificate *c,
                               const struct block *block, const struct validator_set *set,
                               const struct rules *rules, struct tm_error *e);

#endif
