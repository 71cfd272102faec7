/* Whatever decodes encodes to a block that is canonical and the same. */
#include "block.h"

#include <stdlib.h>

#include "../../tests/fuzz/driver.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes raw = bytes_make(data, size), encoded;
    struct block b, again;
    bool canonical, again_canonical;
    struct hash32 x, y;
    struct tm_error e = {TM_OK, 0, ""};
    struct arena a;

    arena_init(&a);
    if (block_decode(&a, raw, &b, &canonical, &e) == TM_OK) {
        encoded = block_encode(&a, &b);
        require(canonical == bytes_equal(encoded, raw));
        require(block_decode(&a, encoded, &again, &again_canonical, NULL) == TM_OK);
        require(again_canonical);
        require(bytes_equal(block_encode(&a, &again), encoded));
        require(again.transaction_count == b.transaction_count);
        x = header_hash(&b.header);
        y = header_hash(&again.header);
        require(hash32_equal(&x, &y));
        x = transactions_hash(b.transactions, b.transaction_count);
        y = transactions_hash(again.transactions, again.transaction_count);
        require(hash32_equal(&x, &y));
    } else {
        require(e.err == TM_ERR_MALFORMED || e.err == TM_ERR_LIMIT);
        require(e.text[0] != '\0');
    }
    arena_free(&a);
    return 0;
}

size_t fuzz_seeds(const struct fuzz_seed **out)
{
    static const uint8_t merged[] = {0x12, 0x01, 'a',  0x0a, 0x02, 0x08, 0x01,
                                     0x0a, 0x03, 0x12, 0x01, 'x',  0x28, 0x01};
    static struct fuzz_seed seeds[3];
    static struct arena a;
    static const uint8_t twenty[20];
    struct bytes transactions[] = {bytes_of("one"), bytes_of("two")}, raw;
    struct block b = {0};

    if (seeds[0].data == NULL) {
        arena_init(&a);
        raw = block_encode(&a, &b);
        seeds[0] = (struct fuzz_seed){raw.data, raw.size};
        b.header = (struct block_header){
            .height = 300,
            .network_id = bytes_of("localnet"),
            .has_state_hash = true,
            .has_previous = true,
            .proposer = bytes_make(twenty, 20),
            .certificate = bytes_of("certificate"),
            .has_timestamp = true,
            .seconds = 1700000000,
            .nanos = 1000,
            .has_tree_roots = true,
            .has_validator_set = true,
            .has_next_validator_set = true,
            .has_transactions_hash = true,
        };
        b.transactions = transactions;
        b.transaction_count = 2;
        raw = block_encode(&a, &b);
        seeds[1] = (struct fuzz_seed){raw.data, raw.size};
        seeds[2] = (struct fuzz_seed){merged, sizeof merged};
    }
    *out = seeds;
    return sizeof seeds / sizeof seeds[0];
}
