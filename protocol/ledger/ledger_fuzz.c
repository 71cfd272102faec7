/*
 * Blocks of messages made from the input, under both rule sets: no crash, and under `standard`
 * accounts + pools are conserved and never negative.
 */
#include "test_random.h"

#include "tests/fuzz/driver.h"

enum { BLOCKS_MAX = 24, TRANSACTIONS_MAX = 200 };

size_t fuzz_seeds(const struct fuzz_seed **out)
{
    /* Runs of one generator: long enough for a handful of blocks. */
    static uint8_t programs[8][600];
    static struct fuzz_seed seeds[8];
    uint64_t state = 0x2545f4914f6cdd1du;

    for (int i = 0; i < 8; i++) {
        for (size_t k = 0; k < sizeof programs[i]; k++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            programs[i][k] = (uint8_t)(state >> 56);
        }
        seeds[i] = (struct fuzz_seed){programs[i], sizeof programs[i]};
    }
    *out = seeds;
    return 8;
}

/* One block; false when the chain cannot go on. */
static bool run_block(struct test_chain *c, struct test_source *s, height_t h, int *transactions)
{
    bool standard = c->rules == &RULES_STANDARD;

    if (test_begin(c, h) != TM_OK) {
        if (standard || c->error.err != TM_ERR_RULE)
            abort();
        return false;
    }
    while (s->size > 0 && *transactions < TRANSACTIONS_MAX && test_next(s, 8) != 0) {
        struct transaction tx = test_random_transaction(c, s);
        enum tm_err err = test_apply(c, &tx);

        if (err != TM_OK && (err != TM_ERR_RULE || c->error.code == 0))
            abort();
        ++*transactions;
    }
    if (test_end(c) != TM_OK) {
        if (standard || c->error.err != TM_ERR_RULE)
            abort();
        return false;
    }
    return true;
}

static void run(struct test_source s, const struct rules *rules)
{
    struct test_chain c;
    struct amount before, after;
    bool negative;
    int transactions = 0;

    test_chain_init(&c, rules);
    test_populate(&c);
    before = test_supply(&c, &c.arena, &negative);
    for (height_t h = 1; s.size > 0 && h <= BLOCKS_MAX; h++)
        if (!run_block(&c, &s, h, &transactions))
            break;
    after = test_supply(&c, &c.arena, &negative);
    if (rules == &RULES_STANDARD && (negative || !bytes_equal(before.text, after.text)))
        abort();
    test_chain_free(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct test_source s = {.data = data, .size = size};

    run(s, &RULES_STANDARD);
    run(s, &RULES_REFERENCE);
    return 0;
}
