/* Whatever decodes encodes to a certificate that is canonical and the same; verifying never fails
 * in another way than by its verdict. */
#include "certificate.h"

#include <stdlib.h>

#include "../../tests/fuzz/driver.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Two members; no signature of theirs is ever made. */
static struct validator_set two_members(void)
{
    static const uint8_t low[20], high[20] = {1}, key[32] = {1};
    static struct validator members[] = {
        {{low, sizeof low}, {key, sizeof key}},
        {{high, sizeof high}, {key, sizeof key}},
    };

    return (struct validator_set){members, 2};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes raw = bytes_make(data, size), encoded;
    struct validator_set set = two_members();
    struct certificate c, again;
    bool canonical, again_canonical;
    struct tm_error e = {TM_OK, 0, ""};
    struct arena a;

    arena_init(&a);
    if (certificate_decode(&a, raw, &c, &canonical, &e) == TM_OK) {
        encoded = certificate_encode(&a, &c);
        require(canonical == bytes_equal(encoded, raw));
        require(certificate_decode(&a, encoded, &again, &again_canonical, NULL) == TM_OK);
        require(again_canonical);
        require(bytes_equal(again.block_raw, c.block_raw));
        require(again.signature_count == c.signature_count && again.height == c.height &&
                again.round == c.round && again.step == c.step);
        require(certificate_verify(&a, &c, &c.block, &set, &RULES_STANDARD, &e) != TM_OK);
        (void)certificate_verify(&a, &c, &c.block, &set, &RULES_REFERENCE, &e);
    } else {
        require(e.err == TM_ERR_MALFORMED || e.err == TM_ERR_LIMIT);
        require(e.text[0] != '\0');
    }
    arena_free(&a);
    return 0;
}

size_t fuzz_seeds(const struct fuzz_seed **out)
{
    static struct fuzz_seed seeds[2];
    static struct arena a;
    static const uint8_t zeros[64];
    struct partial_signature signatures[] = {
        {bytes_make(zeros, 20), bytes_make(zeros, 64)},
        {bytes_make(zeros, 20), bytes_make(zeros, 64)},
    };
    struct bytes transactions[] = {bytes_of("one")}, raw;
    struct certificate c = {.height = 5, .step = STEP_COMMIT, .signatures = signatures};

    if (seeds[0].data == NULL) {
        arena_init(&a);
        c.block.header.height = 5;
        raw = certificate_encode(&a, &c);
        seeds[0] = (struct fuzz_seed){raw.data, raw.size};
        c.round = 1000;
        c.block.header.has_state_hash = true;
        c.block.header.proposer = bytes_make(zeros, 20);
        c.block.transactions = transactions;
        c.block.transaction_count = 1;
        c.signature_count = 2;
        raw = certificate_encode(&a, &c);
        seeds[1] = (struct fuzz_seed){raw.data, raw.size};
    }
    *out = seeds;
    return sizeof seeds / sizeof seeds[0];
}
