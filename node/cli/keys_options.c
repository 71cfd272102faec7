#include "keys_options.h"

#include "protocol/base/hex.h"

bool keys_address_word(const char *command, const char *word, struct address *out)
{
    struct bytes text = bytes_of(word);

    if (text.size == 2 * sizeof out->b && hex_decode(text, out->b))
        return true;
    cli_usage(command, "\"%.80s\" is not an address (40 hexadecimal characters)", word);
    return false;
}

bool keys_hex_word(const char *command, const char *what, const char *word, struct arena *a,
                   struct bytes *out)
{
    struct bytes text = bytes_of(word);
    uint8_t *data = arena_alloc(a, text.size / 2);

    if (!hex_decode(text, data)) {
        cli_usage(command, "the %s is not hexadecimal", what);
        return false;
    }
    *out = bytes_make(data, text.size / 2);
    return true;
}

enum tm_err keys_open(struct keys_options *o, const struct address *address,
                      struct private_key *out, struct tm_error *e)
{
    struct public_key public_key;
    struct keystore ks;
    struct bytes secret, hint;
    struct arena a;
    enum tm_err err = keystore_open(&ks, o->directory, e);

    /* Looked up first: nobody types a passphrase for a key that is not there. */
    arena_init(&a);
    if (err == TM_OK)
        err = keystore_show(&ks, &a, address, &public_key, &hint, e);
    arena_free(&a);
    if (err == TM_OK)
        err = passphrase_get(&o->passphrase, &secret, e);
    if (err == TM_OK)
        err = keystore_private(&ks, address, secret, out, e);
    passphrase_forget(&o->passphrase);
    return err;
}
