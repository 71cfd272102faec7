/* Armoured private keys: scrypt + secretbox in JSON (utility.md 7.2). */
#ifndef PROTOCOL_KEYS_ARMOUR_H
#define PROTOCOL_KEYS_ARMOUR_H

#include "../base/arena.h"
#include "../base/error.h"
#include "../ed25519/ed25519.h"

/* A hint is a sentence; a file with the longest one, escaped, stays within ARMOUR_FILE_MAX. */
enum { ARMOUR_FILE_MAX = 64 * 1024, ARMOUR_HINT_MAX = 4096, ARMOUR_SALT = 16, ARMOUR_NONCE = 24 };

/*
 * Salt and nonce are the caller's entropy: this module has none of its own. NULL when the hint is
 * no UTF-8, holds U+0000 or is longer than ARMOUR_HINT_MAX, or when scrypt finds no memory.
 */
char *armour_key(struct arena *a, const struct private_key *key, struct bytes passphrase,
                 struct bytes hint, const uint8_t salt[ARMOUR_SALT],
                 const uint8_t nonce[ARMOUR_NONCE]);

/* TM_ERR_MALFORMED names the field; TM_ERR_MISMATCH: "cannot decrypt private key: wrong
 * passphrase". Takes about 0.1 s and 32 MiB once the fields are well-formed. */
enum tm_err unarmour_key(struct arena *a, struct bytes json, struct bytes passphrase,
                         struct private_key *out, struct tm_error *e);

/* The hint, "" if none, without decrypting; checks the form of every field as unarmour_key does. */
enum tm_err armour_hint(struct arena *a, struct bytes json, struct bytes *hint, struct tm_error *e);

#endif
