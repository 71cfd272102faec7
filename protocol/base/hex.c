#include "hex.h"

/* Eight digits at once: most of a leaf's bytes are hexadecimal. */
static uint64_t digits_of(uint32_t bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t x = bytes, letters;

    /* Four bytes, lowest first, become eight of four bits, the high half of each before the low. */
    x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
    x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x >> 4 | x << 8) & (0x0f * ones);
    letters = (x + 6 * ones) >> 4 & ones;
    return x + '0' * ones + letters * ('a' - '0' - 10);
}

void hex_encode(struct bytes in, char *out)
{
    static const char DIGITS[] = "0123456789abcdef";
    size_t i = 0;

    for (; i + 4 <= in.size; i += 4) {
        const uint8_t *b = in.data + i;
        uint64_t digits =
            digits_of(b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24);

        for (unsigned k = 0; k < 8; k++)
            out[2 * i + k] = (char)(digits >> 8 * k);
    }
    for (; i < in.size; i++) {
        out[2 * i] = DIGITS[in.data[i] >> 4];
        out[2 * i + 1] = DIGITS[in.data[i] & 15];
    }
}

char *hex_text(struct arena *a, struct bytes in)
{
    char *p = arena_alloc(a, 2 * in.size + 1);

    hex_encode(in, p);
    p[2 * in.size] = '\0';
    return p;
}

static int value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_decode(struct bytes text, uint8_t *out)
{
    if (text.size % 2 != 0)
        return false;
    for (size_t i = 0; i < text.size / 2; i++) {
        int high = value(text.data[2 * i]), low = value(text.data[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
