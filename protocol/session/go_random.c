#include "go_random.h"
#include "go_random_table.h"

enum {
    LENGTH = 607,
    LAG = 273,
    WARM_UP = 20,             /* steps of the seeding recurrence that are thrown away */
    MULTIPLIER = 48271,       /* minimal standard generator, modulo 2^31 - 1 */
    MULTIPLIER_2 = 182605794, /* two and three steps at once, so that they need not wait */
    MULTIPLIER_3 = 1291394886,
    MODULUS = 2147483647,
    MODULUS_BITS = 31,
    SEED_FOR_ZERO = 89482311 /* zero is the fixed point of the seeding recurrence */
};

/* x * y modulo 2^31 - 1 for factors below it: 2^31 is 1 there, so high bits are added to low ones.
 */
static uint64_t times(uint64_t x, uint64_t y)
{
    uint64_t product = x * y;
    uint64_t folded = (product & MODULUS) + (product >> MODULUS_BITS);

    return folded >= MODULUS ? folded - MODULUS : folded;
}

void go_random_seed(struct go_random *g, int64_t seed)
{
    uint64_t x;

    seed %= MODULUS;
    if (seed < 0)
        seed += MODULUS;
    if (seed == 0)
        seed = SEED_FOR_ZERO;
    x = (uint64_t)seed;
    for (int i = 0; i < WARM_UP; i++)
        x = times(x, MULTIPLIER);
    for (int i = 0; i < LENGTH; i++) {
        uint64_t a = times(x, MULTIPLIER), b = times(x, MULTIPLIER_2), c = times(x, MULTIPLIER_3);

        x = c;
        g->vec[i] = (a << 40) ^ (b << 20) ^ c ^ GO_RANDOM_TABLE[i];
    }
    g->tap = 0;
    g->feed = LENGTH - LAG;
}

int64_t go_random_int63(struct go_random *g)
{
    g->tap = g->tap > 0 ? g->tap - 1 : LENGTH - 1;
    g->feed = g->feed > 0 ? g->feed - 1 : LENGTH - 1;
    g->vec[g->feed] += g->vec[g->tap];
    return (int64_t)(g->vec[g->feed] & INT64_MAX);
}
