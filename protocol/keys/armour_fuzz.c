/* Any file is read or refused; both readers agree; what is refused never reaches scrypt. */
#include "armour.h"
#include "../../tests/fuzz/driver.h"

#include <stdlib.h>

/* scrypt takes 0.1 s: only this many well-formed inputs are decrypted in one run. */
enum { DECRYPTIONS_MAX = 8 };

#define SALT "65eeabde12ac0868e2a59b929a5e05b0"
#define BOX                                                                                        \
    "xCSVCdEE4iKcaxbF0lY22VX+Sc8Sn3WBtRKWr4kemS6EEoT95MYF0GNwNeKUBh8as7RmxEflUQDhXPnJa8WhC7jjWYY0" \
    "fyBaMIcAq/JzXM4iuQFN16OxsyzNGbQW3BOw3wZBUCn4oXCdugG4c4oha3m39bFYSfjLBCTe8/WP3s6RpEtWYHoSRuyL" \
    "vjKxjoujb638YaP08t4RXSs5Gy/GYaUz5Kgp9q3U"

static const char *const FILES[] = {
    "{\"kdf\":\"scrypt\",\"salt\":\"" SALT "\",\"hint\":\"pocket wallet\",\"ciphertext\":\"" BOX
    "\"}",
    "{ \"salt\" : \"" SALT "\", \"ciphertext\":\"" BOX "\", \"kdf\": \"scrypt\", \"secparam\": 12, "
    "\"more\": [[], {\"\": null}] }",
    "{\"kdf\":\"scrypt\",\"salt\":\"\",\"ciphertext\":\"\"}",
};

enum { FILE_COUNT = sizeof FILES / sizeof FILES[0] };

size_t fuzz_seeds(const struct fuzz_seed **out)
{
    static struct fuzz_seed seeds[FILE_COUNT];

    for (int i = 0; i < FILE_COUNT; i++)
        seeds[i] = (struct fuzz_seed){(const uint8_t *)FILES[i], strlen(FILES[i])};
    *out = seeds;
    return FILE_COUNT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int decryptions;
    struct bytes json = bytes_make(data, size), hint;
    struct arena arena;
    struct private_key key;
    struct tm_error e;
    enum tm_err err;

    arena_init(&arena);
    err = armour_hint(&arena, json, &hint, &e);
    if (err == TM_OK) {
        if (hint.size > ARMOUR_HINT_MAX)
            abort();
        if (decryptions++ < DECRYPTIONS_MAX) {
            err = unarmour_key(&arena, json, bytes_of("Testing@Testing123"), &key, &e);
            if (err != TM_OK && err != TM_ERR_MISMATCH)
                abort();
        }
    } else if (unarmour_key(&arena, json, bytes_of(""), &key, &e) != err) {
        abort();
    }
    arena_free(&arena);
    return 0;
}
