#include "ed25519.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "../base/hex.h"

enum { RULES = 2 };

static const enum ed25519_rule BOTH[RULES] = {ED25519_STRICT, ED25519_REFERENCE};

/* The order of the group, little endian (RFC 8032). */
static const uint8_t ORDER[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                  0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                  0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

/* 2^255 - 19 + low, little endian: y = low in an encoding that is not reduced, for low < 19. */
static void unreduced(uint8_t low, uint8_t out[32])
{
    memset(out, 0xff, 32);
    out[0] = (uint8_t)(0xed + low);
    out[31] = 0x7f;
}

static struct private_key key_of(const char *hex)
{
    struct private_key key;

    assert_int_equal(strlen(hex), 128);
    assert_true(hex_decode(bytes_of(hex), key.b));
    return key;
}

static void assert_address(const char *public_hex, const char *address_hex)
{
    struct public_key key;
    struct address address, expected;

    assert_true(hex_decode(bytes_of(public_hex), key.b));
    assert_true(hex_decode(bytes_of(address_hex), expected.b));
    address = address_of_key(&key);
    assert_memory_equal(address.b, expected.b, sizeof address.b);
}

/* utility.md 10 */
static void derives_addresses(void **state)
{
    (void)state;
    assert_address("d6cbe0430ddd85a5e48e0c99ef3dea47bf0d1a83c6e6ad1640f72201dc8a0120",
                   "da034209758b78eaea06dd99c07909ab54c99b45");
    assert_address("dfe357de55649e6d2ce889acf15eb77e94ab3c5756fe46d3c7538d37f27f115e",
                   "00104055c00bed7c983a48aac7dc6335d7c607a7");
    assert_address("ed78c49592f836f7a4d47d4fb6a0e6b19f07aebc201d005f6b2c6afe389086e9",
                   "26e16ccab7a898400022476332e2972b8199f2f9");
    assert_address("1ba66c6751506850ae0787244c69476b6d45fb857a914a5a0445a24253f7b810",
                   "67f6e8c48c62dc62a3706e7a8ba2164ca345d762");
    assert_address("f868bcc508133899cc47b612e4f7d9d5dacc90ce1f28214a97b651baa00bf6e4",
                   "b0cca84843f6f5a274150a98da66d78f0273f64e");
    assert_address("ee37d8c8e9cf42a34cfa75ff1141e2bc0ff2f37483f064dce47cb4d5e69db1d4",
                   "4cda991a51da75acf50e966c2716a7a2837d72eb");
    assert_address("264a0707979e0d6691f74b055429b5f318d39c2883bb509310b67424252e9ef2",
                   "0157a1d82da437eb6b2d0a612ebf934c3a54fb19");
}

static void rebuilds_a_key_from_its_seed(void **state)
{
    struct private_key key =
        key_of("ff538589deb7f28bbce1ba68b37d2efc0eaa03204b36513cf88422a875559e38"
               "d6cbe0430ddd85a5e48e0c99ef3dea47bf0d1a83c6e6ad1640f72201dc8a0120");
    struct private_key again = ed25519_from_seed(key.b);
    struct public_key public = ed25519_public(&key);

    (void)state;
    assert_memory_equal(again.b, key.b, sizeof key.b);
    assert_memory_equal(public.b, key.b + 32, sizeof public.b);
}

static void signs_and_verifies(void **state)
{
    /* RFC 8032, 7.1, test 2. */
    struct private_key key =
        key_of("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
               "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    struct public_key public = ed25519_public(&key);
    struct bytes message = bytes_make("\x72", 1);
    struct signature s = ed25519_sign(&key, message), broken, empty;
    uint8_t expected[64];

    (void)state;
    assert_true(
        hex_decode(bytes_of("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
                   expected));
    assert_memory_equal(s.b, expected, sizeof expected);
    empty = ed25519_sign(&key, (struct bytes){NULL, 0});
    for (size_t r = 0; r < RULES; r++) {
        assert_true(ed25519_verify(BOTH[r], &public, message, &s));
        assert_true(ed25519_verify(BOTH[r], &public, (struct bytes){NULL, 0}, &empty));
        assert_false(ed25519_verify(BOTH[r], &public, bytes_make("\x73", 1), &s));
        for (size_t bit = 0; bit < 8 * sizeof s.b; bit += 37) {
            broken = s;
            broken.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_false(ed25519_verify(BOTH[r], &public, message, &broken));
        }
    }
}

static void refuses_a_scalar_of_the_order_or_more(void **state)
{
    static const uint8_t seed[32] = {7};
    struct private_key key = ed25519_from_seed(seed);
    struct public_key public = ed25519_public(&key);
    struct signature s = ed25519_sign(&key, bytes_of("message"));
    unsigned carry = 0;

    (void)state;
    for (size_t i = 0; i < sizeof ORDER; i++) {
        carry += (unsigned)s.b[32 + i] + ORDER[i];
        s.b[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    for (size_t r = 0; r < RULES; r++)
        assert_false(ed25519_verify(BOTH[r], &public, bytes_of("message"), &s));
}

/* With the neutral element as key, R = neutral and S = 0 satisfy the equation for any message. */
static void small_order_keys_hold_under_the_reference_rule_only(void **state)
{
    struct public_key neutral = {{1}};
    struct signature s = {{1}};

    (void)state;
    assert_true(ed25519_verify(ED25519_REFERENCE, &neutral, bytes_of("any"), &s));
    assert_false(ed25519_verify(ED25519_STRICT, &neutral, bytes_of("any"), &s));
}

static void unreduced_keys_hold_under_the_reference_rule_only(void **state)
{
    struct public_key neutral;
    struct signature s = {{1}}, unreduced_r = {{0}};

    (void)state;
    unreduced(1, neutral.b);
    assert_true(ed25519_verify(ED25519_REFERENCE, &neutral, bytes_of("any"), &s));
    assert_false(ed25519_verify(ED25519_STRICT, &neutral, bytes_of("any"), &s));
    /* R is compared as bytes: the same point in another encoding is another R. */
    unreduced(1, unreduced_r.b);
    for (size_t r = 0; r < RULES; r++)
        assert_false(ed25519_verify(BOTH[r], &neutral, bytes_of("any"), &unreduced_r));
}

/* With the point of order two as key, only even hashes give R = neutral: a rule that multiplied by
 * the cofactor would accept every message. */
static void the_reference_rule_has_no_cofactor(void **state)
{
    struct public_key order_two;
    struct signature s = {{1}};
    size_t accepted = 0;

    (void)state;
    memset(order_two.b, 0xff, sizeof order_two.b);
    order_two.b[0] = 0xec;
    order_two.b[31] = 0x7f;
    for (uint8_t i = 0; i < 64; i++) {
        accepted += ed25519_verify(ED25519_REFERENCE, &order_two, bytes_make(&i, 1), &s);
        assert_false(ed25519_verify(ED25519_STRICT, &order_two, bytes_make(&i, 1), &s));
    }
    assert_in_range(accepted, 8, 56);
}

/* An honest key, and R with a part of order eight: the equation holds only when it is multiplied by
 * the cofactor, which neither rule does. */
static void refuses_what_only_the_cofactor_makes_hold(void **state)
{
    static const struct public_key key = {{0x03, 0xa1, 0x07, 0xbf, 0xf3, 0xce, 0x10, 0xbe,
                                           0x1d, 0x70, 0xdd, 0x18, 0xe7, 0x4b, 0xc0, 0x99,
                                           0x67, 0xe4, 0xd6, 0x30, 0x9b, 0xa5, 0x0d, 0x5f,
                                           0x1d, 0xdc, 0x86, 0x64, 0x12, 0x55, 0x31, 0xb8}};
    static const struct signature s = {
        {0x6a, 0x84, 0xd5, 0x83, 0xf0, 0x65, 0x69, 0xed, 0xb3, 0xf5, 0xed, 0x77, 0xdf,
         0x65, 0x54, 0x4b, 0x27, 0xd6, 0x94, 0x8b, 0x4f, 0x0b, 0x2c, 0xb7, 0x6f, 0x33,
         0xdd, 0x84, 0x13, 0xb2, 0x07, 0x19, 0x42, 0x14, 0x66, 0x62, 0x3e, 0xf9, 0x2d,
         0x0f, 0x24, 0xd7, 0x11, 0x33, 0x07, 0x50, 0x54, 0xc9, 0x5e, 0x4d, 0xcc, 0x66,
         0xd2, 0x58, 0x61, 0x26, 0x89, 0x20, 0x86, 0x2e, 0xaf, 0x12, 0x4d, 0x00}};

    (void)state;
    for (size_t r = 0; r < RULES; r++)
        assert_false(ed25519_verify(BOTH[r], &key, bytes_of("mixed"), &s));
}

/* x = 0 with the sign of a negative x: no encoding of RFC 8032, but Go reads it. */
static void a_negative_zero_holds_under_the_reference_rule_only(void **state)
{
    struct public_key neutral = {{1}};
    struct signature s = {{1}};

    (void)state;
    neutral.b[31] = 0x80;
    assert_true(ed25519_verify(ED25519_REFERENCE, &neutral, bytes_of("any"), &s));
    assert_false(ed25519_verify(ED25519_STRICT, &neutral, bytes_of("any"), &s));
}

static void refuses_a_key_that_is_no_point(void **state)
{
    struct public_key none = {{2}};
    struct signature s = {{1}};

    (void)state;
    for (size_t r = 0; r < RULES; r++)
        assert_false(ed25519_verify(BOTH[r], &none, bytes_of("any"), &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derives_addresses),
        cmocka_unit_test(rebuilds_a_key_from_its_seed),
        cmocka_unit_test(signs_and_verifies),
        cmocka_unit_test(refuses_a_scalar_of_the_order_or_more),
        cmocka_unit_test(small_order_keys_hold_under_the_reference_rule_only),
        cmocka_unit_test(unreduced_keys_hold_under_the_reference_rule_only),
        cmocka_unit_test(the_reference_rule_has_no_cofactor),
        cmocka_unit_test(refuses_what_only_the_cofactor_makes_hold),
        cmocka_unit_test(a_negative_zero_holds_under_the_reference_rule_only),
        cmocka_unit_test(refuses_a_key_that_is_no_point),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
