#include "slip10.h"
#include "../base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* The seeds of the SLIP-0010 document's Ed25519 test vectors 1 and 2. */
#define SEED_1 "000102030405060708090a0b0c0d0e0f"
#define SEED_2                                                                                     \
    "fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a2"                             \
    "9f9c999693908d8a8784817e7b7875726f6c696663605d5a5754514e4b484542"

#define PARENT "045e8380086abc6f6e941d6fe47ca93b86723bc246ec8c4beee411b410028675"

static struct arena arena;

static struct bytes unhex(const char *text)
{
    struct bytes in = bytes_of(text);
    uint8_t *out = arena_alloc(&arena, in.size / 2);

    assert_true(hex_decode(in, out));
    return bytes_make(out, in.size / 2);
}

static void test_vectors_of_the_document(void **state)
{
    static const struct {
        const char *seed, *path, *secret, *public_key;
    } vectors[] = {
        {SEED_1, "m", "2b4be7f19ee27bbf30c667b642d5f4aa69fd169872f8fc3059c08ebae2eb19e7",
         "a4b2856bfec510abab89753fac1ac0e1112364e7d250545963f135f2a33188ed"},
        {SEED_1, "m/0'", "68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3",
         "8c8a13df77a28f3445213a0f432fde644acaa215fc72dcdf300d5efaa85d350c"},
        {SEED_1, "m/0'/1'", "b1d0bad404bf35da785a64ca1ac54b2617211d2777696fbffaf208f746ae84f2",
         "1932a5270f335bed617d5b935c80aedb1a35bd9fc1e31acafd5372c30f5c1187"},
        {SEED_1, "m/0'/1'/2'", "92a5b23c0b8a99e37d07df3fb9966917f5d06e02ddbd909c7e184371463e9fc9",
         "ae98736566d30ed0e9d2f4486a64bc95740d89c7db33f52121f8ea8f76ff0fc1"},
        {SEED_1, "m/0'/1'/2'/2'",
         "30d1dc7e5fc04c31219ab25a27ae00b50f6fd66622f6e9c913253d6511d1e662",
         "8abae2d66361c879b900d204ad2cc4984fa2aa344dd7ddc46007329ac76c429c"},
        {SEED_1, "m/0'/1'/2'/2'/1000000000'",
         "8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793",
         "3c24da049451555d51a7014a37337aa4e12d41e485abccfa46b47dfb2af54b7a"},
        {SEED_2, "m", "171cb88b1b3c1db25add599712e36245d75bc65a1a5c9e18d76f9f2b1eab4012",
         "8fe9693f8fa62a4305a140b9764c5ee01e455963744fe18204b4fb948249308a"},
        {SEED_2, "m/0'", "1559eb2bbec5790b0c65d8693e4d0875b1747f4970ae8b650486ed7470845635",
         "86fab68dcb57aa196c77c5f264f215a112c22a912c10d123b0d03c3c28ef1037"},
        {SEED_2, "m/0'/2147483647'",
         "ea4f5bfe8694d8bb74b7b59404632fd5968b774ed545e810de9c32a4fb4192f4",
         "5ba3b9ac6e90e83effcd25ac4e58a1365a9e35a3d3ae5eb07b9e4d90bcf7506d"},
        {SEED_2, "m/0'/2147483647'/1'",
         "3757c7577170179c7868353ada796c839135b3d30554bbb74a4b1e4a5a58505c",
         "2e66aa57069c86cc18249aecf5cb5a9cebbfd6fadeab056254763874a9352b45"},
        {SEED_2, "m/0'/2147483647'/1'/2147483646'",
         "5837736c89570de861ebc173b1086da4f505d4adb387c6a1b1342d5e4ac9ec72",
         "e33c0f7d81d843c572275f287498e8d408654fdf0d1e065b84e2e6f157aab09b"},
        {SEED_2, "m/0'/2147483647'/1'/2147483646'/2'",
         "551d333177df541ad876a60ea71f00447931c0a9da16f227c11ea080d7391b8d",
         "47150c75db263559a70d5778bf36abbab30fb061ad69f69ece61a72b0cfa4fc0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct private_key key;
        struct tm_error e;

        assert_int_equal(slip10_derive(unhex(vectors[i].seed), bytes_of(vectors[i].path), &key, &e),
                         TM_OK);
        assert_memory_equal(key.b, unhex(vectors[i].secret).data, 32);
        assert_memory_equal(key.b + 32, unhex(vectors[i].public_key).data, 32);
    }
}

/* utility.md 10 */
static void test_children_of_a_key(void **state)
{
    static const struct {
        uint32_t index;
        const char *path, *secret;
    } vectors[] = {
        {0, "m/44'/635'/0'", "e7e0f734311bdf2f446821a464b490ae8c005f6af92a26f42a39067103726346"},
        {1000000, "m/44'/635'/1000000'",
         "f208bf7d7afa1a12a0b74e8fbbf1bb15bdfcaa3d03507ec338d7ecd77331e964"},
        {2147483647, "m/44'/635'/2147483647'",
         "20e061dcfae5cc90cba8ee374afc2d67d518b5f542f3217b8c830293c3dbb7e6"},
    };
    struct private_key parent, key, again;
    struct public_key public_key;
    struct address address;
    struct tm_error e;

    (void)state;
    parent = ed25519_from_seed(unhex(PARENT).data);
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        assert_int_equal(slip10_child(&parent, vectors[i].index, &key, &e), TM_OK);
        assert_memory_equal(key.b, unhex(vectors[i].secret).data, 32);
        assert_int_equal(slip10_derive(unhex(PARENT), bytes_of(vectors[i].path), &again, &e),
                         TM_OK);
        assert_memory_equal(key.b, again.b, 64);
    }
    assert_int_equal(slip10_child(&parent, 0, &key, &e), TM_OK);
    public_key = ed25519_public(&key);
    assert_memory_equal(
        public_key.b,
        unhex("0848875b5836bc71fecb10f563b84b9b8a63b6d7a1b16b1e88eeaca6a7ad5852").data, 32);
    address = address_of_key(&public_key);
    assert_memory_equal(address.b, unhex("fefb8b401f9ef68416d52e58efb1f90d77f012ed").data, 20);

    assert_int_equal(slip10_child(&parent, 2147483648u, &key, &e), TM_ERR_USAGE);
    assert_non_null(strstr(e.text, "hardened index too large"));
    assert_int_equal(slip10_child(&parent, UINT32_MAX, &key, &e), TM_ERR_USAGE);
}

