/* Proofs over random trees: what is so verifies, and nothing else does. */
#include "proof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../base/hex.h"
#include "../codec/wire.h"
#include "../sha256/sha256.h"
#include "seal.h"

enum { LEAVES = 200, KEYS = 2 * LEAVES, TREES_TRIED = 12 };

static uint64_t state = 88172645463325252u;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* A tree of the even items. */
struct fixture {
    struct arena a;
    struct smt *tree;
    struct hash32 root;
    struct proof_item items[KEYS];
    struct smt_proof single[KEYS];
    size_t count;
};

static int by_path(const void *x, const void *y)
{
    return memcmp(((const struct smt_leaf *)x)->path.b, ((const struct smt_leaf *)y)->path.b, 32);
}

static void make_tree(struct fixture *f, size_t leaves)
{
    struct smt_leaf list[LEAVES];

    arena_init(&f->a);
    f->tree = smt_new();
    f->count = 2 * leaves;
    for (size_t i = 0; i < f->count; i++) {
        uint64_t key[2] = {next(), i};

        f->items[i] = (struct proof_item){.key = arena_copy(&f->a, bytes_make(key, sizeof key)),
                                          .present = i % 2 == 0};
        f->items[i].path = sha256(f->items[i].key);
        if (!f->items[i].present)
            continue;
        f->items[i].value = arena_copy(&f->a, bytes_make(key, next() % (sizeof key + 1)));
        list[i / 2] = (struct smt_leaf){f->items[i].path, sha256(f->items[i].value)};
    }
    qsort(list, leaves, sizeof *list, by_path);
    assert_int_equal(smt_build(f->tree, list, leaves, NULL), TM_OK);
    f->root = smt_root(smt_base(f->tree));
    for (size_t i = 0; i < f->count; i++)
        assert_int_equal(smt_prove(smt_base(f->tree), &f->items[i].path, &f->a, &f->single[i]),
                         TM_OK);
}

static void drop_tree(struct fixture *f)
{
    smt_free(f->tree);
    arena_free(&f->a);
}

static struct bytes encoded(struct fixture *f, const struct proof_item *items,
                            const struct smt_proof *single, size_t count)
{
    struct proof p;

    assert_int_equal(proof_make(&f->a, items, single, count, &p, NULL), TM_OK);
    assert_true(proof_verify(&p, &f->root));
    return proof_encode(&f->a, &p);
}

/* The proof with one bit flipped, and a checksum that fits: a forgery. True where it decodes and
 * leads to the root. */
static bool forged_holds(struct arena *a, struct bytes raw, size_t bit, const struct hash32 *root,
                         struct proof *out)
{
    struct buffer b;

    buffer_init(&b, a, raw.size);
    buffer_append(&b, raw.data, raw.size - SEAL_SIZE);
    b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    seal_close(&b);
    return proof_decode(a, buffer_bytes(&b), out, NULL) == TM_OK && proof_verify(out, root);
}

static void every_key_is_proven(void **test)
{
    (void)test;
    for (int t = 0; t < TREES_TRIED; t++) {
        struct fixture f;
        struct hash32 other;

        make_tree(&f, t < 3 ? (size_t)t + 1 : 1 + next() % LEAVES);
        for (size_t i = 0; i < f.count; i++) {
            struct bytes raw = encoded(&f, &f.items[i], &f.single[i], 1);
            struct proof p;

            assert_int_equal(proof_decode(&f.a, raw, &p, NULL), TM_OK);
            assert_true(proof_verify(&p, &f.root));
            assert_int_equal(p.items[0].present, f.items[i].present);
            assert_true(bytes_equal(p.items[0].key, f.items[i].key));
            assert_true(bytes_equal(p.items[0].value, f.items[i].value));
            assert_non_null(proof_find(&p, f.items[i].key));
            assert_null(proof_find(&p, bytes_of("other")));
            other = f.root;
            other.b[next() % 32] ^= (uint8_t)(1u << next() % 8);
            assert_false(proof_verify(&p, &other));
        }
        drop_tree(&f);
    }
}

