#include "pg_binary.h"

#include <assert.h>
#include <stdio.h>

/* numeric: digits of base 10,000, weight of the first one, sign, scale (numeric_send). */
enum { NUMERIC_HEADER = 8, NUMERIC_GROUP = 4, NUMERIC_NEGATIVE = 0x4000 };
/* array: dimensions, flags, element type, length, lower bound (array_send). */
enum { ARRAY_HEADER = 20 };

static void put16(uint8_t *to, uint16_t n)
{
    to[0] = (uint8_t)(n >> 8);
    to[1] = (uint8_t)n;
}

static void put32(uint8_t *to, uint32_t n)
{
    put16(to, (uint16_t)(n >> 16));
    put16(to + 2, (uint16_t)n);
}

static void put64(uint8_t *to, uint64_t n)
{
    put32(to, (uint32_t)(n >> 32));
    put32(to + 4, (uint32_t)n);
}

static uint16_t get16(const uint8_t *from)
{
    return (uint16_t)(from[0] << 8 | from[1]);
}

static uint32_t get32(const uint8_t *from)
{
    return (uint32_t)get16(from) << 16 | get16(from + 2);
}

static uint64_t get64(const uint8_t *from)
{
    return (uint64_t)get32(from) << 32 | get32(from + 4);
}

const char *pg_type_name(enum pg_type type)
{
    switch (type) {
    case PG_BOOL:
        return "bool";
    case PG_BYTEA:
        return "bytea";
    case PG_INT8:
        return "int8";
    case PG_INT2:
        return "int2";
    case PG_INT4:
        return "int4";
    case PG_TEXT:
        return "text";
    case PG_NUMERIC:
        return "numeric";
    }
    return "";
}

void pg_params_init(struct pg_params *p, struct arena *a)
{
    p->arena = a;
    p->count = 0;
}

static void add(struct pg_params *p, const void *value, size_t size, int format)
{
    assert(p->count < PG_PARAMS_MAX);
    p->values[p->count] = value;
    p->lengths[p->count] = (int)size;
    p->formats[p->count] = format;
    p->count++;
}

void pg_param_null(struct pg_params *p)
{
    add(p, NULL, 0, 1);
}

void pg_param_bytes(struct pg_params *p, struct bytes b)
{
    /* A null pointer would be a null value. */
    add(p, b.size > 0 ? (const void *)b.data : "", b.size, 1);
}

void pg_param_int64(struct pg_params *p, int64_t n)
{
    uint8_t *to = arena_alloc(p->arena, 8);

    put64(to, (uint64_t)n);
    add(p, to, 8, 1);
}

void pg_param_int32(struct pg_params *p, int32_t n)
{
    uint8_t *to = arena_alloc(p->arena, 4);

    put32(to, (uint32_t)n);
    add(p, to, 4, 1);
}

void pg_param_int16(struct pg_params *p, int16_t n)
{
    uint8_t *to = arena_alloc(p->arena, 2);

    put16(to, (uint16_t)n);
    add(p, to, 2, 1);
}

void pg_param_text(struct pg_params *p, const char *text)
{
    add(p, text, 0, 0);
}

void pg_array_begin(struct pg_array *array, struct arena *a, enum pg_type element_type)
{
    uint8_t *header;

    array->count = 0;
    array->has_null = false;
    buffer_init(&array->buffer, a, 1024);
    header = buffer_extend(&array->buffer, ARRAY_HEADER);
    memset(header, 0, ARRAY_HEADER);
    put32(header, 1);
    put32(header + 8, element_type);
    put32(header + 16, 1);
}

/* Room for an element of this size, its length written. */
static uint8_t *element(struct pg_array *array, size_t size)
{
    uint8_t *to = buffer_extend(&array->buffer, 4 + size);

    put32(to, (uint32_t)size);
    array->count++;
    return to + 4;
}

void pg_array_null(struct pg_array *array)
{
    put32(buffer_extend(&array->buffer, 4), UINT32_MAX);
    array->count++;
    array->has_null = true;
}

void pg_array_bytes(struct pg_array *array, struct bytes b)
{
    uint8_t *to = element(array, b.size);

    if (b.size > 0)
        memcpy(to, b.data, b.size);
}

void pg_array_bool(struct pg_array *array, bool v)
{
    *element(array, 1) = v;
}

void pg_array_int64(struct pg_array *array, int64_t n)
{
    put64(element(array, 8), (uint64_t)n);
}

void pg_array_int32(struct pg_array *array, int32_t n)
{
    put32(element(array, 4), (uint32_t)n);
}

void pg_array_int16(struct pg_array *array, int16_t n)
{
    put16(element(array, 2), (uint16_t)n);
}

void pg_array_numeric(struct pg_array *array, struct bytes decimal)
{
    bool negative = decimal.size > 0 && decimal.data[0] == '-';
    const uint8_t *digits = decimal.data + negative;
    size_t count = decimal.size - negative;
    size_t groups = (count + NUMERIC_GROUP - 1) / NUMERIC_GROUP;
    size_t kept = groups, at = 0;
    uint8_t *to;

    if (count == 1 && digits[0] == '0')
        kept = groups = 0;
    to = element(array, NUMERIC_HEADER + 2 * groups);
    for (size_t g = 0; g < groups; g++) {
        size_t end = count - (groups - 1 - g) * NUMERIC_GROUP;
        uint16_t value = 0;

        for (; at < end; at++)
            value = (uint16_t)(value * 10 + (digits[at] - '0'));
        put16(to + NUMERIC_HEADER + 2 * g, value);
    }
    /* Zero groups at the end are left out, as the server itself does. */
    while (kept > 0 && get16(to + NUMERIC_HEADER + 2 * (kept - 1)) == 0)
        kept--;
    array->buffer.size -= 2 * (groups - kept);
    put32(to - 4, (uint32_t)(NUMERIC_HEADER + 2 * kept));
    put16(to, (uint16_t)kept);
    put16(to + 2, (uint16_t)(groups > 0 ? groups - 1 : 0));
    put16(to + 4, negative ? NUMERIC_NEGATIVE : 0);
    put16(to + 6, 0);
}

