#include "value/stored_number.h"

#include "utils/builtins.h"

/*
 * The stored form of a numeric, which pg_upgrade keeps from version to version (numeric.c): a
 * header of 16 bits, here always the short one, then digits to the base 10000 of which the first
 * counts 10000^weight; digits of zero at the end are left out.
 */
enum {
    FORM_MASK = 0xc000,
    FORM_SHORT = 0x8000,
    NEGATIVE = 0x2000,
    SCALE_MASK = 0x1f80, /* digits shown after the point */
    WEIGHT_NEGATIVE = 0x0040,
    WEIGHT_MASK = 0x003f,
    DIGIT = 4 /* decimal digits of a stored digit */
};

static char *write_digit(char *to, int digit)
{
    to[0] = (char)('0' + digit / 1000);
    to[1] = (char)('0' + digit / 100 % 10);
    to[2] = (char)('0' + digit / 10 % 10);
    to[3] = (char)('0' + digit % 10);
    return to + DIGIT;
}

struct bytes stored_number_text(Datum value)
{
    const struct varlena *v = (const struct varlena *)DatumGetPointer(value);
    char *first, *to;
    size_t digits, weight;
    const char *stored;
    uint16 header;

    if (VARATT_IS_EXTERNAL(v) || VARATT_IS_COMPRESSED(v) || VARSIZE_ANY_EXHDR(v) < sizeof header)
        return bytes_of(DatumGetCString(DirectFunctionCall1(numeric_out, value)));
    stored = VARDATA_ANY(v);
    memcpy(&header, stored, sizeof header);
    stored += sizeof header;
    digits = (VARSIZE_ANY_EXHDR(v) - sizeof header) / sizeof(int16);
    weight = header & WEIGHT_MASK;
    if ((header & FORM_MASK) != FORM_SHORT || (header & (SCALE_MASK | WEIGHT_NEGATIVE)) != 0 ||
        digits == 0 || digits > weight + 1)
        return bytes_of(DatumGetCString(DirectFunctionCall1(numeric_out, value)));
    /* A sign has its place in front; zeros at the beginning are stepped over. */
    first = to = (char *)palloc(1 + (weight + 1) * DIGIT) + 1;
    for (size_t i = 0; i <= weight; i++) {
        int16 digit = 0;

        if (i < digits)
            memcpy(&digit, stored + i * sizeof digit, sizeof digit);
        to = write_digit(to, digit);
    }
    while (first < to - 1 && *first == '0')
        first++;
    if ((header & NEGATIVE) != 0)
        *--first = '-';
    return bytes_make(first, (size_t)(to - first));
}