static void test_bad_input(void **state)
{
    static const char *const paths[] = {
        "",
        "n",
        "M",
        "m/",
        "m/0",
        "m/'",
        "m/0'/",
        "m//0'",
        "m/-1'",
        "m/+1'",
        "m/0x1'",
        "m/ 1'",
        "/0'",
        "0'",
        "m0'",
        "m/0''",
        "m/0'1",
        "m/0h",
        "mm",
        "x/m/0'",
        "m/2147483648'",
        "m/1/0'",
        "m/0'\n",
        "m/4294967296'",
        "m/99999999999999999999999999999999999999'",
    };
    char long_path[SLIP10_PATH_MAX + 8] = "m";
    uint8_t seed[SLIP10_SEED_MAX + 1] = {0};
    struct private_key key;
    struct tm_error e;

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (slip10_derive(unhex(SEED_1), bytes_of(paths[i]), &key, &e) != TM_ERR_USAGE)
            fail_msg("'%s' was accepted", paths[i]);
    for (int i = 0; i < 86; i++)
        memcpy(long_path + 1 + 3 * i, "/0'", 4);
    assert_int_equal(slip10_derive(unhex(SEED_1), bytes_of(long_path), &key, &e), TM_ERR_USAGE);
    long_path[1 + 3 * 84] = '\0';
    assert_int_equal(slip10_derive(unhex(SEED_1), bytes_of(long_path), &key, &e), TM_OK);
    assert_int_equal(slip10_derive(bytes_make(seed, 15), bytes_of("m"), &key, &e), TM_ERR_USAGE);
    assert_int_equal(slip10_derive(bytes_make(seed, 65), bytes_of("m"), &key, &e), TM_ERR_USAGE);
    assert_int_equal(slip10_derive(bytes_make(seed, 64), bytes_of("m"), &key, &e), TM_OK);
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
        cmocka_unit_test(test_vectors_of_the_document),
        cmocka_unit_test(test_children_of_a_key),
        cmocka_unit_test(test_bad_input),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
