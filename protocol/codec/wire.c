#include "wire.h"

/* Bytes taken, 0 when the integer does not end in time or exceeds 64 bits. */
static size_t read_varint(struct bytes b, uint64_t *out)
{
    size_t room = b.size < WIRE_VARINT_SIZE_MAX ? b.size : WIRE_VARINT_SIZE_MAX;
    uint64_t n = 0;

    for (size_t i = 0; i < room; i++) {
        n |= (uint64_t)(b.data[i] & 0x7f) << (7 * i);
        if (b.data[i] < 0x80) {
            *out = n;
            return i + 1 == WIRE_VARINT_SIZE_MAX && b.data[i] > 1 ? 0 : i + 1;
        }
    }
    return 0;
}

static bool is_shortest(struct bytes b, size_t size)
{
    return size == 1 || b.data[size - 1] != 0;
}

static struct bytes after(struct bytes b, size_t n)
{
    return bytes_make(b.data + n, b.size - n);
}

/* Size of the value that follows a tag, its length included; 0 when it is no value or not whole. A
 * group's is not known from its front. */
static size_t value_size(struct bytes b, unsigned type)
{
    uint64_t length;
    size_t size;

    switch (type) {
    case WIRE_VARINT:
        return read_varint(b, &length);
    case WIRE_LENGTH:
        size = read_varint(b, &length);
        return size == 0 || length > b.size - size ? 0 : size + length;
    case WIRE_FIXED64:
        return b.size < sizeof(uint64_t) ? 0 : sizeof(uint64_t);
    case WIRE_FIXED32:
        return b.size < sizeof(uint32_t) ? 0 : sizeof(uint32_t);
    }
    return 0;
}

/* Size of what follows a group's first tag, its last tag included; 0 when it does not end. */
static size_t group_size(struct bytes b, uint32_t number)
{
    uint32_t open[WIRE_GROUP_DEPTH_MAX];
    struct bytes rest = b;
    size_t depth = 0;

    open[depth++] = number;
    while (depth > 0) {
        uint64_t tag;
        size_t size = read_varint(rest, &tag);

        if (size == 0 || tag >> 3 == 0 || tag >> 3 > WIRE_GROUP_FIELD_MAX)
            return 0;
        rest = after(rest, size);
        if ((tag & 7) == WIRE_GROUP) {
            if (depth == WIRE_GROUP_DEPTH_MAX)
                return 0;
            open[depth++] = (uint32_t)(tag >> 3);
        } else if ((tag & 7) == WIRE_GROUP_END) {
            if (open[--depth] != tag >> 3)
                return 0;
        } else {
            size = value_size(rest, (unsigned)(tag & 7));
            if (size == 0)
                return 0;
            rest = after(rest, size);
        }
    }
    return b.size - rest.size;
}

enum tm_err wire_next(struct bytes *rest, struct wire_field *out, struct tm_error *e)
{
    uint64_t tag, integer = 0;
    size_t tag_size = read_varint(*rest, &tag), size = 0;
    struct bytes b;

    if (tag_size == 0)
        return tm_fail(e, TM_ERR_MALFORMED, "a tag does not end within %d bytes",
                       WIRE_VARINT_SIZE_MAX);
    if (tag >> 3 == 0 || tag >> 3 > WIRE_FIELD_MAX)
        return tm_fail(e, TM_ERR_MALFORMED, "%llu is no field number",
                       (unsigned long long)(tag >> 3));
    *out = (struct wire_field){.number = (uint32_t)(tag >> 3),
                               .type = (enum wire_type)(tag & 7),
                               .short_tag = is_shortest(*rest, tag_size),
                               .short_integer = true};
    b = after(*rest, tag_size);
    switch (out->type) {
    case WIRE_VARINT:
    case WIRE_LENGTH:
        size = read_varint(b, &integer);
        if (size == 0)
            return tm_fail(e, TM_ERR_MALFORMED, "field %u: an integer does not end within %d bytes",
                           out->number, WIRE_VARINT_SIZE_MAX);
        out->short_integer = is_shortest(b, size);
        out->integer = integer;
        if (out->type == WIRE_VARINT)
            break;
        if (integer > b.size - size)
            return tm_fail(e, TM_ERR_MALFORMED, "field %u: length %llu with %zu bytes left",
                           out->number, (unsigned long long)integer, b.size - size);
        out->content = bytes_make(b.data + size, integer);
        size += integer;
        break;
    case WIRE_FIXED64:
        size = sizeof(uint64_t);
        break;
    case WIRE_FIXED32:
        size = sizeof(uint32_t);
        break;
    case WIRE_GROUP:
        size = group_size(b, out->number);
        if (size == 0)
            return tm_fail(e, TM_ERR_MALFORMED, "field %u: the group is not well-formed",
                           out->number);
        break;
    case WIRE_GROUP_END:
        return tm_fail(e, TM_ERR_MALFORMED, "field %u: the end of a group that is not open",
                       out->number);
    }
    if (size == 0)
        return tm_fail(e, TM_ERR_MALFORMED, "field %u: unknown wire type %d", out->number,
                       (int)out->type);
    if (size > b.size)
        return tm_fail(e, TM_ERR_MALFORMED, "field %u: %zu bytes expected, %zu left", out->number,
                       size, b.size);
    out->value = bytes_make(b.data, size);
    *rest = after(b, size);
    return TM_OK;
}

/* Length of the character at the front of b, 0 if it is none (Unicode 15, table 3-7). */
static size_t character_size(struct bytes b)
{
    uint8_t lead = b.data[0], low = 0x80, high = 0xbf;
    size_t size;

    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        size = 2;
    else if (lead >= 0xe0 && lead <= 0xef)
        size = 3;
    else if (lead >= 0xf0 && lead <= 0xf4)
        size = 4;
    else
        return 0;
    if (b.size < size)
        return 0;
    if (lead == 0xe0)
        low = 0xa0;
    else if (lead == 0xed)
        high = 0x9f;
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f;
    if (b.data[1] < low || b.data[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((b.data[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

bool wire_is_text(struct bytes b)
{
    while (b.size > 0) {
        size_t size = character_size(b);

        if (size == 0)
            return false;
        b = after(b, size);
    }
    return true;
}
