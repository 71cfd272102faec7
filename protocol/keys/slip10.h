/* SLIP-0010 Ed25519 child keys, hardened only (utility.md 7.4). */
#ifndef PROTOCOL_KEYS_SLIP10_H
#define PROTOCOL_KEYS_SLIP10_H

#include "../base/bytes.h"
#include "../base/error.h"
#include "../ed25519/ed25519.h"

enum { SLIP10_PATH_MAX = 255, SLIP10_SEED_MAX = 64 };

/* path: "m" or "m/44'/635'/7'". TM_ERR_USAGE for another syntax or an index of 2^31 and more. */
enum tm_err slip10_derive(struct bytes seed, struct bytes path, struct private_key *out,
                          struct tm_error *e);

/* m/44'/635'/index' of a parent private key's seed. */
enum tm_err slip10_child(const struct private_key *parent, uint32_t index, struct private_key *out,
                         struct tm_error *e);

#endif
