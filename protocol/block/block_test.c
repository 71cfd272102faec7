#include "block.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <jansson.h>

#include "../base/hex.h"
#include "../sha3/sha3.h"
#include "../codec/wire_writer.h"

static struct arena arena;

static struct bytes unhex(const char *hex)
{
    size_t size = strlen(hex) / 2;
    uint8_t *out = arena_alloc(&arena, size);

    assert_true(hex_decode(bytes_of(hex), out));
    return bytes_make(out, size);
}

static struct hash32 hash_of(const char *hex)
{
    struct hash32 hash;

    assert_int_equal(strlen(hex), 64);
    assert_true(hex_decode(bytes_of(hex), hash.b));
    return hash;
}

static void assert_bytes(struct bytes found, struct bytes expected)
{
    assert_int_equal(found.size, expected.size);
    if (expected.size > 0)
        assert_memory_equal(found.data, expected.data, expected.size);
}

static void assert_hash(struct hash32 found, const char *expected)
{
    assert_string_equal(hex_text(&arena, bytes_hash(&found)), expected);
}

/* Key n of the test genesis: Ed25519 seed LE4(n) || 28 zero bytes (state.md 5.5). */
static struct validator test_validator(uint8_t n)
{
    uint8_t seed[32] = {n};
    struct private_key key = ed25519_from_seed(seed);
    struct public_key public = ed25519_public(&key);
    struct address address = address_of_key(&public);

    return (struct validator){
        .address = arena_copy(&arena, bytes_address(&address)),
        .public_key = arena_copy(&arena, bytes_make(public.b, sizeof public.b)),
    };
}

static int compare_members(const void *x, const void *y)
{
    return bytes_compare(((const struct validator *)x)->address,
                         ((const struct validator *)y)->address);
}

/* The five validators of the test genesis, and one more when given. */
static struct validator_set test_set(const struct validator *more)
{
    struct validator_set set = {arena_array(&arena, struct validator, 6), 5};

    for (uint8_t i = 0; i < 5; i++)
        set.members[i] = test_validator((uint8_t)(44 + i));
    if (more != NULL)
        set.members[set.count++] = *more;
    qsort(set.members, set.count, sizeof set.members[0], compare_members);
    return set;
}

/* Block 0 of the test genesis (state.md 10.2). */
static struct block test_block(void)
{
    struct block b = {0};
    struct block_header *h = &b.header;
    struct validator_set set = test_set(NULL);

    h->network_id = bytes_of("localnet");
    h->has_timestamp = true;
    h->seconds = 1663610702;
    h->nanos = 405401000;
    h->has_tree_roots = true;
    h->tree_roots[TREE_APP] =
        hash_of("a14b910c915d0cdb3f32918b11d59aa3ee6e8608c77557cc183981b5931b896d");
    h->tree_roots[TREE_VAL] =
        hash_of("3f848edbd6a962328b67a98e8c00e3ef6c1036141846869e3d276a9a892bda44");
    h->tree_roots[TREE_FISH] =
        hash_of("f39cf18f8c1737ea1edd6a4363cc317fbcce105875536f37941f7ef3b415983e");
    h->tree_roots[TREE_SERVICER] =
        hash_of("dc7a0281330fd798ab8b9fc5c2756f510c0425a95992b319163ad3ad62e6a920");
    h->tree_roots[TREE_ACCOUNT] =
        hash_of("a5fc6c70290a65a802421ef470268c73427aff8103e61147e7c047f3544e10a2");
    h->tree_roots[TREE_POOL] =
        hash_of("6cc99de773f583061f8c4a753cd7ba7f5ca93f0d68057eda30d43cef1dde80b2");
    h->tree_roots[TREE_PARAMS] =
        hash_of("285549eaa00997f214371589cf6e6893b0f5fd162183e4e2e45aaff1021ac866");
    h->has_state_hash = true;
    h->state_hash = state_hash_of_roots(h->tree_roots);
    h->has_next_validator_set = true;
    h->next_validator_set_hash = validator_set_hash(&set);
    return b;
}