void pg_param_array(struct pg_params *p, struct pg_array *array)
{
    uint8_t *header = array->buffer.data;

    put32(header + 4, array->has_null);
    put32(header + 12, (uint32_t)array->count);
    add(p, array->buffer.data, array->buffer.size, 1);
}

bool pg_is_null(const PGresult *r, int row, int column)
{
    return PQgetisnull(r, row, column) != 0;
}

struct bytes pg_get_bytes(const PGresult *r, int row, int column)
{
    return bytes_make(PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column));
}

int64_t pg_get_int64(const PGresult *r, int row, int column)
{
    assert(PQgetlength(r, row, column) == 8);
    return (int64_t)get64((const uint8_t *)PQgetvalue(r, row, column));
}

int32_t pg_get_int32(const PGresult *r, int row, int column)
{
    assert(PQgetlength(r, row, column) == 4);
    return (int32_t)get32((const uint8_t *)PQgetvalue(r, row, column));
}

int16_t pg_get_int16(const PGresult *r, int row, int column)
{
    assert(PQgetlength(r, row, column) == 2);
    return (int16_t)get16((const uint8_t *)PQgetvalue(r, row, column));
}

bool pg_get_bool(const PGresult *r, int row, int column)
{
    assert(PQgetlength(r, row, column) == 1);
    return PQgetvalue(r, row, column)[0] != 0;
}

enum tm_err pg_get_hash(const PGresult *r, int row, int column, struct hash32 *out,
                        struct tm_error *e)
{
    struct bytes b = pg_get_bytes(r, row, column);

    if (b.size != sizeof out->b)
        return tm_fail(e, TM_ERR_MISMATCH, "column %s holds %zu bytes, not a digest",
                       PQfname(r, column), b.size);
    memcpy(out->b, b.data, sizeof out->b);
    return TM_OK;
}

enum tm_err pg_get_numeric(struct arena *a, const PGresult *r, int row, int column,
                           struct bytes *out, struct tm_error *e)
{
    struct bytes b = pg_get_bytes(r, row, column);
    size_t count = b.size >= NUMERIC_HEADER ? get16(b.data) : 0;
    int weight = b.size >= NUMERIC_HEADER ? (int16_t)get16(b.data + 2) : 0;
    uint16_t sign = b.size >= NUMERIC_HEADER ? get16(b.data + 4) : UINT16_MAX;
    char *text, *to;

    if (b.size != NUMERIC_HEADER + 2 * count || (sign != 0 && sign != NUMERIC_NEGATIVE) ||
        weight < 0 || count > (size_t)weight + 1)
        return tm_fail(e, TM_ERR_MISMATCH, "column %s holds a number that is no whole amount",
                       PQfname(r, column));
    if (count == 0) {
        *out = bytes_of("0");
        return TM_OK;
    }
    to = text = arena_alloc(a, 2 + NUMERIC_GROUP * ((size_t)weight + 1));
    if (sign == NUMERIC_NEGATIVE)
        *to++ = '-';
    for (int g = 0; g <= weight; g++) {
        unsigned value = (size_t)g < count ? get16(b.data + NUMERIC_HEADER + 2 * g) : 0;

        if (g == 0 && value < 10) {
            *to++ = (char)('0' + value);
            continue;
        }
        if (g > 0 || value >= 1000)
            *to++ = (char)('0' + value / 1000 % 10);
        if (g > 0 || value >= 100)
            *to++ = (char)('0' + value / 100 % 10);
        *to++ = (char)('0' + value / 10 % 10);
        *to++ = (char)('0' + value % 10);
    }
    *out = bytes_make(text, (size_t)(to - text));
    return TM_OK;
}

enum tm_err pg_get_bytes_array(struct arena *a, const PGresult *r, int row, int column,
                               struct bytes **out, size_t *count, struct tm_error *e)
{
    struct bytes b = pg_get_bytes(r, row, column);
    size_t at = ARRAY_HEADER;

    *count = 0;
    *out = NULL;
    if (b.size >= 12 && get32(b.data) == 0)
        return TM_OK;
    if (b.size < ARRAY_HEADER || get32(b.data) != 1 || get32(b.data + 12) > b.size)
        return tm_fail(e, TM_ERR_MISMATCH, "column %s holds no list", PQfname(r, column));

    size_t n = get32(b.data + 12);
    struct bytes *list = arena_array(a, struct bytes, n);

    for (size_t i = 0; i < n; i++) {
        uint32_t size = b.size - at >= 4 ? get32(b.data + at) : UINT32_MAX;

        if (size > b.size - at - 4)
            return tm_fail(e, TM_ERR_MISMATCH, "column %s holds a list with a null",
                           PQfname(r, column));
        list[i] = arena_copy(a, bytes_make(b.data + at + 4, size));
        at += 4 + size;
    }
    *out = list;
    *count = n;
    return TM_OK;
}
