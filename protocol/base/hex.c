#include "hex.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FOUR_AT_ONCE 1

/* Eight digits of four bytes at once, the first of each in the lowest bits: most of a leaf's bytes
 * are hexadecimal. */
static uint64_t digits_of(uint32_t bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t x = bytes, letters;

    x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
    x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x >> 4 | x << 8) & (0x0f * ones);
    letters = (x + 6 * ones) >> 4 & ones;
    return x + '0' * ones + letters * ('a' - '0' - 10);
}
#endif

void hex_encode(struct bytes in, char *out)
{
    static const char DIGITS[] = "0123456789abcdef";
    size_t i = 0;

#ifdef FOUR_AT_ONCE
    for (; i + 4 <= in.size; i += 4) {
        uint32_t bytes;
        uint64_t digits;

        memcpy(&bytes, in.data + i, sizeof bytes);
        digits = digits_of(bytes);
        memcpy(out + 2 * i, &digits, sizeof digits);
    }
#endif
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
