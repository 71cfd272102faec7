#include "slip10.h"

#include <sodium.h>

enum {
    PURPOSE = 44,
    COIN = 635,   /* Pocket's number in SLIP-0044 */
    SEED_MIN = 16 /* SLIP-0010: 128 to 512 bits */
};

#define HARDENED 0x80000000u

/* A node of the derivation tree: key and chain code, as HMAC-SHA512 yields them. */
struct node {
    uint8_t key[32], chain[32];
};

static void hmac(struct bytes key, struct bytes message, struct node *out)
{
    crypto_auth_hmacsha512_state h;
    uint8_t digest[crypto_auth_hmacsha512_BYTES];

    crypto_auth_hmacsha512_init(&h, key.data, key.size);
    crypto_auth_hmacsha512_update(&h, message.data, message.size);
    crypto_auth_hmacsha512_final(&h, digest);
    memcpy(out->key, digest, sizeof out->key);
    memcpy(out->chain, digest + 32, sizeof out->chain);
    sodium_memzero(digest, sizeof digest);
    sodium_memzero(&h, sizeof h);
}

static void derive_hardened(struct node *n, uint32_t index)
{
    uint8_t message[1 + 32 + 4];
    uint8_t chain[32];
    uint32_t i = index | HARDENED;

    message[0] = 0;
    memcpy(message + 1, n->key, 32);
    for (int k = 0; k < 4; k++)
        message[33 + k] = (uint8_t)(i >> (24 - 8 * k));
    memcpy(chain, n->chain, sizeof chain);
    hmac(bytes_make(chain, sizeof chain), bytes_make(message, sizeof message), n);
    sodium_memzero(message, sizeof message);
    sodium_memzero(chain, sizeof chain);
}

/* Reads "/<digits>'" at *at and moves past it. */
static enum tm_err read_step(struct bytes path, size_t *at, uint32_t *index, struct tm_error *e)
{
    size_t i = *at;
    uint64_t number = 0;

    if (i >= path.size || path.data[i] != '/')
        return tm_fail(e, TM_ERR_USAGE, "derivation path is not of the form m/44'/635'/0'");
    i++;
    for (*at = i; i < path.size && path.data[i] >= '0' && path.data[i] <= '9'; i++) {
        number = number * 10 + (uint64_t)(path.data[i] - '0');
        if (number >= HARDENED)
            return tm_fail(e, TM_ERR_USAGE, "hardened index too large: it must be below 2^31");
    }
    if (i == *at || i >= path.size || path.data[i] != '\'')
        return tm_fail(e, TM_ERR_USAGE,
                       "derivation path is not of the form m/44'/635'/0' (every step hardened)");
    *at = i + 1;
    *index = (uint32_t)number;
    return TM_OK;
}

enum tm_err slip10_derive(struct bytes seed, struct bytes path, struct private_key *out,
                          struct tm_error *e)
{
    struct node n;
    size_t at = 1;
    enum tm_err err = TM_OK;

    if (seed.size < SEED_MIN || seed.size > SLIP10_SEED_MAX)
        return tm_fail(e, TM_ERR_USAGE, "seed has %zu bytes instead of %d to %d", seed.size,
                       SEED_MIN, SLIP10_SEED_MAX);
    if (path.size > SLIP10_PATH_MAX)
        return tm_fail(e, TM_ERR_USAGE, "derivation path is longer than %d characters",
                       SLIP10_PATH_MAX);
    if (path.size == 0 || path.data[0] != 'm')
        return tm_fail(e, TM_ERR_USAGE, "derivation path does not begin with m");
    hmac(bytes_of("ed25519 seed"), seed, &n);
    while (err == TM_OK && at < path.size) {
        uint32_t index = 0;

        err = read_step(path, &at, &index, e);
        if (err == TM_OK)
            derive_hardened(&n, index);
    }
    if (err == TM_OK)
        *out = ed25519_from_seed(n.key);
    sodium_memzero(&n, sizeof n);
    return err;
}

enum tm_err slip10_child(const struct private_key *parent, uint32_t index, struct private_key *out,
                         struct tm_error *e)
{
    struct node n;

    if (index >= HARDENED)
        return tm_fail(e, TM_ERR_USAGE, "hardened index too large: it must be below 2^31");
    hmac(bytes_of("ed25519 seed"), bytes_make(parent->b, 32), &n);
    derive_hardened(&n, PURPOSE);
    derive_hardened(&n, COIN);
    derive_hardened(&n, index);
    *out = ed25519_from_seed(n.key);
    sodium_memzero(&n, sizeof n);
    return TM_OK;
}
