#include "wire_writer.h"

#include "../base/hex.h"

enum { WIRE_VARINT = 0, WIRE_LENGTH = 2, VARINT_MAX = 10 };

void wire_varint(struct buffer *out, uint64_t n)
{
    uint8_t run[VARINT_MAX];
    size_t size = 0;

    if (n < 0x80) {
        *buffer_extend(out, 1) = (uint8_t)n;
        return;
    }
    while (n >= 0x80) {
        run[size++] = (uint8_t)(n | 0x80);
        n >>= 7;
    }
    run[size++] = (uint8_t)n;
    buffer_append(out, run, size);
}

void wire_int64(struct buffer *out, unsigned field, int64_t n)
{
    if (n == 0)
        return;
    wire_varint(out, field << 3 | WIRE_VARINT);
    wire_varint(out, (uint64_t)n);
}

void wire_element(struct buffer *out, unsigned field, struct bytes text)
{
    wire_varint(out, field << 3 | WIRE_LENGTH);
    wire_varint(out, text.size);
    buffer_append(out, text.data, text.size);
}

void wire_text(struct buffer *out, unsigned field, struct bytes text)
{
    if (text.size > 0)
        wire_element(out, field, text);
}

void wire_hex(struct buffer *out, unsigned field, struct bytes raw)
{
    if (raw.size == 0)
        return;
    wire_varint(out, field << 3 | WIRE_LENGTH);
    wire_varint(out, 2 * raw.size);
    hex_encode(raw, (char *)buffer_extend(out, 2 * raw.size));
}
