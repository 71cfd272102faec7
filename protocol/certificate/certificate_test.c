#include "certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <jansson.h>

#include "../base/hex.h"
#include "../codec/wire_writer.h"

enum { MEMBERS = 4 };

static struct arena arena;

static struct bytes unhex(const char *hex)
{
    size_t size = strlen(hex) / 2;
    uint8_t *out = arena_alloc(&arena, size);

    assert_true(hex_decode(bytes_of(hex), out));
    return bytes_make(out, size);
}

static void assert_bytes(struct bytes found, struct bytes expected)
{
    assert_int_equal(found.size, expected.size);
    if (expected.size > 0)
        assert_memory_equal(found.data, expected.data, expected.size);
}

/* A set of four whose keys are known; keys[i] belongs to members[i]. */
struct network {
    struct validator_set set;
    struct private_key keys[MEMBERS];
};

static struct network make_network(void)
{
    struct network n = {.set = {arena_array(&arena, struct validator, MEMBERS), MEMBERS}};

    for (uint8_t i = 0; i < MEMBERS; i++) {
        uint8_t seed[32] = {(uint8_t)(100 + i)};
        struct private_key key = ed25519_from_seed(seed);
        struct public_key public = ed25519_public(&key);
        struct address address = address_of_key(&public);
        struct validator member = {
            .address = arena_copy(&arena, bytes_address(&address)),
            .public_key = arena_copy(&arena, bytes_make(public.b, sizeof public.b)),
        };
        size_t at = i;

        for (; at > 0 && bytes_compare(n.set.members[at - 1].address, member.address) > 0; at--) {
            n.set.members[at] = n.set.members[at - 1];
            n.keys[at] = n.keys[at - 1];
        }
        n.set.members[at] = member;
        n.keys[at] = key;
    }
    return n;
}

static struct block make_block(void)
{
    static struct bytes transactions[2];
    struct block b = {.transactions = transactions, .transaction_count = 2};

    transactions[0] = bytes_of("one");
    transactions[1] = bytes_of("two");
    b.header.height = 7;
    b.header.network_id = bytes_of("testnet");
    b.header.has_state_hash = b.header.has_previous = b.header.has_transactions_hash = true;
    memset(b.header.state_hash.b, 1, 32);
    memset(b.header.previous_state_hash.b, 2, 32);
    b.header.transactions_hash = transactions_hash(transactions, 2);
    b.header.proposer = unhex("00204737d2a165ebe4be3a7d5b0af905b0ea91d8");
    b.header.has_timestamp = true;
    b.header.seconds = 1700000000;
    return b;
}

/* The certificate of the first `count` members over the block as `standard` signs it. */
static struct certificate make_certificate(const struct network *n, const struct block *b,
                                           size_t count)
{
    struct certificate c = {
        .height = b->header.height,
        .round = 3,
        .step = STEP_COMMIT,
        .signatures = arena_array(&arena, struct partial_signature, MEMBERS + 1),
        .signature_count = count,
    };
    struct bytes vote;

    c.block.header = b->header;
    c.block.header.certificate = (struct bytes){NULL, 0};
    c.block_raw = block_encode(&arena, &c.block);
    vote = vote_bytes(&arena, c.height, c.step, c.round, c.block_raw);
    for (size_t i = 0; i < count; i++) {
        struct signature s = ed25519_sign(&n->keys[i], vote);

        c.signatures[i].address = n->set.members[i].address;
        c.signatures[i].signature = arena_copy(&arena, bytes_make(s.b, sizeof s.b));
    }
    return c;
}

static void sign_again(const struct network *n, struct certificate *c)
{
    struct bytes vote = vote_bytes(&arena, c->height, c->step, c->round, c->block_raw);

    for (size_t i = 0; i < c->signature_count; i++) {
        long member = validator_set_find(&n->set, c->signatures[i].address);
        struct signature s = ed25519_sign(&n->keys[member], vote);

        c->signatures[i].signature = arena_copy(&arena, bytes_make(s.b, sizeof s.b));
    }
}

