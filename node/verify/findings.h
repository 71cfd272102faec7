/* What a check found wrong, handed on sentence by sentence. */
#ifndef NODE_VERIFY_FINDINGS_H
#define NODE_VERIFY_FINDINGS_H

#include "protocol/state/record.h"

typedef void verify_report(void *ctx, const char *finding);

struct findings {
    verify_report *report;
    void *ctx;
    size_t count; /* of the current step */
};

/* Reports a finding of height h; at most VERIFY_FINDINGS_MAX are printed for one height. */
enum { VERIFY_FINDINGS_MAX = 20 };
void verify_find(struct findings *f, height_t h, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* After the last finding of height h: says how many were not printed. */
void verify_found(struct findings *f, height_t h);

#endif
