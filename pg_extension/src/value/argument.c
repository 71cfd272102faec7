#include "value/argument.h"

#include "value/stored_number.h"

#include "access/detoast.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"

static void raise_too_long(const char *what, size_t limit)
{
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                    errmsg("%s is longer than %zu bytes", what, limit)));
}

/* The size is looked at before anything is fetched or decompressed. */
static struct bytes detoast(Datum value, size_t limit, const char *what)
{
    struct varlena *v = (struct varlena *)DatumGetPointer(value);
    Size size = toast_raw_datum_size(value);

    if (size > VARHDRSZ && size - VARHDRSZ > limit)
        raise_too_long(what, limit);
    v = pg_detoast_datum_packed(v);
    return bytes_make(VARDATA_ANY(v), VARSIZE_ANY_EXHDR(v));
}

struct bytes argument_bytes(Datum value, size_t limit, const char *what)
{
    return detoast(value, limit, what);
}

struct bytes argument_text(Datum value, size_t limit, const char *what)
{
    if (GetDatabaseEncoding() != PG_UTF8)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the database is not encoded in UTF8"),
                        errhint("Create it with ENCODING 'UTF8': leaves hold UTF-8 text.")));
    return detoast(value, limit, what);
}

struct hash32 argument_hash(Datum value, const char *what)
{
    struct bytes b = detoast(value, KEY_BYTES_MAX, what);
    struct hash32 h;

    if (b.size != sizeof h)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("%s has %zu bytes, not 32", what, b.size)));
    memcpy(&h, b.data, sizeof h);
    return h;
}

struct bytes argument_whole_number(Datum value, const char *what)
{
    struct bytes text = stored_number_text(value);
    bool negative = text.size > 0 && text.data[0] == '-';

    for (size_t i = negative; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                            errmsg("%s is not a whole number: %.*s", what, (int)Min(text.size, 40),
                                   (const char *)text.data),
                            errdetail("Amounts are whole upokt, with a scale of 0.")));
    if (text.size > AMOUNT_DIGITS_MAX)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("%s has more than %d digits", what, AMOUNT_DIGITS_MAX)));
    return text;
}

/* Elements of an array with at most one dimension. */
static struct argument_array take_apart(Datum value, Oid element, size_t limit, const char *what)
{
    struct argument_array out;
    ArrayType *array;

    /* An element costs at least its header, so this bounds their number before detoasting. */
    if (toast_raw_datum_size(value) > LEAF_BYTES_MAX + limit * sizeof(struct varlena))
        raise_too_long(what, LEAF_BYTES_MAX);
    array = DatumGetArrayTypeP(value);
    if (ARR_NDIM(array) > 1)
        ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
                        errmsg("%s has %d dimensions, not one", what, ARR_NDIM(array))));
    if (ARR_ELEMTYPE(array) != element)
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("%s has elements of another type", what)));
    deconstruct_array(array, element, -1, false, TYPALIGN_INT, &out.values, &out.nulls, &out.count);
    if ((size_t)out.count > limit)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("%s has more than %zu elements", what, limit)));
    return out;
}

struct bytes *argument_text_array(Datum value, size_t limit, const char *what, size_t *count)
{
    struct argument_array array = take_apart(value, TEXTOID, limit, what);
    struct bytes *out = palloc(sizeof *out * (array.count + 1));

    for (int i = 0; i < array.count; i++) {
        if (array.nulls[i])
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                            errmsg("%s has a NULL element", what)));
        out[i] = argument_text(array.values[i], TEXT_BYTES_MAX, what);
    }
    *count = array.count;
    return out;
}

struct argument_array argument_bytea_array(Datum value, size_t limit, const char *what)
{
    return take_apart(value, BYTEAOID, limit, what);
}

Datum argument_present(FunctionCallInfo fcinfo, int n, const char *what)
{
    if (PG_ARGISNULL(n))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s is NULL", what)));
    return PG_GETARG_DATUM(n);
}
