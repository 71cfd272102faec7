#include "findings.h"

#include "verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

int lifetime_class(height_t heights)
{
    int class = 0;

    for (height_t n = heights; n >= 8 && class < 5; n /= 8)
        class ++;
    return class;
}

void verify_find(struct findings *f, height_t h, const char *format, ...)
{
    char text[1024];
    int n;
    va_list args;

    if (f->count++ >= VERIFY_FINDINGS_MAX)
        return;
    n = snprintf(text, sizeof text, "height %" PRId64 ": ", h);
    va_start(args, format);
    vsnprintf(text + n, sizeof text - (size_t)n, format, args);
    va_end(args);
    f->report(f->ctx, text);
}

void verify_found(struct findings *f, height_t h)
{
    char text[96];

    if (f->count <= VERIFY_FINDINGS_MAX)
        return;
    snprintf(text, sizeof text, "height %" PRId64 ": %zu further findings", h,
             f->count - VERIFY_FINDINGS_MAX);
    f->report(f->ctx, text);
}
