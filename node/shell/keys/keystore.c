#include "keystore.h"

#include "node/shell/system/files.h"
#include "protocol/base/hex.h"
#include "protocol/keys/armour.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ADDRESS_TEXT = 2 * sizeof(struct address),
    KEY_TEXT = 2 * sizeof(struct private_key),
    DIRECTORY_MODE = 0700,
    FILE_MODE = 0600
};

static const char SUFFIX[] = ".json";
static const char PUBLIC_KEY[] = "public_key";

enum tm_err keystore_open(struct keystore *ks, const char *directory, struct tm_error *e)
{
    const char *home = getenv("HOME");
    int n;

    if (directory != NULL && directory[0] != '\0')
        n = snprintf(ks->directory, sizeof ks->directory, "%s", directory);
    else if (home != NULL && home[0] != '\0')
        n = snprintf(ks->directory, sizeof ks->directory, "%s/.tidemark/keys", home);
    else
        return tm_fail(e, TM_ERR_CONFIG, "HOME is not set: name the key directory with --keys DIR");
    /* the name of a file in it must fit as well */
    if (n >= KEYSTORE_PATH_MAX - 1 - ADDRESS_TEXT - (int)sizeof SUFFIX)
        return tm_fail(e, TM_ERR_LIMIT, "the path of the key directory is too long");
    return TM_OK;
}

static char *path_of(const struct keystore *ks, struct arena *a, const struct address *address)
{
    return arena_format(a, "%s/%s%s", ks->directory, hex_text(a, bytes_address(address)), SUFFIX);
}

/* The public half must be the seed's: a signature with another one holds for nobody. */
static enum tm_err check_halves(const struct private_key *key, struct tm_error *e)
{
    struct private_key whole = ed25519_from_seed(key->b);
    bool same = sodium_memcmp(whole.b, key->b, sizeof whole.b) == 0;

    sodium_memzero(&whole, sizeof whole);
    return same ? TM_OK
                : tm_fail(e, TM_ERR_MISMATCH,
                          "the second half of the private key is not the public key of the first");
}

static struct address address_of(const struct private_key *key)
{
    struct public_key public_key = ed25519_public(key);

    return address_of_key(&public_key);
}

/* Writes armour plus public key under the key's address. */
static enum tm_err store(const struct keystore *ks, struct arena *a, struct bytes armour,
                         const struct private_key *key, struct address *address, struct tm_error *e)
{
    struct public_key public_key = ed25519_public(key);
    json_t *object = json_loadb((const char *)armour.data, armour.size, 0, NULL);
    char *text = NULL;
    enum tm_err err;

    if (object != NULL &&
        json_object_set_new(object, PUBLIC_KEY,
                            json_string(hex_text(a, bytes_make(public_key.b, 32)))) == 0)
        text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (text == NULL)
        return tm_fail(e, TM_ERR_MALFORMED, "the armoured key is not a JSON object");
    *address = address_of_key(&public_key);
    err = files_make_directory(ks->directory, DIRECTORY_MODE, e);
    if (err == TM_OK)
        err = files_write(path_of(ks, a, address), bytes_of(text), FILE_MODE, e);
    free(text);
    return err;
}

enum tm_err keystore_put(const struct keystore *ks, const struct private_key *key,
                         struct bytes passphrase, struct bytes hint, struct address *address,
                         struct tm_error *e)
{
    uint8_t salt[ARMOUR_SALT], nonce[ARMOUR_NONCE];
    enum tm_err err = check_halves(key, e);
    struct arena a;
    char *armour;

    if (err != TM_OK)
        return err;
    arena_init(&a);
    randombytes_buf(salt, sizeof salt);
    randombytes_buf(nonce, sizeof nonce);
    armour = armour_key(&a, key, passphrase, hint, salt, nonce);
    if (armour == NULL)
        err = tm_fail(e, TM_ERR_USAGE,
                      "cannot seal the key: the hint must be UTF-8 text of at most %d bytes, and "
                      "scrypt needs 32 MiB of memory",
                      ARMOUR_HINT_MAX);
    else
        err = store(ks, &a, bytes_of(armour), key, address, e);
    arena_free(&a);
    return err;
}

enum tm_err keystore_create(const struct keystore *ks, struct bytes passphrase, struct bytes hint,
                            struct address *address, struct tm_error *e)
{
    uint8_t seed[32];
    struct private_key key;
    enum tm_err err;

    randombytes_buf(seed, sizeof seed);
    key = ed25519_from_seed(seed);
    err = keystore_put(ks, &key, passphrase, hint, address, e);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(&key, sizeof key);
    return err;
}

static struct bytes trim(struct bytes text)
{
    while (text.size > 0 && strchr(" \t\r\n", text.data[0]) != NULL && text.data[0] != '\0') {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && strchr(" \t\r\n", text.data[text.size - 1]) != NULL &&
           text.data[text.size - 1] != '\0')
        text.size--;
    return text;
}

