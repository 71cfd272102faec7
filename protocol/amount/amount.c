#include "amount.h"

#include <gmp.h>
#include <stdlib.h>

/* Numbers of up to this many digits take the machine's arithmetic: sums stay below 2^63. */
enum { FAST_DIGITS = 18, INT64_TEXT_MAX = 20 };

/* Below this the reference's two roundings change nothing: x * 100 < 2^63 is exact in 64 bits and
 * the quotient's error is under 1/100 (utility.md 3.5). */
#define FLOAT_EXACT_BELOW ((int64_t)1 << 56)

/* Go's big.Float takes at least this precision from an integer. */
enum { FLOAT_PRECISION_MIN = 64 };

const struct amount AMOUNT_ZERO = {{(const uint8_t *)"0", 1}};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

enum tm_err amount_parse(struct arena *a, struct bytes text, struct amount *out)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    size_t at = text.size > 0 && (text.data[0] == '-' || text.data[0] == '+');
    uint8_t *canonical;

    if (at == text.size)
        return TM_ERR_MALFORMED;
    for (size_t i = at; i < text.size; i++)
        if (!is_digit(text.data[i]))
            return TM_ERR_MALFORMED;
    while (at + 1 < text.size && text.data[at] == '0')
        at++;
    if (text.size - at > AMOUNT_DIGITS_MAX)
        return TM_ERR_LIMIT;
    if (text.data[at] == '0')
        negative = false;
    canonical = arena_alloc(a, text.size - at + negative);
    if (negative)
        canonical[0] = '-';
    memcpy(canonical + negative, text.data + at, text.size - at);
    out->text = bytes_make(canonical, text.size - at + negative);
    return TM_OK;
}

bool amount_is_standard(struct bytes text)
{
    if (text.size == 0 || text.size > AMOUNT_STANDARD_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (!is_digit(text.data[i]))
            return false;
    return text.size == 1 || text.data[0] != '0';
}

struct amount amount_of_canonical(struct bytes text)
{
    return (struct amount){text};
}

struct amount amount_of_int(struct arena *a, int64_t n)
{
    char digits[INT64_TEXT_MAX];
    uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (n < 0)
        digits[--at] = '-';
    return (struct amount){arena_copy(a, bytes_make(digits + at, sizeof digits - at))};
}

bool amount_is_negative(struct amount x)
{
    return x.text.data[0] == '-';
}

/* The number itself when it has few digits. */
static bool to_int(struct amount x, int64_t *out)
{
    bool negative = amount_is_negative(x);
    int64_t n = 0;

    if (x.text.size - negative > FAST_DIGITS)
        return false;
    for (size_t i = negative; i < x.text.size; i++)
        n = n * 10 + (x.text.data[i] - '0');
    *out = negative ? -n : n;
    return true;
}

static void to_mpz(struct arena *a, struct amount x, mpz_t out)
{
    const char *text = arena_text(a, x.text);

    mpz_init_set_str(out, text, 10);
}

/* The text of n; clears n. */
static struct amount of_mpz(struct arena *a, mpz_t n)
{
    char *text = arena_alloc(a, mpz_sizeinbase(n, 10) + 2);

    mpz_get_str(text, 10, n);
    mpz_clear(n);
    return (struct amount){bytes_of(text)};
}

struct amount amount_add(struct arena *a, struct amount x, struct amount y)
{
    int64_t small_x, small_y;
    mpz_t big_x, big_y;

    if (to_int(x, &small_x) && to_int(y, &small_y))
        return amount_of_int(a, small_x + small_y);
    to_mpz(a, x, big_x);
    to_mpz(a, y, big_y);
    mpz_add(big_x, big_x, big_y);
    mpz_clear(big_y);
    return of_mpz(a, big_x);
}

struct amount amount_subtract(struct arena *a, struct amount x, struct amount y)
{
    int64_t small_x, small_y;
    mpz_t big_x, big_y;

    if (to_int(x, &small_x) && to_int(y, &small_y))
        return amount_of_int(a, small_x - small_y);
    to_mpz(a, x, big_x);
    to_mpz(a, y, big_y);
    mpz_sub(big_x, big_x, big_y);
    mpz_clear(big_y);
    return of_mpz(a, big_x);
}

int amount_compare(struct amount x, struct amount y)
{
    bool negative = amount_is_negative(x);
    int magnitude;

    if (negative != amount_is_negative(y))
        return negative ? -1 : 1;
    if (x.text.size != y.text.size)
        magnitude = x.text.size > y.text.size ? 1 : -1;
    else
        magnitude = memcmp(x.text.data, y.text.data, x.text.size);
    return negative ? -magnitude : magnitude;
}

struct amount amount_percent(struct arena *a, struct amount x, int percent)
{
    int64_t small;
    mpz_t big;

    if (to_int(x, &small))
        return amount_of_int(a, (int64_t)((__int128)small * percent / 100));
    to_mpz(a, x, big);
    mpz_mul_si(big, big, percent);
    mpz_fdiv_q_ui(big, big, 100);
    return of_mpz(a, big);
}

/*
 * Rounds the magnitude n to `precision` bits, to nearest even; more says that non-zero bits follow
 * below n's last.
 */
static void round_to_precision(mpz_t n, size_t precision, bool more)
{
    size_t bits = mpz_sizeinbase(n, 2);
    size_t cut = bits > precision ? bits - precision : 0;
    bool half, below, odd;

    if (cut == 0)
        return;
    half = mpz_tstbit(n, cut - 1);
    below = more || mpz_scan1(n, 0) < cut - 1;
    mpz_fdiv_q_2exp(n, n, cut);
    odd = mpz_odd_p(n);
    if (half && (below || odd))
        mpz_add_ui(n, n, 1);
    mpz_mul_2exp(n, n, cut);
}

struct amount amount_percent_float(struct arena *a, struct amount x, int percent)
{
    int64_t small;
    mpz_t n;
    size_t precision, shift;
    bool negative = amount_is_negative(x), remainder;

    if (percent >= 0 && percent <= 100 && to_int(x, &small) && small > -FLOAT_EXACT_BELOW &&
        small < FLOAT_EXACT_BELOW)
        return amount_of_int(a, small * percent / 100);
    to_mpz(a, x, n);
    mpz_abs(n, n);
    precision = mpz_sizeinbase(n, 2);
    if (precision < FLOAT_PRECISION_MIN)
        precision = FLOAT_PRECISION_MIN;
    mpz_mul_si(n, n, percent);
    if (mpz_sgn(n) < 0) {
        negative = !negative;
        mpz_abs(n, n);
    }
    round_to_precision(n, precision, false);
    /* n / 100 needs precision + 2 bits before it is rounded: a fixed point far enough to the right.
     * Seven bits are what the division by 100 can take away. */
    shift = precision + 2 + 7;
    mpz_mul_2exp(n, n, shift);
    remainder = mpz_fdiv_q_ui(n, n, 100) != 0;
    round_to_precision(n, precision, remainder);
    mpz_fdiv_q_2exp(n, n, shift);
    if (negative)
        mpz_neg(n, n);
    return of_mpz(a, n);
}
