/* Prints `name<TAB>value<TAB>unit`: 65-byte messages per second on one core, medians. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "sha256.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MESSAGES = 8192, ROUNDS = 41 };

static struct hash32 input[2 * MESSAGES], output[MESSAGES];
static uint8_t messages[MESSAGES][SHA256_NODE_SIZE]; /* the same nodes, put together */
static const struct hash32 *left[MESSAGES], *right[MESSAGES];
static struct hash32 *out[MESSAGES];

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void report(const char *name, void (*run)(int), int arg)
{
    double seconds[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        double start = now();

        run(arg);
        seconds[i] = now() - start;
    }
    qsort(seconds, ROUNDS, sizeof seconds[0], by_value);
    printf("%s\t%.2f\tM/s\n", name, MESSAGES / seconds[ROUNDS / 2] / 1e6);
}

static void nodes(int kernel)
{
    sha256_nodes_with((enum sha256_kernel)kernel, 1, left, right, out, MESSAGES);
}

static void nodes_one_by_one(int kernel)
{
    for (size_t i = 0; i < MESSAGES; i++)
        sha256_nodes_with((enum sha256_kernel)kernel, 1, left + i, right + i, out + i, 1);
}

static void one_shot(int arg)
{
    (void)arg;
    for (size_t i = 0; i < MESSAGES; i++)
        output[i] = sha256(bytes_make(messages[i], SHA256_NODE_SIZE));
}

static void openssl_low_level(int arg)
{
    (void)arg;
    for (size_t i = 0; i < MESSAGES; i++) {
        SHA256_CTX c;

        SHA256_Init(&c);
        SHA256_Update(&c, messages[i], SHA256_NODE_SIZE);
        SHA256_Final(output[i].b, &c);
    }
}

static void openssl_one_shot(int arg)
{
    (void)arg;
    for (size_t i = 0; i < MESSAGES; i++)
        SHA256(messages[i], SHA256_NODE_SIZE, output[i].b);
}

int main(void)
{
    uint64_t x = 1;

    for (size_t i = 0; i < sizeof input; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)input)[i] = (uint8_t)(x >> 56);
    }
    for (size_t i = 0; i < MESSAGES; i++) {
        left[i] = &input[2 * i];
        right[i] = &input[2 * i + 1];
        out[i] = &output[i];
        messages[i][0] = 1;
        memcpy(messages[i] + 1, &input[2 * i], 64);
    }
    for (int k = 0; k < SHA256_KERNELS; k++) {
        char name[64];

        if (!sha256_kernel_available((enum sha256_kernel)k))
            continue;
        snprintf(name, sizeof name, "sha256_nodes %s", sha256_kernel_name((enum sha256_kernel)k));
        report(name, nodes, k);
        snprintf(name, sizeof name, "sha256_nodes %s, one at a time",
                 sha256_kernel_name((enum sha256_kernel)k));
        report(name, nodes_one_by_one, k);
    }
    report("sha256 65 bytes", one_shot, 0);
    report("openssl SHA256_Init/Update/Final 65 bytes", openssl_low_level, 0);
    report("openssl SHA256 65 bytes", openssl_one_shot, 0);
    return 0;
}
