#include "keys.h"

#include "capture.h"
#include "node/shell/system/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>

/* utility.md 10 */
#define PRIVATE                                                                                    \
    "ff538589deb7f28bbce1ba68b37d2efc0eaa03204b36513cf88422a875559e38"                             \
    "d6cbe0430ddd85a5e48e0c99ef3dea47bf0d1a83c6e6ad1640f72201dc8a0120"
#define PUBLIC  "d6cbe0430ddd85a5e48e0c99ef3dea47bf0d1a83c6e6ad1640f72201dc8a0120"
#define ADDRESS "da034209758b78eaea06dd99c07909ab54c99b45"
#define PARENT_PRIVATE                                                                             \
    "045e8380086abc6f6e941d6fe47ca93b86723bc246ec8c4beee411b410028675"                             \
    "ed78c49592f836f7a4d47d4fb6a0e6b19f07aebc201d005f6b2c6afe389086e9"
#define PARENT       "26e16ccab7a898400022476332e2972b8199f2f9"
#define CHILD        "fefb8b401f9ef68416d52e58efb1f90d77f012ed"
#define CHILD_PUBLIC "0848875b5836bc71fecb10f563b84b9b8a63b6d7a1b16b1e88eeaca6a7ad5852"
#define CHILD_SEED   "e7e0f734311bdf2f446821a464b490ae8c005f6af92a26f42a39067103726346"
#define SEALED_JSON                                                                                \
    "{\"kdf\":\"scrypt\",\"salt\":\"65eeabde12ac0868e2a59b929a5e05b0\",\"hint\":\"pocket\","       \
    "\"ciphertext\":\"xCSVCdEE4iKcaxbF0lY22VX+"                                                    \
    "Sc8Sn3WBtRKWr4kemS6EEoT95MYF0GNwNeKUBh8as7RmxEflUQDh"                                         \
    "XPnJa8WhC7jjWYY0fyBaMIcAq/JzXM4iuQFN16OxsyzNGbQW3BOw3wZBUCn4oXCdugG4c4oha3m39bFYSfjLBCTe8/WP" \
    "3s6RpEtWYHoSRuyLvjKxjoujb638YaP08t4RXSs5Gy/GYaUz5Kgp9q3U\"}"
#define SEALED_PRIVATE                                                                             \
    "3554119cec1c0c8c5b3845a5d3fc6346eb44ed21aab5c063ae9b6b1d38bec275"                             \
    "408bec6320b540aa0cc86b3e633e214f2fd4dce4caa08f164fa3a9d3e577b46c"
/* The send of utility.md 10, without and with its signature. */
#define SIGN_BYTES                                                                                 \
    "0a5d0a27747970652e676f6f676c65617069732e636f6d2f7574696c6974792e4d65737361676553656e6412320a" \
    "14da034209758b78eaea06dd99c07909ab54c99b45121400104055c00bed7c983a48aac7dc6335d7c607a71a0431" \
    "30303012023432"
#define SIGNATURE                                                                                  \
    "245239d3bbc2d5c880b8b96d0e4535fc3eab8584e28eae414cda763ddf41998ac637d02990054dca15ba2a0bc717" \
    "d4fc3bf7015437f2392e887b37fd9d8f6c0f"

static char base[] = "/tmp/tidemark_keys_XXXXXX";
static char directory[128], file[128], other_file[128];
static struct capture c;

#define RUN(...) run((const char *const[]){"keys", __VA_ARGS__, "--keys", directory, NULL})

static int run(const char *const *words)
{
    capture_run(&cli_keys_command, words, &c);
    return c.status;
}

static void assert_printed(const char *text)
{
    if (strcmp(c.out, text) != 0)
        fail_msg("printed '%s' and '%s', not '%s'", c.out, c.err, text);
}

static void assert_complains(int status, const char *text)
{
    assert_int_equal(c.status, status);
    assert_string_equal(c.out, "");
    if (strstr(c.err, text) == NULL)
        fail_msg("'%s' does not contain '%s'", c.err, text);
}

static void write_file(const char *path, const char *text)
{
    struct tm_error e;

    assert_int_equal(files_write(path, bytes_of(text), 0600, &e), TM_OK);
}

