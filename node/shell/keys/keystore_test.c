#include "keystore.h"

#include "node/shell/system/files.h"
#include "protocol/base/hex.h"
#include "protocol/keys/armour.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* utility.md 10: the parameter owner's key, another, and one armoured by the reference. */
#define OWNER_PRIVATE                                                                              \
    "ff538589deb7f28bbce1ba68b37d2efc0eaa03204b36513cf88422a875559e38"                             \
    "d6cbe0430ddd85a5e48e0c99ef3dea47bf0d1a83c6e6ad1640f72201dc8a0120"
#define OWNER_PUBLIC  "d6cbe0430ddd85a5e48e0c99ef3dea47bf0d1a83c6e6ad1640f72201dc8a0120"
#define OWNER_ADDRESS "da034209758b78eaea06dd99c07909ab54c99b45"
#define OTHER_PRIVATE                                                                              \
    "045e8380086abc6f6e941d6fe47ca93b86723bc246ec8c4beee411b410028675"                             \
    "ed78c49592f836f7a4d47d4fb6a0e6b19f07aebc201d005f6b2c6afe389086e9"
#define OTHER_ADDRESS "26e16ccab7a898400022476332e2972b8199f2f9"
#define SEALED_PRIVATE                                                                             \
    "3554119cec1c0c8c5b3845a5d3fc6346eb44ed21aab5c063ae9b6b1d38bec275"                             \
    "408bec6320b540aa0cc86b3e633e214f2fd4dce4caa08f164fa3a9d3e577b46c"
#define SEALED_PASSPHRASE "Testing@Testing123"
#define SEALED_JSON                                                                                \
    "{\"kdf\":\"scrypt\",\"salt\":\"65eeabde12ac0868e2a59b929a5e05b0\",\"hint\":\"pocket\","       \
    "\"ciphertext\":\"xCSVCdEE4iKcaxbF0lY22VX+"                                                    \
    "Sc8Sn3WBtRKWr4kemS6EEoT95MYF0GNwNeKUBh8as7RmxEflUQDh"                                         \
    "XPnJa8WhC7jjWYY0fyBaMIcAq/JzXM4iuQFN16OxsyzNGbQW3BOw3wZBUCn4oXCdugG4c4oha3m39bFYSfjLBCTe8/WP" \
    "3s6RpEtWYHoSRuyLvjKxjoujb638YaP08t4RXSs5Gy/GYaUz5Kgp9q3U\"}"

static struct arena arena;
static struct keystore keys;
static char base[] = "/tmp/tidemark_keystore_XXXXXX";

static struct address address_named(const char *hex)
{
    struct address a;

    assert_true(hex_decode(bytes_of(hex), a.b));
    return a;
}

static const char *text_of(const struct address *address)
{
    return hex_text(&arena, bytes_address(address));
}

static void assert_err(enum tm_err got, enum tm_err expected, const struct tm_error *e,
                       const char *text)
{
    assert_int_equal(got, expected);
    if (strstr(e->text, text) == NULL)
        fail_msg("'%s' does not contain '%s'", e->text, text);
}

static void import_owner(const char *passphrase, const char *hint)
{
    struct address address;
    struct tm_error e;

    assert_int_equal(keystore_import_raw(&keys, bytes_of(OWNER_PRIVATE "\n"), bytes_of(passphrase),
                                         bytes_of(hint), &address, &e),
                     TM_OK);
    assert_string_equal(text_of(&address), OWNER_ADDRESS);
}

static void test_open(void **state)
{
    struct keystore ks;
    struct tm_error e;
    char *long_path = arena_zalloc(&arena, KEYSTORE_PATH_MAX + 1);

    (void)state;
    setenv("HOME", "/home/someone", 1);
    assert_int_equal(keystore_open(&ks, NULL, &e), TM_OK);
    assert_string_equal(ks.directory, "/home/someone/.tidemark/keys");
    unsetenv("HOME");
    assert_err(keystore_open(&ks, "", &e), TM_ERR_CONFIG, &e, "--keys DIR");
    memset(long_path, 'x', KEYSTORE_PATH_MAX - 20);
    assert_int_equal(keystore_open(&ks, long_path, &e), TM_ERR_LIMIT);
}

