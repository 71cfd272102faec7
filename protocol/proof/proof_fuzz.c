/* Whatever decodes is its own encoding, expands to single proofs that hold, and is made again out
 * of them; a bit flipped in it never leads to the same root with the same items. */
#include "proof.h"

#include <stdlib.h>

#include "../../tests/fuzz/driver.h"
#include "../sha256/sha256.h"
#include "seal.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_singles(struct arena *a, const struct proof *p)
{
    struct smt_proof *single = arena_array(a, struct smt_proof, p->item_count);
    struct proof again;
    struct bytes ics23;
    char *json;

    if (proof_expand(a, p, single, NULL) != TM_OK)
        return;
    for (size_t i = 0; i < p->item_count; i++) {
        struct hash32 value_hash = sha256(p->items[i].value);

        require(p->items[i].present
                    ? smt_verify_member(&single[i], &p->root, &p->items[i].path, &value_hash)
                    : smt_verify_absent(&single[i], &p->root, &p->items[i].path));
    }
    require(proof_make(a, p->items, single, p->item_count, &again, NULL) == TM_OK);
    require(hash32_equal(&again.root, &p->root));
    require(bytes_equal(proof_encode(a, &again), proof_encode(a, p)));
    require(proof_json(a, p, &json, NULL) == TM_OK && json[0] == '{');
    (void)proof_ics23(a, p, &ics23, NULL);
}

static void try_bytes(struct bytes raw)
{
    struct tm_error e = {TM_OK, 0, ""};
    struct proof p;
    struct arena a;

    arena_init(&a);
    if (proof_decode(&a, raw, &p, &e) == TM_OK) {
        require(bytes_equal(proof_encode(&a, &p), raw));
        require(proof_verify(&p, &p.root));
        check_singles(&a, &p);
    } else {
        require(e.err == TM_ERR_MALFORMED || e.err == TM_ERR_LIMIT);
        require(e.text[0] != '\0');
    }
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer sealed;
    struct arena a;

    try_bytes(bytes_make(data, size));
    /* The same with a checksum that fits: what a forger would send. */
    arena_init(&a);
    buffer_init(&sealed, &a, size + SEAL_SIZE);
    buffer_append(&sealed, data, size);
    seal_close(&sealed);
    try_bytes(buffer_bytes(&sealed));
    arena_free(&a);
    return 0;
}

enum { LEAVES = 40, SEEDS = 4 };

static int by_path(const void *x, const void *y)
{
    return memcmp(((const struct smt_leaf *)x)->path.b, ((const struct smt_leaf *)y)->path.b, 32);
}

/* Proofs of 1, 2, 5 and 30 keys of a tree, absent ones among them, without their checksums. */
size_t fuzz_seeds(const struct fuzz_seed **out)
{
    static const size_t sizes[SEEDS] = {1, 2, 5, 30};
    static struct fuzz_seed seeds[SEEDS];
    static uint8_t names[2 * LEAVES];
    struct smt_leaf leaves[LEAVES];
    struct smt_proof single[2 * LEAVES];
    struct proof_item items[2 * LEAVES];
    static struct arena a;
    struct smt *tree;

    if (seeds[0].data != NULL) {
        *out = seeds;
        return SEEDS;
    }
    arena_init(&a);
    tree = smt_new();
    for (size_t i = 0; i < 2 * LEAVES; i++) {
        names[i] = (uint8_t)i;
        items[i] = (struct proof_item){.key = bytes_make(&names[i], 1), .present = i % 2 == 0};
        items[i].path = sha256(items[i].key);
        if (items[i].present) {
            items[i].value = bytes_of("value");
            leaves[i / 2] = (struct smt_leaf){items[i].path, sha256(items[i].value)};
        }
    }
    qsort(leaves, LEAVES, sizeof *leaves, by_path);
    require(smt_build(tree, leaves, LEAVES, NULL) == TM_OK);
    for (size_t i = 0; i < 2 * LEAVES; i++)
        require(smt_prove(smt_base(tree), &items[i].path, &a, &single[i]) == TM_OK);
    for (size_t i = 0; i < SEEDS; i++) {
        struct proof p;
        struct bytes raw;

        require(proof_make(&a, items + 3 * i, single + 3 * i, sizes[i], &p, NULL) == TM_OK);
        raw = proof_encode(&a, &p);
        seeds[i] = (struct fuzz_seed){raw.data, raw.size - SEAL_SIZE};
    }
    smt_free(tree);
    *out = seeds;
    return SEEDS;
}