static void test_usage(void **state)
{
    (void)state;
    run((const char *const[]){"keys", NULL});
    assert_complains(CLI_USAGE, "what to do is missing; see tidemark keys --help");
    RUN("forge");
    assert_complains(CLI_USAGE, "cannot \"forge\"");
    RUN("get");
    assert_complains(CLI_USAGE, "tidemark keys get: the address is missing");
    RUN("get", "da03");
    assert_complains(CLI_USAGE, "\"da03\" is not an address");
    RUN("list", "all");
    assert_complains(CLI_USAGE, "unexpected word");
    RUN("list", "--long");
    assert_complains(CLI_USAGE, "unknown option --long");
    RUN("import");
    assert_complains(CLI_USAGE, "give either a private key or --input FILE");
    RUN("import", PRIVATE, "--input", file);
    assert_complains(CLI_USAGE, "give either");
    RUN("export", ADDRESS, "--format", "pem");
    assert_complains(CLI_USAGE, "--format is json or raw");
    RUN("derive-child", PARENT);
    assert_complains(CLI_USAGE, "the index is missing");
    RUN("derive-child", PARENT, "2147483648");
    assert_complains(CLI_USAGE, "the index is a number from 0 to 2147483647");
    RUN("sign", ADDRESS, "0g");
    assert_complains(CLI_USAGE, "not hexadecimal");
    RUN("sign-tx", ADDRESS);
    assert_complains(CLI_USAGE, "--input FILE is missing");
    RUN("verify", ADDRESS, "00");
    assert_complains(CLI_USAGE, "a signature are needed");
    assert_string_equal(cli_keys_command.topic(0)->usage, "create [--hint TEXT]");
}

static void test_import_get_list(void **state)
{
    (void)state;
    RUN("list");
    assert_printed("");
    assert_int_equal(c.status, CLI_DONE);
    assert_int_equal(RUN("import", PRIVATE, "--hint", "the owner"), CLI_DONE);
    assert_printed(ADDRESS "\n");
    write_file(file, PARENT_PRIVATE "\n");
    assert_int_equal(RUN("import", "--input", file), CLI_DONE);
    assert_printed(PARENT "\n");
    assert_int_equal(RUN("list"), CLI_DONE);
    assert_printed(PARENT "\n" ADDRESS "\n");
    assert_int_equal(RUN("get", ADDRESS), CLI_DONE);
    assert_printed("address     " ADDRESS "\npublic_key  " PUBLIC "\nhint        the owner\n");
    RUN("get", CHILD);
    assert_complains(CLI_REFUSED, "no key for address " CHILD);
    RUN("import", "abcd");
    assert_complains(CLI_REFUSED, "128 hexadecimal characters");
    RUN("import", "--input", "/tmp/tidemark_no_such_file");
    assert_complains(CLI_REFUSED, "/tmp/tidemark_no_such_file");
}

