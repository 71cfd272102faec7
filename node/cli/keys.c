#include "keys.h"

#include "keys_options.h"
#include "node/shell/system/files.h"
#include "protocol/base/hex.h"
#include "protocol/keys/armour.h"
#include "protocol/keys/slip10.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "Keys are Ed25519 private keys, each sealed with a passphrase in a file of its own.\n";

static const char options_text[] = KEYS_OPTIONS_TEXT
    "  --hint TEXT              stored in the open, to remember the passphrase by\n"
    "  --new-passphrase-file FILE\n"
    "                           the same for the new passphrase; its variable is\n"
    "                           TIDEMARK_NEW_PASSPHRASE\n"
    "\n"
    "The empty passphrase is allowed: set TIDEMARK_PASSPHRASE to nothing.\n";

static struct passphrase new_passphrase(void)
{
    return (struct passphrase){.file_option = "--new-passphrase-file",
                               .variable = "TIDEMARK_NEW_PASSPHRASE",
                               .prompt = "New passphrase: ",
                               .confirm = true};
}

static void print_address(const struct address *address)
{
    char text[2 * sizeof address->b];

    hex_encode(bytes_address(address), text);
    printf("%.*s\n", (int)sizeof text, text);
}

static void print_public_key(const struct public_key *key)
{
    char text[2 * sizeof key->b];

    hex_encode(bytes_make(key->b, sizeof key->b), text);
    printf("%.*s\n", (int)sizeof text, text);
}

static int create(int argc, char **argv)
{
    struct keys_options o = {0};
    const char *hint = "";
    const struct cli_option options[] = {
        KEYS_OPTION_ROWS(o), {.name = "--hint", .value = &hint}, {NULL}};
    struct keystore ks;
    struct address address;
    struct bytes secret;
    struct tm_error e;
    enum tm_err err;

    if (!cli_options(argc, argv, options, NULL, 0, NULL))
        return CLI_USAGE;
    o.passphrase.confirm = true;
    err = keystore_open(&ks, o.directory, &e);
    if (err == TM_OK)
        err = passphrase_get(&o.passphrase, &secret, &e);
    if (err == TM_OK)
        err = keystore_create(&ks, secret, bytes_of(hint), &address, &e);
    passphrase_forget(&o.passphrase);
    if (err != TM_OK)
        return cli_fail(argv[0], &e);
    print_address(&address);
    return CLI_DONE;
}

/* Both forms are recognised by their first character. */
static enum tm_err store_import(const struct keystore *ks, struct bytes content,
                                struct passphrase *passphrase, const char *hint,
                                struct address *address, struct tm_error *e)
{
    bool armoured = false;
    struct bytes secret;
    enum tm_err err;

    for (size_t i = 0; i < content.size && !armoured && strchr(" \t\r\n{", content.data[i]); i++)
        armoured = content.data[i] == '{';
    if (armoured && hint != NULL)
        return tm_fail(e, TM_ERR_USAGE, "an exported key has its hint already: leave out --hint");
    passphrase->confirm = !armoured;
    err = passphrase_get(passphrase, &secret, e);
    if (err != TM_OK)
        return err;
    if (armoured)
        return keystore_import_armoured(ks, content, secret, address, e);
    return keystore_import_raw(ks, content, secret, bytes_of(hint != NULL ? hint : ""), address, e);
}

static int import(int argc, char **argv)
{
    struct keys_options o = {0};
    const char *hint = NULL, *input = NULL, *word = NULL;
    const struct cli_option options[] = {KEYS_OPTION_ROWS(o),
                                         {.name = "--hint", .value = &hint},
                                         {.name = "--input", .value = &input},
                                         {NULL}};
    struct keystore ks;
    struct address address;
    struct bytes content = {NULL, 0};
    struct tm_error e;
    struct arena a;
    enum tm_err err;

    if (!cli_options(argc, argv, options, &word, 1, NULL))
        return CLI_USAGE;
    if ((word == NULL) == (input == NULL))
        return cli_usage(argv[0], "give either a private key or --input FILE");
    arena_init(&a);
    err = keystore_open(&ks, o.directory, &e);
    if (err == TM_OK && word != NULL)
        content = bytes_of(word);
    else if (err == TM_OK)
        err = files_read(&a, strcmp(input, "-") == 0 ? "/dev/stdin" : input, ARMOUR_FILE_MAX,
                         &content, &e);
    if (err == TM_OK)
        err = store_import(&ks, content, &o.passphrase, hint, &address, &e);
    passphrase_forget(&o.passphrase);
    arena_free(&a);
    if (err != TM_OK)
        return cli_fail(argv[0], &e);
    print_address(&address);
    return CLI_DONE;
}

