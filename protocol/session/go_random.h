/* Go's math/rand source: additive lagged Fibonacci, lags 607 and 273 (state.md 7). */
#ifndef PROTOCOL_SESSION_GO_RANDOM_H
#define PROTOCOL_SESSION_GO_RANDOM_H

#include <stdint.h>

struct go_random {
    uint64_t vec[607];
    int tap, feed;
};

void go_random_seed(struct go_random *g, int64_t seed);
/* Non-negative, 63 bits. */
int64_t go_random_int63(struct go_random *g);

#endif