/* Armour of the reference in, raw out, and the same armour out again. */
static void test_export(void **state)
{
    char address[64];
    struct stat st;

    (void)state;
    write_file(file, SEALED_JSON);
    RUN("import", "--input", file);
    assert_complains(CLI_REFUSED, "wrong passphrase");
    setenv("TIDEMARK_PASSPHRASE", "Testing@Testing123", 1);
    RUN("import", "--input", file, "--hint", "other");
    assert_complains(CLI_USAGE, "has its hint already");
    assert_int_equal(RUN("import", "--input", file), CLI_DONE);
    snprintf(address, sizeof address, "%.40s", c.out);
    assert_int_equal(RUN("export", address, "--format=raw"), CLI_DONE);
    assert_printed(SEALED_PRIVATE "\n");
    assert_int_equal(RUN("export", address), CLI_DONE);
    assert_printed(SEALED_JSON "\n");
    assert_int_equal(RUN("export", address, "--output", other_file), CLI_DONE);
    assert_printed("");
    assert_int_equal(stat(other_file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(RUN("delete", address), CLI_DONE);
    assert_int_equal(RUN("import", "--input", other_file), CLI_DONE);
    assert_int_equal(RUN("delete", address), CLI_DONE);
    RUN("delete", address);
    assert_complains(CLI_REFUSED, address);
    setenv("TIDEMARK_PASSPHRASE", "pocket", 1);
}

static void test_create_update(void **state)
{
    char address[64];

    (void)state;
    assert_int_equal(RUN("create", "--hint", "first"), CLI_DONE);
    snprintf(address, sizeof address, "%.40s", c.out);
    setenv("TIDEMARK_NEW_PASSPHRASE", "rocket", 1);
    assert_int_equal(RUN("update", address), CLI_DONE);
    assert_int_equal(RUN("get", address), CLI_DONE);
    assert_non_null(strstr(c.out, "hint        first\n"));
    RUN("update", address);
    assert_complains(CLI_REFUSED, "wrong passphrase");
    write_file(file, "rocket\n");
    write_file(other_file, "pocket\n");
    assert_int_equal(RUN("update", address, "--passphrase-file", file, "--new-passphrase-file",
                         other_file, "--hint", "second"),
                     CLI_DONE);
    unsetenv("TIDEMARK_NEW_PASSPHRASE");
    assert_int_equal(RUN("get", address), CLI_DONE);
    assert_non_null(strstr(c.out, "hint        second\n"));
    assert_int_equal(RUN("delete", address), CLI_DONE);
    RUN("create", "--hint", "\xff");
    assert_complains(CLI_USAGE, "hint");
}

static void test_sign_and_verify(void **state)
{
    (void)state;
    assert_int_equal(RUN("sign", ADDRESS, SIGN_BYTES), CLI_DONE);
    assert_printed(SIGNATURE "\n");
    assert_int_equal(RUN("verify", ADDRESS, SIGN_BYTES, SIGNATURE), CLI_DONE);
    assert_printed("valid\n");
    assert_int_equal(RUN("verify", ADDRESS, SIGN_BYTES "00", SIGNATURE), CLI_REFUSED);
    assert_printed("not valid\n");
    assert_int_equal(RUN("verify", PARENT, SIGN_BYTES, SIGNATURE), CLI_REFUSED);
    assert_printed("not valid\n");
    assert_int_equal(RUN("verify", ADDRESS, SIGN_BYTES, "00"), CLI_REFUSED);
    assert_printed("not valid\n");
    RUN("sign", CHILD, "00");
    assert_complains(CLI_REFUSED, "no key for address " CHILD);
    RUN("verify", CHILD, SIGN_BYTES, SIGNATURE);
    assert_complains(CLI_REFUSED, "no key for address " CHILD);
}

static void test_transactions(void **state)
{
    static const char *const signed_tx = SIGN_BYTES "1a640a20" PUBLIC "1240" SIGNATURE "\n";

    (void)state;
    write_file(file, SIGN_BYTES);
    assert_int_equal(RUN("sign-tx", ADDRESS, "--input", file), CLI_DONE);
    assert_printed(signed_tx);
    assert_int_equal(RUN("verify-tx", ADDRESS, "--input", file), CLI_REFUSED);
    assert_printed("not valid\n");
    assert_int_equal(RUN("sign-tx", ADDRESS, "--input", file, "--output", other_file), CLI_DONE);
    assert_int_equal(RUN("verify-tx", ADDRESS, "--input", other_file), CLI_DONE);
    assert_printed("valid\n");
    assert_int_equal(RUN("verify-tx", PARENT, "--input", other_file), CLI_REFUSED);
    assert_printed("not valid\n");
    assert_int_equal(RUN("sign-tx", PARENT, "--input", other_file, "--output", other_file),
                     CLI_DONE);
    assert_int_equal(RUN("verify-tx", PARENT, "--input", other_file), CLI_DONE);
    write_file(file, "no transaction");
    RUN("sign-tx", ADDRESS, "--input", file);
    assert_int_equal(c.status, CLI_REFUSED);
    write_file(file, "");
    RUN("verify-tx", ADDRESS, "--input", file);
    assert_complains(CLI_REFUSED, "is empty");
}

/* U24: the child is sealed with the passphrase that was given, whatever else was. */
static void test_derive_child(void **state)
{
    static const char *const shown = "address     " CHILD "\npublic_key  " CHILD_PUBLIC "\n";

    (void)state;
    assert_int_equal(RUN("derive-child", PARENT, "0", "--no-store"), CLI_DONE);
    assert_printed(shown);
    RUN("get", CHILD);
    assert_complains(CLI_REFUSED, "no key");
    setenv("TIDEMARK_NEW_PASSPHRASE", "child", 1);
    assert_int_equal(RUN("derive-child", PARENT, "0"), CLI_DONE);
    unsetenv("TIDEMARK_NEW_PASSPHRASE");
    assert_printed(shown);
    RUN("export", CHILD, "--format", "raw");
    assert_complains(CLI_REFUSED, "wrong passphrase");
    write_file(file, "child");
    assert_int_equal(RUN("export", CHILD, "--format", "raw", "--passphrase-file", file), CLI_DONE);
    assert_printed(CHILD_SEED CHILD_PUBLIC "\n");
    assert_int_equal(RUN("derive-child", PARENT, "0", "--hint", "a child"), CLI_DONE);
    assert_int_equal(RUN("export", CHILD, "--format", "raw"), CLI_DONE);
    RUN("derive-child", "00104055c00bed7c983a48aac7dc6335d7c607a7", "0");
    assert_complains(CLI_REFUSED, "no key for address");
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *place)
{
    (void)st, (void)kind, (void)place;
    return remove(path);
}

static int setup(void **state)
{
    (void)state;
    if (mkdtemp(base) == NULL)
        return -1;
    snprintf(directory, sizeof directory, "%s/keys", base);
    snprintf(file, sizeof file, "%s/file", base);
    snprintf(other_file, sizeof other_file, "%s/other", base);
    unsetenv("TIDEMARK_NEW_PASSPHRASE");
    return setenv("TIDEMARK_PASSPHRASE", "pocket", 1);
}

static int teardown(void **state)
{
    (void)state;
    return nftw(base, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usage),           cmocka_unit_test(test_import_get_list),
        cmocka_unit_test(test_export),          cmocka_unit_test(test_create_update),
        cmocka_unit_test(test_sign_and_verify), cmocka_unit_test(test_transactions),
        cmocka_unit_test(test_derive_child),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