static void encodes_the_golden_genesis_block(void **state)
{
    struct block b = test_block();
    struct bytes encoded = block_encode(&arena, &b);

    (void)state;
    assert_hash(b.header.state_hash,
                "5282ee91a3ec0a6f2b30e4780b369bae78c80ef3ea40587fef6ae263bf41f244");
    assert_int_equal(encoded.size, 914);
    assert_hash(sha3_256(encoded),
                "9c8af4e424c8ec01d7061e0fc94493b46458388b1b30a556762f7693ccd55156");
}

static void hashes_golden_roots(void **state)
{
    struct hash32 roots[TREES] = {{{0}}};

    (void)state;
    assert_hash(state_hash_of_roots(roots),
                "302f2956c084cc3e0e760cf1b8c2da5de79c45fa542f68a660a5fc494b486972");
}

static void hashes_golden_sets(void **state)
{
    struct validator odd = {bytes_of("address"), bytes_of("publickey")};
    struct validator_set set = test_set(NULL), more = test_set(&odd), none = {NULL, 0};

    (void)state;
    assert_hash(validator_set_hash(&set),
                "5831e3e6a8d3beda0adb6027126a4bc3b0181836eebcc45a83dc2970ee9b4468");
    assert_hash(validator_set_hash(&more),
                "1f6faa8782a4608341fef83ee72c9e9cd3f96e042f2ddfdeebda8d971bb2ac13");
    assert_hash(validator_set_hash(&none),
                "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
}

static void finds_members_and_proposers(void **state)
{
    struct validator_set set = test_set(NULL), none = {NULL, 0};

    (void)state;
    for (size_t i = 0; i < set.count; i++)
        assert_int_equal(validator_set_find(&set, set.members[i].address), i);
    assert_int_equal(validator_set_find(&set, bytes_of("")), -1);
    assert_int_equal(validator_set_find(&set, bytes_of("none")), -1);
    assert_int_equal(validator_set_find(&none, bytes_of("none")), -1);
    assert_ptr_equal(validator_set_proposer(&set, 1, 0), &set.members[1]);
    assert_ptr_equal(validator_set_proposer(&set, 4, 1), &set.members[0]);
    assert_ptr_equal(validator_set_proposer(&set, UINT64_MAX, UINT64_MAX), &set.members[0]);
    assert_null(validator_set_proposer(&none, 1, 0));
    for (uint64_t round = 0; round < 5; round++)
        for (size_t i = 0; i < set.count; i++) {
            bool led = false;

            for (uint64_t earlier = 0; earlier <= round; earlier++)
                led = led || validator_set_proposer(&set, 7, earlier) == &set.members[i];
            assert_int_equal(validator_set_has_led(&set, set.members[i].address, 7, round), led);
        }
    assert_false(validator_set_has_led(&set, bytes_of("nobody"), 7, UINT64_MAX));
    assert_false(validator_set_has_led(&none, bytes_of("nobody"), 7, 0));
}

static struct block decode(struct bytes raw, bool expect_canonical)
{
    struct tm_error e = {.text = ""};
    struct block b;
    bool canonical;

    if (block_decode(&arena, raw, &b, &canonical, &e) != TM_OK)
        fail_msg("%s", e.text);
    assert_int_equal(canonical, expect_canonical);
    return b;
}

static void assert_refused(struct bytes raw, enum tm_err expected)
{
    struct tm_error e = {TM_OK, 0, ""};
    struct block b;
    bool canonical;

    assert_int_equal(block_decode(&arena, raw, &b, &canonical, &e), expected);
    assert_int_equal(e.err, expected);
    assert_true(strlen(e.text) > 0);
}

static void decodes_what_it_encodes(void **state)
{
    struct bytes transactions[] = {bytes_of("one"), bytes_of(""), bytes_of("three")};
    struct block b = test_block(), found;
    struct bytes encoded;

    (void)state;
    b.header.height = UINT64_MAX;
    b.header.proposer = unhex("00104055c00bed7c983a48aac7dc6335d7c607a7");
    b.header.certificate = bytes_of("certificate");
    b.header.has_previous = b.header.has_validator_set = b.header.has_transactions_hash = true;
    b.header.previous_state_hash = b.header.state_hash;
    b.header.validator_set_hash = b.header.tree_roots[TREE_APP];
    b.header.transactions_hash = transactions_hash(transactions, 3);
    b.transactions = transactions;
    b.transaction_count = 3;
    encoded = block_encode(&arena, &b);
    found = decode(encoded, true);
    assert_int_equal(found.header.height, UINT64_MAX);
    assert_bytes(found.header.network_id, b.header.network_id);
    assert_bytes(found.header.proposer, b.header.proposer);
    assert_bytes(found.header.certificate, b.header.certificate);
    assert_int_equal(found.header.seconds, b.header.seconds);
    assert_int_equal(found.header.nanos, b.header.nanos);
    assert_memory_equal(found.header.tree_roots, b.header.tree_roots, sizeof b.header.tree_roots);
    assert_true(found.header.has_transactions_hash);
    assert_true(hash32_equal(&found.header.transactions_hash, &b.header.transactions_hash));
    assert_int_equal(found.transaction_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_bytes(found.transactions[i], transactions[i]);
    assert_bytes(block_encode(&arena, &found), encoded);
}

static void the_header_hash_leaves_the_certificate_out(void **state)
{
    struct block b = test_block();
    struct hash32 without = header_hash(&b.header), with, other;

    (void)state;
    assert_hash(sha3_256(header_encode(&arena, &b.header)), hex_text(&arena, bytes_hash(&without)));
    b.header.certificate = bytes_of("certificate");
    with = header_hash(&b.header);
    assert_true(hash32_equal(&without, &with));
    b.header.nanos++;
    other = header_hash(&b.header);
    assert_false(hash32_equal(&without, &other));
}

static void hashes_transactions(void **state)
{
    struct bytes transactions[] = {bytes_of("one"), bytes_of("two")};
    struct hash32 hashes[2] = {sha3_256(transactions[0]), sha3_256(transactions[1])};
    struct hash32 expected = sha3_256(bytes_make(hashes, sizeof hashes));

    (void)state;
    assert_hash(transactions_hash(transactions, 2), hex_text(&arena, bytes_hash(&expected)));
    assert_hash(transactions_hash(NULL, 0),
                "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
}

/* A block whose header is one hash field of the given text. */
static struct bytes with_field(unsigned field, struct bytes content)
{
    struct buffer header, block;

    buffer_init(&header, &arena, 0);
    wire_element(&header, field, content);
    buffer_init(&block, &arena, 0);
    wire_element(&block, 1, buffer_bytes(&header));
    return buffer_bytes(&block);
}

static void checks_the_hash_fields(void **state)
{
    static const unsigned fields[] = {3, 4, 9, 10, 11};
    char text[65];

    (void)state;
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        decode(with_field(fields[i], bytes_make(text, 64)), true);
        decode(with_field(fields[i], bytes_make(text, 0)), false);
        assert_refused(with_field(fields[i], bytes_make(text, 63)), TM_ERR_MALFORMED);
        assert_refused(with_field(fields[i], bytes_make(text, 65)), TM_ERR_MALFORMED);
        text[5] = 'A';
        assert_refused(with_field(fields[i], bytes_make(text, 64)), TM_ERR_MALFORMED);
        text[5] = 'a';
    }
    assert_refused(with_field(5, bytes_make(text, 19)), TM_ERR_MALFORMED);
    memset(text, 0, 1);
    decode(with_field(2, bytes_make(arena_zalloc(&arena, 255), 255)), true);
    assert_refused(with_field(2, bytes_make(arena_zalloc(&arena, 256), 256)), TM_ERR_LIMIT);
}

/* A block whose header has the given entries of the tree map. */
static struct bytes with_trees(const char *const *names, size_t count, bool reversed_entries)
{
    struct buffer header, block, entry;
    char text[64];

    memset(text, 'b', sizeof text);
    buffer_init(&header, &arena, 0);
    for (size_t i = 0; i < count; i++) {
        buffer_init(&entry, &arena, 0);
        text[0] = (char)('0' + i % 10);
        if (reversed_entries)
            wire_element(&entry, 2, bytes_make(text, sizeof text));
        wire_element(&entry, 1, bytes_of(names[i]));
        if (!reversed_entries)
            wire_element(&entry, 2, bytes_make(text, sizeof text));
        wire_element(&header, 8, buffer_bytes(&entry));
    }
    buffer_init(&block, &arena, 0);
    wire_element(&block, 1, buffer_bytes(&header));
    return buffer_bytes(&block);
}

static void checks_the_tree_map(void **state)
{
    static const char *const sorted[] = {"account", "app",  "fish",     "flags",        "ibc",
                                         "params",  "pool", "servicer", "transactions", "val"};
    static const char *const shuffled[] = {"val",          "app",    "fish",   "flags",
                                           "ibc",          "params", "pool",   "servicer",
                                           "transactions", "val",    "account"};
    static const char *const wrong[] = {"account", "app",  "fish",     "flags",        "ibc",
                                        "params",  "pool", "servicer", "transactions", "wal"};
    struct block b, again;
    const char **many;

    (void)state;
    b = decode(with_trees(sorted, 10, false), true);
    assert_true(b.header.has_tree_roots);
    assert_int_equal(b.header.tree_roots[TREE_APP].b[0], 0x1b);
    b = decode(with_trees(sorted, 10, true), false);
    assert_int_equal(b.header.tree_roots[TREE_VAL].b[0], 0x9b);
    /* Sorted on the way in; of two entries with one key the later counts. */
    b = decode(with_trees(shuffled, 11, false), false);
    assert_int_equal(b.header.tree_roots[TREE_VAL].b[0], 0x9b);
    assert_int_equal(b.header.tree_roots[TREE_ACCOUNT].b[0], 0x0b);
    again = decode(block_encode(&arena, &b), true);
    assert_memory_equal(again.header.tree_roots, b.header.tree_roots, sizeof b.header.tree_roots);
    assert_refused(with_trees(sorted, 9, false), TM_ERR_MALFORMED);
    assert_refused(with_trees(wrong, 10, false), TM_ERR_MALFORMED);
    many = arena_array(&arena, const char *, 1025);
    for (size_t i = 0; i < 1025; i++)
        many[i] = "app";
    assert_refused(with_trees(many, 1024, false), TM_ERR_MALFORMED);
    assert_refused(with_trees(many, 1025, false), TM_ERR_LIMIT);
}

static void knows_non_canonical_blocks(void **state)
{
    struct block b;

    (void)state;
    decode(unhex("0a00"), true);
    decode(unhex("0a020801"), true);
    decode(unhex("0a020801120161"), true);
    /* a zero that is written, an over-long integer, the transactions first */
    decode(unhex("0a020800"), false);
    decode(unhex("0a03088100"), false);
    b = decode(unhex("1201611201620a020801"), false);
    assert_int_equal(b.header.height, 1);
    assert_int_equal(b.transaction_count, 2);
    assert_bytes(b.transactions[1], bytes_of("b"));
    /* headers merge */
    b = decode(unhex("0a0208010a03120178"), false);
    assert_int_equal(b.header.height, 1);
    assert_bytes(b.header.network_id, bytes_of("x"));
    /* there is no room for unknown fields */
    b = decode(unhex("0a0208011801"), false);
    assert_int_equal(b.transaction_count, 0);
    decode(unhex("0a0408016001"), false);
    decode(unhex("0a063a0408011801"), false);
    /* a timestamp that is there but zero */
    b = decode(unhex("0a023a00"), true);
    assert_true(b.header.has_timestamp);
    b = decode(unhex("0a0d3a0b08ffffffffffffffffff01"), true);
    assert_int_equal(b.header.seconds, -1);
}

static void refuses_bad_bytes(void **state)
{
    struct block b = test_block();
    struct bytes encoded = block_encode(&arena, &b), transaction = bytes_of("tx");
    struct bytes flood;
    uint8_t *bytes;

    (void)state;
    assert_refused(unhex(""), TM_ERR_MALFORMED);
    assert_refused(unhex("1200"), TM_ERR_MALFORMED);
    assert_refused(unhex("0affffffff0f"), TM_ERR_MALFORMED);
    assert_refused(unhex("0b0c"), TM_ERR_MALFORMED);
    assert_refused(unhex("0a020a05"), TM_ERR_MALFORMED);
    b.transactions = &transaction;
    b.transaction_count = 1;
    encoded = block_encode(&arena, &b);
    for (size_t n = 0; n < encoded.size - 4; n++)
        assert_refused(bytes_make(encoded.data, n), TM_ERR_MALFORMED);
    /* More transactions than a block may have, in two bytes each. */
    bytes = arena_zalloc(&arena, 2 * (BLOCK_TRANSACTIONS_MAX + 1));
    for (size_t i = 0; i < BLOCK_TRANSACTIONS_MAX + 1; i++)
        bytes[2 * i] = 0x12;
    flood = bytes_make(bytes, 2 * (BLOCK_TRANSACTIONS_MAX + 1));
    assert_refused(flood, TM_ERR_LIMIT);
}

static json_t *next_row(FILE *file)
{
    return json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL);
}

static struct bytes hex_member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    assert_non_null(text);
    return unhex(text);
}

