/* Addresses from text and bytes. */
#include "value/argument.h"
#include "value/result.h"

#include "protocol/base/hex.h"

enum {
    ADDRESS_DIGITS = 2 * sizeof(struct address),
    ADDRESS_TEXT_MAX = 1024 /* longer text is no address and is not quoted back */
};

PG_FUNCTION_INFO_V1(tidemark_address_from_text);
PG_FUNCTION_INFO_V1(tidemark_address_from_literal);
PG_FUNCTION_INFO_V1(tidemark_address_from_bytes);

static Datum from_hex(struct bytes text)
{
    struct address address;
    struct bytes digits = text;

    if (digits.size > 2 && (digits.data[0] == '\\' || digits.data[0] == '0') &&
        digits.data[1] == 'x')
        digits = bytes_make(digits.data + 2, digits.size - 2);
    if (digits.size != ADDRESS_DIGITS || !hex_decode(digits, address.b))
        ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                        errmsg("not an address: \"%.*s\"", (int)Min(text.size, 100),
                               (const char *)text.data),
                        errdetail("An address is %d hexadecimal digits.", ADDRESS_DIGITS)));
    return result_bytes(bytes_address(&address));
}

Datum tidemark_address_from_text(PG_FUNCTION_ARGS)
{
    return from_hex(argument_text(PG_GETARG_DATUM(0), ADDRESS_TEXT_MAX, "address"));
}

/* A literal that the parser has not typed yet arrives as a C string. */
Datum tidemark_address_from_literal(PG_FUNCTION_ARGS)
{
    return from_hex(bytes_of(PG_GETARG_CSTRING(0)));
}

Datum tidemark_address_from_bytes(PG_FUNCTION_ARGS)
{
    struct bytes raw = argument_bytes(PG_GETARG_DATUM(0), ADDRESS_TEXT_MAX, "address");

    if (raw.size != sizeof(struct address))
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                 errmsg("an address has %zu bytes, not %zu", sizeof(struct address), raw.size)));
    return result_bytes(raw);
}
