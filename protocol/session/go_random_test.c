#include "go_random.h"
#include "go_random_table.h"
#include "../base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <sodium.h>

static void test_table_is_the_published_one(void **state)
{
    static const char expected[] =
        "71ca56841e25ce194c2600faac906bb84e97d268a3bc453ff9f1a1410af1d228";
    crypto_hash_sha256_state hash;
    uint8_t digest[32], wanted[32];

    (void)state;
    assert_true(hex_decode(bytes_of(expected), wanted));
    crypto_hash_sha256_init(&hash);
    for (int i = 0; i < 607; i++) {
        uint8_t word[8];

        for (int k = 0; k < 8; k++)
            word[k] = (uint8_t)(GO_RANDOM_TABLE[i] >> (56 - 8 * k));
        crypto_hash_sha256_update(&hash, word, sizeof word);
    }
    crypto_hash_sha256_final(&hash, digest);
    assert_memory_equal(digest, wanted, 32);
    assert_true(GO_RANDOM_TABLE[0] == 0xc5f74a33eb98ffea);
    assert_true(GO_RANDOM_TABLE[606] == 0x39a00a3a31c025c6);
}

/* state.md 10.2 and utility.md 6.3 */
static void test_streams(void **state)
{
    static const struct {
        int64_t seed;
        int64_t values[5]; /* up to the first 0 */
    } streams[] = {
        {1,
         {5577006791947779410, 8674665223082153551, 6129484611666145821, 4037200794235010051,
          3916589616287113937}},
        {2, {1543039099823358511, 2444694468985893231, 474893212811123542}},
        {0, {8717895732742165505, 2259404117704393152, 6050128673802995827}},
        {2147483647, {8717895732742165505, 2259404117704393152, 6050128673802995827}},
        {-5, {1811683815564572222, 4427849682616757295}},
        {-1234567890123456789, {1461889885290427402, 2957852619503117780}},
        {42, {3440579354231278675, 608747136543856411, 5571782338101878760}},
        {-1, {3644962268338389676, 550171362161912239, 3094056749125766625}},
        {INT64_MIN, {7681445645332086223, 6777158040660201103, 8748006033234207912}},
    };
    struct go_random random;

    (void)state;
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        go_random_seed(&random, streams[i].seed);
        for (int k = 0; k < 5 && streams[i].values[k] != 0; k++)
            assert_true(go_random_int63(&random) == streams[i].values[k]);
    }
}

/* The session of utility.md 10: what the stream selects from 10, 24 and 100 candidates. */
static void test_streams_modulo(void **state)
{
    static const int by_ten[] = {8, 5, 8, 6, 6, 5, 8, 5, 4, 3, 3, 1};
    static const int by_24[] = {2, 13, 12, 22, 16, 3, 22, 3, 12, 23, 3, 21};
    static const int by_100[] = {58, 65, 68, 26, 36, 55, 58, 55, 64, 83, 63, 81};
    struct go_random random;

    (void)state;
    go_random_seed(&random, 945490492137574145);
    for (int i = 0; i < 12; i++) {
        int64_t value = go_random_int63(&random);

        assert_int_equal(value % 10, by_ten[i]);
        assert_int_equal(value % 24, by_24[i]);
        assert_int_equal(value % 100, by_100[i]);
    }
}

/* Long enough that both pointers wrap several times. */
static void test_values_stay_in_63_bits(void **state)
{
    struct go_random random;

    (void)state;
    go_random_seed(&random, 7);
    for (int i = 0; i < 5000; i++)
        assert_true(go_random_int63(&random) >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_the_published_one),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_streams_modulo),
        cmocka_unit_test(test_values_stay_in_63_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