static void test_nothing_yet(void **state)
{
    struct keystore none;
    struct address *list, owner = address_named(OWNER_ADDRESS);
    struct private_key key;
    struct tm_error e;
    size_t count = 7;

    (void)state;
    assert_int_equal(keystore_open(&none, "/tmp/tidemark_no_such_directory", &e), TM_OK);
    assert_int_equal(keystore_list(&none, &arena, &list, &count, &e), TM_OK);
    assert_int_equal(count, 0);
    assert_err(keystore_private(&none, &owner, bytes_of(""), &key, &e), TM_ERR_NOT_FOUND, &e,
               OWNER_ADDRESS);
}

static void test_import_show_list(void **state)
{
    struct address *list, owner = address_named(OWNER_ADDRESS), address;
    struct public_key public_key;
    struct private_key key;
    struct bytes hint;
    struct tm_error e;
    struct stat st;
    size_t count;

    (void)state;
    import_owner("pocket", "a hint");
    assert_int_equal(keystore_import_raw(&keys, bytes_of(OTHER_PRIVATE), bytes_of(""), bytes_of(""),
                                         &address, &e),
                     TM_OK);
    assert_int_equal(stat(keys.directory, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(stat(arena_format(&arena, "%s/" OWNER_ADDRESS ".json", keys.directory), &st),
                     0);
    assert_int_equal(st.st_mode & 0777, 0600);

    assert_int_equal(files_write(arena_format(&arena, "%s/note.json", keys.directory),
                                 bytes_of("mine"), 0600, &e),
                     TM_OK);
    assert_int_equal(keystore_list(&keys, &arena, &list, &count, &e), TM_OK);
    assert_int_equal(count, 2);
    assert_string_equal(text_of(&list[0]), OTHER_ADDRESS);
    assert_string_equal(text_of(&list[1]), OWNER_ADDRESS);
    unlink(arena_format(&arena, "%s/note.json", keys.directory));

    assert_int_equal(keystore_show(&keys, &arena, &owner, &public_key, &hint, &e), TM_OK);
    assert_string_equal(hex_text(&arena, bytes_make(public_key.b, 32)), OWNER_PUBLIC);
    assert_true(bytes_equal(hint, bytes_of("a hint")));

    assert_int_equal(keystore_private(&keys, &owner, bytes_of("pocket"), &key, &e), TM_OK);
    assert_string_equal(hex_text(&arena, bytes_make(key.b, 64)), OWNER_PRIVATE);
    assert_err(keystore_private(&keys, &owner, bytes_of("rocket"), &key, &e), TM_ERR_MISMATCH, &e,
               "wrong passphrase");
}

static void test_create(void **state)
{
    struct address first, second;
    struct private_key key;
    struct public_key public_key;
    struct bytes hint;
    struct tm_error e;

    (void)state;
    assert_int_equal(keystore_create(&keys, bytes_of("p"), bytes_of("h"), &first, &e), TM_OK);
    assert_int_equal(keystore_create(&keys, bytes_of("p"), bytes_of("h"), &second, &e), TM_OK);
    assert_true(memcmp(first.b, second.b, sizeof first.b) != 0);
    assert_int_equal(keystore_private(&keys, &first, bytes_of("p"), &key, &e), TM_OK);
    assert_int_equal(keystore_show(&keys, &arena, &first, &public_key, &hint, &e), TM_OK);
    assert_memory_equal(public_key.b, key.b + 32, 32);
    assert_int_equal(keystore_delete(&keys, &first, bytes_of("p"), &e), TM_OK);
    assert_int_equal(keystore_delete(&keys, &second, bytes_of("p"), &e), TM_OK);
}

/* Armour of the reference goes in and comes out as it was. */
static void test_armoured_round_trip(void **state)
{
    struct address address;
    struct private_key key;
    struct bytes json;
    struct tm_error e;

    (void)state;
    assert_err(
        keystore_import_armoured(&keys, bytes_of(SEALED_JSON), bytes_of("testing"), &address, &e),
        TM_ERR_MISMATCH, &e, "wrong passphrase");
    assert_int_equal(keystore_import_armoured(&keys, bytes_of(SEALED_JSON),
                                              bytes_of(SEALED_PASSPHRASE), &address, &e),
                     TM_OK);
    assert_int_equal(keystore_private(&keys, &address, bytes_of(SEALED_PASSPHRASE), &key, &e),
                     TM_OK);
    assert_string_equal(hex_text(&arena, bytes_make(key.b, 64)), SEALED_PRIVATE);
    assert_int_equal(
        keystore_export(&keys, &arena, &address, bytes_of(SEALED_PASSPHRASE), &json, &e), TM_OK);
    assert_string_equal((const char *)json.data, SEALED_JSON);
    assert_int_equal(keystore_export(&keys, &arena, &address, bytes_of(""), &json, &e),
                     TM_ERR_MISMATCH);
    assert_int_equal(keystore_delete(&keys, &address, bytes_of(SEALED_PASSPHRASE), &e), TM_OK);
}

static void test_update_and_delete(void **state)
{
    struct address owner = address_named(OWNER_ADDRESS);
    struct public_key public_key;
    struct private_key key;
    struct bytes hint;
    struct tm_error e;

    (void)state;
    import_owner("old", "old hint");
    assert_int_equal(
        keystore_update(&keys, &owner, bytes_of("new"), bytes_of("new"), bytes_of("x"), &e),
        TM_ERR_MISMATCH);
    assert_int_equal(
        keystore_update(&keys, &owner, bytes_of("old"), bytes_of("new"), bytes_of("new hint"), &e),
        TM_OK);
    assert_int_equal(keystore_private(&keys, &owner, bytes_of("old"), &key, &e), TM_ERR_MISMATCH);
    assert_int_equal(keystore_private(&keys, &owner, bytes_of("new"), &key, &e), TM_OK);
    assert_int_equal(keystore_show(&keys, &arena, &owner, &public_key, &hint, &e), TM_OK);
    assert_true(bytes_equal(hint, bytes_of("new hint")));
    assert_err(
        keystore_update(&keys, &owner, bytes_of("new"), bytes_of("new"), bytes_of("\xff"), &e),
        TM_ERR_USAGE, &e, "hint");

    assert_int_equal(keystore_delete(&keys, &owner, bytes_of("old"), &e), TM_ERR_MISMATCH);
    assert_int_equal(keystore_delete(&keys, &owner, bytes_of("new"), &e), TM_OK);
    assert_err(keystore_delete(&keys, &owner, bytes_of("new"), &e), TM_ERR_NOT_FOUND, &e,
               OWNER_ADDRESS);
    import_owner("pocket", "");
}

static void test_bad_imports(void **state)
{
    char swapped[] = OWNER_PRIVATE;
    struct address address;
    struct tm_error e;

    (void)state;
    assert_err(
        keystore_import_raw(&keys, bytes_of("abcd"), bytes_of(""), bytes_of(""), &address, &e),
        TM_ERR_MALFORMED, &e, "128 hexadecimal characters");
    swapped[127] = '1';
    assert_err(
        keystore_import_raw(&keys, bytes_of(swapped), bytes_of(""), bytes_of(""), &address, &e),
        TM_ERR_MISMATCH, &e, "second half");
    assert_int_equal(keystore_import_armoured(&keys, bytes_of("{}"), bytes_of(""), &address, &e),
                     TM_ERR_MALFORMED);
}

/* A file under another address' name is not taken for that address' key. */
static void test_renamed_files(void **state)
{
    const char *path = arena_format(&arena, "%s/" OTHER_ADDRESS ".json", keys.directory);
    struct address other = address_named(OTHER_ADDRESS), owner = address_named(OWNER_ADDRESS);
    struct public_key public_key;
    struct private_key key;
    struct bytes content, hint;
    struct tm_error e;

    (void)state;
    import_owner("pocket", "");
    assert_int_equal(files_read(&arena,
                                arena_format(&arena, "%s/" OWNER_ADDRESS ".json", keys.directory),
                                ARMOUR_FILE_MAX, &content, &e),
                     TM_OK);
    assert_int_equal(files_write(path, content, 0600, &e), TM_OK);
    assert_err(keystore_show(&keys, &arena, &other, &public_key, &hint, &e), TM_ERR_MISMATCH, &e,
               "another address, " OWNER_ADDRESS);
    assert_err(keystore_private(&keys, &other, bytes_of("pocket"), &key, &e), TM_ERR_MISMATCH, &e,
               OWNER_ADDRESS);
    assert_int_equal(keystore_export(&keys, &arena, &owner, bytes_of("pocket"), &content, &e),
                     TM_OK);
    assert_int_equal(files_write(path, content, 0600, &e), TM_OK);
    assert_err(keystore_show(&keys, &arena, &other, &public_key, &hint, &e), TM_ERR_CONFIG, &e,
               "public_key");
    assert_int_equal(files_write(path, bytes_of("{"), 0600, &e), TM_OK);
    assert_int_equal(keystore_show(&keys, &arena, &other, &public_key, &hint, &e),
                     TM_ERR_MALFORMED);
    unlink(path);
}

static void test_load(void **state)
{
    char *dir = arena_format(&arena, "%s/node", base);
    struct passphrase passphrase = {.variable = "TIDEMARK_TEST_PASSPHRASE", .prompt = "? "};
    struct private_key *list;
    struct tm_error e;
    size_t count;

    (void)state;
    assert_int_equal(keystore_load(&arena, dir, &passphrase, &list, &count, &e), TM_ERR_NOT_FOUND);
    assert_int_equal(files_make_directory(dir, 0700, &e), TM_OK);
    assert_int_equal(keystore_load(&arena, dir, &passphrase, &list, &count, &e), TM_OK);
    assert_int_equal(count, 0);
    assert_int_equal(
        files_write(arena_format(&arena, "%s/a", dir), bytes_of(OWNER_PRIVATE "\n"), 0600, &e),
        TM_OK);
    assert_int_equal(
        files_write(arena_format(&arena, "%s/b.hex", dir), bytes_of(OTHER_PRIVATE), 0600, &e),
        TM_OK);
    /* no passphrase is asked for where no file is armoured */
    assert_int_equal(keystore_load(&arena, dir, &passphrase, &list, &count, &e), TM_OK);
    assert_int_equal(count, 2);
    assert_string_equal(hex_text(&arena, bytes_make(list[0].b, 64)), OTHER_PRIVATE);
    assert_string_equal(hex_text(&arena, bytes_make(list[1].b, 64)), OWNER_PRIVATE);

    assert_int_equal(
        files_write(arena_format(&arena, "%s/c.json", dir), bytes_of(SEALED_JSON), 0600, &e),
        TM_OK);
    setenv("TIDEMARK_TEST_PASSPHRASE", SEALED_PASSPHRASE, 1);
    assert_int_equal(keystore_load(&arena, dir, &passphrase, &list, &count, &e), TM_OK);
    assert_int_equal(count, 3);
    passphrase_forget(&passphrase);
    setenv("TIDEMARK_TEST_PASSPHRASE", "wrong", 1);
    assert_err(keystore_load(&arena, dir, &passphrase, &list, &count, &e), TM_ERR_CONFIG, &e,
               "c.json: cannot decrypt private key");
    unsetenv("TIDEMARK_TEST_PASSPHRASE");
    unlink(arena_format(&arena, "%s/c.json", dir));

    assert_int_equal(files_write(arena_format(&arena, "%s/d", dir), bytes_of("abc"), 0600, &e),
                     TM_OK);
    assert_err(keystore_load(&arena, dir, &passphrase, &list, &count, &e), TM_ERR_CONFIG, &e,
               "/d: a private key is 128");
    assert_int_equal(
        files_write(arena_format(&arena, "%s/d", dir), bytes_of(OWNER_PRIVATE), 0600, &e), TM_OK);
    assert_err(keystore_load(&arena, dir, &passphrase, &list, &count, &e), TM_ERR_CONFIG, &e,
               OWNER_ADDRESS " twice");
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *place)
{
    (void)st, (void)kind, (void)place;
    return remove(path);
}

static int setup(void **state)
{
    struct tm_error e;

    (void)state;
    arena_init(&arena);
    if (mkdtemp(base) == NULL)
        return -1;
    return keystore_open(&keys, arena_format(&arena, "%s/deep/keys", base), &e) == TM_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return nftw(base, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_nothing_yet),
        cmocka_unit_test(test_import_show_list),
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_armoured_round_trip),
        cmocka_unit_test(test_update_and_delete),
        cmocka_unit_test(test_bad_imports),
        cmocka_unit_test(test_renamed_files),
        cmocka_unit_test(test_load),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
