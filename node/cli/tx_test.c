#include "tx.h"

#include "capture.h"
#include "keys.h"
#include "node/shell/system/files.h"
#include "protocol/base/hex.h"
#include "tx_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdlib.h>

/* utility.md 10 */
#define PRIVATE                                                                                    \
    "ff538589deb7f28bbce1ba68b37d2efc0eaa03204b36513cf88422a875559e38"                             \
    "d6cbe0430ddd85a5e48e0c99ef3dea47bf0d1a83c6e6ad1640f72201dc8a0120"
#define PUBLIC  "d6cbe0430ddd85a5e48e0c99ef3dea47bf0d1a83c6e6ad1640f72201dc8a0120"
#define ADDRESS "da034209758b78eaea06dd99c07909ab54c99b45"
#define OTHER   "00104055c00bed7c983a48aac7dc6335d7c607a7"
#define SEND                                                                                       \
    "0a5d0a27747970652e676f6f676c65617069732e636f6d2f7574696c6974792e4d65737361676553656e6412320a" \
    "14da034209758b78eaea06dd99c07909ab54c99b45121400104055c00bed7c983a48aac7dc6335d7c607a71a0431" \
    "303030120234321a640a20" PUBLIC                                                                \
    "1240245239d3bbc2d5c880b8b96d0e4535fc3eab8584e28eae414cda763ddf41998ac637d02990054dca15ba2a0b" \
    "c717d4fc3bf7015437f2392e887b37fd9d8f6c0f"
#define CHANGE_PARAMETER                                                                           \
    "0aae010a32747970652e676f6f676c65617069732e636f6d2f7574696c6974792e4d6573736167654368616e6765" \
    "506172616d6574657212780a14da034209758b78eaea06dd99c07909ab54c99b451214da034209758b78eaea06dd" \
    "99c07909ab54c99b451a12626c6f636b735f7065725f73657373696f6e22360a2f747970652e676f6f676c656170" \
    "69732e636f6d2f676f6f676c652e70726f746f6275662e537472696e6756616c756512030a0135120234321a640a" \
    "20" PUBLIC "1240e94842008081c2d645a41b6f7a3a0807724bb575e5d91a78d1f389d8c2f02202bd6d9baa43db" \
    "cf3f44095518ec5d8a3997e6120910f237c7319e6c9a219c0201"

static char base[] = "/tmp/tidemark_tx_XXXXXX";
static char directory[128];
static struct arena arena;
static struct capture c;

#define RUN(...)                                                                                   \
    capture_run(&cli_tx_command,                                                                   \
                (const char *const[]){"tx", __VA_ARGS__, "--keys", directory, "--print", NULL},    \
                &c)

static void assert_complains(int status, const char *text)
{
    assert_string_equal(c.out, "");
    if (c.status != status || strstr(c.err, text) == NULL)
        fail_msg("exit code %d, '%s' does not contain '%s'", c.status, c.err, text);
}

/* What the command printed, decoded, with every check of `standard` passed. */
static struct transaction printed_transaction(void)
{
    struct transaction tx;
    struct tm_error e = {.text = ""};
    size_t size = strcspn(c.out, "\n") / 2;
    uint8_t *raw = arena_alloc(&arena, size);

    if (c.status != CLI_DONE)
        fail_msg("exit code %d: %s", c.status, c.err);
    assert_true(hex_decode(bytes_make(c.out, 2 * size), raw));
    if (transaction_decode(&arena, bytes_make(raw, size), &tx, &e) != TM_OK ||
        transaction_check(&tx, &RULES_STANDARD, &e) != TM_OK ||
        transaction_verify(&tx, &RULES_STANDARD, &e) != TM_OK ||
        message_check(&tx.message, &e) != TM_OK)
        fail_msg("%s", e.text);
    return tx;
}

static void assert_hex(struct bytes got, const char *expected)
{
    assert_string_equal(hex_text(&arena, got), expected);
}

