/* Any path either derives a key, and then is exactly m(/<below 2^31>')*, or is refused. */
#include "slip10.h"
#include "../../tests/fuzz/driver.h"

#include <stdlib.h>

static const char *const PATHS[] = {
    "m", "m/0'", "m/44'/635'/0'", "m/44'/635'/2147483647'", "m/0'/1'/2'/2'/1000000000'",
};

enum { PATH_COUNT = sizeof PATHS / sizeof PATHS[0] };

size_t fuzz_seeds(const struct fuzz_seed **out)
{
    static struct fuzz_seed seeds[PATH_COUNT];

    for (int i = 0; i < PATH_COUNT; i++)
        seeds[i] = (struct fuzz_seed){(const uint8_t *)PATHS[i], strlen(PATHS[i])};
    *out = seeds;
    return PATH_COUNT;
}

/* The grammar by another way: a state machine over characters, numbers by length and text. */
static bool is_path(const uint8_t *p, size_t size)
{
    size_t i = 1;

    if (size == 0 || size > SLIP10_PATH_MAX || p[0] != 'm')
        return false;
    while (i < size) {
        char digits[16] = "";
        size_t n = 0;

        if (p[i++] != '/')
            return false;
        while (i < size && p[i] == '0' && i + 1 < size && p[i + 1] >= '0' && p[i + 1] <= '9')
            i++;
        while (i < size && p[i] >= '0' && p[i] <= '9' && n < 11)
            digits[n++] = (char)p[i++];
        if (n == 0 || n > 10 || i >= size || p[i++] != '\'')
            return false;
        if (strtoull(digits, NULL, 10) >= 1ull << 31)
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seed[32] = {1};
    struct private_key key;
    struct tm_error e;
    enum tm_err err =
        slip10_derive(bytes_make(seed, sizeof seed), bytes_make(data, size), &key, &e);

    if ((err == TM_OK) != is_path(data, size) || (err != TM_OK && err != TM_ERR_USAGE))
        abort();
    return 0;
}
