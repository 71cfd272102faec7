/*
 * Runs a fuzz target (LLVMFuzzerTestOneInput) over mutations of its seeds, a bounded number of
 * times, repeatable from a seed: gcc has no libFuzzer. With clang, link -fsanitize=fuzzer instead.
 *
 * usage: fuzzer [-n RUNS] [-t SECONDS] [-s SEED] [FILE …]; without files the target's own seeds are
 * used; -t ends a slow target earlier.
 */
#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INPUT_MAX = 1 << 16 };

static uint64_t state;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static size_t mutate(uint8_t *data, size_t size)
{
    int rounds = 1 + (int)(next() % 4);

    for (int i = 0; i < rounds; i++) {
        size_t at = size ? next() % size : 0;

        switch (next() % 7) {
        case 0:
            if (size)
                data[at] ^= (uint8_t)(1u << next() % 8);
            break;
        case 1:
            if (size)
                data[at] = (uint8_t)next();
            break;
        case 2:
            size = at;
            break;
        case 3: /* insert */
            if (size < INPUT_MAX) {
                memmove(data + at + 1, data + at, size - at);
                data[at] = (uint8_t)next();
                size++;
            }
            break;
        case 4: /* remove */
            if (size) {
                memmove(data + at, data + at + 1, size - at - 1);
                size--;
            }
            break;
        case 5: /* repeat a run */
            if (size) {
                size_t n = 1 + next() % (size - at);

                if (size + n <= INPUT_MAX) {
                    memmove(data + at + n, data + at, size - at);
                    size += n;
                }
            }
            break;
        case 6: /* an extreme varint */
            for (size_t k = at; k < size && k < at + 10; k++)
                data[k] = 0xff;
            break;
        }
    }
    return size;
}

int main(int argc, char **argv)
{
    static uint8_t input[INPUT_MAX + 1];
    static uint8_t file[INPUT_MAX];
    unsigned long runs = 20000, done = 0;
    time_t end = 0;
    int files = 0;
    const struct fuzz_seed *seeds;
    size_t seed_count = fuzz_seeds(&seeds);

    state = 0x9e3779b97f4a7c15ull;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-n") == 0 && i + 1 < argc) {
            runs = strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "-t") == 0 && i + 1 < argc) {
            end = time(NULL) + (time_t)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "-s") == 0 && i + 1 < argc) {
            state ^= strtoull(argv[++i], NULL, 10) * 0xbf58476d1ce4e5b9ull;
        } else {
            FILE *f = fopen(argv[i], "rb");
            size_t n;

            if (f == NULL) {
                perror(argv[i]);
                return 2;
            }
            n = fread(file, 1, sizeof file, f);
            fclose(f);
            LLVMFuzzerTestOneInput(file, n);
            files++;
        }
    }
    if (files > 0)
        return 0;
    for (size_t i = 0; i < seed_count; i++)
        LLVMFuzzerTestOneInput(seeds[i].data, seeds[i].size);
    for (; done < runs && (end == 0 || time(NULL) < end); done++) {
        size_t size = 0;

        if (seed_count > 0 && next() % 16 != 0) {
            const struct fuzz_seed *s = &seeds[next() % seed_count];

            size = s->size < INPUT_MAX ? s->size : INPUT_MAX;
            memcpy(input, s->data, size);
        } else {
            size = next() % 256;
            for (size_t i = 0; i < size; i++)
                input[i] = (uint8_t)next();
        }
        size = mutate(input, size);
        LLVMFuzzerTestOneInput(input, size);
    }
    printf("%lu inputs\n", done);
    return 0;
}
