#include "value/result.h"

#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"

Datum result_bytes(struct bytes b)
{
    bytea *out = palloc(VARHDRSZ + b.size);

    SET_VARSIZE(out, VARHDRSZ + b.size);
    if (b.size > 0)
        memcpy(VARDATA(out), b.data, b.size);
    return PointerGetDatum(out);
}

Datum result_hash(const struct hash32 *h)
{
    return result_bytes(bytes_hash(h));
}

Datum result_text(struct bytes text)
{
    StringInfoData s;

    if (text.size == 0 || memchr(text.data, 0, text.size) == NULL)
        return PointerGetDatum(cstring_to_text_with_len((const char *)text.data, (int)text.size));
    initStringInfo(&s);
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == 0)
            appendStringInfoString(&s, "\\u0000");
        else
            appendStringInfoCharMacro(&s, (char)text.data[i]);
    }
    return PointerGetDatum(cstring_to_text_with_len(s.data, s.len));
}

Datum result_text_array(const struct bytes *elements, size_t count)
{
    Datum *values = palloc(sizeof *values * (count + 1));

    for (size_t i = 0; i < count; i++)
        values[i] = result_text(elements[i]);
    return PointerGetDatum(construct_array(values, (int)count, TEXTOID, -1, false, TYPALIGN_INT));
}

Datum result_numeric(struct bytes digits)
{
    char *text = pnstrdup((const char *)digits.data, digits.size);

    return DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
                               Int32GetDatum(-1));
}
