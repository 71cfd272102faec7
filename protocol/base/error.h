/* Expected failures are values: a kind for the program, a sentence for the person. */
#ifndef PROTOCOL_BASE_ERROR_H
#define PROTOCOL_BASE_ERROR_H

enum tm_err {
    TM_OK = 0,
    TM_ERR_MALFORMED,     /* bytes that do not decode, or decode to something impossible */
    TM_ERR_LIMIT,         /* longer, deeper or more than the named limit allows */
    TM_ERR_NOT_CANONICAL, /* decodes, but is not its own re-encoding */
    TM_ERR_RULE, /* refused by a protocol rule; tm_error.code is the spec's code (utility.md 9) */
    TM_ERR_MISMATCH,  /* two values that must agree do not (hash, root, signature, link) */
    TM_ERR_NOT_FOUND, /* no such thing in the state or store asked */
    TM_ERR_EXISTS,    /* already there */
    TM_ERR_AGAIN,     /* nothing taken; come back after the named event */
    TM_ERR_IO,        /* the outside world failed: file, database, network */
    TM_ERR_CONFIG,    /* a setting, file or database that cannot be used as it is */
    TM_ERR_USAGE      /* the caller's arguments are off */
};

#define TM_ERROR_TEXT_MAX 512

/* Filled by the function that fails; the text is one sentence without a full stop. */
struct tm_error {
    enum tm_err err;
    int code; /* protocol code of utility.md 9 when err is TM_ERR_RULE, else 0 */
    char text[TM_ERROR_TEXT_MAX];
};

/* Sets *e (NULL is allowed) and returns err, so that a failing path is one line. */
enum tm_err tm_fail(struct tm_error *e, enum tm_err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with a protocol code; returns TM_ERR_RULE. */
enum tm_err tm_refuse(struct tm_error *e, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Short English name of the kind ("malformed", "limit", …). */
const char *tm_err_name(enum tm_err err);

#endif