static void every_flipped_bit_is_refused(void **test)
{
    struct fixture f;

    (void)test;
    make_tree(&f, 60);
    for (size_t i = 0; i < 6; i++) {
        struct bytes raw = encoded(&f, &f.items[i], &f.single[i], 1);

        for (size_t bit = 0; bit < 8 * raw.size; bit++) {
            struct bytes copy = arena_copy(&f.a, raw);
            struct proof p;

            ((uint8_t *)copy.data)[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_not_equal(proof_decode(&f.a, copy, &p, NULL), TM_OK);
            if (bit / 8 >= raw.size - SEAL_SIZE || !forged_holds(&f.a, raw, bit, &f.root, &p))
                continue;
            /* Another absent key is another truth: it may end in the same place. */
            assert_false(f.items[i].present);
            assert_false(bytes_equal(p.items[0].key, f.items[i].key));
            assert_false(p.items[0].present);
        }
    }
    drop_tree(&f);
}

static void swapped_items_are_refused(void **test)
{
    struct fixture f;
    struct proof p;

    (void)test;
    make_tree(&f, 100);
    for (size_t i = 0; i + 2 < f.count; i += 2) {
        struct proof_item swapped = f.items[i];

        swapped.key = f.items[i + 2].key;
        assert_true(proof_make(&f.a, &swapped, &f.single[i], 1, &p, NULL) != TM_OK ||
                    !proof_verify(&p, &f.root));
        swapped = f.items[i];
        swapped.value = f.items[i + 2].value;
        if (!bytes_equal(swapped.value, f.items[i].value))
            assert_true(proof_make(&f.a, &swapped, &f.single[i], 1, &p, NULL) != TM_OK ||
                        !proof_verify(&p, &f.root));
        swapped = f.items[i];
        swapped.present = false;
        assert_true(proof_make(&f.a, &swapped, &f.single[i], 1, &p, NULL) != TM_OK ||
                    !proof_verify(&p, &f.root));
        swapped = f.items[i + 1];
        swapped.present = true;
        assert_true(proof_make(&f.a, &swapped, &f.single[i + 1], 1, &p, NULL) != TM_OK ||
                    !proof_verify(&p, &f.root));
    }
    drop_tree(&f);
}

/* Keys cannot be chosen for their paths, so this is below the encoding: paths that differ from a
 * leaf's in one bit. */
static void near_misses_are_absent(void **test)
{
    struct fixture f;

    (void)test;
    make_tree(&f, 50);
    for (size_t i = 0; i < f.count; i += 10) {
        struct hash32 value_hash = sha256(f.items[i].value);

        for (unsigned bit = 0; bit < SMT_DEPTH; bit++) {
            struct hash32 path = f.items[i].path;
            struct smt_proof near;

            path.b[bit / 8] ^= (uint8_t)(0x80u >> bit % 8);
            assert_int_equal(smt_prove(smt_base(f.tree), &path, &f.a, &near), TM_OK);
            assert_true(smt_verify_absent(&near, &f.root, &path));
            assert_false(smt_verify_absent(&near, &f.root, &f.items[i].path));
            assert_false(smt_verify_member(&near, &f.root, &path, &value_hash));
            assert_false(smt_verify_member(&f.single[i], &f.root, &path, &value_hash));
        }
    }
    drop_tree(&f);
}

static void many_keys_are_the_single_proofs(void **test)
{
    (void)test;
    for (int t = 0; t < 40; t++) {
        struct fixture f;
        struct proof_item items[KEYS];
        struct smt_proof single[KEYS], expanded[KEYS];
        struct proof p;
        struct bytes raw;
        size_t count, sum = 0;

        make_tree(&f, 1 + next() % LEAVES);
        count = 1 + next() % f.count;
        for (size_t i = 0; i < count; i++) {
            size_t from = next() % f.count; /* some twice */

            items[i] = f.items[from];
            single[i] = f.single[from];
            sum += encoded(&f, &items[i], &single[i], 1).size;
        }
        raw = encoded(&f, items, single, count);
        assert_true(raw.size <= sum);
        assert_int_equal(proof_decode(&f.a, raw, &p, NULL), TM_OK);
        assert_true(p.item_count <= count);
        assert_int_equal(proof_expand(&f.a, &p, expanded, NULL), TM_OK);
        for (size_t i = 0; i < count; i++) {
            const struct proof_item *item = proof_find(&p, items[i].key);

            assert_non_null(item);
            assert_true(bytes_equal(encoded(&f, item, &expanded[item - p.items], 1),
                                    encoded(&f, &items[i], &single[i], 1)));
        }
        drop_tree(&f);
    }
}

static void proofs_of_two_trees_do_not_mix(void **test)
{
    struct fixture f, g;
    struct proof_item items[2];
    struct smt_proof single[2];
    struct tm_error e = {0};
    struct proof p;

    (void)test;
    make_tree(&f, 30);
    make_tree(&g, 90);
    for (size_t i = 0; i < 30; i++) {
        items[0] = f.items[i];
        items[1] = g.items[i];
        single[0] = f.single[i];
        single[1] = g.single[i];
        assert_true(proof_make(&f.a, items, single, 2, &p, &e) != TM_OK ||
                    !proof_verify(&p, &f.root) || !proof_verify(&p, &g.root));
    }
    assert_int_equal(proof_make(&f.a, items, single, 0, &p, &e), TM_ERR_USAGE);
    drop_tree(&f);
    drop_tree(&g);
}

static struct bytes field(struct bytes message, uint32_t number, size_t place)
{
    struct wire_field f;

    while (message.size > 0) {
        assert_int_equal(wire_next(&message, &f, NULL), TM_OK);
        if (f.number == number && place-- == 0)
            return f.type == WIRE_LENGTH ? f.content : f.value;
    }
    return (struct bytes){NULL, 0};
}

/* What a verifier of ICS-23 does: hash the leaf, then prefix || child || suffix up to the root. */
static void ics23_leads_to_the_root(void **test)
{
    static const uint8_t leaf_op[] = {0x08, 1, 0x10, 1, 0x18, 1, 0x2a, 1, 0};
    struct fixture f;

    (void)test;
    make_tree(&f, 70);
    for (size_t i = 0; i < f.count; i++) {
        struct bytes message, exist, inner;
        struct sha256_state sha;
        struct hash32 hashes[2], digest;
        uint8_t zero = 0;
        struct proof p;

        assert_int_equal(proof_make(&f.a, &f.items[i], &f.single[i], 1, &p, NULL), TM_OK);
        if (!f.items[i].present) {
            assert_int_equal(proof_ics23(&f.a, &p, &message, NULL), TM_ERR_USAGE);
            continue;
        }
        assert_int_equal(proof_ics23(&f.a, &p, &message, NULL), TM_OK);
        exist = field(message, 1, 0);
        assert_true(bytes_equal(field(exist, 3, 0), bytes_make(leaf_op, sizeof leaf_op)));
        hashes[0] = sha256(field(exist, 1, 0));
        hashes[1] = sha256(field(exist, 2, 0));
        sha256_begin(&sha);
        sha256_add(&sha, bytes_make(&zero, 1));
        sha256_add(&sha, bytes_make(hashes, sizeof hashes));
        digest = sha256_end(&sha);
        for (size_t n = 0; (inner = field(exist, 4, n)).data != NULL; n++) {
            sha256_begin(&sha);
            sha256_add(&sha, field(inner, 2, 0));
            sha256_add(&sha, bytes_hash(&digest));
            sha256_add(&sha, field(inner, 3, 0));
            digest = sha256_end(&sha);
        }
        assert_true(hash32_equal(&digest, &f.root));
    }
    drop_tree(&f);
}

/* state.md 10.2: three keys with the value testValue. */
static void recorded_proofs(void **test)
{
    static const char *const keys[] = {"foo", "testKey", "testKey2"};
    struct smt_leaf leaves[3];
    struct proof_item foo = {
        .key = bytes_of("foo"), .present = true, .value = bytes_of("testValue")};
    struct proof_item absent = {.key = bytes_of("testKey3")};
    struct smt *tree = smt_new();
    struct smt_proof single;
    struct proof p;
    struct arena a;
    char *json;

    (void)test;
    arena_init(&a);
    for (int i = 0; i < 3; i++)
        leaves[i] = (struct smt_leaf){sha256(bytes_of(keys[i])), sha256(bytes_of("testValue"))};
    qsort(leaves, 3, sizeof *leaves, by_path);
    assert_int_equal(smt_build(tree, leaves, 3, NULL), TM_OK);
    foo.path = sha256(foo.key);
    assert_int_equal(smt_prove(smt_base(tree), &foo.path, &a, &single), TM_OK);
    assert_int_equal(proof_make(&a, &foo, &single, 1, &p, NULL), TM_OK);
    assert_int_equal(proof_json(&a, &p, &json, NULL), TM_OK);
    assert_string_equal(
        json,
        "{\"root\": \"aa34fa4e6bfff5c2b7ef513f5f839fc4f4a864f446b3125fe9a8557e589cec85\", "
        "\"items\": [{\"key\": \"666f6f\", \"value\": \"7465737456616c7565\", \"side_nodes\": "
        "[\"b3388e93a63f7d0b8ef1bc2fefd7ceb14ec34cc28e69c9c9ddad778bd21e35ff\", "
        "\"0000000000000000000000000000000000000000000000000000000000000000\", "
        "\"00c979e476c198ce59c5a8ea06ef074d34beff975ba2325e6ffc3e34e2954ae4\"], "
        "\"other_leaf\": null}]}");
    absent.path = sha256(absent.key);
    assert_int_equal(smt_prove(smt_base(tree), &absent.path, &a, &single), TM_OK);
    assert_int_equal(proof_make(&a, &absent, &single, 1, &p, NULL), TM_OK);
    assert_int_equal(proof_json(&a, &p, &json, NULL), TM_OK);
    assert_non_null(strstr(json, "\"value\": null, \"side_nodes\": [\"998f292db235f6e76946de0dd8387"
                                 "7ba9eee2304d5a7e4b54e044227d2f28322\"], \"other_leaf\": "
                                 "{\"path\": \"8d13809f932d0296b88c1913231ab4b403f05c8836357547620"
                                 "4fef6930f22ae\""));
    smt_free(tree);
    arena_free(&a);
}

/* The encoding of one absent key whose walk is n inner nodes deep. */
static struct bytes deep(struct arena *a, size_t n)
{
    static const uint8_t head[] = {1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 'k'};
    struct hash32 path = sha256(bytes_of("k"));
    size_t steps = 2 * n + 1, size = (steps + 3) / 4, at = 0;
    struct buffer b;
    uint8_t *walk;

    buffer_init(&b, a, 64 + size);
    buffer_append(&b, head, sizeof head);
    seal_number(&b, steps);
    walk = arena_zalloc(a, size);
    /* Inner nodes on the way down; empty subtrees beside it, left ones before their node's child.
     */
    for (size_t i = 0; i < n; i++) {
        walk[at / 4] |= (uint8_t)(2u << (6 - 2 * (at % 4)));
        at += (i < SMT_DEPTH && (path.b[i / 8] >> (7 - i % 8) & 1)) ? 2 : 1;
    }
    buffer_append(&b, walk, size);
    seal_close(&b);
    return buffer_bytes(&b);
}

static void bounds_hold(void **test)
{
    uint8_t *huge = calloc(1, PROOF_BYTES_MAX + 1);
    struct tm_error e = {0};
    struct proof p;
    struct arena a;

    (void)test;
    arena_init(&a);
    huge[0] = PROOF_VERSION;
    assert_int_equal(proof_decode(&a, bytes_make(huge, PROOF_BYTES_MAX + 1), &p, &e), TM_ERR_LIMIT);
    assert_int_equal(proof_decode(&a, bytes_make(huge, PROOF_BYTES_MAX), &p, &e), TM_ERR_MALFORMED);
    assert_int_equal(proof_decode(&a, bytes_make(NULL, 0), &p, &e), TM_ERR_MALFORMED);
    assert_int_equal(proof_decode(&a, deep(&a, 256), &p, &e), TM_OK);
    assert_int_equal(proof_decode(&a, deep(&a, 257), &p, &e), TM_ERR_LIMIT);
    assert_int_equal(proof_decode(&a, deep(&a, 100000), &p, &e), TM_ERR_LIMIT);
    free(huge);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_proven),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(swapped_items_are_refused),
        cmocka_unit_test(near_misses_are_absent),
        cmocka_unit_test(many_keys_are_the_single_proofs),
        cmocka_unit_test(proofs_of_two_trees_do_not_mix),
        cmocka_unit_test(ics23_leads_to_the_root),
        cmocka_unit_test(recorded_proofs),
        cmocka_unit_test(bounds_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