static int list(int argc, char **argv)
{
    struct keys_options o = {0};
    const struct cli_option options[] = {KEYS_OPTION_ROWS(o), {NULL}};
    struct address *addresses;
    struct keystore ks;
    struct tm_error e;
    struct arena a;
    size_t count;
    enum tm_err err;

    if (!cli_options(argc, argv, options, NULL, 0, NULL))
        return CLI_USAGE;
    arena_init(&a);
    err = keystore_open(&ks, o.directory, &e);
    if (err == TM_OK)
        err = keystore_list(&ks, &a, &addresses, &count, &e);
    for (size_t i = 0; err == TM_OK && i < count; i++)
        print_address(&addresses[i]);
    arena_free(&a);
    return err == TM_OK ? CLI_DONE : cli_fail(argv[0], &e);
}

/* Options and the one word ADDRESS of get, export, update and delete. */
static bool read_address(int argc, char **argv, const struct cli_option *options,
                         struct address *address)
{
    const char *word = NULL;

    if (!cli_options(argc, argv, options, &word, 1, NULL))
        return false;
    if (word == NULL) {
        cli_usage(argv[0], "the address is missing");
        return false;
    }
    return keys_address_word(argv[0], word, address);
}

static int get(int argc, char **argv)
{
    struct keys_options o = {0};
    const struct cli_option options[] = {KEYS_OPTION_ROWS(o), {NULL}};
    struct public_key key;
    struct address address;
    struct keystore ks;
    struct bytes hint;
    struct tm_error e;
    struct arena a;
    enum tm_err err;

    if (!read_address(argc, argv, options, &address))
        return CLI_USAGE;
    arena_init(&a);
    err = keystore_open(&ks, o.directory, &e);
    if (err == TM_OK)
        err = keystore_show(&ks, &a, &address, &key, &hint, &e);
    if (err == TM_OK) {
        printf("address     ");
        print_address(&address);
        printf("public_key  ");
        print_public_key(&key);
        printf("hint        %.*s\n", (int)hint.size, (const char *)hint.data);
    }
    arena_free(&a);
    return err == TM_OK ? CLI_DONE : cli_fail(argv[0], &e);
}

static enum tm_err export_text(const struct keystore *ks, struct arena *a,
                               const struct address *address, bool raw, struct bytes secret,
                               struct bytes *text, struct tm_error *e)
{
    struct private_key key;
    enum tm_err err;

    if (!raw)
        return keystore_export(ks, a, address, secret, text, e);
    err = keystore_private(ks, address, secret, &key, e);
    if (err == TM_OK)
        *text = bytes_of(hex_text(a, bytes_make(key.b, sizeof key.b)));
    sodium_memzero(&key, sizeof key);
    return err;
}

static int export(int argc, char **argv)
{
    struct keys_options o = {0};
    const char *format = "json", *output = NULL;
    const struct cli_option options[] = {KEYS_OPTION_ROWS(o),
                                         {.name = "--format", .value = &format},
                                         {.name = "--output", .value = &output},
                                         {NULL}};
    struct address address;
    struct keystore ks;
    struct bytes secret, text;
    struct tm_error e;
    struct arena a;
    enum tm_err err;

    if (!read_address(argc, argv, options, &address))
        return CLI_USAGE;
    if (strcmp(format, "json") != 0 && strcmp(format, "raw") != 0)
        return cli_usage(argv[0], "--format is json or raw, not \"%.40s\"", format);
    arena_init(&a);
    err = keystore_open(&ks, o.directory, &e);
    if (err == TM_OK)
        err = passphrase_get(&o.passphrase, &secret, &e);
    if (err == TM_OK)
        err = export_text(&ks, &a, &address, strcmp(format, "raw") == 0, secret, &text, &e);
    if (err == TM_OK && output != NULL)
        err = files_write(
            output, bytes_of(arena_format(&a, "%.*s\n", (int)text.size, (const char *)text.data)),
            0600, &e);
    else if (err == TM_OK)
        printf("%.*s\n", (int)text.size, (const char *)text.data);
    passphrase_forget(&o.passphrase);
    arena_free(&a);
    return err == TM_OK ? CLI_DONE : cli_fail(argv[0], &e);
}

