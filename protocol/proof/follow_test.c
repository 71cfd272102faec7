/* A chain of signed headers whose validator set changes: followed from the first set to a bundle,
 * and refused where a header, a set, a signature or the proof is another. */
#include "follow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../base/hex.h"
#include "../certificate/certificate.h"
#include "../sha256/sha256.h"

enum { MEMBERS = 4, SETS = 3, BLOCKS = 9, BLOCKS_PER_SET = 3 };

struct chain {
    struct arena a;
    struct private_key keys[SETS][MEMBERS];
    struct validator_set sets[SETS]; /* set i signs blocks 3i + 1 … 3i + 3 */
    struct block_header headers[BLOCKS + 1];
    struct proof proof;
};

static int by_address(const void *x, const void *y)
{
    return bytes_compare(((const struct validator *)x)->address,
                         ((const struct validator *)y)->address);
}

static void make_set(struct chain *c, int s)
{
    c->sets[s] = (struct validator_set){arena_array(&c->a, struct validator, MEMBERS), MEMBERS};
    for (int i = 0; i < MEMBERS; i++) {
        uint8_t seed[32] = {(uint8_t)(s + 1), (uint8_t)i};
        struct private_key key = ed25519_from_seed(seed);
        struct public_key public = ed25519_public(&key);
        struct address address = address_of_key(&public);

        c->keys[s][i] = key;
        c->sets[s].members[i] = (struct validator){arena_copy(&c->a, bytes_address(&address)),
                                                   arena_copy(&c->a, bytes_make(public.b, 32))};
    }
    qsort(c->sets[s].members, MEMBERS, sizeof *c->sets[s].members, by_address);
}

/* Signs with the first `signers` members of a set, in the set's order. */
static struct bytes certify(struct chain *c, const struct block_header *header, int s, int signers)
{
    struct partial_signature list[MEMBERS];
    struct certificate cert = {.height = header->height,
                               .step = STEP_COMMIT,
                               .block = {.header = *header},
                               .signatures = list};
    struct bytes vote;

    cert.block.header.certificate = (struct bytes){NULL, 0};
    vote = vote_bytes(&c->a, header->height, STEP_COMMIT, 0, block_encode(&c->a, &cert.block));
    for (int i = 0; i < signers; i++)
        for (int k = 0; k < MEMBERS; k++) {
            struct public_key public = ed25519_public(&c->keys[s][k]);
            struct address address = address_of_key(&public);
            struct signature signature;

            if (!bytes_equal(bytes_address(&address), c->sets[s].members[i].address))
                continue;
            signature = ed25519_sign(&c->keys[s][k], vote);
            list[cert.signature_count++] = (struct partial_signature){
                c->sets[s].members[i].address, arena_copy(&c->a, bytes_make(signature.b, 64))};
        }
    return certificate_encode(&c->a, &cert);
}

static int signer_of(int height)
{
    return (height - 1) / BLOCKS_PER_SET;
}

static void make_chain(struct chain *c)
{
    struct proof_item item = {.key = bytes_of("key"), .present = true, .value = bytes_of("value")};
    struct smt_proof alone = {0};

    arena_init(&c->a);
    for (int s = 0; s < SETS; s++)
        make_set(c, s);
    assert_int_equal(proof_make(&c->a, &item, &alone, 1, &c->proof, NULL), TM_OK);
    memset(c->headers, 0, sizeof c->headers);
    for (int h = 1; h <= BLOCKS; h++) {
        struct block_header *header = &c->headers[h];
        int s = signer_of(h), after = h < BLOCKS ? signer_of(h + 1) : s;

        *header = (struct block_header){.height = (uint64_t)h,
                                        .network_id = bytes_of("test"),
                                        .has_state_hash = true,
                                        .has_previous = true,
                                        .previous_state_hash = c->headers[h - 1].state_hash,
                                        .proposer = c->sets[s].members[0].address,
                                        .has_timestamp = true,
                                        .seconds = 1000 + h,
                                        .has_tree_roots = true,
                                        .has_validator_set = true,
                                        .has_next_validator_set = true,
                                        .has_transactions_hash = true,
                                        .transactions_hash = transactions_hash(NULL, 0)};
        header->tree_roots[TREE_ACCOUNT] = c->proof.root;
        header->tree_roots[TREE_IBC].b[0] = (uint8_t)h;
        header->state_hash = state_hash_of_roots(header->tree_roots);
        header->validator_set_hash = validator_set_hash(&c->sets[s]);
        header->next_validator_set_hash = validator_set_hash(&c->sets[after]);
        header->certificate = certify(c, header, s, 3);
    }
}