static void assert_verdict(const struct certificate *c, const struct block *b,
                           const struct network *n, const struct rules *rules, bool valid)
{
    struct tm_error e = {TM_OK, 0, ""};
    enum tm_err err = certificate_verify(&arena, c, b, &n->set, rules, &e);

    assert_int_equal(err, valid ? TM_OK : TM_ERR_MISMATCH);
    if (!valid)
        assert_true(strlen(e.text) > 0);
}

/* consensus.md 7 */
static void signs_the_golden_votes(void **state)
{
    struct private_key key;
    struct block b = {0};
    struct bytes encoded, vote;
    struct signature s;

    (void)state;
    memcpy(key.b,
           unhex("0ca1a40ddecdab4f5b04fa0bfed1d235beaa2b8082e7554425607516f0862075"
                 "dfe357de55649e6d2ce889acf15eb77e94ab3c5756fe46d3c7538d37f27f115e")
               .data,
           sizeof key.b);
    b.header.height = 1;
    b.header.has_state_hash = b.header.has_previous = true;
    memset(b.header.state_hash.b, 0xaa, 32);
    memset(b.header.previous_state_hash.b, 0xbb, 32);
    b.header.proposer = unhex("00204737d2a165ebe4be3a7d5b0af905b0ea91d8");
    encoded = block_encode(&arena, &b);
    assert_int_equal(encoded.size, 159);
    vote = vote_bytes(&arena, 1, STEP_PREPARE, 0, encoded);
    assert_int_equal(vote.size, 166);
    assert_memory_equal(vote.data, unhex("100118022a9f01").data, 7);
    s = ed25519_sign(&key, vote);
    assert_bytes(bytes_make(s.b, sizeof s.b),
                 unhex("a40218efcae8a59ca4faa649cc8f36cebbc8ef406c06a240fa4e3a08deeda6a4"
                       "9c41fcad933a7c5c4fa428a74662300dc885190f14c6698c35d8779cbeacab06"));
    vote = vote_bytes(&arena, 1, STEP_PREPARE, 3, encoded);
    assert_memory_equal(vote.data, unhex("1001180220032a9f01").data, 9);
    s = ed25519_sign(&key, vote);
    assert_bytes(bytes_make(s.b, sizeof s.b),
                 unhex("0656f45664f4f1fa97407be064f291e2c28651511a2468f10da444263394cfde"
                       "432858d6f3dbb1b303d8436206484ecf1db8b4ca5d66de5d9baee3cc111a5102"));
}

static void counts_quorums(void **state)
{
    /* consensus.md 5.1: minimum counts of n = 1 … 10. */
    static const size_t minimum[] = {1, 2, 3, 3, 4, 5, 5, 6, 7, 7};

    (void)state;
    for (size_t n = 1; n <= 10; n++) {
        assert_true(is_quorum(minimum[n - 1], n));
        assert_false(is_quorum(minimum[n - 1] - 1, n));
    }
    assert_false(is_quorum(0, 0));
}

static void decodes_what_it_encodes(void **state)
{
    struct network n = make_network();
    struct block b = make_block();
    struct certificate c = make_certificate(&n, &b, 3), found;
    struct bytes encoded = certificate_encode(&arena, &c);
    bool canonical;

    (void)state;
    assert_int_equal(certificate_decode(&arena, encoded, &found, &canonical, NULL), TM_OK);
    assert_true(canonical);
    assert_int_equal(found.height, c.height);
    assert_int_equal(found.round, c.round);
    assert_int_equal(found.step, c.step);
    assert_bytes(found.block_raw, c.block_raw);
    assert_int_equal(found.block.header.height, 7);
    assert_int_equal(found.signature_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_bytes(found.signatures[i].address, c.signatures[i].address);
        assert_bytes(found.signatures[i].signature, c.signatures[i].signature);
    }
    assert_bytes(certificate_encode(&arena, &found), encoded);
    assert_verdict(&found, &b, &n, &RULES_STANDARD, true);
}

