/* What a fuzz target provides (one per decoder, beside it). */
#ifndef TESTS_FUZZ_DRIVER_H
#define TESTS_FUZZ_DRIVER_H

#include <stddef.h>
#include <stdint.h>

struct fuzz_seed {
    const uint8_t *data;
    size_t size;
};

/* Well-formed inputs to mutate; may be none. */
size_t fuzz_seeds(const struct fuzz_seed **out);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
