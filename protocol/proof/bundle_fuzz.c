/* Bundles, lines of validator sets and lines of headers: whatever decodes keeps its meaning, and
 * nothing verifies under a set whose keys never signed. */
#include "follow.h"

#include <stdlib.h>

#include "../../tests/fuzz/driver.h"
#include "../base/hex.h"
#include "../certificate/certificate.h"
#include "../sha256/sha256.h"
#include "seal.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

static struct validator_set two_members(void)
{
    static const uint8_t low[20], high[20] = {1}, key[32] = {1};
    static struct validator members[] = {
        {{low, sizeof low}, {key, sizeof key}},
        {{high, sizeof high}, {key, sizeof key}},
    };

    return (struct validator_set){members, 2};
}

static void try_bundle(struct arena *a, struct bytes raw)
{
    struct validator_set set = two_members();
    struct tm_error e = {TM_OK, 0, ""};
    struct proof_bundle b;

    if (bundle_decode(a, raw, &b, &e) == TM_OK) {
        require(bytes_equal(bundle_encode(a, b.tree, &b.header, &b.proof), raw));
        require(bundle_verify(a, &b, &set, &e) != TM_OK);
    }
    require(e.err != TM_OK && e.text[0] != '\0');
}

static void try_lines(struct arena *a, struct bytes raw)
{
    struct validator_set trusted = two_members(), set;
    struct follow_line line;
    struct follow f;
    int64_t height;

    if (follow_read_set(a, raw, &set, &height, NULL) == TM_OK)
        require(set.count > 0 && set.count <= FOLLOW_MEMBERS_MAX);
    (void)follow_find_set(a, raw, 7, &set, NULL);
    if (follow_read_line(a, raw, &line, NULL) != TM_OK)
        return;
    follow_begin(&f, &trusted);
    require(follow_add(&f, a, &line, NULL) != TM_OK);
    follow_free(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes raw = bytes_make(data, size);
    struct buffer sealed;
    struct arena a;

    arena_init(&a);
    try_bundle(&a, raw);
    try_lines(&a, raw);
    buffer_init(&sealed, &a, size + SEAL_SIZE);
    buffer_append(&sealed, data, size);
    seal_close(&sealed);
    try_bundle(&a, buffer_bytes(&sealed));
    arena_free(&a);
    return 0;
}

enum { SEEDS = 3 };

size_t fuzz_seeds(const struct fuzz_seed **out)
{
    static struct fuzz_seed seeds[SEEDS];
    static struct arena a;
    static const uint8_t zeros[64];
    struct partial_signature signature = {bytes_make(zeros, 20), bytes_make(zeros, 64)};
    struct certificate c = {
        .height = 5, .step = STEP_COMMIT, .signatures = &signature, .signature_count = 1};
    struct block_header header = {.height = 5, .has_state_hash = true, .has_tree_roots = true};
    struct block block = {.header = header};
    struct proof_item item = {.key = bytes_of("key")};
    struct smt_proof empty = {0};
    struct proof proof;
    struct bytes raw;

    if (seeds[0].data == NULL) {
        arena_init(&a);
        header.state_hash = state_hash_of_roots(header.tree_roots);
        c.block.header = header;
        header.certificate = certificate_encode(&a, &c);
        require(proof_make(&a, &item, &empty, 1, &proof, NULL) == TM_OK);
        raw = bundle_encode(&a, TREE_ACCOUNT, &header, &proof);
        seeds[0] = (struct fuzz_seed){raw.data, raw.size - SEAL_SIZE};
        raw = bytes_of("{\"height\": 6, \"validators\": [{\"address\": \"00\", \"public_key\": "
                       "\"01\"}, {\"address\": \"01\", \"public_key\": \"02\"}]}");
        seeds[1] = (struct fuzz_seed){raw.data, raw.size};
        block.header = header;
        raw = bytes_of(arena_format(&a,
                                    "{\"raw\": \"%s\", \"validators\": [{\"address\": \"00\", "
                                    "\"public_key\": \"01\"}]}",
                                    hex_text(&a, block_encode(&a, &block))));
        seeds[2] = (struct fuzz_seed){raw.data, raw.size};
    }
    *out = seeds;
    return SEEDS;
}