static void assert_recorded_hash(const json_t *row, const char *name, bool present,
                                 const struct hash32 *hash)
{
    assert_bytes(present ? bytes_hash(hash) : bytes_of(""), hex_member(row, name));
}

static void reads_the_recorded_blocks(void **state)
{
    FILE *file = fopen("tests/vectors/chain-a/blocks.jsonl", "r");
    size_t count = 0;
    json_t *row;

    (void)state;
    assert_non_null(file);
    while ((row = next_row(file)) != NULL) {
        struct bytes raw = hex_member(row, "raw");
        struct block b = decode(raw, true);
        const struct block_header *h = &b.header;
        struct hash32 root;
        json_t *trees = json_object_get(row, "state_tree_hashes");
        json_t *transactions = json_object_get(row, "transactions");

        assert_bytes(block_encode(&arena, &b), raw);
        assert_int_equal(h->height, json_integer_value(json_object_get(row, "height")));
        assert_bytes(h->network_id, bytes_of(json_string_value(json_object_get(row, "networkId"))));
        assert_recorded_hash(row, "stateHash", h->has_state_hash, &h->state_hash);
        assert_recorded_hash(row, "prevStateHash", h->has_previous, &h->previous_state_hash);
        assert_recorded_hash(row, "val_set_hash", h->has_validator_set, &h->validator_set_hash);
        assert_recorded_hash(row, "next_val_set_hash", h->has_next_validator_set,
                             &h->next_validator_set_hash);
        assert_bytes(h->proposer, hex_member(row, "proposerAddress"));
        assert_bytes(h->certificate, hex_member(row, "quorumCertificate"));
        for (int i = 0; i < TREES; i++)
            assert_recorded_hash(trees, tree_name((enum tree_id)i), true, &h->tree_roots[i]);
        root = state_hash_of_roots(h->tree_roots);
        assert_true(hash32_equal(&root, &h->state_hash));
        assert_int_equal(b.transaction_count, json_array_size(transactions));
        for (size_t i = 0; i < b.transaction_count; i++)
            assert_bytes(b.transactions[i],
                         unhex(json_string_value(json_array_get(transactions, i))));
        json_decref(row);
        count++;
    }
    fclose(file);
    assert_int_equal(count, 60);
}

