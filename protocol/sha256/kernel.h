/* What the kernels share among themselves; nobody outside protocol/sha256 includes this. */
#ifndef PROTOCOL_SHA256_KERNEL_H
#define PROTOCOL_SHA256_KERNEL_H

#include "sha256.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define SHA256_X86 1
#endif

enum { SHA256_BLOCK = 64, SHA256_LANES = 16 /* of the AVX-512 kernel */ };

extern const uint32_t sha256_k[64];
extern const uint32_t sha256_initial[8];

/* K + W of the second block of a 65-byte message, by the byte that it starts with. */
extern const uint32_t sha256_node_tail[256][64];

typedef void sha256_compress_fn(uint32_t h[8], const uint8_t *blocks, size_t count);
typedef void sha256_nodes_fn(uint8_t prefix, const struct hash32 *const *left,
                             const struct hash32 *const *right, struct hash32 *const *out,
                             size_t n);

sha256_compress_fn sha256_compress_portable;
sha256_nodes_fn sha256_nodes_portable;

#ifdef SHA256_X86
sha256_compress_fn sha256_compress_shani;
sha256_nodes_fn sha256_nodes_shani;
/* n messages of `count` whole blocks each, their padding included. */
void sha256_messages_shani(const uint8_t *const *blocks, size_t count, struct hash32 *const *out,
                           size_t n);
/* n is a multiple of SHA256_LANES. */
sha256_nodes_fn sha256_nodes_avx512;
#endif

/* Big-endian words. Compilers make one move and one swap of it; of shifts and bytes they do not. */
static inline uint32_t sha256_swap(uint32_t x)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return x >> 24 | (x >> 8 & 0xff00) | (x << 8 & 0xff0000) | x << 24;
#elif defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return x;
#else
#error "byte order unknown"
#endif
}

static inline uint32_t sha256_load(const uint8_t *p)
{
    uint32_t x;

    memcpy(&x, p, sizeof x);
    return sha256_swap(x);
}

static inline void sha256_store(uint8_t *p, uint32_t x)
{
    x = sha256_swap(x);
    memcpy(p, &x, sizeof x);
}

#endif