static int update(int argc, char **argv)
{
    struct keys_options o = {0};
    struct passphrase fresh = new_passphrase();
    const char *hint = NULL;
    const struct cli_option options[] = {KEYS_OPTION_ROWS(o),
                                         {.name = "--hint", .value = &hint},
                                         {.name = "--new-passphrase-file", .value = &fresh.file},
                                         {NULL}};
    struct address address;
    struct keystore ks;
    struct public_key key;
    struct bytes old_secret, new_secret, kept_hint;
    struct tm_error e;
    struct arena a;
    enum tm_err err;

    if (!read_address(argc, argv, options, &address))
        return CLI_USAGE;
    arena_init(&a);
    err = keystore_open(&ks, o.directory, &e);
    if (err == TM_OK)
        err = keystore_show(&ks, &a, &address, &key, &kept_hint, &e);
    if (err == TM_OK)
        err = passphrase_get(&o.passphrase, &old_secret, &e);
    if (err == TM_OK)
        err = passphrase_get(&fresh, &new_secret, &e);
    if (err == TM_OK)
        err = keystore_update(&ks, &address, old_secret, new_secret,
                              hint != NULL ? bytes_of(hint) : kept_hint, &e);
    passphrase_forget(&o.passphrase);
    passphrase_forget(&fresh);
    arena_free(&a);
    return err == TM_OK ? CLI_DONE : cli_fail(argv[0], &e);
}

static int delete_key(int argc, char **argv)
{
    struct keys_options o = {0};
    const struct cli_option options[] = {KEYS_OPTION_ROWS(o), {NULL}};
    struct address address;
    struct keystore ks;
    struct bytes secret;
    struct tm_error e;
    enum tm_err err;

    if (!read_address(argc, argv, options, &address))
        return CLI_USAGE;
    err = keystore_open(&ks, o.directory, &e);
    if (err == TM_OK)
        err = passphrase_get(&o.passphrase, &secret, &e);
    if (err == TM_OK)
        err = keystore_delete(&ks, &address, secret, &e);
    passphrase_forget(&o.passphrase);
    return err == TM_OK ? CLI_DONE : cli_fail(argv[0], &e);
}

/* Stores the child of an opened parent, unless told not to. */
static enum tm_err make_child(struct keys_options *o, const struct address *parent, uint32_t index,
                              bool only_show, struct passphrase *fresh, const char *hint,
                              struct public_key *public_key, struct tm_error *e)
{
    struct private_key key = {{0}}, child = {{0}};
    struct bytes secret;
    struct address address;
    struct keystore ks;
    enum tm_err err = keystore_open(&ks, o->directory, e);

    if (err == TM_OK)
        err = passphrase_get(&o->passphrase, &secret, e);
    if (err == TM_OK)
        err = keystore_private(&ks, parent, secret, &key, e);
    if (err == TM_OK)
        err = slip10_child(&key, index, &child, e);
    if (err == TM_OK && !only_show && (fresh->file != NULL || getenv(fresh->variable) != NULL))
        err = passphrase_get(fresh, &secret, e);
    if (err == TM_OK && !only_show)
        err = keystore_put(&ks, &child, secret, bytes_of(hint), &address, e);
    if (err == TM_OK)
        *public_key = ed25519_public(&child);
    sodium_memzero(&key, sizeof key);
    sodium_memzero(&child, sizeof child);
    return err;
}

