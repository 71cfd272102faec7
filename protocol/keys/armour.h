/* Armoured private keys: scrypt + secretbox in JSON (utility.md 7.2). */
#ifndef PROTOCOL_KEYS_ARMOUR_H
#define PROTOCOL_KEYS_ARMOUR_H

#include "../base/arena.h"
#include "../base/error.h"
#include "../ed25519/ed25519.h"

enum { ARMOUR_FILE_MAX = 64 * 1024, ARMOUR_SALT = 16, ARMOUR_NONCE = 24 };

/* Salt and nonce are the caller's entropy: this module has none of its own. */
char *armour_key(struct arena *a, const struct private_key *key, struct bytes passphrase,
                 struct bytes hint, const uint8_t salt[ARMOUR_SALT],
                 const uint8_t nonce[ARMOUR_NONCE]);

/* TM_ERR_MALFORMED names the field; TM_ERR_MISMATCH: "cannot decrypt private key: wrong passphrase". */
enum tm_err unarmour_key(struct arena *a, struct bytes json, struct bytes passphrase,
                         struct private_key *out, struct tm_error *e);

/* The hint, "" if none, without decrypting. */
enum tm_err armour_hint(struct arena *a, struct bytes json, struct bytes *hint,
                        struct tm_error *e);

#endif