static void hashes_the_recorded_sets(void **state)
{
    FILE *file = fopen("tests/vectors/chain-a/validator_sets.jsonl", "r");
    size_t count = 0;
    json_t *row;

    (void)state;
    assert_non_null(file);
    while ((row = next_row(file)) != NULL) {
        json_t *members = json_object_get(row, "validators");
        struct validator_set set = {NULL, json_array_size(members)};

        set.members = arena_array(&arena, struct validator, set.count);
        for (size_t i = 0; i < set.count; i++) {
            set.members[i].address = hex_member(json_array_get(members, i), "address");
            set.members[i].public_key = hex_member(json_array_get(members, i), "public_key");
        }
        assert_hash(validator_set_hash(&set), json_string_value(json_object_get(row, "hash")));
        json_decref(row);
        count++;
    }
    fclose(file);
    assert_int_equal(count, 60);
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
        cmocka_unit_test(encodes_the_golden_genesis_block),
        cmocka_unit_test(hashes_golden_roots),
        cmocka_unit_test(hashes_golden_sets),
        cmocka_unit_test(finds_members_and_proposers),
        cmocka_unit_test(decodes_what_it_encodes),
        cmocka_unit_test(the_header_hash_leaves_the_certificate_out),
        cmocka_unit_test(hashes_transactions),
        cmocka_unit_test(checks_the_hash_fields),
        cmocka_unit_test(checks_the_tree_map),
        cmocka_unit_test(knows_non_canonical_blocks),
        cmocka_unit_test(refuses_bad_bytes),
        cmocka_unit_test(reads_the_recorded_blocks),
        cmocka_unit_test(hashes_the_recorded_sets),
    };

    return cmocka_run_group_tests(tests, start, end);
}