static enum tm_err read_raw(struct bytes hex, struct private_key *key, struct tm_error *e)
{
    hex = trim(hex);
    if (hex.size != KEY_TEXT || !hex_decode(hex, key->b))
        return tm_fail(e, TM_ERR_MALFORMED,
                       "a private key is %d hexadecimal characters (seed, then public key)",
                       KEY_TEXT);
    return check_halves(key, e);
}

enum tm_err keystore_import_raw(const struct keystore *ks, struct bytes hex,
                                struct bytes passphrase, struct bytes hint, struct address *address,
                                struct tm_error *e)
{
    struct private_key key;
    enum tm_err err = read_raw(hex, &key, e);

    if (err == TM_OK)
        err = keystore_put(ks, &key, passphrase, hint, address, e);
    sodium_memzero(&key, sizeof key);
    return err;
}

enum tm_err keystore_import_armoured(const struct keystore *ks, struct bytes json,
                                     struct bytes passphrase, struct address *address,
                                     struct tm_error *e)
{
    struct private_key key;
    struct arena a;
    enum tm_err err;

    arena_init(&a);
    err = unarmour_key(&a, json, passphrase, &key, e);
    if (err == TM_OK)
        err = check_halves(&key, e);
    if (err == TM_OK)
        err = store(ks, &a, json, &key, address, e);
    sodium_memzero(&key, sizeof key);
    arena_free(&a);
    return err;
}

enum tm_err keystore_list(const struct keystore *ks, struct arena *a, struct address **out,
                          size_t *count, struct tm_error *e)
{
    char **names;
    size_t found, n = 0;
    struct address *list;
    enum tm_err err = TM_OK;

    *out = NULL;
    *count = 0;
    if (!files_exist(ks->directory))
        return TM_OK;
    err = files_list(a, ks->directory, SUFFIX, &names, &found, e);
    if (err != TM_OK)
        return err;
    list = arena_array(a, struct address, found);
    /* Names in ascending order are addresses in ascending order; files of others are passed over.
     */
    for (size_t i = 0; i < found; i++) {
        struct bytes name = bytes_make(names[i], strlen(names[i]) - strlen(SUFFIX));

        if (name.size == ADDRESS_TEXT && hex_decode(name, list[n].b))
            n++;
    }
    *out = list;
    *count = n;
    return TM_OK;
}

static enum tm_err read_file(const struct keystore *ks, struct arena *a,
                             const struct address *address, struct bytes *json, struct tm_error *e)
{
    enum tm_err err = files_read(a, path_of(ks, a, address), ARMOUR_FILE_MAX, json, e);

    if (err == TM_ERR_NOT_FOUND)
        return tm_fail(e, TM_ERR_NOT_FOUND, "no key for address %s in %s",
                       hex_text(a, bytes_address(address)), ks->directory);
    return err;
}

/* The file's "public_key"; false where it has none, or one of another form. */
static bool read_public_key(struct bytes json, struct public_key *key)
{
    json_t *object = json_loadb((const char *)json.data, json.size, 0, NULL);
    const json_t *value = json_object_get(object, PUBLIC_KEY);
    struct bytes text = {NULL, 0};
    bool ok;

    if (json_is_string(value))
        text = bytes_make(json_string_value(value), json_string_length(value));
    ok = text.size == 2 * sizeof key->b && hex_decode(text, key->b);
    json_decref(object);
    return ok;
}

enum tm_err keystore_show(const struct keystore *ks, struct arena *a, const struct address *address,
                          struct public_key *key, struct bytes *hint, struct tm_error *e)
{
    struct bytes json;
    struct address stored;
    enum tm_err err = read_file(ks, a, address, &json, e);

    if (err == TM_OK)
        err = armour_hint(a, json, hint, e);
    if (err != TM_OK)
        return err;
    if (!read_public_key(json, key))
        return tm_fail(e, TM_ERR_CONFIG,
                       "%s holds no \"public_key\": import it again with tidemark keys import",
                       path_of(ks, a, address));
    stored = address_of_key(key);
    if (memcmp(stored.b, address->b, sizeof stored.b) != 0)
        return tm_fail(e, TM_ERR_MISMATCH, "%s holds the public key of another address, %s",
                       path_of(ks, a, address), hex_text(a, bytes_address(&stored)));
    return TM_OK;
}

/* Decrypts the file and checks that its key is the address'. */
static enum tm_err open_file(const struct keystore *ks, struct arena *a,
                             const struct address *address, struct bytes passphrase,
                             struct bytes *json, struct private_key *key, struct tm_error *e)
{
    struct address found;
    enum tm_err err = read_file(ks, a, address, json, e);

    if (err == TM_OK)
        err = unarmour_key(a, *json, passphrase, key, e);
    if (err == TM_OK)
        err = check_halves(key, e);
    if (err != TM_OK)
        return err;
    found = address_of(key);
    if (memcmp(found.b, address->b, sizeof found.b) != 0)
        return tm_fail(e, TM_ERR_MISMATCH, "%s holds the key of another address, %s",
                       path_of(ks, a, address), hex_text(a, bytes_address(&found)));
    return TM_OK;
}

