/* The few value types that cross every module border. */
#ifndef PROTOCOL_BASE_BYTES_H
#define PROTOCOL_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed run of bytes (or of text, without terminator). Empty: size 0, data may be NULL. */
struct bytes {
    const uint8_t *data;
    size_t size;
};

/* A SHA-256 or SHA3-256 digest; the all-zero value is the empty subtree (state.md 2.1). */
struct hash32 {
    uint8_t b[32];
};

/* First 20 bytes of SHA-256 of an Ed25519 public key (state.md, notation). */
struct address {
    uint8_t b[20];
};

/* Block heights; -1 stands for "none" where the protocol says so (pause, unstaking). */
typedef int64_t height_t;

#define HEIGHT_NONE ((height_t)-1)

/* Wraps a string literal or a NUL-terminated string that outlives the result. */
static inline struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static inline struct bytes bytes_make(const void *data, size_t size)
{
    return (struct bytes){(const uint8_t *)data, size};
}

static inline struct bytes bytes_hash(const struct hash32 *h)
{
    return (struct bytes){h->b, sizeof h->b};
}

static inline struct bytes bytes_address(const struct address *a)
{
    return (struct bytes){a->b, sizeof a->b};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Byte order, a prefix before its extensions: <0, 0, >0. */
static inline int bytes_compare(struct bytes a, struct bytes b)
{
    size_t n = a.size < b.size ? a.size : b.size;
    int c = n == 0 ? 0 : memcmp(a.data, b.data, n);
    return c != 0 ? c : (a.size > b.size) - (a.size < b.size);
}

static inline bool hash32_equal(const struct hash32 *a, const struct hash32 *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

#endif
