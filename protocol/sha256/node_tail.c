/*
 * The second block of a 65-byte message is one message byte, 0x80, zeros and the length: 256
 * possible blocks. Their schedules are constants, so the compiler works them out: an enumerator for
 * each word of each schedule. 64 KiB, read-only, shared by all processes that map the library.
 */
#include "kernel.h"

#define ROTATE(x, n) ((x) >> (n) | (x) << (32 - (n)))
#define SIGMA0(x)    (ROTATE((uint32_t)(x), 7) ^ ROTATE((uint32_t)(x), 18) ^ (uint32_t)(x) >> 3)
#define SIGMA1(x)    (ROTATE((uint32_t)(x), 17) ^ ROTATE((uint32_t)(x), 19) ^ (uint32_t)(x) >> 10)

/* W[t] of FIPS 180-4, 6.2.2 for the block that starts with byte b; u … x: t - 2, - 7, - 15, - 16.
 */
#define W(b, t, u, v, w, x)                                                                        \
    W##t##_##b = (int)(SIGMA1(W##u##_##b) + (uint32_t)W##v##_##b + SIGMA0(W##w##_##b) +            \
                       (uint32_t)W##x##_##b)

#define SCHEDULE(b)                                                                                \
    enum {                                                                                         \
        W0_##b = (int)0x##b##800000,                                                               \
        W1_##b = 0,                                                                                \
        W2_##b = 0,                                                                                \
        W3_##b = 0,                                                                                \
        W4_##b = 0,                                                                                \
        W5_##b = 0,                                                                                \
        W6_##b = 0,                                                                                \
        W7_##b = 0,                                                                                \
        W8_##b = 0,                                                                                \
        W9_##b = 0,                                                                                \
        W10_##b = 0,                                                                               \
        W11_##b = 0,                                                                               \
        W12_##b = 0,                                                                               \
        W13_##b = 0,                                                                               \
        W14_##b = 0,                                                                               \
        W15_##b = 8 * SHA256_NODE_SIZE,                                                            \
        W(b, 16, 14, 9, 1, 0),                                                                     \
        W(b, 17, 15, 10, 2, 1),                                                                    \
        W(b, 18, 16, 11, 3, 2),                                                                    \
        W(b, 19, 17, 12, 4, 3),                                                                    \
        W(b, 20, 18, 13, 5, 4),                                                                    \
        W(b, 21, 19, 14, 6, 5),                                                                    \
        W(b, 22, 20, 15, 7, 6),                                                                    \
        W(b, 23, 21, 16, 8, 7),                                                                    \
        W(b, 24, 22, 17, 9, 8),                                                                    \
        W(b, 25, 23, 18, 10, 9),                                                                   \
        W(b, 26, 24, 19, 11, 10),                                                                  \
        W(b, 27, 25, 20, 12, 11),                                                                  \
        W(b, 28, 26, 21, 13, 12),                                                                  \
        W(b, 29, 27, 22, 14, 13),                                                                  \
        W(b, 30, 28, 23, 15, 14),                                                                  \
        W(b, 31, 29, 24, 16, 15),                                                                  \
        W(b, 32, 30, 25, 17, 16),                                                                  \
        W(b, 33, 31, 26, 18, 17),                                                                  \
        W(b, 34, 32, 27, 19, 18),                                                                  \
        W(b, 35, 33, 28, 20, 19),                                                                  \
        W(b, 36, 34, 29, 21, 20),                                                                  \
        W(b, 37, 35, 30, 22, 21),                                                                  \
        W(b, 38, 36, 31, 23, 22),                                                                  \
        W(b, 39, 37, 32, 24, 23),                                                                  \
        W(b, 40, 38, 33, 25, 24),                                                                  \
        W(b, 41, 39, 34, 26, 25),                                                                  \
        W(b, 42, 40, 35, 27, 26),                                                                  \
        W(b, 43, 41, 36, 28, 27),                                                                  \
        W(b, 44, 42, 37, 29, 28),                                                                  \
        W(b, 45, 43, 38, 30, 29),                                                                  \
        W(b, 46, 44, 39, 31, 30),                                                                  \
        W(b, 47, 45, 40, 32, 31),                                                                  \
        W(b, 48, 46, 41, 33, 32),                                                                  \
        W(b, 49, 47, 42, 34, 33),                                                                  \
        W(b, 50, 48, 43, 35, 34),                                                                  \
        W(b, 51, 49, 44, 36, 35),                                                                  \
        W(b, 52, 50, 45, 37, 36),                                                                  \
        W(b, 53, 51, 46, 38, 37),                                                                  \
        W(b, 54, 52, 47, 39, 38),                                                                  \
        W(b, 55, 53, 48, 40, 39),                                                                  \
        W(b, 56, 54, 49, 41, 40),                                                                  \
        W(b, 57, 55, 50, 42, 41),                                                                  \
        W(b, 58, 56, 51, 43, 42),                                                                  \
        W(b, 59, 57, 52, 44, 43),                                                                  \
        W(b, 60, 58, 53, 45, 44),                                                                  \
        W(b, 61, 59, 54, 46, 45),                                                                  \
        W(b, 62, 60, 55, 47, 46),                                                                  \
        W(b, 63, 61, 56, 48, 47),                                                                  \
    };