static struct bytes set_json(struct chain *c, const struct validator_set *set)
{
    struct bytes text = bytes_of("");

    for (size_t i = 0; i < set->count; i++)
        text = bytes_of(arena_format(&c->a, "%.*s%s{\"address\": \"%s\", \"public_key\": \"%s\"}",
                                     (int)text.size, (const char *)text.data, i == 0 ? "" : ", ",
                                     hex_text(&c->a, set->members[i].address),
                                     hex_text(&c->a, set->members[i].public_key)));
    return text;
}

static struct follow_line line_of(struct chain *c, int h, const struct validator_set *next)
{
    struct block block = {.header = c->headers[h]};
    char *raw = hex_text(&c->a, block_encode(&c->a, &block));
    struct follow_line out;
    struct bytes json;

    if (next == NULL)
        json = bytes_of(arena_format(&c->a, "{\"raw\": \"%s\"}", raw));
    else
        json = bytes_of(arena_format(&c->a, "{\"raw\": \"%s\", \"validators\": [%s]}", raw,
                                     (const char *)set_json(c, next).data));
    assert_int_equal(follow_read_line(&c->a, json, &out, NULL), TM_OK);
    return out;
}

/* The new set where block h changes it. */
static const struct validator_set *change_after(struct chain *c, int h)
{
    return h < BLOCKS && signer_of(h) != signer_of(h + 1) ? &c->sets[signer_of(h + 1)] : NULL;
}

static void follow_to(struct chain *c, struct follow *f, int last)
{
    follow_begin(f, &c->sets[0]);
    for (int h = 1; h <= last; h++) {
        struct follow_line line = line_of(c, h, change_after(c, h));

        assert_int_equal(follow_add(f, &c->a, &line, NULL), TM_OK);
    }
}

static void sets_are_followed(void **test)
{
    struct proof_bundle b;
    struct follow f;
    struct chain c;

    (void)test;
    make_chain(&c);
    for (int h = 1; h <= BLOCKS; h++) {
        struct bytes raw = bundle_encode(&c.a, TREE_ACCOUNT, &c.headers[h], &c.proof);

        assert_int_equal(bundle_decode(&c.a, raw, &b, NULL), TM_OK);
        follow_to(&c, &f, h - 1);
        assert_int_equal(follow_link(&f, &b.header, NULL), TM_OK);
        assert_int_equal(bundle_verify(&c.a, &b, &f.set, NULL), TM_OK);
        /* the set of the beginning does not do later on */
        assert_int_equal(bundle_verify(&c.a, &b, &c.sets[0], NULL),
                         h <= BLOCKS_PER_SET ? TM_OK : TM_ERR_MISMATCH);
        follow_free(&f);
    }
    arena_free(&c.a);
}

static void refuse_line(struct chain *c, struct follow *f, struct follow_line line,
                        const char *words)
{
    struct tm_error e = {0};

    assert_int_equal(follow_add(f, &c->a, &line, &e), TM_ERR_MISMATCH);
    assert_non_null(strstr(e.text, words));
}

static void other_headers_are_refused(void **test)
{
    struct follow_line line;
    struct follow f;
    struct chain c;

    (void)test;
    make_chain(&c);
    follow_to(&c, &f, 2);
    refuse_line(&c, &f, line_of(&c, 4, NULL), "does not come after");
    refuse_line(&c, &f, line_of(&c, 2, NULL), "does not come after");
    refuse_line(&c, &f, line_of(&c, 3, NULL), "must hold the new one");
    refuse_line(&c, &f, line_of(&c, 3, &c.sets[2]), "not the one that the block names");
    line = line_of(&c, 3, &c.sets[1]);
    line.header.seconds++;
    refuse_line(&c, &f, line, "header is not the block's");
    line.header.certificate = certify(&c, &line.header, 0, 2);
    refuse_line(&c, &f, line, "more than two thirds");
    line.header.certificate = certify(&c, &line.header, 1, 4);
    refuse_line(&c, &f, line, "no validator");
    line = line_of(&c, 3, &c.sets[1]);
    line.header.previous_state_hash.b[0] ^= 1;
    line.header.certificate = certify(&c, &line.header, 0, 3);
    refuse_line(&c, &f, line, "not built upon");
    line = line_of(&c, 3, &c.sets[1]);
    line.header.tree_roots[TREE_POOL].b[0] ^= 1;
    refuse_line(&c, &f, line, "another state hash");
    line = line_of(&c, 3, &c.sets[1]);
    line.header.network_id = bytes_of("other");
    refuse_line(&c, &f, line, "another network");
    line = line_of(&c, 3, &c.sets[1]);
    line.header.certificate = (struct bytes){NULL, 0};
    refuse_line(&c, &f, line, "nobody signed it");
    /* nothing of all that has moved the client */
    line = line_of(&c, 3, &c.sets[1]);
    assert_int_equal(follow_add(&f, &c.a, &line, NULL), TM_OK);
    follow_free(&f);
    arena_free(&c.a);
}

