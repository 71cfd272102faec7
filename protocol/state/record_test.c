#include "record.h"

#include "../base/hex.h"
#include "../sha256/sha256.h"
#include "../sha3/sha3.h"
#include "pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static struct bytes unhex(const char *text)
{
    uint8_t *raw = arena_alloc(&arena, strlen(text) / 2);

    assert_true(hex_decode(bytes_of(text), raw));
    return bytes_make(raw, strlen(text) / 2);
}

static void assert_leaf(const struct record *r, const char *expected)
{
    struct buffer out;

    buffer_init(&out, &arena, 0);
    record_leaf(r, &out);
    assert_string_equal(hex_text(&arena, buffer_bytes(&out)), expected);
}

static struct record test_app(void)
{
    static struct bytes chains[1];

    chains[0] = bytes_of("0001");
    return (struct record){
        .tree = TREE_APP,
        .key = unhex("67f6e8c48c62dc62a3706e7a8ba2164ca345d762"),
        .actor = {.public_key =
                      unhex("1ba66c6751506850ae0787244c69476b6d45fb857a914a5a0445a24253f7b810"),
                  .output = unhex("67f6e8c48c62dc62a3706e7a8ba2164ca345d762"),
                  .stake_text = bytes_of("1000000000000"),
                  .service_url = bytes_of("not part of an application's leaf"),
                  .chains = chains,
                  .chain_count = 1,
                  .paused_height = HEIGHT_NONE,
                  .unstaking_height = HEIGHT_NONE}};
}

static void application_leaf(void **state)
{
    struct record app = test_app();

    (void)state;
    assert_leaf(&app,
                "0801122836376636653863343863363264633632613337303665376138626132313634636133343564"
                "3736321a40316261363663363735313530363835306165303738373234346336393437366236643435"
                "6662383537613931346135613034343561323432353366376238313022043030303132"
                "0d3130303030303030303030303038ffffffffffffffffff0140ffffffffffffffffff014a28363766"
                "36653863343863363264633632613337303665376138626132313634636133343564373632");
}

static void validator_leaf(void **state)
{
    struct record val = test_app();

    (void)state;
    val.tree = TREE_VAL;
    val.key = val.actor.output = unhex("b0cca84843f6f5a274150a98da66d78f0273f64e");
    val.actor.public_key =
        unhex("f868bcc508133899cc47b612e4f7d9d5dacc90ce1f28214a97b651baa00bf6e4");
    val.actor.service_url = bytes_of("node1.consensus:42069");
    assert_leaf(
        &val, "0804122862306363613834383433663666356132373431353061393864613636643738663032373366"
              "3634651a40663836386263633530383133333839396363343762363132653466376439643564616363"
              "3930636531663238323134613937623635316261613030626636653"
              "42a156e6f6465312e636f6e73656e7375733a3432303639320d3130303030303030303030303038ffff"
              "ffffffffffffff0140ffffffffffffffffff014a286230636361383438343366366635613237343135"
              "3061393864613636643738663032373366363465");
}

static void heights_of_zero_are_omitted(void **state)
{
    struct record app = test_app();

    (void)state;
    app.actor = (struct actor){.paused_height = 0, .unstaking_height = 300};
    app.key = unhex("00");
    assert_leaf(&app, "080112023030"
                      "40ac02");
}

static void account_and_pool_leaves(void **state)
{
    struct record r = {.tree = TREE_ACCOUNT,
                       .key = unhex("b0cca84843f6f5a274150a98da66d78f0273f64e"),
                       .balance = amount_of_canonical(bytes_of("100000000000000"))};

    (void)state;
    assert_leaf(&r, "0a28623063636138343834336636663561323734313530613938646136366437386630323733"
                    "66363465120f313030303030303030303030303030");
    r.tree = TREE_POOL;
    r.key = pool_long_key(POOL_DAO);
    assert_leaf(&r,
                "0a503334333433343331333436363330333033303330333033303330333033303330333033303330"
                "33303330333033303330333033303330333033303330333033303330333033303330333033303330"
                "3330120f313030303030303030303030303030");
    /* An empty address is possible under `reference` (D33). */
    r = (struct record){.tree = TREE_ACCOUNT, .balance = amount_of_canonical(bytes_of("-7"))};
    assert_leaf(&r, "12022d37");
}

static void param_and_flag_leaves(void **state)
{
    struct record r = {
        .tree = TREE_PARAMS, .key = bytes_of("blocks_per_session"), .value = bytes_of("1")};

    (void)state;
    assert_leaf(&r, "0a12626c6f636b735f7065725f73657373696f6e120131");
    r.value = bytes_of("4");
    r.valid_from = 7;
    assert_leaf(&r, "0a12626c6f636b735f7065725f73657373696f6e1201341807");
    r.tree = TREE_FLAGS;
    r.key = bytes_of("f");
    r.flag.value = bytes_of("v");
    r.flag.enabled = true;
    assert_leaf(&r, "0a016612017618072204"
                    "74727565");
    r.flag.enabled = false;
    assert_leaf(&r, "0a016612017618072205"
                    "66616c7365");
}