static void accepts_a_standard_certificate(void **state)
{
    struct network n = make_network();
    struct block b = make_block();
    struct certificate c = make_certificate(&n, &b, 3);

    (void)state;
    assert_verdict(&c, &b, &n, &RULES_STANDARD, true);
    /* The stored block holds the certificate itself. */
    b.header.certificate = certificate_encode(&arena, &c);
    assert_verdict(&c, &b, &n, &RULES_STANDARD, true);
    c = make_certificate(&n, &b, 4);
    assert_verdict(&c, &b, &n, &RULES_STANDARD, true);
}

static void refuses_each_violation(void **state)
{
    static const uint8_t seed[32] = {1};
    struct network n = make_network();
    struct block b = make_block(), other;
    struct certificate good = make_certificate(&n, &b, 4), c;
    struct private_key stranger = ed25519_from_seed(seed);
    struct public_key public = ed25519_public(&stranger);
    struct address address = address_of_key(&public);
    struct partial_signature kept;
    struct signature s;

    (void)state;
    c = make_certificate(&n, &b, 2);
    assert_verdict(&c, &b, &n, &RULES_STANDARD, false); /* no quorum */
    c = make_certificate(&n, &b, 0);
    assert_verdict(&c, &b, &n, &RULES_STANDARD, false);
    c = make_certificate(&n, &b, 4);
    kept = c.signatures[0];
    c.signatures[0] = c.signatures[1];
    c.signatures[1] = kept;
    assert_verdict(&c, &b, &n, &RULES_STANDARD, false); /* order */
    c = make_certificate(&n, &b, 4);
    c.signatures[3] = c.signatures[2];
    assert_verdict(&c, &b, &n, &RULES_STANDARD, false); /* an address twice */
    c = make_certificate(&n, &b, 4);
    s = ed25519_sign(&stranger, vote_bytes(&arena, c.height, c.step, c.round, c.block_raw));
    c.signatures[4].address = bytes_address(&address);
    c.signatures[4].signature = bytes_make(s.b, sizeof s.b);
    c.signature_count = 5;
    assert_verdict(&c, &b, &n, &RULES_STANDARD, false); /* no member */
    c = make_certificate(&n, &b, 4);
    c.signatures[1].signature = c.signatures[2].signature;
    assert_verdict(&c, &b, &n, &RULES_STANDARD, false); /* one bad signature among four */
    c = make_certificate(&n, &b, 4);
    c.signatures[1].signature.size = 63;
    assert_verdict(&c, &b, &n, &RULES_STANDARD, false);
    c = good;
    c.round++;
    assert_verdict(&c, &b, &n, &RULES_STANDARD, false); /* the round is signed */
    c = make_certificate(&n, &b, 4);
    c.step = STEP_PRECOMMIT;
    sign_again(&n, &c);
    assert_verdict(&c, &b, &n, &RULES_STANDARD, false); /* step */
    c = make_certificate(&n, &b, 4);
    c.height++;
    sign_again(&n, &c);
    assert_verdict(&c, &b, &n, &RULES_STANDARD, false); /* height */
    other = b;
    other.header.nanos = 1000;
    assert_verdict(&good, &other, &n, &RULES_STANDARD, false); /* another header */
    other = b;
    other.header.network_id = bytes_of("other");
    assert_verdict(&good, &other, &n, &RULES_STANDARD, false);
    c = make_certificate(&n, &b, 4);
    c.block_raw = block_encode(&arena, &b);
    sign_again(&n, &c);
    assert_verdict(&c, &b, &n, &RULES_STANDARD, false); /* transactions in the signed block */
}