#define KW(b, t, k) (uint32_t) W##t##_##b + k
#define ROW(b)                                                                                      \
    {                                                                                               \
        KW(b, 0, 0x428a2f98),  KW(b, 1, 0x71374491),  KW(b, 2, 0xb5c0fbcf),  KW(b, 3, 0xe9b5dba5),  \
        KW(b, 4, 0x3956c25b),  KW(b, 5, 0x59f111f1),  KW(b, 6, 0x923f82a4),  KW(b, 7, 0xab1c5ed5),  \
        KW(b, 8, 0xd807aa98),  KW(b, 9, 0x12835b01),  KW(b, 10, 0x243185be), KW(b, 11, 0x550c7dc3), \
        KW(b, 12, 0x72be5d74), KW(b, 13, 0x80deb1fe), KW(b, 14, 0x9bdc06a7), KW(b, 15, 0xc19bf174), \
        KW(b, 16, 0xe49b69c1), KW(b, 17, 0xefbe4786), KW(b, 18, 0x0fc19dc6), KW(b, 19, 0x240ca1cc), \
        KW(b, 20, 0x2de92c6f), KW(b, 21, 0x4a7484aa), KW(b, 22, 0x5cb0a9dc), KW(b, 23, 0x76f988da), \
        KW(b, 24, 0x983e5152), KW(b, 25, 0xa831c66d), KW(b, 26, 0xb00327c8), KW(b, 27, 0xbf597fc7), \
        KW(b, 28, 0xc6e00bf3), KW(b, 29, 0xd5a79147), KW(b, 30, 0x06ca6351), KW(b, 31, 0x14292967), \
        KW(b, 32, 0x27b70a85), KW(b, 33, 0x2e1b2138), KW(b, 34, 0x4d2c6dfc), KW(b, 35, 0x53380d13), \
        KW(b, 36, 0x650a7354), KW(b, 37, 0x766a0abb), KW(b, 38, 0x81c2c92e), KW(b, 39, 0x92722c85), \
        KW(b, 40, 0xa2bfe8a1), KW(b, 41, 0xa81a664b), KW(b, 42, 0xc24b8b70), KW(b, 43, 0xc76c51a3), \
        KW(b, 44, 0xd192e819), KW(b, 45, 0xd6990624), KW(b, 46, 0xf40e3585), KW(b, 47, 0x106aa070), \
        KW(b, 48, 0x19a4c116), KW(b, 49, 0x1e376c08), KW(b, 50, 0x2748774c), KW(b, 51, 0x34b0bcb5), \
        KW(b, 52, 0x391c0cb3), KW(b, 53, 0x4ed8aa4a), KW(b, 54, 0x5b9cca4f), KW(b, 55, 0x682e6ff3), \
        KW(b, 56, 0x748f82ee), KW(b, 57, 0x78a5636f), KW(b, 58, 0x84c87814), KW(b, 59, 0x8cc70208), \
        KW(b, 60, 0x90befffa), KW(b, 61, 0xa4506ceb), KW(b, 62, 0xbef9a3f7), KW(b, 63, 0xc67178f2), \
    },

#define SIXTEEN(X, h)                                                                              \
    X(h##0)                                                                                        \
    X(h##1)                                                                                        \
    X(h##2)                                                                                        \
    X(h##3)                                                                                        \
    X(h##4) X(h##5) X(h##6) X(h##7) X(h##8) X(h##9) X(h##a) X(h##b) X(h##c) X(h##d) X(h##e) X(h##f)
#define EVERY_BYTE(X)                                                                              \
    SIXTEEN(X, 0)                                                                                  \
    SIXTEEN(X, 1)                                                                                  \
    SIXTEEN(X, 2)                                                                                  \
    SIXTEEN(X, 3)                                                                                  \
    SIXTEEN(X, 4)                                                                                  \
    SIXTEEN(X, 5)                                                                                  \
    SIXTEEN(X, 6)                                                                                  \
    SIXTEEN(X, 7)                                                                                  \
    SIXTEEN(X, 8)                                                                                  \
    SIXTEEN(X, 9)                                                                                  \
    SIXTEEN(X, a) SIXTEEN(X, b) SIXTEEN(X, c) SIXTEEN(X, d) SIXTEEN(X, e) SIXTEEN(X, f)

EVERY_BYTE(SCHEDULE)

const uint32_t sha256_node_tail[256][64] = {EVERY_BYTE(ROW)};
