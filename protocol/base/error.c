#include "error.h"

#include <stdarg.h>
#include <stdio.h>

static void set(struct tm_error *e, enum tm_err err, int code, const char *format, va_list args)
{
    if (e == NULL)
        return;
    e->err = err;
    e->code = code;
    vsnprintf(e->text, sizeof e->text, format, args);
}

enum tm_err tm_fail(struct tm_error *e, enum tm_err err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set(e, err, 0, format, args);
    va_end(args);
    return err;
}

enum tm_err tm_refuse(struct tm_error *e, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set(e, TM_ERR_RULE, code, format, args);
    va_end(args);
    return TM_ERR_RULE;
}

const char *tm_err_name(enum tm_err err)
{
    switch (err) {
    case TM_OK:
        return "ok";
    case TM_ERR_MALFORMED:
        return "malformed";
    case TM_ERR_LIMIT:
        return "limit";
    case TM_ERR_NOT_CANONICAL:
        return "not canonical";
    case TM_ERR_RULE:
        return "refused";
    case TM_ERR_MISMATCH:
        return "mismatch";
    case TM_ERR_NOT_FOUND:
        return "not found";
    case TM_ERR_EXISTS:
        return "exists";
    case TM_ERR_AGAIN:
        return "again";
    case TM_ERR_IO:
        return "io";
    case TM_ERR_CONFIG:
        return "configuration";
    case TM_ERR_USAGE:
        return "usage";
    }
    return "unknown";
}
