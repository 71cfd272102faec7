#include "kernel.h"

const uint32_t sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

const uint32_t sha256_initial[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static inline uint32_t rotate(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

/* The letters of FIPS 180-4 move on by one each round: here the names move, not the values. */
static inline uint32_t round_sum(uint32_t e, uint32_t f, uint32_t g, uint32_t h, uint32_t kw)
{
    return h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g))) + kw;
}

#define ROUND(a, b, c, d, e, f, g, h, kw)                                                          \
    h = round_sum(e, f, g, h, kw);                                                                 \
    d += h;                                                                                        \
    h += (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b)));

static void rounds(uint32_t state[8], const uint32_t kw[64])
{
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

    for (int t = 0; t < 64; t += 8) {
        ROUND(a, b, c, d, e, f, g, h, kw[t])
        ROUND(h, a, b, c, d, e, f, g, kw[t + 1])
        ROUND(g, h, a, b, c, d, e, f, kw[t + 2])
        ROUND(f, g, h, a, b, c, d, e, kw[t + 3])
        ROUND(e, f, g, h, a, b, c, d, kw[t + 4])
        ROUND(d, e, f, g, h, a, b, c, kw[t + 5])
        ROUND(c, d, e, f, g, h, a, b, kw[t + 6])
        ROUND(b, c, d, e, f, g, h, a, kw[t + 7])
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

void sha256_compress_portable(uint32_t h[8], const uint8_t *blocks, size_t count)
{
    uint32_t w[64];

    for (; count > 0; count--, blocks += SHA256_BLOCK) {
        for (int t = 0; t < 16; t++)
            w[t] = sha256_load(blocks + 4 * t);
        for (int t = 16; t < 64; t++) {
            uint32_t x = w[t - 15], y = w[t - 2];

            w[t] = w[t - 16] + w[t - 7] + (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) +
                   (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
        }
        for (int t = 0; t < 64; t++)
            w[t] += sha256_k[t];
        rounds(h, w);
    }
}

void sha256_nodes_portable(uint8_t prefix, const struct hash32 *const *left,
                           const struct hash32 *const *right, struct hash32 *const *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t h[8];
        uint8_t block[SHA256_BLOCK];
        uint8_t last = right[i]->b[31];

        block[0] = prefix;
        memcpy(block + 1, left[i]->b, 32);
        memcpy(block + 33, right[i]->b, 31);
        memcpy(h, sha256_initial, sizeof h);
        sha256_compress_portable(h, block, 1);
        rounds(h, sha256_node_tail[last]);
        for (int k = 0; k < 8; k++)
            sha256_store(out[i]->b + 4 * k, h[k]);
    }
}
