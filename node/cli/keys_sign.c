/* Signing and verifying with stored keys. */
#include "keys.h"

#include "keys_options.h"
#include "node/shell/system/files.h"
#include "protocol/base/hex.h"
#include "protocol/transaction/transaction.h"
#include "tx_input.h"

#include <sodium.h>
#include <stdio.h>

static int print_verdict(bool valid)
{
    puts(valid ? "valid" : "not valid");
    return valid ? CLI_DONE : CLI_REFUSED;
}

int keys_sign(int argc, char **argv)
{
    struct keys_options o = {0};
    const struct cli_option options[] = {KEYS_OPTION_ROWS(o), {NULL}};
    const char *words[2];
    struct private_key key;
    struct signature signature;
    struct address address;
    struct bytes message;
    struct tm_error e;
    struct arena a;
    size_t count;
    int status = CLI_USAGE;

    if (!cli_options(argc, argv, options, words, 2, &count))
        return CLI_USAGE;
    if (count < 2)
        return cli_usage(argv[0], "the %s missing",
                         count == 0 ? "address is" : "bytes to sign are");
    arena_init(&a);
    if (keys_address_word(argv[0], words[0], &address) &&
        keys_hex_word(argv[0], "bytes to sign", words[1], &a, &message)) {
        if (keys_open(&o, &address, &key, &e) == TM_OK) {
            signature = ed25519_sign(&key, message);
            sodium_memzero(&key, sizeof key);
            puts(hex_text(&a, bytes_make(signature.b, sizeof signature.b)));
            status = CLI_DONE;
        } else {
            status = cli_fail(argv[0], &e);
        }
    }
    arena_free(&a);
    return status;
}

/* The stored public key of an address. */
static enum tm_err find_public_key(const struct keys_options *o, const struct address *address,
                                   struct public_key *out, struct tm_error *e)
{
    struct keystore ks;
    struct bytes hint;
    struct arena a;
    enum tm_err err = keystore_open(&ks, o->directory, e);

    arena_init(&a);
    if (err == TM_OK)
        err = keystore_show(&ks, &a, address, out, &hint, e);
    arena_free(&a);
    return err;
}

int keys_verify(int argc, char **argv)
{
    struct keys_options o = {0};
    const struct cli_option options[] = {KEYS_OPTION_ROWS(o), {NULL}};
    const char *words[3];
    struct public_key key;
    struct signature signature;
    struct address address;
    struct bytes message, given;
    struct tm_error e;
    struct arena a;
    size_t count;
    int status = CLI_USAGE;

    if (!cli_options(argc, argv, options, words, 3, &count))
        return CLI_USAGE;
    if (count < 3)
        return cli_usage(argv[0], "an address, the signed bytes and a signature are needed");
    arena_init(&a);
    if (keys_address_word(argv[0], words[0], &address) &&
        keys_hex_word(argv[0], "signed bytes", words[1], &a, &message) &&
        keys_hex_word(argv[0], "signature", words[2], &a, &given)) {
        if (given.size != sizeof signature.b) {
            status = print_verdict(false);
        } else if (find_public_key(&o, &address, &key, &e) != TM_OK) {
            status = cli_fail(argv[0], &e);
        } else {
            memcpy(signature.b, given.data, sizeof signature.b);
            status = print_verdict(ed25519_verify(ED25519_STRICT, &key, message, &signature));
        }
    }
    arena_free(&a);
    return status;
}

static enum tm_err sign_file(struct keys_options *o, struct arena *a, const struct address *address,
                             const char *input, const char *output, struct tm_error *e)
{
    struct private_key key;
    struct bytes raw, tx;
    struct transaction decoded;
    enum tm_err err = tx_input_file(a, input, &raw, e);

    if (err == TM_OK)
        err = transaction_decode(a, raw, &decoded, e);
    if (err == TM_OK)
        err = keys_open(o, address, &key, e);
    if (err != TM_OK)
        return err;
    err = transaction_resign(a, raw, &key, &tx, e);
    sodium_memzero(&key, sizeof key);
    if (err == TM_OK && output != NULL)
        return files_write(output, tx, 0644, e);
    if (err == TM_OK)
        puts(hex_text(a, tx));
    return err;
}

int keys_sign_tx(int argc, char **argv)
{
    struct keys_options o = {0};
    const char *word = NULL, *input = NULL, *output = NULL;
    const struct cli_option options[] = {KEYS_OPTION_ROWS(o),
                                         {.name = "--input", .value = &input},
                                         {.name = "--output", .value = &output},
                                         {NULL}};
    struct address address;
    struct tm_error e;
    struct arena a;
    enum tm_err err;

    if (!cli_options(argc, argv, options, &word, 1, NULL))
        return CLI_USAGE;
    if (word == NULL || input == NULL)
        return cli_usage(argv[0], "%s is missing", word == NULL ? "the address" : "--input FILE");
    if (!keys_address_word(argv[0], word, &address))
        return CLI_USAGE;
    arena_init(&a);
    err = sign_file(&o, &a, &address, input, output, &e);
    arena_free(&a);
    return err == TM_OK ? CLI_DONE : cli_fail(argv[0], &e);
}

/* The key is the address', and the signature holds. */
static enum tm_err verify_file(const struct keys_options *o, struct arena *a,
                               const struct address *address, const char *input, bool *valid,
                               struct tm_error *e)
{
    struct public_key key;
    struct transaction tx;
    struct bytes raw;
    enum tm_err err = tx_input_file(a, input, &raw, e);

    if (err == TM_OK)
        err = transaction_decode(a, raw, &tx, e);
    if (err == TM_OK)
        err = find_public_key(o, address, &key, e);
    if (err == TM_OK)
        *valid = bytes_equal(tx.public_key, bytes_make(key.b, sizeof key.b)) &&
                 transaction_verify(&tx, &RULES_STANDARD, NULL) == TM_OK;
    return err;
}

int keys_verify_tx(int argc, char **argv)
{
    struct keys_options o = {0};
    const char *word = NULL, *input = NULL;
    const struct cli_option options[] = {
        KEYS_OPTION_ROWS(o), {.name = "--input", .value = &input}, {NULL}};
    struct address address;
    struct tm_error e;
    struct arena a;
    bool valid;
    enum tm_err err;

    if (!cli_options(argc, argv, options, &word, 1, NULL))
        return CLI_USAGE;
    if (word == NULL || input == NULL)
        return cli_usage(argv[0], "%s is missing", word == NULL ? "the address" : "--input FILE");
    if (!keys_address_word(argv[0], word, &address))
        return CLI_USAGE;
    arena_init(&a);
    err = verify_file(&o, &a, &address, input, &valid, &e);
    arena_free(&a);
    return err == TM_OK ? print_verdict(valid) : cli_fail(argv[0], &e);
}
