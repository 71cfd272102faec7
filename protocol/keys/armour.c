#include "armour.h"
#include "../base/hex.h"

#include <jansson.h>
#include <sodium.h>

enum {
    SCRYPT_N = 32768,
    SCRYPT_R = 8,
    SCRYPT_P = 1,
    KEY_TEXT = 2 * sizeof(struct private_key), /* what is sealed: the key as hexadecimal text */
    BOX = ARMOUR_NONCE + crypto_secretbox_MACBYTES + KEY_TEXT,
    BOX_TEXT = BOX / 3 * 4 /* base64; divisible by three, so there is no padding to leave out */
};

_Static_assert(BOX == 168 && BOX % 3 == 0, "utility.md 7.2");
_Static_assert(ARMOUR_NONCE == crypto_secretbox_NONCEBYTES, "XSalsa20 nonce");

/* The three fields that matter, decoded. */
struct armoured {
    uint8_t salt[ARMOUR_SALT];
    uint8_t box[BOX];
    struct bytes hint;
};

static bool stretch(struct bytes passphrase, const uint8_t salt[ARMOUR_SALT],
                    uint8_t key[crypto_secretbox_KEYBYTES])
{
    static const uint8_t nothing;

    return crypto_pwhash_scryptsalsa208sha256_ll(
               passphrase.size > 0 ? passphrase.data : &nothing, passphrase.size, salt, ARMOUR_SALT,
               SCRYPT_N, SCRYPT_R, SCRYPT_P, key, crypto_secretbox_KEYBYTES) == 0;
}

char *armour_key(struct arena *a, const struct private_key *key, struct bytes passphrase,
                 struct bytes hint, const uint8_t salt[ARMOUR_SALT],
                 const uint8_t nonce[ARMOUR_NONCE])
{
    uint8_t secret[crypto_secretbox_KEYBYTES];
    uint8_t box[BOX];
    char text[KEY_TEXT], salt_text[2 * ARMOUR_SALT + 1], box_text[BOX_TEXT + 1];
    json_t *object;
    char *dumped, *out;

    if (hint.size > ARMOUR_HINT_MAX || (hint.size > 0 && memchr(hint.data, 0, hint.size) != NULL) ||
        !stretch(passphrase, salt, secret))
        return NULL;
    hex_encode(bytes_make(key->b, sizeof key->b), text);
    memcpy(box, nonce, ARMOUR_NONCE);
    crypto_secretbox_easy(box + ARMOUR_NONCE, (const uint8_t *)text, KEY_TEXT, nonce, secret);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(text, sizeof text);
    sodium_bin2hex(salt_text, sizeof salt_text, salt, ARMOUR_SALT);
    sodium_bin2base64(box_text, sizeof box_text, box, BOX,
                      sodium_base64_VARIANT_ORIGINAL_NO_PADDING);

    object =
        json_pack("{s:s, s:s, s:s%, s:s}", "kdf", "scrypt", "salt", salt_text, "hint",
                  hint.size > 0 ? (const char *)hint.data : "", hint.size, "ciphertext", box_text);
    if (object == NULL)
        return NULL;
    dumped = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (dumped == NULL)
        return NULL;
    out = arena_text(a, bytes_of(dumped));
    free(dumped);
    return out;
}

/* The text of a member; data is NULL where it is missing or no string. */
static struct bytes member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    if (!json_is_string(value))
        return (struct bytes){NULL, 0};
    return bytes_make(json_string_value(value), json_string_length(value));
}

static enum tm_err read_members(struct arena *a, const json_t *object, struct armoured *out,
                                struct tm_error *e)
{
    struct bytes kdf = member(object, "kdf"), salt = member(object, "salt");
    struct bytes hint = member(object, "hint"), box = member(object, "ciphertext");
    size_t size;

    if (kdf.data == NULL || !bytes_equal(kdf, bytes_of("scrypt")))
        return tm_fail(e, TM_ERR_MALFORMED, "armoured key: \"kdf\" is not \"scrypt\"");
    if (salt.data == NULL || salt.size != 2 * ARMOUR_SALT || !hex_decode(salt, out->salt))
        return tm_fail(e, TM_ERR_MALFORMED,
                       "armoured key: \"salt\" is not %d hexadecimal characters", 2 * ARMOUR_SALT);
    if (hint.data == NULL && json_object_get(object, "hint") != NULL)
        return tm_fail(e, TM_ERR_MALFORMED, "armoured key: \"hint\" is not text");
    if (hint.size > ARMOUR_HINT_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "armoured key: \"hint\" is longer than %d bytes",
                       ARMOUR_HINT_MAX);
    if (box.data == NULL || box.size != BOX_TEXT ||
        sodium_base642bin(out->box, BOX, (const char *)box.data, box.size, NULL, &size, NULL,
                          sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0 ||
        size != BOX)
        return tm_fail(e, TM_ERR_MALFORMED,
                       "armoured key: \"ciphertext\" is not %d base64 characters", BOX_TEXT);
    out->hint = arena_copy(a, hint);
    return TM_OK;
}

static enum tm_err read_armour(struct arena *a, struct bytes json, struct armoured *out,
                               struct tm_error *e)
{
    json_error_t where;
    json_t *object;
    enum tm_err err;

    if (json.size > ARMOUR_FILE_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "armoured key: longer than %d bytes", ARMOUR_FILE_MAX);
    object = json_loadb(json.size > 0 ? (const char *)json.data : "", json.size,
                        JSON_REJECT_DUPLICATES, &where);
    if (object == NULL)
        return tm_fail(e, TM_ERR_MALFORMED, "armoured key: line %d: %s", where.line, where.text);
    err = json_is_object(object) ? read_members(a, object, out, e)
                                 : tm_fail(e, TM_ERR_MALFORMED, "armoured key: not a JSON object");
    json_decref(object);
    return err;
}

enum tm_err unarmour_key(struct arena *a, struct bytes json, struct bytes passphrase,
                         struct private_key *out, struct tm_error *e)
{
    struct armoured armoured;
    uint8_t secret[crypto_secretbox_KEYBYTES], text[KEY_TEXT];
    bool opened, decoded;
    enum tm_err err = read_armour(a, json, &armoured, e);

    if (err != TM_OK)
        return err;
    if (!stretch(passphrase, armoured.salt, secret))
        return tm_fail(e, TM_ERR_LIMIT,
                       "cannot decrypt private key: scrypt needs 32 MiB of memory");
    opened = crypto_secretbox_open_easy(text, armoured.box + ARMOUR_NONCE, BOX - ARMOUR_NONCE,
                                        armoured.box, secret) == 0;
    sodium_memzero(secret, sizeof secret);
    if (!opened)
        return tm_fail(e, TM_ERR_MISMATCH, "cannot decrypt private key: wrong passphrase");
    decoded = hex_decode(bytes_make(text, KEY_TEXT), out->b);
    sodium_memzero(text, sizeof text);
    if (!decoded)
        return tm_fail(e, TM_ERR_MALFORMED,
                       "armoured key: what \"ciphertext\" holds is not %d hexadecimal characters",
                       KEY_TEXT);
    return TM_OK;
}

enum tm_err armour_hint(struct arena *a, struct bytes json, struct bytes *hint, struct tm_error *e)
{
    struct armoured armoured;
    enum tm_err err = read_armour(a, json, &armoured, e);

    if (err == TM_OK)
        *hint = armoured.hint;
    return err;
}