static void values_are_their_own_leaves(void **state)
{
    struct record r = {.tree = TREE_IBC, .key = bytes_of("k"), .value = bytes_of("value")};
    struct buffer scratch;
    struct hash32 h, expected = sha256(bytes_of("value"));

    (void)state;
    assert_leaf(&r, "76616c7565");
    buffer_init(&scratch, &arena, 0);
    h = record_value_hash(&r, &scratch);
    assert_true(hash32_equal(&h, &expected));
    r.value = bytes_of("");
    h = record_value_hash(&r, &scratch);
    assert_string_equal(hex_text(&arena, bytes_hash(&h)),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void paths_hash_the_tree_key(void **state)
{
    struct record param = {.tree = TREE_PARAMS, .key = bytes_of("acl_owner")};
    struct record account = {.tree = TREE_ACCOUNT, .key = bytes_of("testKey")};
    struct hash32 scratch, sha3 = sha3_256(bytes_of("acl_owner"));
    struct hash32 path = record_path(&param), expected = sha256(bytes_hash(&sha3));

    (void)state;
    assert_true(bytes_equal(record_tree_key(&param, &scratch), bytes_hash(&sha3)));
    assert_true(hash32_equal(&path, &expected));
    path = record_path(&account);
    assert_string_equal(hex_text(&arena, bytes_hash(&path)),
                        "15291f67d99ea7bc578c3544dadfbb991e66fa69cb36ff70fe30e798e111ff5f");
    assert_int_equal(path64(&path), 0x15291f67d99ea7bc - INT64_MAX - 1);
    memset(&path, 0, sizeof path);
    assert_int_equal(path64(&path), INT64_MIN);
    memset(&path, 0xff, sizeof path);
    assert_int_equal(path64(&path), INT64_MAX);
}

static void names(void **state)
{
    static const char *const views[TREES] = {"application", "validator", "fisherman",   "servicer",
                                             "account",     "pool",      "transaction", "param",
                                             "flag",        "ibc_entry"};

    (void)state;
    for (int i = 0; i < TREES; i++) {
        enum actor_kind kind = actor_kind_of((enum tree_id)i);

        assert_int_equal(tree_by_name(bytes_of(tree_name((enum tree_id)i))), i);
        assert_int_equal(tree_by_name(bytes_of(views[i])), i);
        if (kind != 0)
            assert_int_equal(actor_tree(kind), i);
    }
    assert_int_equal(tree_by_name(bytes_of("root")), -1);
    assert_string_equal(actor_word(ACTOR_FISH), "fisherman");
}

static void copies_are_equal_and_apart(void **state)
{
    struct record app = test_app();
    struct record *copy = record_copy(&arena, &app);
    struct record r;

    (void)state;
    assert_true(record_equal(&app, copy));
    assert_ptr_not_equal(copy->key.data, app.key.data);
    assert_ptr_not_equal(copy->actor.chains, app.actor.chains);
    app.actor.service_url = bytes_of("ignored");
    assert_true(record_equal(&app, copy));
    app.valid_from = 9;
    assert_true(record_equal(&app, copy));
    app.actor.chain_count = 0;
    assert_false(record_equal(&app, copy));
    r = *copy;
    r.actor.unstaking_height = 4;
    assert_false(record_equal(&r, copy));
    r = *copy;
    r.tree = TREE_SERVICER;
    assert_false(record_equal(&r, copy));
    r = (struct record){.tree = TREE_PARAMS, .key = bytes_of("p"), .value = bytes_of("1")};
    copy = record_copy(&arena, &r);
    assert_true(record_equal(&r, copy));
    r.valid_from = 1;
    assert_false(record_equal(&r, copy));
}

static void pools(void **state)
{
    (void)state;
    for (int i = POOL_DAO; i <= POOL_LAST; i++) {
        enum pool_id pool = (enum pool_id)i;
        struct bytes key = pool_short_key(pool);

        assert_int_equal(key.size, 20);
        assert_string_equal(hex_text(&arena, key), (const char *)pool_long_key(pool).data);
        assert_memory_equal(key.data, pool_name(pool), strlen(pool_name(pool)));
        assert_int_equal(pool_by_key(key), pool);
        assert_int_equal(pool_by_key(pool_long_key(pool)), pool);
        assert_true(bytes_equal(pool_key(&RULES_STANDARD, pool), key));
        assert_true(bytes_equal(pool_key(&RULES_REFERENCE, pool), pool_long_key(pool)));
    }
    assert_int_equal(pool_by_key(bytes_of("DAO")), 0);
    assert_int_equal(pool_of_stakes(ACTOR_SERVICER), POOL_SERVICER_STAKE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(application_leaf),
        cmocka_unit_test(validator_leaf),
        cmocka_unit_test(heights_of_zero_are_omitted),
        cmocka_unit_test(account_and_pool_leaves),
        cmocka_unit_test(param_and_flag_leaves),
        cmocka_unit_test(values_are_their_own_leaves),
        cmocka_unit_test(paths_hash_the_tree_key),
        cmocka_unit_test(names),
        cmocka_unit_test(copies_are_equal_and_apart),
        cmocka_unit_test(pools),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
