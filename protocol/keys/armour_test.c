#include "armour.h"
#include "../base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* utility.md 10: a key armoured by the reference, and one of ours with fixed salt and nonce. */
#define REFERENCE_PASSPHRASE "Testing@Testing123"
#define REFERENCE_SALT       "65eeabde12ac0868e2a59b929a5e05b0"
#define REFERENCE_CIPHERTEXT                                                                       \
    "xCSVCdEE4iKcaxbF0lY22VX+Sc8Sn3WBtRKWr4kemS6EEoT95MYF0GNwNeKUBh8as7RmxEflUQDhXPnJa8WhC7jjWYY0" \
    "fyBaMIcAq/JzXM4iuQFN16OxsyzNGbQW3BOw3wZBUCn4oXCdugG4c4oha3m39bFYSfjLBCTe8/WP3s6RpEtWYHoSRuyL" \
    "vjKxjoujb638YaP08t4RXSs5Gy/GYaUz5Kgp9q3U"
#define REFERENCE_PRIVATE                                                                          \
    "3554119cec1c0c8c5b3845a5d3fc6346eb44ed21aab5c063ae9b6b1d38bec275"                             \
    "408bec6320b540aa0cc86b3e633e214f2fd4dce4caa08f164fa3a9d3e577b46c"
#define REFERENCE_JSON                                                                             \
    "{\"kdf\":\"scrypt\",\"salt\":\"" REFERENCE_SALT                                               \
    "\",\"secparam\":\"12\",\"hint\":\"pocket wallet\",\"ciphertext\":\"" REFERENCE_CIPHERTEXT     \
    "\"}"

#define OWN_PRIVATE                                                                                \
    "ff538589deb7f28bbce1ba68b37d2efc0eaa03204b36513cf88422a875559e38"                             \
    "d6cbe0430ddd85a5e48e0c99ef3dea47bf0d1a83c6e6ad1640f72201dc8a0120"
#define OWN_CIPHERTEXT                                                                             \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXr22Nl8u/JFuAl1nD6iEB9nihECQ4fZ+2ZVySQ/KAslvqtPT3PUz0k2LPJQ2N" \
    "360hmJntoowUedxrhH9fnIa18dqwPoTm7cC/yUeAIifcl6ztky9Lrx3ACPr2oNBJ3OJdO4pn9Nko7PU7oO1OOUDWGJoN" \
    "s3wfVkADthVbog1JY5SPGf8Nws+P1LbueTPZZ+KC"

static struct arena arena;
static const uint8_t SALT[ARMOUR_SALT] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const uint8_t NONCE[ARMOUR_NONCE] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                            12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};

static struct private_key key_of(const char *hex)
{
    struct private_key key;

    assert_true(hex_decode(bytes_of(hex), key.b));
    return key;
}

static void test_reads_what_the_reference_wrote(void **state)
{
    struct private_key expected = key_of(REFERENCE_PRIVATE), key;
    struct bytes hint;
    struct tm_error e;

    (void)state;
    assert_int_equal(
        unarmour_key(&arena, bytes_of(REFERENCE_JSON), bytes_of(REFERENCE_PASSPHRASE), &key, &e),
        TM_OK);
    assert_memory_equal(key.b, expected.b, 64);
    assert_int_equal(armour_hint(&arena, bytes_of(REFERENCE_JSON), &hint, &e), TM_OK);
    assert_true(bytes_equal(hint, bytes_of("pocket wallet")));
}

static void test_writes_the_computed_vector(void **state)
{
    struct private_key key = key_of(OWN_PRIVATE), back;
    struct tm_error e;
    char *json;

    (void)state;
    json = armour_key(&arena, &key, bytes_of("pocket"), bytes_of("a \"hint\" & more"), SALT, NONCE);
    assert_string_equal(json, "{\"kdf\":\"scrypt\",\"salt\":\"000102030405060708090a0b0c0d0e0f\","
                              "\"hint\":\"a \\\"hint\\\" & more\",\"ciphertext\":\"" OWN_CIPHERTEXT
                              "\"}");
    assert_int_equal(unarmour_key(&arena, bytes_of(json), bytes_of("pocket"), &back, &e), TM_OK);
    assert_memory_equal(back.b, key.b, 64);
}

static void test_empty_passphrase_and_hint(void **state)
{
    struct private_key key = key_of(OWN_PRIVATE), back;
    struct bytes none = {NULL, 0}, hint;
    struct tm_error e;
    char *json = armour_key(&arena, &key, none, none, SALT, NONCE);

    (void)state;
    assert_non_null(strstr(json, "\"hint\":\"\""));
    assert_int_equal(unarmour_key(&arena, bytes_of(json), none, &back, &e), TM_OK);
    assert_memory_equal(back.b, key.b, 64);
    assert_int_equal(armour_hint(&arena, bytes_of(json), &hint, &e), TM_OK);
    assert_int_equal(hint.size, 0);
}

static void test_wrong_passphrase(void **state)
{
    struct private_key key;
    struct tm_error e;

    (void)state;
    assert_int_equal(unarmour_key(&arena, bytes_of(REFERENCE_JSON), bytes_of("testing"), &key, &e),
                     TM_ERR_MISMATCH);
    assert_string_equal(e.text, "cannot decrypt private key: wrong passphrase");
}

