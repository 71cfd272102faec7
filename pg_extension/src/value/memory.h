/* Memory of the server for protocol/ code. */
#ifndef PG_EXTENSION_MEMORY_H
#define PG_EXTENSION_MEMORY_H

#include "value/compat.h"

#include "protocol/base/arena.h"

/* An arena whose chunks belong to the context: gone with it, so an error leaves nothing behind. */
void memory_arena(struct arena *a, MemoryContext context);

/*
 * Room for one more element in a growing array of the context: returns the array, moved when it was
 * full. Raises naming `what` when it would hold more than the server can address.
 */
void *memory_grow(MemoryContext context, void *array, size_t count, size_t extra, size_t *capacity,
                  size_t element_size, const char *what);

#endif