/* `reference`: entries in any order, doubled and foreign ones passed over. */
static void counts_reference_signatures(void **state)
{
    struct network n = make_network();
    struct block b = make_block(), other;
    struct certificate c = make_certificate(&n, &b, 3);
    struct partial_signature kept = c.signatures[0];

    (void)state;
    c.block = b;
    c.block_raw = block_encode(&arena, &c.block);
    sign_again(&n, &c);
    assert_verdict(&c, &b, &n, &RULES_REFERENCE, true);
    kept = c.signatures[0];
    c.signatures[0] = c.signatures[2];
    c.signatures[2] = kept;
    assert_verdict(&c, &b, &n, &RULES_REFERENCE, true);
    c.signatures[3] = c.signatures[0];
    c.signatures[4] = (struct partial_signature){bytes_of("stranger"), c.signatures[1].signature};
    c.signature_count = 5;
    assert_verdict(&c, &b, &n, &RULES_REFERENCE, true);
    c.signatures[1] = c.signatures[0];
    assert_verdict(&c, &b, &n, &RULES_REFERENCE, false); /* two distinct ones */
    c = make_certificate(&n, &b, 3);
    c.block = b;
    c.block_raw = block_encode(&arena, &c.block);
    sign_again(&n, &c);
    other = b;
    other.header.nanos++;
    other.header.network_id = bytes_of("other");
    assert_verdict(&c, &other, &n, &RULES_REFERENCE, true); /* not covered */
    other.header.state_hash.b[0]++;
    assert_verdict(&c, &other, &n, &RULES_REFERENCE, false);
    other = b;
    other.header.has_previous = false;
    assert_verdict(&c, &other, &n, &RULES_REFERENCE, false);
    other = b;
    other.header.proposer = unhex("00104055c00bed7c983a48aac7dc6335d7c607a7");
    assert_verdict(&c, &other, &n, &RULES_REFERENCE, false);
    other = b;
    other.transaction_count = 1;
    assert_verdict(&c, &other, &n, &RULES_REFERENCE, false);
    other = b;
    other.transactions = arena_array(&arena, struct bytes, 2);
    other.transactions[0] = bytes_of("one");
    other.transactions[1] = bytes_of("tow");
    assert_verdict(&c, &other, &n, &RULES_REFERENCE, false);
}

/* Votes cover transactions as received, stored blocks hold their re-encoding. */
static void compares_re_encoded_transactions(void **state)
{
    struct network n = make_network();
    struct block b = make_block(), voted;
    struct bytes received = unhex("1a00120131"), stored = unhex("1201311a00");
    struct certificate c;

    (void)state;
    b.transactions = &stored;
    b.transaction_count = 1;
    c = make_certificate(&n, &b, 3);
    voted = b;
    voted.transactions = &received;
    c.block = voted;
    c.block_raw = block_encode(&arena, &voted);
    sign_again(&n, &c);
    assert_verdict(&c, &b, &n, &RULES_REFERENCE, true);
    stored = unhex("1201321a00");
    assert_verdict(&c, &b, &n, &RULES_REFERENCE, false);
}

static void assert_refused(struct bytes raw, enum tm_err expected)
{
    struct tm_error e = {TM_OK, 0, ""};
    struct certificate c;
    bool canonical;

    assert_int_equal(certificate_decode(&arena, raw, &c, &canonical, &e), expected);
    assert_true(strlen(e.text) > 0);
}

