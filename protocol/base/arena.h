/*
 * Bump allocator: one per block and per request. What is allocated lives until the arena is reset
 * or freed; nothing is freed one by one.
 */
#ifndef PROTOCOL_BASE_ARENA_H
#define PROTOCOL_BASE_ARENA_H

#include "bytes.h"

struct arena_chunk;

/* Where chunks come from. `get` must not return NULL: a program aborts, a server raises. */
struct arena_source {
    void *(*get)(void *ctx, size_t size);
    void (*put)(void *ctx, void *chunk);
    void *ctx;
};

struct arena {
    struct arena_chunk *chunks;
    uint8_t *next, *end;
    size_t used; /* bytes handed out since the last reset */
    struct arena_source source;
};

/* An arena over malloc; running out of memory ends the process with a message. */
void arena_init(struct arena *a);

/* An arena over a source of the caller's (the extension passes palloc). */
void arena_init_from(struct arena *a, struct arena_source source);

/* Gives every chunk back; the arena can be used again. */
void arena_reset(struct arena *a);

/* arena_reset under the name callers expect at the end of life. */
void arena_free(struct arena *a);

/* Aligned for any type, uninitialised / zeroed; never NULL. n may be 0. */
void *arena_alloc(struct arena *a, size_t n);
void *arena_zalloc(struct arena *a, size_t n);

/* Copies of bytes and text that live as long as the arena. arena_text adds a NUL. */
struct bytes arena_copy(struct arena *a, struct bytes b);
char *arena_text(struct arena *a, struct bytes b);
char *arena_format(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define arena_new(a, type)          ((type *)arena_zalloc((a), sizeof(type)))
#define arena_array(a, type, count) ((type *)arena_zalloc((a), sizeof(type) * (count)))

/* A growing byte buffer in an arena; growing copies, the old run stays until the arena goes. */
struct buffer {
    struct arena *arena;
    uint8_t *data;
    size_t size, capacity;
};

void buffer_init(struct buffer *b, struct arena *a, size_t capacity);
void buffer_grow(struct buffer *b, size_t n); /* makes room for n more bytes */

/* Room for n more bytes, already counted in size; returns where they go. */
static inline uint8_t *buffer_extend(struct buffer *b, size_t n)
{
    if (n > b->capacity - b->size)
        buffer_grow(b, n);
    b->size += n;
    return b->data + b->size - n;
}

static inline void buffer_append(struct buffer *b, const void *data, size_t n)
{
    uint8_t *p = buffer_extend(b, n);

    if (n > 0)
        memcpy(p, data, n);
}

static inline struct bytes buffer_bytes(const struct buffer *b)
{
    return (struct bytes){b->data, b->size};
}

#endif
