#include "play.h"

#include "../../tests/fuzz/driver.h"

enum { SEEDS = 16, SEED_SIZE = 400 };

size_t fuzz_seeds(const struct fuzz_seed **out)
{
    static uint8_t bytes[SEEDS][SEED_SIZE];
    static struct fuzz_seed seeds[SEEDS];
    uint64_t x = 88172645463325252u;

    for (size_t i = 0; i < SEEDS; i++) {
        for (size_t k = 0; k < SEED_SIZE; k++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            bytes[i][k] = (uint8_t)(x >> 32);
        }
        seeds[i] = (struct fuzz_seed){bytes[i], SEED_SIZE};
    }
    *out = seeds;
    return SEEDS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    play(data, size);
    return 0;
}
