#include "value/memory.h"

#include "utils/memutils.h"

enum { GROW_FIRST = 64 }; /* elements of the first allocation */

static void *get_chunk(void *ctx, size_t size)
{
    return MemoryContextAllocHuge(ctx, size);
}

static void put_chunk(void *ctx, void *chunk)
{
    (void)ctx;
    pfree(chunk);
}

void memory_arena(struct arena *a, MemoryContext context)
{
    arena_init_from(a, (struct arena_source){get_chunk, put_chunk, context});
}

void *memory_grow(MemoryContext context, void *array, size_t count, size_t extra, size_t *capacity,
                  size_t element_size, const char *what)
{
    size_t wanted = *capacity == 0 ? GROW_FIRST : *capacity;

    if (extra <= *capacity && count <= *capacity - extra)
        return array;
    while (wanted - count < extra && wanted <= MaxAllocHugeSize / 2)
        wanted *= 2;
    if (wanted - count < extra || wanted > MaxAllocHugeSize / element_size)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many %s", what)));
    if (array == NULL)
        array = MemoryContextAllocHuge(context, wanted * element_size);
    else
        array = repalloc_huge(array, wanted * element_size);
    *capacity = wanted;
    return array;
}
