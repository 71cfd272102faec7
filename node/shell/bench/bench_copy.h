/* COPY of text lines into a table of schema `ledger`, for benchmarks; errors end the process. */
#ifndef NODE_SHELL_BENCH_BENCH_COPY_H
#define NODE_SHELL_BENCH_BENCH_COPY_H

#include <libpq-fe.h>

#include "protocol/base/bytes.h"

enum { BENCH_COPY_BYTES = 1 << 16, BENCH_COPY_LINE_MAX = 2048 };

/* One COPY, on a connection of its own. */
struct bench_copy {
    PGconn *conn;
    size_t size;
    char buffer[BENCH_COPY_BYTES];
};

/* what: table and columns. */
void bench_copy_open(struct bench_copy *s, const char *what);
void bench_copy_close(struct bench_copy *s);

/* Room for one line; bench_copy_end_line ends it where its text ends. */
char *bench_copy_line(struct bench_copy *s);
void bench_copy_end_line(struct bench_copy *s, char *at);

/* Write at a place and return the next one; of a bytea COPY takes one of two backslashes away. */
char *bench_put_text(char *at, const char *text);
char *bench_put_number(char *at, int64_t n);
char *bench_put_bytes(char *at, struct bytes b);

#endif