static int derive_child(int argc, char **argv)
{
    struct keys_options o = {0};
    struct passphrase fresh = new_passphrase();
    const char *hint = "", *words[2];
    bool only_show = false;
    const struct cli_option options[] = {KEYS_OPTION_ROWS(o),
                                         {.name = "--hint", .value = &hint},
                                         {.name = "--no-store", .flag = &only_show},
                                         {.name = "--new-passphrase-file", .value = &fresh.file},
                                         {NULL}};
    struct public_key public_key;
    struct address parent, child;
    struct tm_error e;
    int64_t index;
    size_t count;
    enum tm_err err;

    if (!cli_options(argc, argv, options, words, 2, &count))
        return CLI_USAGE;
    if (count < 2)
        return cli_usage(argv[0], "the %s is missing", count == 0 ? "parent's address" : "index");
    if (!keys_address_word(argv[0], words[0], &parent))
        return CLI_USAGE;
    if (!cli_integer(words[1], 0, INT32_MAX, &index))
        return cli_usage(argv[0], "the index is a number from 0 to %" PRId32 ", not \"%.40s\"",
                         INT32_MAX, words[1]);
    err = make_child(&o, &parent, (uint32_t)index, only_show, &fresh, hint, &public_key, &e);
    passphrase_forget(&o.passphrase);
    passphrase_forget(&fresh);
    if (err != TM_OK)
        return cli_fail(argv[0], &e);
    child = address_of_key(&public_key);
    printf("address     ");
    print_address(&child);
    printf("public_key  ");
    print_public_key(&public_key);
    return CLI_DONE;
}

static const struct {
    const char *name, *full_name;
    int (*run)(int argc, char **argv);
    struct cli_topic topic;
} SUBCOMMANDS[] = {
    {"create",
     "keys create",
     create,
     {"create [--hint TEXT]", "make a new key and print its address\n"}},
    {"import",
     "keys import",
     import,
     {"import PRIVATE_KEY|--input FILE [--hint TEXT]",
      "store a key: 128 hexadecimal characters, or FILE (- is standard input) with\n"
      "them or with an exported JSON; words of a command line are visible to other\n"
      "users of the machine, a file is not\n"}},
    {"list", "keys list", list, {"list", "print the addresses, ascending\n"}},
    {"get", "keys get", get, {"get ADDRESS", "print address, public key and hint\n"}},
    {"export",
     "keys export",
     export,
     {"export ADDRESS [--format json|raw] [--output FILE]",
      "print the key, sealed (json) or in the open (raw), or write it to FILE\n"}},
    {"update",
     "keys update",
     update,
     {"update ADDRESS [--hint TEXT] [--new-passphrase-file FILE]",
      "change the passphrase; the hint stays unless --hint gives another\n"}},
    {"delete",
     "keys delete",
     delete_key,
     {"delete ADDRESS", "remove a key once its passphrase is right\n"}},
    {"derive-child",
     "keys derive-child",
     derive_child,
     {"derive-child ADDRESS INDEX [--no-store] [--hint TEXT]\n"
      "                                  [--new-passphrase-file FILE]",
      "the SLIP-0010 child m/44'/635'/INDEX' of a key: store it, sealed with the\n"
      "new passphrase if one is given, else with the parent's; print its address\n"
      "and public key\n"}},
    {"sign", "keys sign", keys_sign, {"sign ADDRESS HEX", "print the signature over the bytes\n"}},
    {"verify",
     "keys verify",
     keys_verify,
     {"verify ADDRESS HEX SIGNATURE", "print valid (exit code 0) or not valid (1)\n"}},
    {"sign-tx",
     "keys sign-tx",
     keys_sign_tx,
     {"sign-tx ADDRESS --input FILE [--output FILE]",
      "sign the transaction in FILE, binary or hexadecimal (- is standard input);\n"
      "write it to the output file, binary, or print it in hexadecimal\n"}},
    {"verify-tx",
     "keys verify-tx",
     keys_verify_tx,
     {"verify-tx ADDRESS --input FILE",
      "was the transaction in FILE signed by this key? valid (0) or not valid (1)\n"}},
};

static const struct cli_topic *topic(size_t i)
{
    return i < sizeof SUBCOMMANDS / sizeof SUBCOMMANDS[0] ? &SUBCOMMANDS[i].topic : NULL;
}

static int run(int argc, char **argv)
{
    if (argc < 2)
        return cli_usage("keys", "what to do is missing");
    for (size_t i = 0; i < sizeof SUBCOMMANDS / sizeof SUBCOMMANDS[0]; i++)
        if (strcmp(argv[1], SUBCOMMANDS[i].name) == 0) {
            argv[1] = (char *)SUBCOMMANDS[i].full_name; /* what messages call the command */
            return SUBCOMMANDS[i].run(argc - 1, argv + 1);
        }
    return cli_usage("keys", "cannot \"%.40s\"", argv[1]);
}

const struct cli_command cli_keys_command = {
    .name = "keys",
    .summary = "create, import, export and use private keys",
    .help = help,
    .run = run,
    .topic = topic,
    .options = options_text,
};
