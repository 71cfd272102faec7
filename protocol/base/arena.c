#include "arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_CHUNK = 64 * 1024, ARENA_ALIGN = alignof(max_align_t) };

struct arena_chunk {
    struct arena_chunk *older;
    alignas(max_align_t) uint8_t data[];
};

static void *from_malloc(void *ctx, size_t size)
{
    void *p = malloc(size);

    (void)ctx;
    if (p == NULL) {
        fprintf(stderr, "out of memory: %zu bytes\n", size);
        abort();
    }
    return p;
}

static void to_malloc(void *ctx, void *chunk)
{
    (void)ctx;
    free(chunk);
}

void arena_init(struct arena *a)
{
    arena_init_from(a, (struct arena_source){from_malloc, to_malloc, NULL});
}

void arena_init_from(struct arena *a, struct arena_source source)
{
    *a = (struct arena){.source = source};
}

void arena_reset(struct arena *a)
{
    while (a->chunks != NULL) {
        struct arena_chunk *older = a->chunks->older;

        a->source.put(a->source.ctx, a->chunks);
        a->chunks = older;
    }
    a->next = a->end = NULL;
    a->used = 0;
}

void arena_free(struct arena *a)
{
    arena_reset(a);
}

void *arena_alloc(struct arena *a, size_t n)
{
    void *p;

    n = (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if (a->next == NULL || n > (size_t)(a->end - a->next)) {
        /* A large request gets a chunk of its own and leaves the current one in use. */
        size_t room = n > ARENA_CHUNK / 4 ? n : ARENA_CHUNK;
        struct arena_chunk *c = a->source.get(a->source.ctx, sizeof *c + room);

        c->older = a->chunks;
        a->chunks = c;
        if (room == n && a->next != a->end) {
            a->used += n;
            return c->data;
        }
        a->next = c->data;
        a->end = c->data + room;
    }
    p = a->next;
    a->next += n;
    a->used += n;
    return p;
}

void *arena_zalloc(struct arena *a, size_t n)
{
    void *p = arena_alloc(a, n);

    if (n > 0)
        memset(p, 0, n);
    return p;
}

struct bytes arena_copy(struct arena *a, struct bytes b)
{
    uint8_t *p = arena_alloc(a, b.size);

    if (b.size > 0)
        memcpy(p, b.data, b.size);
    return (struct bytes){p, b.size};
}

char *arena_text(struct arena *a, struct bytes b)
{
    char *p = arena_alloc(a, b.size + 1);

    if (b.size > 0)
        memcpy(p, b.data, b.size);
    p[b.size] = '\0';
    return p;
}

char *arena_format(struct arena *a, const char *format, ...)
{
    va_list args, again;
    int n;
    char *p;

    va_start(args, format);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    p = arena_alloc(a, (size_t)(n < 0 ? 0 : n) + 1);
    p[0] = '\0';
    if (n >= 0)
        vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    return p;
}

void buffer_init(struct buffer *b, struct arena *a, size_t capacity)
{
    *b = (struct buffer){a, arena_alloc(a, capacity), 0, capacity};
}

void buffer_grow(struct buffer *b, size_t n)
{
    size_t wanted = b->size + n;
    size_t capacity = b->capacity < 64 ? 64 : b->capacity;
    uint8_t *grown;

    while (capacity < wanted)
        capacity *= 2;
    grown = arena_alloc(b->arena, capacity);
    if (b->size > 0)
        memcpy(grown, b->data, b->size);
    b->data = grown;
    b->capacity = capacity;
}
