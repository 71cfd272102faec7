/*
 * SHA-256 (FIPS 180-4) with kernels of our own for the one shape that counts: 65-byte tree nodes.
 * Needs nothing but string.h, so it also compiles to WebAssembly; the fastest kernel of the
 * processor is chosen by sha256_kernel_best() and may be named for tests and benchmarks.
 */
#ifndef PROTOCOL_SHA256_SHA256_H
#define PROTOCOL_SHA256_SHA256_H

#include "../base/bytes.h"

enum { SHA256_NODE_SIZE = 65 };

enum sha256_kernel { SHA256_PORTABLE, SHA256_SHANI, SHA256_AVX512, SHA256_KERNELS };

/* True where this processor (and this build) can run the kernel. */
bool sha256_kernel_available(enum sha256_kernel k);
const char *sha256_kernel_name(enum sha256_kernel k);

/* The fastest one available. */
enum sha256_kernel sha256_kernel_best(void);

/* Digest of any message, by the best kernel there is. */
struct hash32 sha256(struct bytes message);

/* Digests of n messages: the short ones are hashed side by side where the processor gains by it. */
void sha256_many(const struct bytes *messages, struct hash32 *out, size_t n);

/* Incremental form, for messages in parts. */
struct sha256_state {
    uint32_t h[8];
    uint64_t size;
    uint8_t block[64];
};
void sha256_begin(struct sha256_state *s);
void sha256_add(struct sha256_state *s, struct bytes part);
struct hash32 sha256_end(struct sha256_state *s);

/*
 * n digests of 65-byte messages `prefix || left || right` (state.md 2.1). The inputs are read
 * through pointers, so callers hash nodes where they lie: left[i], right[i] point to 32 bytes each.
 * out[i] may be the object left[i] or right[i] of the same i points to, never of another i.
 */
void sha256_nodes(uint8_t prefix, const struct hash32 *const *left,
                  const struct hash32 *const *right, struct hash32 *const *out, size_t n);
void sha256_nodes_with(enum sha256_kernel k, uint8_t prefix, const struct hash32 *const *left,
                       const struct hash32 *const *right, struct hash32 *const *out, size_t n);

#endif
