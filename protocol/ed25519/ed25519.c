#include "ed25519.h"

#include <openssl/evp.h>
#include <sodium/crypto_sign_ed25519.h>

#include "../sha256/sha256.h"

static bool verify_strict(const struct public_key *key, struct bytes message,
                          const struct signature *signature)
{
    return crypto_sign_ed25519_verify_detached(signature->b, message.data, message.size, key->b) ==
           0;
}

/* OpenSSL keeps ref10's rule, which is Go's: S < L, any encoding of the key, R compared as bytes.
 */
static bool verify_reference(const struct public_key *key, struct bytes message,
                             const struct signature *signature)
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->b, sizeof key->b);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = false;

    if (pkey != NULL && ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1)
        ok = EVP_DigestVerify(ctx, signature->b, sizeof signature->b, message.data, message.size) ==
             1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return ok;
}

bool ed25519_verify(enum ed25519_rule rule, const struct public_key *key, struct bytes message,
                    const struct signature *signature)
{
    static const uint8_t nothing;

    if (message.data == NULL)
        message.data = &nothing;
    switch (rule) {
    case ED25519_STRICT:
        return verify_strict(key, message, signature);
    case ED25519_REFERENCE:
        /* The strict rule is the same equation with fewer encodings, checked twice as fast. */
        return verify_strict(key, message, signature) || verify_reference(key, message, signature);
    }
    return false;
}

struct signature ed25519_sign(const struct private_key *key, struct bytes message)
{
    struct signature s;

    crypto_sign_ed25519_detached(s.b, NULL, message.data, message.size, key->b);
    return s;
}

struct private_key ed25519_from_seed(const uint8_t seed[32])
{
    struct private_key key;
    struct public_key unused;

    crypto_sign_ed25519_seed_keypair(unused.b, key.b, seed);
    return key;
}

struct public_key ed25519_public(const struct private_key *key)
{
    struct public_key public;

    memcpy(public.b, key->b + 32, sizeof public.b);
    return public;
}

struct address address_of_key(const struct public_key *key)
{
    struct hash32 digest = sha256(bytes_make(key->b, sizeof key->b));
    struct address a;

    memcpy(a.b, digest.b, sizeof a.b);
    return a;
}