/* Who leaves field 11 out must not get the header judged by the weaker rules of `reference`. */
static void weaker_rules_cannot_be_chosen(void **test)
{
    struct tm_error e = {0};
    struct block_header forged;
    struct chain c;

    (void)test;
    make_chain(&c);
    forged = c.headers[2];
    forged.has_transactions_hash = false;
    forged.next_validator_set_hash = validator_set_hash(&c.sets[2]);
    assert_int_equal(bundle_check_header(&c.a, &forged, &c.sets[0], NULL, &e), TM_ERR_MISMATCH);
    forged.has_validator_set = false;
    assert_int_equal(bundle_check_header(&c.a, &forged, &c.sets[0], NULL, &e), TM_ERR_MISMATCH);
    arena_free(&c.a);
}

static void other_trees_and_bits_are_refused(void **test)
{
    struct proof_bundle b;
    struct bytes raw;
    struct chain c;

    (void)test;
    make_chain(&c);
    raw = bundle_encode(&c.a, TREE_VAL, &c.headers[1], &c.proof);
    assert_int_equal(bundle_decode(&c.a, raw, &b, NULL), TM_OK);
    assert_int_equal(bundle_verify(&c.a, &b, &c.sets[0], NULL), TM_ERR_MISMATCH);
    raw = bundle_encode(&c.a, TREE_ACCOUNT, &c.headers[1], &c.proof);
    for (size_t bit = 0; bit < 8 * raw.size; bit++) {
        struct bytes copy = arena_copy(&c.a, raw);

        ((uint8_t *)copy.data)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_true(bundle_decode(&c.a, copy, &b, NULL) != TM_OK);
    }
    arena_free(&c.a);
}

static void sets_are_found_in_files(void **test)
{
    struct validator_set set;
    struct tm_error e = {0};
    struct chain c;
    char *file, *text;
    int64_t height;

    (void)test;
    make_chain(&c);
    text = (char *)set_json(&c, &c.sets[0]).data;
    file = arena_format(&c.a, "{\"height\": 4, \"validators\": [%s]}\n\n", text);
    assert_int_equal(follow_find_set(&c.a, bytes_of(file), 77, &set, &e), TM_OK);
    file = arena_format(&c.a, "%s{\"height\": 5, \"validators\": [%s]}", file,
                        (const char *)set_json(&c, &c.sets[1]).data);
    assert_int_equal(follow_find_set(&c.a, bytes_of(file), 6, &set, &e), TM_OK);
    assert_true(bytes_equal(set.members[0].address, c.sets[1].members[0].address));
    assert_int_equal(follow_find_set(&c.a, bytes_of(file), 7, &set, &e), TM_ERR_NOT_FOUND);
    assert_int_equal(follow_find_set(&c.a, bytes_of(" \n"), 7, &set, &e), TM_ERR_NOT_FOUND);
    file = arena_format(&c.a, "{\"validators\": [%s], \"hash\": \"00\"}", text);
    assert_int_equal(follow_read_set(&c.a, bytes_of(file), &set, &height, &e), TM_ERR_MISMATCH);
    file = arena_format(&c.a, "{\"validators\": [%s, %s]}", text, text);
    assert_int_equal(follow_read_set(&c.a, bytes_of(file), &set, &height, &e), TM_ERR_MALFORMED);
    assert_non_null(strstr(e.text, "ascending"));
    assert_int_equal(follow_read_set(&c.a, bytes_of("{\"validators\": []}"), &set, &height, &e),
                     TM_ERR_MALFORMED);
    arena_free(&c.a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_followed),
        cmocka_unit_test(other_headers_are_refused),
        cmocka_unit_test(weaker_rules_cannot_be_chosen),
        cmocka_unit_test(other_trees_and_bits_are_refused),
        cmocka_unit_test(sets_are_found_in_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