static void refuses_bad_bytes(void **state)
{
    struct network n = make_network();
    struct block b = make_block();
    struct certificate c = make_certificate(&n, &b, 3);
    struct bytes encoded = certificate_encode(&arena, &c);
    struct buffer many;
    bool canonical;

    (void)state;
    assert_refused(unhex(""), TM_ERR_MALFORMED);
    assert_refused(unhex("2200"), TM_ERR_MALFORMED);         /* a block without header */
    assert_refused(unhex("180622020a00"), TM_ERR_MALFORMED); /* no step */
    assert_refused(unhex("18ffffffffffffffffff0122020a00"), TM_ERR_MALFORMED);
    assert_refused(unhex("22020a002a050a03120130"), TM_ERR_MALFORMED);   /* odd hex */
    assert_refused(unhex("22020a002a060a0412024141"), TM_ERR_MALFORMED); /* upper case */
    assert_refused(unhex("22020a002a060a041202ffff"), TM_ERR_MALFORMED); /* no text */
    assert_refused(unhex("22020a002affffffff0f"), TM_ERR_MALFORMED);
    for (size_t size = 0; size < encoded.size; size++) {
        struct certificate cut;

        if (certificate_decode(&arena, bytes_make(encoded.data, size), &cut, &canonical, NULL) ==
            TM_OK)
            assert_verdict(&cut, &b, &n, &RULES_STANDARD, false);
    }
    buffer_init(&many, &arena, 0);
    for (int i = 0; i <= CERTIFICATE_SIGNATURES_MAX; i++)
        wire_element(&many, 1, bytes_of(""));
    encoded = buffer_bytes(&many);
    buffer_init(&many, &arena, 0);
    wire_element(&many, 4, unhex("0a00"));
    wire_element(&many, 5, encoded);
    assert_refused(buffer_bytes(&many), TM_ERR_LIMIT);
    /* Unknown fields stay in the block that was signed, elsewhere they make it non-canonical. */
    assert_int_equal(certificate_decode(&arena, unhex("220408010a00"), &c, &canonical, NULL),
                     TM_OK);
    assert_false(canonical);
    assert_int_equal(certificate_decode(&arena, unhex("22040a002801"), &c, &canonical, NULL),
                     TM_OK);
    assert_true(canonical);
    assert_bytes(c.block_raw, unhex("0a002801"));
    assert_int_equal(certificate_decode(&arena, unhex("22020a003801"), &c, &canonical, NULL),
                     TM_OK);
    assert_false(canonical);
}

static struct bytes hex_member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    assert_non_null(text);
    return unhex(text);
}

static struct validator_set read_set(const json_t *row)
{
    json_t *members = json_object_get(row, "validators");
    struct validator_set set = {NULL, json_array_size(members)};

    set.members = arena_array(&arena, struct validator, set.count);
    for (size_t i = 0; i < set.count; i++) {
        set.members[i].address = hex_member(json_array_get(members, i), "address");
        set.members[i].public_key = hex_member(json_array_get(members, i), "public_key");
    }
    return set;
}

static void verifies_the_recorded_certificates(void **state)
{
    FILE *blocks = fopen("tests/vectors/chain-a/blocks.jsonl", "r");
    FILE *sets = fopen("tests/vectors/chain-a/validator_sets.jsonl", "r");
    struct validator_set set = {NULL, 0};
    size_t verified = 0;
    json_t *row;

    (void)state;
    assert_non_null(blocks);
    assert_non_null(sets);
    while ((row = json_loadf(blocks, JSON_DISABLE_EOF_CHECK, NULL)) != NULL) {
        struct tm_error e = {.text = ""};
        json_t *set_row = json_loadf(sets, JSON_DISABLE_EOF_CHECK, NULL);
        struct certificate c;
        struct block b;
        bool canonical;

        assert_int_equal(block_decode(&arena, hex_member(row, "raw"), &b, &canonical, &e), TM_OK);
        if (b.header.height > 0) {
            if (certificate_decode(&arena, b.header.certificate, &c, &canonical, &e) != TM_OK)
                fail_msg("%s", e.text);
            assert_true(canonical);
            assert_int_equal(c.signature_count, 3);
            if (certificate_verify(&arena, &c, &b, &set, &RULES_REFERENCE, &e) != TM_OK)
                fail_msg("height %llu: %s", (unsigned long long)b.header.height, e.text);
            verified++;
        }
        set = read_set(set_row);
        json_decref(set_row);
        json_decref(row);
    }
    fclose(blocks);
    fclose(sets);
    assert_int_equal(verified, 59);
}

static int start(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_the_golden_votes),
        cmocka_unit_test(counts_quorums),
        cmocka_unit_test(decodes_what_it_encodes),
        cmocka_unit_test(accepts_a_standard_certificate),
        cmocka_unit_test(refuses_each_violation),
        cmocka_unit_test(counts_reference_signatures),
        cmocka_unit_test(compares_re_encoded_transactions),
        cmocka_unit_test(refuses_bad_bytes),
        cmocka_unit_test(verifies_the_recorded_certificates),
    };

    return cmocka_run_group_tests(tests, start, end);
}
