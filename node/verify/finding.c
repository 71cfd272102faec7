#include "verifier.h"

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

void verify_find(struct verifier *v, height_t h, const char *format, ...)
{
    char text[1024];
    int n;
    va_list args;

    if (v->findings++ >= VERIFY_FINDINGS_MAX)
        return;
    n = snprintf(text, sizeof text, "height %" PRId64 ": ", h);
    va_start(args, format);
    vsnprintf(text + n, sizeof text - (size_t)n, format, args);
    va_end(args);
    v->report(v->report_ctx, text);
}
