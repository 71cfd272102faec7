#include "kernel.h"

#ifdef SHA256_X86
#include <immintrin.h>

#define SHANI static inline __attribute__((always_inline, target("sha,sse4.1,ssse3")))

/* The instructions want the state as (a b e f) and (c d g h), the highest word first. */
struct state {
    __m128i abef, cdgh;
};

SHANI struct state load_state(const uint32_t h[8])
{
    __m128i dcba = _mm_loadu_si128((const __m128i *)h);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)(h + 4));
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
    __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);

    return (struct state){_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0)};
}

/* The inverse: words a … d and e … h in order. */
SHANI void unpack_state(const struct state *s, __m128i *dcba, __m128i *hgfe)
{
    __m128i feba = _mm_shuffle_epi32(s->abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(s->cdgh, 0xb1);

    *dcba = _mm_blend_epi16(feba, dchg, 0xf0);
    *hgfe = _mm_alignr_epi8(dchg, feba, 8);
}

SHANI __m128i big_endian(__m128i x)
{
    return _mm_shuffle_epi8(x, _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3));
}

SHANI void four_rounds(struct state *s, __m128i kw)
{
    s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, kw);
    s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(kw, 0x0e));
}

/* Rounds 4i … 4i + 3 with the words in w[i % 4], which afterwards holds the words of i + 4. */
SHANI void step(struct state *s, __m128i w[4], int i)
{
    __m128i now = w[i & 3];

    four_rounds(s, _mm_add_epi32(now, _mm_loadu_si128((const __m128i *)(sha256_k + 4 * i))));
    if (i < 12) {
        __m128i last = w[(i + 3) & 3];
        __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(now, w[(i + 1) & 3]),
                                    _mm_alignr_epi8(last, w[(i + 2) & 3], 4));

        w[i & 3] = _mm_sha256msg2_epu32(sum, last);
    }
}

#define SIXTEEN(X)                                                                                 \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

__attribute__((target("sha,sse4.1,ssse3"))) void
sha256_compress_shani(uint32_t h[8], const uint8_t *blocks, size_t count)
{
    struct state s = load_state(h);
    __m128i dcba, hgfe;

    for (; count > 0; count--, blocks += SHA256_BLOCK) {
        struct state before = s;
        __m128i w[4];

        for (int i = 0; i < 4; i++)
            w[i] = big_endian(_mm_loadu_si128((const __m128i *)blocks + i));
#define STEP(i) step(&s, w, i);
        SIXTEEN(STEP)
#undef STEP
        s.abef = _mm_add_epi32(s.abef, before.abef);
        s.cdgh = _mm_add_epi32(s.cdgh, before.cdgh);
    }
    unpack_state(&s, &dcba, &hgfe);
    _mm_storeu_si128((__m128i *)h, dcba);
    _mm_storeu_si128((__m128i *)(h + 4), hgfe);
}

/* The words of the first block, prefix || left || right[0 … 30]. */
SHANI void node_words(__m128i w[4], uint8_t prefix, const struct hash32 *left,
                      const struct hash32 *right)
{
    __m128i l0 = _mm_loadu_si128((const __m128i *)left->b);
    __m128i l1 = _mm_loadu_si128((const __m128i *)left->b + 1);
    __m128i r0 = _mm_loadu_si128((const __m128i *)right->b);
    __m128i r1 = _mm_loadu_si128((const __m128i *)right->b + 1);

    w[0] = big_endian(_mm_or_si128(_mm_slli_si128(l0, 1), _mm_cvtsi32_si128(prefix)));
    w[1] = big_endian(_mm_alignr_epi8(l1, l0, 15));
    w[2] = big_endian(_mm_alignr_epi8(r0, l1, 15));
    w[3] = big_endian(_mm_alignr_epi8(r1, r0, 15));
}

/*
 * `lanes` nodes at once. A round waits four cycles for the one before but the unit starts one every
 * two: interleaved messages fill the gap. The second block needs no schedule at all.
 */