static void test_vectors(void **state)
{
    (void)state;
    RUN("send", ADDRESS, OTHER, "1000", "--nonce", "42");
    assert_string_equal(c.out, SEND "\n");
    RUN("change-parameter", ADDRESS, "blocks_per_session", "5", "--nonce", "42");
    assert_string_equal(c.out, CHANGE_PARAMETER "\n");
}

static void test_nonce(void **state)
{
    struct transaction first, second;
    uint64_t number;
    char *end;

    (void)state;
    RUN("send", ADDRESS, OTHER, "0");
    first = printed_transaction();
    RUN("send", ADDRESS, OTHER, "0");
    second = printed_transaction();
    assert_false(bytes_equal(first.nonce, second.nonce));
    number = strtoull(arena_text(&arena, first.nonce), &end, 10);
    assert_true(number != 0 && *end == '\0');
    RUN("send", ADDRESS, OTHER, "0", "--nonce", "");
    assert_complains(CLI_USAGE, "--nonce has 1 to 128 bytes");
}

static void test_staking(void **state)
{
    struct transaction tx;

    (void)state;
    RUN("stake", "app", ADDRESS, "15000000000", "0001,0021");
    tx = printed_transaction();
    assert_int_equal(tx.message.kind, MESSAGE_STAKE);
    assert_int_equal(tx.message.actor_type, 1);
    assert_hex(tx.message.public_key, PUBLIC);
    assert_hex(tx.message.output, ADDRESS);
    assert_true(tx.message.has_signer);
    assert_hex(tx.message.signer, ADDRESS);
    assert_int_equal(tx.message.chain_count, 2);
    assert_true(bytes_equal(tx.message.chains[1], bytes_of("0021")));
    assert_int_equal(tx.message.service_url.size, 0);

    RUN("stake", "servicer", ADDRESS, "1", "0001", "https://a.b:1", "--output", OTHER);
    tx = printed_transaction();
    assert_int_equal(tx.message.actor_type, 2);
    assert_hex(tx.message.output, OTHER);
    assert_true(bytes_equal(tx.message.service_url, bytes_of("https://a.b:1")));
    RUN("stake", "validator", ADDRESS, "1", "https://a.b:1");
    tx = printed_transaction();
    assert_int_equal(tx.message.actor_type, 4);
    assert_int_equal(tx.message.chain_count, 0);
    RUN("edit-stake", "fisherman", OTHER, "7", "0002", "https://a.b:1", "--signer", ADDRESS);
    tx = printed_transaction();
    assert_int_equal(tx.message.kind, MESSAGE_EDIT_STAKE);
    assert_int_equal(tx.message.actor_type, 3);
    assert_hex(tx.message.address, OTHER);
    assert_hex(tx.message.signer, ADDRESS);
    RUN("unstake", "validator", ADDRESS);
    tx = printed_transaction();
    assert_int_equal(tx.message.kind, MESSAGE_UNSTAKE);
    assert_hex(tx.message.address, ADDRESS);
    RUN("unpause", "application", ADDRESS);
    tx = printed_transaction();
    assert_int_equal(tx.message.kind, MESSAGE_UNPAUSE);
    assert_int_equal(tx.message.actor_type, 1);
}

static void test_ibc(void **state)
{
    struct transaction tx;

    (void)state;
    RUN("ibc-update", ADDRESS, "a/key", "0x00ff");
    tx = printed_transaction();
    assert_int_equal(tx.message.kind, MESSAGE_UPDATE_IBC_STORE);
    assert_true(bytes_equal(tx.message.key, bytes_of("a/key")));
    assert_hex(tx.message.value, "00ff");
    assert_hex(tx.message.signer, ADDRESS);
    RUN("ibc-prune", ADDRESS, "0x61");
    tx = printed_transaction();
    assert_int_equal(tx.message.kind, MESSAGE_PRUNE_IBC_STORE);
    assert_true(bytes_equal(tx.message.key, bytes_of("a")));
    RUN("ibc-prune", ADDRESS, "0x6");
    assert_complains(CLI_USAGE, "the key begins with 0x");
}

