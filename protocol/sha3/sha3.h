/* SHA3-256 (FIPS 202, padding 0x06): transaction hashes, parameter keys, set hashes, session ids.
 */
#ifndef PROTOCOL_SHA3_SHA3_H
#define PROTOCOL_SHA3_SHA3_H

#include "../base/bytes.h"

struct hash32 sha3_256(struct bytes message);

/* sha3_256(a || b || …) of `count` parts. */
struct hash32 sha3_256_parts(const struct bytes *parts, size_t count);

#endif
