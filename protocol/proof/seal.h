/* Length-prefixed parts and a checksum at the end: how a proof and a bundle lie in bytes. */
#ifndef PROTOCOL_PROOF_SEAL_H
#define PROTOCOL_PROOF_SEAL_H

#include "../base/arena.h"
#include "../base/error.h"

enum { SEAL_SIZE = 4 }; /* first bytes of the SHA-256 of all that stands before */

/* Four bytes, little-endian; then a part with its size before it. */
void seal_number(struct buffer *out, size_t n);
void seal_part(struct buffer *out, struct bytes part);

/* Appends the checksum of what is in the buffer. */
void seal_close(struct buffer *out);

/* Takes the checksum off the end of *raw, false when it is not that of the rest. */
bool seal_open(struct bytes *raw);

/* Take from the front of *rest; false when it is too short, or the part longer than max. */
bool seal_take(struct bytes *rest, size_t size, struct bytes *out);
bool seal_take_number(struct bytes *rest, size_t *out);
bool seal_take_part(struct bytes *rest, size_t max, struct bytes *out);

#endif