static void test_bad_hints(void **state)
{
    struct private_key key = key_of(OWN_PRIVATE);
    char long_hint[ARMOUR_HINT_MAX + 1];
    struct bytes pass = bytes_of("pocket");

    (void)state;
    memset(long_hint, 1, sizeof long_hint);
    assert_null(
        armour_key(&arena, &key, pass, bytes_make(long_hint, sizeof long_hint), SALT, NONCE));
    assert_null(armour_key(&arena, &key, pass, bytes_of("\xc3("), SALT, NONCE));
    assert_null(armour_key(&arena, &key, pass, bytes_make("a\0b", 3), SALT, NONCE));
    assert_true(strlen(armour_key(&arena, &key, pass, bytes_make(long_hint, sizeof long_hint - 1),
                                  SALT, NONCE)) < ARMOUR_FILE_MAX);
}

/* Each is refused before scrypt, and the field that is off is named. */
static void test_malformed(void **state)
{
    static const struct {
        const char *json, *named;
        enum tm_err err;
    } cases[] = {
        {"", "line", TM_ERR_MALFORMED},
        {"{", "line", TM_ERR_MALFORMED},
        {"[]", "not a JSON object", TM_ERR_MALFORMED},
        {"\"x\"", "line", TM_ERR_MALFORMED},
        {"{}", "kdf", TM_ERR_MALFORMED},
        {"{\"kdf\":\"bcrypt\"}", "kdf", TM_ERR_MALFORMED},
        {"{\"kdf\":12}", "kdf", TM_ERR_MALFORMED},
        {"{\"kdf\":\"scrypt\"}", "salt", TM_ERR_MALFORMED},
        {"{\"kdf\":\"scrypt\",\"salt\":\"\"}", "salt", TM_ERR_MALFORMED},
        {"{\"kdf\":\"scrypt\",\"salt\":\"65eeabde12ac0868e2a59b929a5e05\"}", "salt",
         TM_ERR_MALFORMED},
        {"{\"kdf\":\"scrypt\",\"salt\":\"x5eeabde12ac0868e2a59b929a5e05b0\"}", "salt",
         TM_ERR_MALFORMED},
        {"{\"kdf\":\"scrypt\",\"salt\":\"" REFERENCE_SALT "\"}", "ciphertext", TM_ERR_MALFORMED},
        {"{\"kdf\":\"scrypt\",\"salt\":\"" REFERENCE_SALT "\",\"hint\":7,\"ciphertext\":"
         "\"" REFERENCE_CIPHERTEXT "\"}",
         "hint", TM_ERR_MALFORMED},
        {"{\"kdf\":\"scrypt\",\"salt\":\"" REFERENCE_SALT "\",\"ciphertext\":\"AAAA\"}",
         "ciphertext", TM_ERR_MALFORMED},
        {"{\"kdf\":\"scrypt\",\"salt\":\"" REFERENCE_SALT
         "\",\"ciphertext\":\"=" REFERENCE_CIPHERTEXT "\"}",
         "ciphertext", TM_ERR_MALFORMED},
        {"{\"kdf\":\"scrypt\",\"salt\":\"" REFERENCE_SALT
         "\",\"ciphertext\":\"" REFERENCE_CIPHERTEXT "AAAA\"}",
         "ciphertext", TM_ERR_MALFORMED},
        {"{\"kdf\":\"scrypt\",\"kdf\":\"scrypt\"}", "duplicate", TM_ERR_MALFORMED},
        {REFERENCE_JSON "x", "line", TM_ERR_MALFORMED},
    };
    char box[] = "{\"kdf\":\"scrypt\",\"salt\":\"" REFERENCE_SALT
                 "\",\"ciphertext\":\"" REFERENCE_CIPHERTEXT "\"}";
    uint8_t *large = arena_zalloc(&arena, ARMOUR_FILE_MAX + 1);
    struct private_key key;
    struct bytes hint;
    struct tm_error e;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes json = bytes_of(cases[i].json);

        if (unarmour_key(&arena, json, bytes_of(""), &key, &e) != cases[i].err ||
            strstr(e.text, cases[i].named) == NULL)
            fail_msg("case %zu: '%s' does not name %s", i, e.text, cases[i].named);
        assert_int_equal(armour_hint(&arena, json, &hint, &e), cases[i].err);
    }
    *strstr(box, "xCSV") = '*';
    assert_int_equal(unarmour_key(&arena, bytes_of(box), bytes_of(""), &key, &e), TM_ERR_MALFORMED);
    assert_int_equal(
        unarmour_key(&arena, bytes_make(large, ARMOUR_FILE_MAX + 1), bytes_of(""), &key, &e),
        TM_ERR_LIMIT);
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_what_the_reference_wrote),
        cmocka_unit_test(test_writes_the_computed_vector),
        cmocka_unit_test(test_empty_passphrase_and_hint),
        cmocka_unit_test(test_wrong_passphrase),
        cmocka_unit_test(test_bad_hints),
        cmocka_unit_test(test_malformed),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
