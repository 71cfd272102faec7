#include "seal.h"

#include "../sha256/sha256.h"

enum { NUMBER_SIZE = 4 };

void seal_number(struct buffer *out, size_t n)
{
    uint8_t b[NUMBER_SIZE] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16),
                              (uint8_t)(n >> 24)};

    buffer_append(out, b, sizeof b);
}

void seal_part(struct buffer *out, struct bytes part)
{
    seal_number(out, part.size);
    buffer_append(out, part.data, part.size);
}

void seal_close(struct buffer *out)
{
    struct hash32 sum = sha256(buffer_bytes(out));

    buffer_append(out, sum.b, SEAL_SIZE);
}

bool seal_open(struct bytes *raw)
{
    struct hash32 sum;

    if (raw->size < SEAL_SIZE)
        return false;
    raw->size -= SEAL_SIZE;
    sum = sha256(*raw);
    return memcmp(sum.b, raw->data + raw->size, SEAL_SIZE) == 0;
}

bool seal_take(struct bytes *rest, size_t size, struct bytes *out)
{
    if (size > rest->size)
        return false;
    *out = bytes_make(rest->data, size);
    *rest = bytes_make(rest->data + size, rest->size - size);
    return true;
}

bool seal_take_number(struct bytes *rest, size_t *out)
{
    struct bytes b;

    if (!seal_take(rest, NUMBER_SIZE, &b))
        return false;
    *out = (size_t)b.data[0] | (size_t)b.data[1] << 8 | (size_t)b.data[2] << 16 |
           (size_t)b.data[3] << 24;
    return true;
}

bool seal_take_part(struct bytes *rest, size_t max, struct bytes *out)
{
    size_t size;

    return seal_take_number(rest, &size) && size <= max && seal_take(rest, size, out);
}