static void test_usage(void **state)
{
    (void)state;
    capture_run(&cli_tx_command, (const char *const[]){"tx", NULL}, &c);
    assert_complains(CLI_USAGE, "what to do is missing; see tidemark tx --help");
    RUN("mint");
    assert_complains(CLI_USAGE, "cannot \"mint\"");
    RUN("send", ADDRESS, OTHER);
    assert_complains(CLI_USAGE, "send takes FROM TO AMOUNT");
    RUN("send", ADDRESS, "0010", "5");
    assert_complains(CLI_USAGE, "TO \"0010\" is not an address");
    RUN("send", ADDRESS, OTHER, "1.5");
    assert_complains(CLI_USAGE, "whole number of upokt");
    RUN("send", ADDRESS, OTHER, "007");
    assert_complains(CLI_USAGE, "whole number of upokt");
    RUN("send", ADDRESS, OTHER, "1", "--signer", OTHER);
    assert_complains(CLI_USAGE, "--signer is for");
    RUN("unstake", "app", ADDRESS, "--output", OTHER);
    assert_complains(CLI_USAGE, "--output is for stake only");
    RUN("stake", "miner", ADDRESS, "1", "0001");
    assert_complains(CLI_USAGE, "\"miner\" is no kind of actor");
    RUN("stake", "app", ADDRESS, "1", "0001", "https://a.b:1");
    assert_complains(CLI_USAGE, "app takes ADDRESS AMOUNT CHAINS");
    RUN("stake", "servicer", ADDRESS, "1", "0001");
    assert_complains(CLI_USAGE, "servicer takes ADDRESS AMOUNT CHAINS SERVICE_URL");
    RUN("submit");
    assert_complains(CLI_USAGE, "submit takes one transaction");
    RUN("submit", "no such file");
    assert_complains(CLI_USAGE, "neither a file nor a hexadecimal transaction");
}

/* Refused before a passphrase is looked for or a database is opened. */
static void test_refused_here(void **state)
{
    (void)state;
    RUN("stake", "app", ADDRESS, "1", "00001");
    assert_complains(CLI_REFUSED, "CODE: 48, ERROR: ");
    RUN("stake", "validator", ADDRESS, "1", "validator1:42069");
    assert_complains(CLI_REFUSED, "CODE: 70, ERROR: ");
    RUN("change-parameter", ADDRESS, "blocks_per_session", "0");
    assert_complains(CLI_REFUSED, "CODE: 87, ERROR: ");
    RUN("change-parameter", ADDRESS, "blocks_per_season", "1");
    assert_complains(CLI_REFUSED, "CODE: 44, ERROR: ");
    RUN("ibc-update", ADDRESS, "key", "");
    assert_complains(CLI_REFUSED, "CODE: 144, ERROR: ");
    RUN("send", OTHER, ADDRESS, "1");
    assert_complains(CLI_REFUSED, "no key for address " OTHER);
    RUN("stake", "app", OTHER, "1", "0001", "--signer", ADDRESS);
    assert_complains(CLI_REFUSED, "no key for address " OTHER);
    RUN("submit", "ffff");
    assert_complains(CLI_REFUSED, "CODE: 26, ERROR: ");
    setenv("TIDEMARK_PASSPHRASE", "wrong", 1);
    RUN("send", ADDRESS, OTHER, "1");
    assert_complains(CLI_REFUSED, "wrong passphrase");
    setenv("TIDEMARK_PASSPHRASE", "", 1);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *place)
{
    (void)st, (void)kind, (void)place;
    return remove(path);
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    if (mkdtemp(base) == NULL)
        return -1;
    snprintf(directory, sizeof directory, "%s/keys", base);
    setenv("TIDEMARK_PASSPHRASE", "", 1);
    capture_run(&cli_keys_command,
                (const char *const[]){"keys", "import", PRIVATE, "--keys", directory, NULL}, &c);
    return c.status;
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
        cmocka_unit_test(test_vectors), cmocka_unit_test(test_nonce),
        cmocka_unit_test(test_staking), cmocka_unit_test(test_ibc),
        cmocka_unit_test(test_usage),   cmocka_unit_test(test_refused_here),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