SHANI void nodes_interleaved(uint8_t prefix, const struct hash32 *const *left,
                             const struct hash32 *const *right, struct hash32 *const *out,
                             const int lanes)
{
    struct state s[4], first[4];
    __m128i w[4][4];
    const __m128i *tail[4];

#define EACH_LANE _Pragma("GCC unroll 4") for (int l = 0; l < lanes; l++)
    EACH_LANE
    {
        node_words(w[l], prefix, left[l], right[l]);
        tail[l] = (const __m128i *)sha256_node_tail[right[l]->b[31]];
        s[l] = load_state(sha256_initial);
    }
#define STEP(i) EACH_LANE step(&s[l], w[l], i);
    SIXTEEN(STEP)
#undef STEP
    EACH_LANE
    {
        struct state initial = load_state(sha256_initial);

        s[l].abef = _mm_add_epi32(s[l].abef, initial.abef);
        s[l].cdgh = _mm_add_epi32(s[l].cdgh, initial.cdgh);
        first[l] = s[l];
    }
#define STEP(i) EACH_LANE four_rounds(&s[l], _mm_loadu_si128(tail[l] + i));
    SIXTEEN(STEP)
#undef STEP
    EACH_LANE
    {
        __m128i dcba, hgfe;

        s[l].abef = _mm_add_epi32(s[l].abef, first[l].abef);
        s[l].cdgh = _mm_add_epi32(s[l].cdgh, first[l].cdgh);
        unpack_state(&s[l], &dcba, &hgfe);
        _mm_storeu_si128((__m128i *)out[l]->b, big_endian(dcba));
        _mm_storeu_si128((__m128i *)out[l]->b + 1, big_endian(hgfe));
    }
#undef EACH_LANE
}

/* `lanes` messages of `count` whole blocks each, their padding included. */
SHANI void messages_interleaved(const uint8_t *const *blocks, size_t count,
                                struct hash32 *const *out, const int lanes)
{
    struct state s[4];

#define EACH_LANE _Pragma("GCC unroll 4") for (int l = 0; l < lanes; l++)
    EACH_LANE s[l] = load_state(sha256_initial);
    for (size_t k = 0; k < count; k++) {
        struct state before[4];
        __m128i w[4][4];

        EACH_LANE
        {
            const __m128i *block = (const __m128i *)(blocks[l] + k * SHA256_BLOCK);

            before[l] = s[l];
            _Pragma("GCC unroll 4") for (int i = 0; i < 4; i++) w[l][i] =
                big_endian(_mm_loadu_si128(block + i));
        }
#define STEP(i) EACH_LANE step(&s[l], w[l], i);
        SIXTEEN(STEP)
#undef STEP
        EACH_LANE
        {
            s[l].abef = _mm_add_epi32(s[l].abef, before[l].abef);
            s[l].cdgh = _mm_add_epi32(s[l].cdgh, before[l].cdgh);
        }
    }
    EACH_LANE
    {
        __m128i dcba, hgfe;

        unpack_state(&s[l], &dcba, &hgfe);
        _mm_storeu_si128((__m128i *)out[l]->b, big_endian(dcba));
        _mm_storeu_si128((__m128i *)out[l]->b + 1, big_endian(hgfe));
    }
#undef EACH_LANE
}

__attribute__((target("sha,sse4.1,ssse3"))) void sha256_messages_shani(const uint8_t *const *blocks,
                                                                       size_t count,
                                                                       struct hash32 *const *out,
                                                                       size_t n)
{
    size_t i = 0;

    for (; i + 4 <= n; i += 4)
        messages_interleaved(blocks + i, count, out + i, 4);
    if (i + 2 <= n) {
        messages_interleaved(blocks + i, count, out + i, 2);
        i += 2;
    }
    if (i < n)
        messages_interleaved(blocks + i, count, out + i, 1);
}

__attribute__((target("sha,sse4.1,ssse3"))) void
sha256_nodes_shani(uint8_t prefix, const struct hash32 *const *left,
                   const struct hash32 *const *right, struct hash32 *const *out, size_t n)
{
    size_t i = 0;

    for (; i + 4 <= n; i += 4)
        nodes_interleaved(prefix, left + i, right + i, out + i, 4);
    if (i + 2 <= n) {
        nodes_interleaved(prefix, left + i, right + i, out + i, 2);
        i += 2;
    }
    if (i < n)
        nodes_interleaved(prefix, left + i, right + i, out + i, 1);
}

#endif
