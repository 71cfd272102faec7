#include "bench_copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_chain.h"
#include "protocol/base/hex.h"

static void flush(struct bench_copy *s)
{
    if (s->size > 0 && PQputCopyData(s->conn, s->buffer, (int)s->size) != 1) {
        fprintf(stderr, "%s", PQerrorMessage(s->conn));
        exit(1);
    }
    s->size = 0;
}

void bench_copy_open(struct bench_copy *s, const char *what)
{
    char sql[300];
    PGresult *r;

    s->conn = bench_connect(NULL);
    s->size = 0;
    snprintf(sql, sizeof sql, "COPY ledger.%s FROM STDIN", what);
    r = PQexec(s->conn, sql);
    if (PQresultStatus(r) != PGRES_COPY_IN) {
        fprintf(stderr, "%s", PQerrorMessage(s->conn));
        exit(1);
    }
    PQclear(r);
}

void bench_copy_close(struct bench_copy *s)
{
    PGresult *r;

    flush(s);
    PQputCopyEnd(s->conn, NULL);
    r = PQgetResult(s->conn);
    if (PQresultStatus(r) != PGRES_COMMAND_OK) {
        fprintf(stderr, "%s", PQerrorMessage(s->conn));
        exit(1);
    }
    PQclear(r);
    PQfinish(s->conn);
}

char *bench_copy_line(struct bench_copy *s)
{
    if (s->size + BENCH_COPY_LINE_MAX > sizeof s->buffer)
        flush(s);
    return s->buffer + s->size;
}

char *bench_put_text(char *at, const char *text)
{
    while (*text != '\0')
        *at++ = *text++;
    return at;
}

char *bench_put_number(char *at, int64_t n)
{
    char digits[24], *p = digits + sizeof digits;
    uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;

    do
        *--p = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (n < 0)
        *--p = '-';
    memcpy(at, p, (size_t)(digits + sizeof digits - p));
    return at + (digits + sizeof digits - p);
}

char *bench_put_bytes(char *at, struct bytes b)
{
    at = bench_put_text(at, "\\\\x");
    hex_encode(b, at);
    return at + 2 * b.size;
}

void bench_copy_end_line(struct bench_copy *s, char *at)
{
    *at++ = '\n';
    s->size += (size_t)(at - (s->buffer + s->size));
}
