#include "sha3.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include "../base/hex.h"

static void assert_digest(struct hash32 got, const char *want)
{
    struct hash32 h;

    assert_true(hex_decode(bytes_of(want), h.b));
    assert_memory_equal(got.b, h.b, sizeof h.b);
}

/* NIST's examples; of Keccak-256 with its older padding the first would be c5d24601…. */
static void known_answers(void **state)
{
    uint8_t a3[200];

    (void)state;
    memset(a3, 0xa3, sizeof a3);
    assert_digest(sha3_256(bytes_make(NULL, 0)),
                  "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
    assert_digest(sha3_256(bytes_of("abc")),
                  "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
    assert_digest(sha3_256(bytes_make(a3, sizeof a3)),
                  "79f38adec5c20307a98ef76e8324afbfd46cfd81b22e3973c65fa1bd9de31787");
}

static void any_length_equals_openssl(void **state)
{
    uint8_t message[700];

    (void)state;
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)(i * 167 + (i >> 3));
    for (size_t n = 0; n <= sizeof message; n++) {
        struct hash32 got = sha3_256(bytes_make(message, n)), want;
        unsigned size = sizeof want.b;

        assert_int_equal(EVP_Digest(message, n, want.b, &size, EVP_sha3_256(), NULL), 1);
        assert_memory_equal(got.b, want.b, sizeof want.b);
    }
}

static void parts_equal_the_whole(void **state)
{
    uint8_t message[400];
    struct bytes parts[4];

    (void)state;
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)(i * 31);
    for (size_t n = 0; n <= sizeof message; n += 7) {
        struct hash32 whole = sha3_256(bytes_make(message, n)), split;
        size_t a = n / 3, b = n / 2;

        parts[0] = bytes_make(message, a);
        parts[1] = bytes_make(NULL, 0);
        parts[2] = bytes_make(message + a, b - a);
        parts[3] = bytes_make(message + b, n - b);
        split = sha3_256_parts(parts, 4);
        assert_memory_equal(split.b, whole.b, sizeof whole.b);
    }
    assert_digest(sha3_256_parts(parts, 0),
                  "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(any_length_equals_openssl),
        cmocka_unit_test(parts_equal_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
