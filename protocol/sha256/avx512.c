/*
 * Sixteen 65-byte messages side by side, one in each 32-bit lane. Faster than the SHA instructions
 * where both exist (by a tenth), and several times the portable kernel where only this one does.
 */
#include "kernel.h"

#ifdef SHA256_X86
#include <immintrin.h>

#define AVX512 static inline __attribute__((always_inline, target("avx512f,avx512bw")))

/* Rows become columns: v[i] lane j <-> v[j] lane i. */
AVX512 void transpose(__m512i v[16])
{
    __m512i t[16];

#pragma GCC unroll 16
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(v[i], v[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; i += 4) {
        v[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        v[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        v[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        v[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    /* v[4r + c], quarter q: column 4q + c of rows 4r … 4r + 3. */
#pragma GCC unroll 16
    for (int c = 0; c < 4; c++) {
        t[c] = _mm512_shuffle_i32x4(v[c], v[4 + c], 0x88);
        t[4 + c] = _mm512_shuffle_i32x4(v[c], v[4 + c], 0xdd);
        t[8 + c] = _mm512_shuffle_i32x4(v[8 + c], v[12 + c], 0x88);
        t[12 + c] = _mm512_shuffle_i32x4(v[8 + c], v[12 + c], 0xdd);
    }
#pragma GCC unroll 16
    for (int c = 0; c < 4; c++) {
        v[c] = _mm512_shuffle_i32x4(t[c], t[8 + c], 0x88);
        v[8 + c] = _mm512_shuffle_i32x4(t[c], t[8 + c], 0xdd);
        v[4 + c] = _mm512_shuffle_i32x4(t[4 + c], t[12 + c], 0x88);
        v[12 + c] = _mm512_shuffle_i32x4(t[4 + c], t[12 + c], 0xdd);
    }
}

AVX512 __m512i big_endian(__m512i x)
{
    return _mm512_shuffle_epi8(x, _mm512_broadcast_i32x4(_mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11,
                                                                      4, 5, 6, 7, 0, 1, 2, 3)));
}

/* Truth tables of _mm512_ternarylogic_epi32 for (x, y, z). */
enum { XOR3 = 0x96, CHOOSE = 0xca, MAJORITY = 0xe8, OR3 = 0xfe };

#define ADD(x, y)    _mm512_add_epi32(x, y)
#define ROR(x, n)    _mm512_ror_epi32(x, n)
#define XOR(x, y, z) _mm512_ternarylogic_epi32(x, y, z, XOR3)

AVX512 __m512i small_sigma0(__m512i x)
{
    return XOR(ROR(x, 7), ROR(x, 18), _mm512_srli_epi32(x, 3));
}

AVX512 __m512i small_sigma1(__m512i x)
{
    return XOR(ROR(x, 17), ROR(x, 19), _mm512_srli_epi32(x, 10));
}

/* One block for every lane; w is used up. */
AVX512 void block(__m512i h[8], __m512i w[16])
{
    __m512i s[8];

    memcpy(s, h, sizeof s);
#pragma GCC unroll 64
    for (int t = 0; t < 64; t++) {
        __m512i e = s[4], a = s[0], t1, t2;

        if (t >= 16)
            w[t & 15] = ADD(ADD(w[t & 15], small_sigma0(w[(t + 1) & 15])),
                            ADD(w[(t + 9) & 15], small_sigma1(w[(t + 14) & 15])));
        t1 = ADD(ADD(s[7], ADD(w[t & 15], _mm512_set1_epi32((int)sha256_k[t]))),
                 ADD(XOR(ROR(e, 6), ROR(e, 11), ROR(e, 25)),
                     _mm512_ternarylogic_epi32(e, s[5], s[6], CHOOSE)));
        t2 = ADD(XOR(ROR(a, 2), ROR(a, 13), ROR(a, 22)),
                 _mm512_ternarylogic_epi32(a, s[1], s[2], MAJORITY));
        s[7] = s[6];
        s[6] = s[5];
        s[5] = e;
        s[4] = ADD(s[3], t1);
        s[3] = s[2];
        s[2] = s[1];
        s[1] = a;
        s[0] = ADD(t1, t2);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 8; i++)
        h[i] = ADD(h[i], s[i]);
}

AVX512 void sixteen_nodes(uint8_t prefix, const struct hash32 *const *left,
                          const struct hash32 *const *right, struct hash32 *const *out)
{
    __m512i h[16], w[16], before = _mm512_set1_epi32(prefix), last;

#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
        __m256i l = _mm256_loadu_si256((const __m256i *)left[i]->b);
        __m256i r = _mm256_loadu_si256((const __m256i *)right[i]->b);

        w[i] = big_endian(_mm512_inserti64x4(_mm512_castsi256_si512(l), r, 1));
    }
    transpose(w);
    last = w[15];
    /* The prefix moves everything on by one byte. */
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
        __m512i now = w[i];

        w[i] = _mm512_or_si512(_mm512_slli_epi32(before, 24), _mm512_srli_epi32(now, 8));
        before = now;
    }
#pragma GCC unroll 16
    for (int i = 0; i < 8; i++) {
        h[i] = _mm512_set1_epi32((int)sha256_initial[i]);
        h[8 + i] = _mm512_setzero_si512();
    }
    block(h, w);
    w[0] = _mm512_or_si512(_mm512_slli_epi32(last, 24), _mm512_set1_epi32(0x800000));
#pragma GCC unroll 16
    for (int i = 1; i < 15; i++)
        w[i] = _mm512_setzero_si512();
    w[15] = _mm512_set1_epi32(8 * SHA256_NODE_SIZE);
    block(h, w);
    transpose(h);
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++)
        _mm256_storeu_si256((__m256i *)out[i]->b, _mm512_castsi512_si256(big_endian(h[i])));
}

__attribute__((target("avx512f,avx512bw"))) void
sha256_nodes_avx512(uint8_t prefix, const struct hash32 *const *left,
                    const struct hash32 *const *right, struct hash32 *const *out, size_t n)
{
    for (size_t i = 0; i + SHA256_LANES <= n; i += SHA256_LANES)
        sixteen_nodes(prefix, left + i, right + i, out + i);
}

#endif
