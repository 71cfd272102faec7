/* Ed25519 (RFC 8032) under the two verification rules of rules.md. */
#ifndef PROTOCOL_ED25519_ED25519_H
#define PROTOCOL_ED25519_ED25519_H

#include "../base/bytes.h"

struct public_key {
    uint8_t b[32];
};

struct signature {
    uint8_t b[64];
};

/* seed || public key, as the reference writes private keys (utility.md 7.1). */
struct private_key {
    uint8_t b[64];
};

enum ed25519_rule {
    ED25519_STRICT,   /* libsodium's: small order and non-canonical points refused (`standard`) */
    ED25519_REFERENCE /* Go's: S < L, cofactorless, R compared as bytes (utility.md 1.5) */
};

/* True iff the signature holds. Thread-safe; no state. */
bool ed25519_verify(enum ed25519_rule rule, const struct public_key *key, struct bytes message,
                    const struct signature *signature);

struct signature ed25519_sign(const struct private_key *key, struct bytes message);

/* The key pair of a 32-byte seed. */
struct private_key ed25519_from_seed(const uint8_t seed[32]);
struct public_key ed25519_public(const struct private_key *key);

/* First 20 bytes of SHA-256 of the key (state.md, notation). */
struct address address_of_key(const struct public_key *key);

#endif
