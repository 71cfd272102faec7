#include "hex.h"

static const char DIGITS[] = "0123456789abcdef";

void hex_encode(struct bytes in, char *out)
{
    for (size_t i = 0; i < in.size; i++) {
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
