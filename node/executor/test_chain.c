#include "test_chain.h"

#include <stdio.h>
#include <stdlib.h>

#include "genesis_block.h"
#include "protocol/base/hex.h"

static void stop(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

struct bytes test_file(struct arena *a, const char *path)
{
    FILE *f = fopen(path, "rb");
    long size;
    uint8_t *data;

    if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0)
        stop(path);
    rewind(f);
    data = arena_alloc(a, (size_t)size);
    if (fread(data, 1, (size_t)size, f) != (size_t)size)
        stop(path);
    fclose(f);
    return bytes_make(data, (size_t)size);
}

static int compare_keys(const void *x, const void *y)
{
    struct public_key a = ed25519_public(x), b = ed25519_public(y);
    struct address left = address_of_key(&a), right = address_of_key(&b);

    return memcmp(left.b, right.b, sizeof left.b);
}

void test_validators(struct private_key keys[TEST_VALIDATORS])
{
    for (int i = 0; i < TEST_VALIDATORS; i++) {
        static const char *const paths[TEST_VALIDATORS] = {
            "tests/vectors/localnet/config.validator1.json",
            "tests/vectors/localnet/config.validator2.json",
            "tests/vectors/localnet/config.validator3.json",
            "tests/vectors/localnet/config.validator4.json"};
        struct arena a;
        const char *text, *key;

        arena_init(&a);
        text = arena_text(&a, test_file(&a, paths[i]));
        key = strstr(text, "\"private_key\"");
        key = key != NULL ? strchr(key + 13, '"') : NULL;
        if (key == NULL || !hex_decode(bytes_make(key + 1, 128), keys[i].b))
            stop(paths[i]);
        arena_free(&a);
    }
    qsort(keys, TEST_VALIDATORS, sizeof *keys, compare_keys);
}

struct store_memory *test_store(const char *genesis_path, const struct rules *rules)
{
    struct store_memory *m = store_memory_new();
    struct arena a;
    struct genesis genesis;
    struct store_block block;
    struct tm_error e = {0};

    arena_init(&a);
    if (genesis_load(&a, test_file(&a, genesis_path), rules, &genesis, &e) != TM_OK ||
        genesis_block(&a, &genesis, &block, &e) != TM_OK ||
        store_memory_genesis(m, &genesis, &block, &e) != TM_OK)
        stop(e.text);
    arena_free(&a);
    return m;
}

struct bytes test_certificate(struct arena *a, const struct executor_proposal *p, uint64_t round,
                              const struct private_key *keys, size_t signers)
{
    struct certificate c = {.height = p->header.height, .round = round, .step = STEP_COMMIT};
    struct bytes signed_bytes;

    c.block.header = p->header;
    c.block_raw = block_encode(a, &c.block);
    signed_bytes = vote_bytes(a, c.height, c.step, c.round, c.block_raw);
    c.signatures = arena_array(a, struct partial_signature, signers);
    c.signature_count = signers;
    for (size_t i = 0; i < signers; i++) {
        struct signature s = ed25519_sign(&keys[i], signed_bytes);
        struct public_key public = ed25519_public(&keys[i]);
        struct address address = address_of_key(&public);

        c.signatures[i].address = arena_copy(a, bytes_address(&address));
        c.signatures[i].signature = arena_copy(a, bytes_make(s.b, sizeof s.b));
    }
    return certificate_encode(a, &c);
}

struct bytes test_proposer(const struct executor *x, uint64_t round)
{
    return validator_set_proposer(executor_validators(x), (uint64_t)executor_height(x) + 1, round)
        ->address;
}

enum tm_err test_propose(struct executor *x, struct arena *a, int64_t second,
                         const struct bytes *raw, size_t count,
                         struct executor_candidate *candidates,
                         const struct executor_proposal **out, struct tm_error *e)
{
    struct transaction *list = arena_array(a, struct transaction, count);
    struct executor_prepare_input in = {.proposer = test_proposer(x, 0),
                                        .seconds = second,
                                        .candidates = candidates,
                                        .count = count};

    for (size_t i = 0; i < count; i++) {
        enum tm_err err = transaction_decode(a, raw[i], &list[i], e);

        if (err != TM_OK)
            return err;
        candidates[i].tx = &list[i];
    }
    return executor_prepare(x, &in, out, e);
}
