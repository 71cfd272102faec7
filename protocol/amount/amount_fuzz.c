/* Parsing accepts exactly its own canonical output, and sums agree with the inverse operation. */
#include "amount.h"

#include <stdlib.h>

#include "../../tests/fuzz/driver.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_form(struct arena *a, struct amount x)
{
    struct amount again;

    require(amount_parse(a, x.text, &again) == TM_OK);
    require(bytes_equal(again.text, x.text));
    require(amount_compare(x, again) == 0);
    require(!amount_is_standard(x.text) || !amount_is_negative(x));
}

/* The input is two texts, divided by its first NUL. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
    size_t first = nul != NULL ? (size_t)(nul - data) : size;
    struct bytes left = bytes_make(data, first);
    struct bytes right = nul != NULL ? bytes_make(nul + 1, size - first - 1) : left;
    struct arena a;
    struct amount x, y, sum, part;

    arena_init(&a);
    if (amount_parse(&a, left, &x) == TM_OK && amount_parse(&a, right, &y) == TM_OK) {
        int percent = (int)(size % 101);

        check_form(&a, x);
        sum = amount_add(&a, x, y);
        check_form(&a, sum);
        require(amount_compare(amount_subtract(&a, sum, y), x) == 0);
        require(amount_compare(amount_subtract(&a, x, x), AMOUNT_ZERO) == 0);
        part = amount_percent_float(&a, x, percent);
        check_form(&a, part);
        if (!amount_is_negative(x)) {
            check_form(&a, amount_percent(&a, x, percent));
            require(amount_compare(amount_percent(&a, x, percent), x) <= 0);
            require(amount_compare(amount_percent(&a, x, 100), x) == 0);
        }
    } else {
        require(!amount_is_standard(left) || nul != NULL);
    }
    arena_free(&a);
    return 0;
}

#define SEED(text)                                                                                 \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

size_t fuzz_seeds(const struct fuzz_seed **out)
{
    static const struct fuzz_seed seeds[] = {
        SEED("0\0"
             "1"),
        SEED("+0015\0-0"),
        SEED("999999999999999999\0"
             "999999999999999999"),
        SEED("-1000000000000000000\0"
             "72057594037927936"),
        SEED("15632393290034665546\0-340282366920938463463374607431768211456"),
    };

    *out = seeds;
    return sizeof seeds / sizeof seeds[0];
}
