#include "kernel.h"

#ifdef SHA256_X86
#include <cpuid.h>
#include <stdatomic.h>

/* Which state the operating system saves: SSE and AVX, and the three parts of AVX-512. */
enum { XCR0_AVX512 = 0xe6 };

static unsigned ask_processor(void)
{
    unsigned a, b, c, d, base_c, kernels = 1u << SHA256_PORTABLE;

    if (!__get_cpuid(1, &a, &b, &base_c, &d) || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
        return kernels;
    if ((b & bit_SHA) != 0 && (base_c & bit_SSE4_1) != 0 && (base_c & bit_SSSE3) != 0)
        kernels |= 1u << SHA256_SHANI;
    if ((base_c & bit_OSXSAVE) != 0 && (b & bit_AVX512F) != 0 && (b & bit_AVX512BW) != 0) {
        unsigned low, high;

        __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        if ((low & XCR0_AVX512) == XCR0_AVX512)
            kernels |= 1u << SHA256_AVX512;
    }
    return kernels;
}

/* CPUID is slow in virtual machines, so the answer is kept. Every thread that asks at the same time
 * finds the same answer: no lock is needed. */
static unsigned available(void)
{
    static atomic_uint answer;
    unsigned kernels = atomic_load_explicit(&answer, memory_order_relaxed);

    if (kernels == 0) {
        kernels = ask_processor();
        atomic_store_explicit(&answer, kernels, memory_order_relaxed);
    }
    return kernels;
}

static void compress(uint32_t h[8], const uint8_t *blocks, size_t count)
{
    if ((available() & 1u << SHA256_SHANI) != 0)
        sha256_compress_shani(h, blocks, count);
    else
        sha256_compress_portable(h, blocks, count);
}

#else

static unsigned available(void)
{
    return 1u << SHA256_PORTABLE;
}

static void compress(uint32_t h[8], const uint8_t *blocks, size_t count)
{
    sha256_compress_portable(h, blocks, count);
}

#endif

bool sha256_kernel_available(enum sha256_kernel k)
{
    return k < SHA256_KERNELS && (available() & 1u << k) != 0;
}

const char *sha256_kernel_name(enum sha256_kernel k)
{
    switch (k) {
    case SHA256_PORTABLE:
        return "portable";
    case SHA256_SHANI:
        return "sha-ni";
    case SHA256_AVX512:
        return "avx-512";
    case SHA256_KERNELS:
        break;
    }
    return "unknown";
}

enum sha256_kernel sha256_kernel_best(void)
{
    if (sha256_kernel_available(SHA256_AVX512))
        return SHA256_AVX512;
    return sha256_kernel_available(SHA256_SHANI) ? SHA256_SHANI : SHA256_PORTABLE;
}

/* The last, incomplete block of a message of `size` bytes with its padding: one block or two. */
static size_t pad(uint8_t block[2 * SHA256_BLOCK], const uint8_t *rest, uint64_t size)
{
    size_t used = size % SHA256_BLOCK, blocks = used < SHA256_BLOCK - 8 ? 1 : 2;

    memset(block, 0, SHA256_BLOCK);
    if (blocks == 2)
        memset(block + SHA256_BLOCK, 0, SHA256_BLOCK);
    if (used > 0)
        memcpy(block, rest, used);
    block[used] = 0x80;
    sha256_store(block + blocks * SHA256_BLOCK - 8, (uint32_t)(size >> 29));
    sha256_store(block + blocks * SHA256_BLOCK - 4, (uint32_t)(size << 3));
    return blocks;
}

/* Digest after all whole blocks of a message of `size` bytes. */
static struct hash32 finish(uint32_t h[8], const uint8_t *rest, uint64_t size)
{
    uint8_t block[2 * SHA256_BLOCK];
    struct hash32 out;

    compress(h, block, pad(block, rest, size));
    for (int i = 0; i < 8; i++)
        sha256_store(out.b + 4 * i, h[i]);
    return out;
}

struct hash32 sha256(struct bytes message)
{
    uint32_t h[8];
    size_t whole = message.size / SHA256_BLOCK;

    memcpy(h, sha256_initial, sizeof h);
    if (whole > 0)
        compress(h, message.data, whole);
    return finish(h, whole > 0 ? message.data + whole * SHA256_BLOCK : message.data, message.size);
}

#ifdef SHA256_X86
/* Messages of the same number of blocks wait here until they fill the kernel. */
struct waiting {
    uint8_t block[4][2 * SHA256_BLOCK];
    const uint8_t *message[4];
    struct hash32 *out[4];
    size_t count;
};

static void wait_for_others(struct waiting *w, size_t blocks, struct bytes message,
                            struct hash32 *out)
{
    size_t n = w->count++;

    w->message[n] = w->block[n];
    w->out[n] = out;
    if (message.size >= SHA256_BLOCK) {
        memcpy(w->block[n], message.data, SHA256_BLOCK);
        pad(w->block[n] + SHA256_BLOCK, message.data + SHA256_BLOCK, message.size);
    } else {
        pad(w->block[n], message.data, message.size);
    }
    if (w->count == sizeof w->block / sizeof *w->block) {
        sha256_messages_shani(w->message, blocks, w->out, w->count);
        w->count = 0;
    }
}

static void many_shani(const struct bytes *messages, struct hash32 *out, size_t n)
{
    struct waiting one, two;

    one.count = two.count = 0;
    for (size_t i = 0; i < n; i++) {
        size_t size = messages[i].size;

        if (size < SHA256_BLOCK - 8)
            wait_for_others(&one, 1, messages[i], &out[i]);
        else if (size < 2 * SHA256_BLOCK - 8)
            wait_for_others(&two, 2, messages[i], &out[i]);
        else
            out[i] = sha256(messages[i]);
    }
    sha256_messages_shani(one.message, 1, one.out, one.count);
    sha256_messages_shani(two.message, 2, two.out, two.count);
}
#endif

void sha256_many(const struct bytes *messages, struct hash32 *out, size_t n)
{
#ifdef SHA256_X86
    if ((available() & 1u << SHA256_SHANI) != 0) {
        many_shani(messages, out, n);
        return;
    }
#endif
    for (size_t i = 0; i < n; i++)
        out[i] = sha256(messages[i]);
}

void sha256_begin(struct sha256_state *s)
{
    memcpy(s->h, sha256_initial, sizeof s->h);
    s->size = 0;
}

void sha256_add(struct sha256_state *s, struct bytes part)
{
    size_t used = s->size % SHA256_BLOCK, whole;

    if (part.size == 0)
        return;
    s->size += part.size;
    if (used > 0) {
        size_t n = part.size < SHA256_BLOCK - used ? part.size : SHA256_BLOCK - used;

        memcpy(s->block + used, part.data, n);
        part.data += n;
        part.size -= n;
        if (used + n < SHA256_BLOCK)
            return;
        compress(s->h, s->block, 1);
    }
    whole = part.size / SHA256_BLOCK;
    if (whole > 0)
        compress(s->h, part.data, whole);
    if (part.size % SHA256_BLOCK > 0)
        memcpy(s->block, part.data + whole * SHA256_BLOCK, part.size % SHA256_BLOCK);
}

struct hash32 sha256_end(struct sha256_state *s)
{
    return finish(s->h, s->block, s->size);
}

#ifdef SHA256_X86
/* Whole groups of lanes by the wide kernel; what is left over by the narrow one, or, on processors
 * without SHA instructions, as a group filled up with copies of its first message. */
static void nodes_avx512(uint8_t prefix, const struct hash32 *const *left,
                         const struct hash32 *const *right, struct hash32 *const *out, size_t n)
{
    size_t whole = n - n % SHA256_LANES, rest = n - whole;

    sha256_nodes_avx512(prefix, left, right, out, whole);
    left += whole;
    right += whole;
    out += whole;
    if (rest > 0 && (available() & 1u << SHA256_SHANI) != 0) {
        sha256_nodes_shani(prefix, left, right, out, rest);
    } else if (rest > 0) {
        const struct hash32 *l[SHA256_LANES], *r[SHA256_LANES];
        struct hash32 *o[SHA256_LANES], unused;

        for (size_t i = 0; i < SHA256_LANES; i++) {
            l[i] = left[i < rest ? i : 0];
            r[i] = right[i < rest ? i : 0];
            o[i] = i < rest ? out[i] : &unused;
        }
        sha256_nodes_avx512(prefix, l, r, o, SHA256_LANES);
    }
}
#endif

void sha256_nodes_with(enum sha256_kernel k, uint8_t prefix, const struct hash32 *const *left,
                       const struct hash32 *const *right, struct hash32 *const *out, size_t n)
{
    switch (k) {
    case SHA256_PORTABLE:
        sha256_nodes_portable(prefix, left, right, out, n);
        return;
#ifdef SHA256_X86
    case SHA256_SHANI:
        sha256_nodes_shani(prefix, left, right, out, n);
        return;
    case SHA256_AVX512:
        nodes_avx512(prefix, left, right, out, n);
        return;
#else
    case SHA256_SHANI:
    case SHA256_AVX512:
#endif
    case SHA256_KERNELS:
        return;
    }
}

void sha256_nodes(uint8_t prefix, const struct hash32 *const *left,
                  const struct hash32 *const *right, struct hash32 *const *out, size_t n)
{
    sha256_nodes_with(sha256_kernel_best(), prefix, left, right, out, n);
}
