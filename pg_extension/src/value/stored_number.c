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

static int width_of(int digit)
{
    return digit >= 1000 ? 4 : digit >= 100 ? 3 : digit >= 10 ? 2 : 1;
}

/* The text behind so many free bytes; NULL where the stored form is not that of a whole number. */
static char *write_text(const struct varlena *v, size_t free_bytes, size_t *size)
{
    char buffer[DIGIT], *text, *to;
    size_t digits, weight;
    const char *stored;
    int16 digit;
    uint16 header;
    bool negative;
    int width;

    if (VARATT_IS_EXTERNAL(v) || VARATT_IS_COMPRESSED(v) || VARSIZE_ANY_EXHDR(v) < sizeof header)
        return NULL;
    stored = VARDATA_ANY(v);
    memcpy(&header, stored, sizeof header);
    stored += sizeof header;
    digits = (VARSIZE_ANY_EXHDR(v) - sizeof header) / sizeof digit;
    weight = header & WEIGHT_MASK;
    negative = (header & NEGATIVE) != 0;
    if ((header & FORM_MASK) != FORM_SHORT || (header & (SCALE_MASK | WEIGHT_NEGATIVE)) != 0 ||
        digits == 0 || digits > weight + 1)
        return NULL;
    memcpy(&digit, stored, sizeof digit);
    width = width_of(digit);
    *size = (size_t)negative + (size_t)width + weight * DIGIT;
    text = palloc(free_bytes + *size + 1);
    to = text + free_bytes;
    if (negative)
        *to++ = '-';
    write_digit(buffer, digit);
    memcpy(to, buffer + DIGIT - width, (size_t)width);
    to += width;
    for (size_t i = 1; i <= weight; i++) {
        digit = 0;
        if (i < digits)
            memcpy(&digit, stored + i * sizeof digit, sizeof digit);
        to = write_digit(to, digit);
    }
    return text;
}

struct bytes stored_number_text(Datum value)
{
    size_t size;
    char *text = write_text((const struct varlena *)DatumGetPointer(value), 0, &size);

    if (text == NULL)
        return bytes_of(DatumGetCString(DirectFunctionCall1(numeric_out, value)));
    return bytes_make(text, size);
}

Datum stored_number_datum(Datum value)
{
    size_t size;
    char *text = write_text((const struct varlena *)DatumGetPointer(value), VARHDRSZ, &size);

    if (text == NULL)
        return CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(numeric_out, value)));
    SET_VARSIZE(text, VARHDRSZ + size);
    return PointerGetDatum(text);
}
