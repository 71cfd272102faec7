#include "sha256.h"

#include <openssl/sha.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../base/hex.h"

enum { NODES = 70 };

static uint64_t random_state = 88172645463325252u;

static void fill(void *to, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        random_state ^= random_state << 13;
        random_state ^= random_state >> 7;
        random_state ^= random_state << 17;
        ((uint8_t *)to)[i] = (uint8_t)(random_state >> 32);
    }
}

static void assert_digest(struct hash32 got, const char *want)
{
    struct hash32 h;

    assert_true(hex_decode(bytes_of(want), h.b));
    assert_memory_equal(got.b, h.b, sizeof h.b);
}

/* FIPS 180-4 examples and NIST's short and long messages. */
static void known_answers(void **state)
{
    static const struct {
        const char *message, *digest;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
         "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    struct sha256_state s;
    uint8_t many[1000];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_digest(sha256(bytes_of(cases[i].message)), cases[i].digest);
    assert_digest(sha256(bytes_make(NULL, 0)), cases[0].digest);
    assert_digest(sha256(bytes_make("\xd3", 1)),
                  "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1");
    memset(many, 'a', sizeof many);
    sha256_begin(&s);
    for (int i = 0; i < 1000; i++)
        sha256_add(&s, bytes_make(many, sizeof many));
    assert_digest(sha256_end(&s),
                  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void any_length_equals_openssl(void **state)
{
    uint8_t message[600];

    (void)state;
    fill(message, sizeof message);
    for (size_t n = 0; n <= sizeof message; n++) {
        struct hash32 got = sha256(bytes_make(message, n)), want;

        SHA256(message, n, want.b);
        assert_memory_equal(got.b, want.b, sizeof want.b);
    }
}

static void parts_equal_the_whole(void **state)
{
    uint8_t message[500];

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct sha256_state s;
        struct hash32 got, want;
        uint16_t sizes[8];
        size_t used = 0;

        fill(sizes, sizeof sizes);
        fill(message, sizeof message);
        sha256_begin(&s);
        for (size_t i = 0; i < 8; i++) {
            size_t n = sizes[i] % (i % 2 == 0 ? 150 : 20);

            if (n > sizeof message - used)
                n = sizeof message - used;
            sha256_add(&s, bytes_make(message + used, n));
            used += n;
        }
        got = sha256_end(&s);
        SHA256(message, used, want.b);
        assert_memory_equal(got.b, want.b, sizeof want.b);
    }
}

/* Every number of nodes (so every kind of remainder) by every kernel this processor has. */
static void nodes_equal_openssl(void **state)
{
    struct hash32 input[2 * NODES], output[NODES];
    const struct hash32 *left[NODES], *right[NODES];
    struct hash32 *out[NODES];

    (void)state;
    for (size_t i = 0; i < NODES; i++) {
        left[i] = &input[2 * i];
        right[i] = &input[2 * i + 1];
        out[i] = &output[i];
    }
    for (int k = 0; k < SHA256_KERNELS; k++) {
        if (!sha256_kernel_available((enum sha256_kernel)k))
            continue;
        for (size_t n = 0; n <= NODES; n++) {
            memset(output, 0, sizeof output);
            fill(input, sizeof input);
            sha256_nodes_with((enum sha256_kernel)k, (uint8_t)(n & 1), left, right, out, n);
            for (size_t i = 0; i < NODES; i++) {
                uint8_t message[SHA256_NODE_SIZE] = {(uint8_t)(n & 1)};
                struct hash32 want = {{0}};

                memcpy(message + 1, left[i], 32);
                memcpy(message + 33, right[i], 32);
                if (i < n)
                    SHA256(message, sizeof message, want.b);
                assert_memory_equal(output[i].b, want.b, sizeof want.b);
            }
        }
    }
}

/* Every length around the block borders, mixed, in lists of every length. */
static void many_equal_each_alone(void **state)
{
    enum { LENGTHS = 200 };
    static uint8_t bytes[LENGTHS][LENGTHS];
    struct bytes messages[LENGTHS];
    struct hash32 out[LENGTHS + 1];

    (void)state;
    for (size_t n = 0; n <= LENGTHS; n++) {
        fill(bytes, sizeof bytes);
        memset(out, 0, sizeof out);
        for (size_t i = 0; i < n; i++)
            messages[i] = bytes_make(bytes[i], (i * 89 + n) % LENGTHS);
        sha256_many(messages, out, n);
        for (size_t i = 0; i <= LENGTHS; i++) {
            struct hash32 want = {{0}};

            if (i < n)
                SHA256(messages[i].data, messages[i].size, want.b);
            assert_memory_equal(out[i].b, want.b, sizeof want.b);
        }
    }
}

static void every_last_byte(void **state)
{
    (void)state;
    for (int k = 0; k < SHA256_KERNELS; k++) {
        struct hash32 input[2], output;
        const struct hash32 *left = &input[0], *right = &input[1];
        struct hash32 *out = &output;

        if (!sha256_kernel_available((enum sha256_kernel)k))
            continue;
        for (int last = 0; last < 256; last++) {
            uint8_t message[SHA256_NODE_SIZE] = {0x7f};
            struct hash32 want;

            fill(input, sizeof input);
            input[1].b[31] = (uint8_t)last;
            memcpy(message + 1, input, sizeof input);
            want = sha256(bytes_make(message, sizeof message));
            sha256_nodes_with((enum sha256_kernel)k, 0x7f, &left, &right, &out, 1);
            assert_memory_equal(output.b, want.b, sizeof want.b);
        }
    }
}

static void results_may_replace_their_inputs(void **state)
{
    (void)state;
    for (int k = 0; k < SHA256_KERNELS; k++) {
        struct hash32 input[2 * NODES], want[NODES];
        const struct hash32 *left[NODES], *right[NODES];
        struct hash32 *out[NODES], *apart[NODES];

        if (!sha256_kernel_available((enum sha256_kernel)k))
            continue;
        fill(input, sizeof input);
        for (size_t i = 0; i < NODES; i++) {
            left[i] = &input[2 * i];
            right[i] = &input[2 * i + 1];
            out[i] = &input[2 * i + i % 2];
            apart[i] = &want[i];
        }
        sha256_nodes(1, left, right, apart, NODES);
        sha256_nodes_with((enum sha256_kernel)k, 1, left, right, out, NODES);
        for (size_t i = 0; i < NODES; i++)
            assert_memory_equal(out[i]->b, want[i].b, sizeof want[i].b);
    }
}

static void kernels_have_names(void **state)
{
    (void)state;
    assert_true(sha256_kernel_available(SHA256_PORTABLE));
    assert_true(sha256_kernel_available(sha256_kernel_best()));
    assert_false(sha256_kernel_available(SHA256_KERNELS));
    assert_string_equal(sha256_kernel_name(SHA256_PORTABLE), "portable");
    assert_string_equal(sha256_kernel_name(SHA256_SHANI), "sha-ni");
    assert_string_equal(sha256_kernel_name(SHA256_AVX512), "avx-512");
    assert_string_equal(sha256_kernel_name(SHA256_KERNELS), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),         cmocka_unit_test(any_length_equals_openssl),
        cmocka_unit_test(parts_equal_the_whole), cmocka_unit_test(nodes_equal_openssl),
        cmocka_unit_test(every_last_byte),       cmocka_unit_test(results_may_replace_their_inputs),
        cmocka_unit_test(kernels_have_names),    cmocka_unit_test(many_equal_each_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