enum tm_err keystore_private(const struct keystore *ks, const struct address *address,
                             struct bytes passphrase, struct private_key *key, struct tm_error *e)
{
    struct bytes json;
    struct arena a;
    enum tm_err err;

    arena_init(&a);
    err = open_file(ks, &a, address, passphrase, &json, key, e);
    if (err != TM_OK)
        sodium_memzero(key, sizeof *key);
    arena_free(&a);
    return err;
}

enum tm_err keystore_export(const struct keystore *ks, struct arena *a,
                            const struct address *address, struct bytes passphrase,
                            struct bytes *json, struct tm_error *e)
{
    struct private_key key;
    struct bytes stored;
    json_t *object;
    char *text = NULL;
    enum tm_err err = open_file(ks, a, address, passphrase, &stored, &key, e);

    sodium_memzero(&key, sizeof key);
    if (err != TM_OK)
        return err;
    object = json_loadb((const char *)stored.data, stored.size, 0, NULL);
    json_object_del(object, PUBLIC_KEY);
    text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (text == NULL)
        return tm_fail(e, TM_ERR_MALFORMED, "%s is not a JSON object", path_of(ks, a, address));
    *json = bytes_of(arena_text(a, bytes_of(text)));
    free(text);
    return TM_OK;
}

enum tm_err keystore_update(const struct keystore *ks, const struct address *address,
                            struct bytes old_passphrase, struct bytes new_passphrase,
                            struct bytes hint, struct tm_error *e)
{
    struct private_key key;
    struct address same;
    enum tm_err err = keystore_private(ks, address, old_passphrase, &key, e);

    if (err == TM_OK)
        err = keystore_put(ks, &key, new_passphrase, hint, &same, e);
    sodium_memzero(&key, sizeof key);
    return err;
}

enum tm_err keystore_delete(const struct keystore *ks, const struct address *address,
                            struct bytes passphrase, struct tm_error *e)
{
    struct private_key key;
    struct arena a;
    enum tm_err err = keystore_private(ks, address, passphrase, &key, e);

    sodium_memzero(&key, sizeof key);
    if (err != TM_OK)
        return err;
    arena_init(&a);
    if (unlink(path_of(ks, &a, address)) != 0)
        err = tm_fail(e, TM_ERR_IO, "cannot remove %s: %s", path_of(ks, &a, address),
                      strerror(errno));
    arena_free(&a);
    return err;
}

static enum tm_err load_file(struct arena *a, const char *path, struct passphrase *passphrase,
                             struct private_key *key, struct tm_error *e)
{
    struct tm_error inner = {.text = ""};
    struct bytes content, secret;
    enum tm_err err = files_read(a, path, ARMOUR_FILE_MAX, &content, e);

    if (err != TM_OK)
        return err;
    content = trim(content);
    if (content.size == 0 || content.data[0] != '{') {
        err = read_raw(content, key, &inner);
    } else {
        struct bytes hint;

        err = armour_hint(a, content, &hint, &inner);
        if (err == TM_OK) {
            err = passphrase_get(passphrase, &secret, e);
            if (err != TM_OK)
                return err;
            err = unarmour_key(a, content, secret, key, &inner);
        }
        if (err == TM_OK)
            err = check_halves(key, &inner);
    }
    return err == TM_OK ? TM_OK : tm_fail(e, TM_ERR_CONFIG, "%s: %s", path, inner.text);
}

static int compare_by_address(const void *x, const void *y)
{
    struct address a = address_of(x), b = address_of(y);

    return memcmp(a.b, b.b, sizeof a.b);
}

enum tm_err keystore_load(struct arena *a, const char *directory, struct passphrase *passphrase,
                          struct private_key **out, size_t *count, struct tm_error *e)
{
    char **names;
    struct private_key *keys;
    size_t n;
    enum tm_err err = files_list(a, directory, "", &names, &n, e);

    if (err != TM_OK)
        return err;
    if (n > KEYSTORE_KEYS_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "%s holds more than %d files", directory,
                       KEYSTORE_KEYS_MAX);
    keys = arena_array(a, struct private_key, n);
    for (size_t i = 0; i < n && err == TM_OK; i++)
        err = load_file(a, arena_format(a, "%s/%s", directory, names[i]), passphrase, &keys[i], e);
    if (err != TM_OK)
        return err;
    qsort(keys, n, sizeof *keys, compare_by_address);
    for (size_t i = 1; i < n; i++)
        if (compare_by_address(&keys[i - 1], &keys[i]) == 0) {
            struct address twice = address_of(&keys[i]);

            return tm_fail(e, TM_ERR_CONFIG, "%s holds the key of %s twice", directory,
                           hex_text(a, bytes_address(&twice)));
        }
    *out = keys;
    *count = n;
    return TM_OK;
}
