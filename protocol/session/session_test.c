#include "session.h"
#include "../base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { ACTORS = 100 };

static struct arena arena;
static struct bytes chain_0001, chain_0002;

static struct bytes unhex(const char *text)
{
    struct bytes in = bytes_of(text);
    uint8_t *out = arena_alloc(&arena, in.size / 2);

    assert_true(hex_decode(in, out));
    return bytes_make(out, in.size / 2);
}

/* An actor whose address is `number` in the last byte, so that numbers give the order. */
static struct record *make_actor(enum tree_id tree, int number, struct bytes *chain)
{
    struct record *r = arena_new(&arena, struct record);
    uint8_t *key = arena_zalloc(&arena, 20);

    key[19] = (uint8_t)number;
    r->tree = tree;
    r->key = bytes_make(key, 20);
    r->actor.chains = chain;
    r->actor.chain_count = chain != NULL ? 1 : 0;
    r->actor.paused_height = HEIGHT_NONE;
    r->actor.unstaking_height = HEIGHT_NONE;
    return r;
}

static const struct record **make_actors(enum tree_id tree, int count)
{
    const struct record **list = arena_array(&arena, const struct record *, (size_t)count);

    for (int i = 0; i < count; i++)
        list[i] = make_actor(tree, i, &chain_0001);
    return list;
}

/* The input of the reference's own session test (state.md 10.1), with servicers of ours. */
static struct session_input make_input(int servicers, int wanted)
{
    struct record *app = make_actor(TREE_APP, 43, &chain_0001);

    app->actor.public_key =
        unhex("1ba66c6751506850ae0787244c69476b6d45fb857a914a5a0445a24253f7b810");
    return (struct session_input){
        .height = 1,
        .blocks_per_session = 1,
        .relay_chain = chain_0001,
        .geo_zone = bytes_of("unused_geo"),
        .application = app,
        .has_previous_hash = true,
        .previous_hash = unhex("5282ee91a3ec0a6f2b30e4780b369bae78c80ef3ea40587fef6ae263bf41f244"),
        .servicers_per_session = wanted,
        .fishermen_per_session = 1,
        .servicers = make_actors(TREE_SERVICER, servicers),
        .servicer_count = (size_t)servicers,
        .fishermen = make_actors(TREE_FISH, 1),
        .fisherman_count = 1,
    };
}

static struct session select_ok(const struct rules *rules, const struct session_input *in)
{
    struct session out;
    struct tm_error e = {.text = ""};

    if (session_select(&arena, rules, in, &out, &e) != TM_OK)
        fail_msg("%s", e.text);
    return out;
}

static void assert_refused(const struct rules *rules, const struct session_input *in,
                           enum tm_err expected, const char *text)
{
    struct session out;
    struct tm_error e = {.text = ""};

    assert_int_equal(session_select(&arena, rules, in, &out, &e), expected);
    if (strstr(e.text, text) == NULL)
        fail_msg("'%s' does not contain '%s'", e.text, text);
}

static void assert_drawn(const struct session *s, const int *expected, size_t count)
{
    assert_int_equal(s->servicer_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(s->servicers[i].actor->key.data[19], expected[i]);
        assert_int_equal(s->servicers[i].draw, i + 1);
    }
}

static void test_session_height(void **state)
{
    height_t s;
    int64_t number;
    struct tm_error e;

    (void)state;
    assert_int_equal(session_height(17, 5, &s, &number, &e), TM_OK);
    assert_int_equal(s, 15);
    assert_int_equal(number, 3);
    assert_int_equal(session_height(3, INT64_MAX, &s, &number, &e), TM_OK);
    assert_int_equal(s, 0);
    assert_int_equal(number, 0);
    assert_int_equal(session_height(INT64_MAX, 1, &s, &number, &e), TM_OK);
    assert_true(s == INT64_MAX);
    assert_int_equal(session_height(17, 0, &s, &number, &e), TM_ERR_RULE);
    assert_int_equal(session_height(17, -5, &s, &number, &e), TM_OK);
    assert_int_equal(s, 15);
    assert_int_equal(number, -3);
    assert_int_equal(session_height(INT64_MAX, INT64_MIN, &s, &number, &e), TM_OK);
    assert_int_equal(s, 0);
    assert_int_equal(session_height(-1, 5, &s, &number, &e), TM_ERR_USAGE);
}

/* state.md 10: the golden id and the draw orders computed for it. */
static void test_golden_session(void **state)
{
    static const int ten_of_hundred[] = {18, 98, 61, 28, 69, 6, 81, 97, 94, 30};
    static const int five_of_five[] = {3, 1, 4, 2, 0};
    static const int three_of_seven[] = {1, 3, 5};
    struct session_input in = make_input(100, 10);
    struct session s = select_ok(&RULES_REFERENCE, &in);

    (void)state;
    assert_string_equal(hex_text(&arena, bytes_hash(&s.id)),
                        "b1e9791358aae070ac7f86fdb74e5a9d26fff025fb737a2114ccf9ad95b624bd");
    assert_int_equal(s.number, 1);
    assert_int_equal(s.height, 1);
    assert_int_equal(s.blocks, 1);
    assert_drawn(&s, ten_of_hundred, 10);
    assert_int_equal(s.fisherman_count, 1);
    assert_int_equal(s.fishermen[0].draw, 1);

    in = make_input(5, 5);
    s = select_ok(&RULES_STANDARD, &in);
    assert_drawn(&s, five_of_five, 5);
    in = make_input(7, 3);
    s = select_ok(&RULES_STANDARD, &in);
    assert_drawn(&s, three_of_seven, 3);
}

/* utility.md 10: 3 of 10, and both kinds start from the same seed. */
static void test_derived_session(void **state)
{
    static const int three_of_ten[] = {8, 5, 6};
    struct session_input in = make_input(10, 3);
    struct record *app = make_actor(TREE_APP, 1, &chain_0001);
    uint8_t previous[32];
    struct session s;

    (void)state;
    memset(previous, 0xaa, sizeof previous);
    app->actor.public_key =
        unhex("d6cbe0430ddd85a5e48e0c99ef3dea47bf0d1a83c6e6ad1640f72201dc8a0120");
    in.application = app;
    in.height = 8;
    in.blocks_per_session = 5;
    in.geo_zone = bytes_of("geo");
    in.previous_hash = bytes_make(previous, sizeof previous);
    in.fishermen = make_actors(TREE_FISH, 10);
    in.fisherman_count = 10;
    in.fishermen_per_session = 3;
    s = select_ok(&RULES_STANDARD, &in);
    assert_string_equal(hex_text(&arena, bytes_hash(&s.id)),
                        "0d1f0e97da5e8f018e5f41c16338fedd66f6c365fd29dd3263414c67e7aac5d9");
    assert_int_equal(s.height, 5);
    assert_int_equal(s.number, 1);
    assert_drawn(&s, three_of_ten, 3);
    assert_int_equal(s.fisherman_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(s.fishermen[i].actor->key.data[19], three_of_ten[i]);
}

static void test_numbers_wanted(void **state)
{
    struct session_input in = make_input(5, 6);
    struct session s = select_ok(&RULES_STANDARD, &in);

    (void)state;
    assert_int_equal(s.servicer_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(s.servicers[i].actor->key.data[19], i);
        assert_int_equal(s.servicers[i].draw, 0);
    }
    in.servicers_per_session = INT64_MAX;
    s = select_ok(&RULES_STANDARD, &in);
    assert_int_equal(s.servicer_count, 5);
    in.servicers_per_session = 0;
    s = select_ok(&RULES_STANDARD, &in);
    assert_int_equal(s.servicer_count, 0);
    in.servicers_per_session = INT64_MIN;
    s = select_ok(&RULES_REFERENCE, &in);
    assert_int_equal(s.servicer_count, 0);
    in = make_input(0, 24);
    s = select_ok(&RULES_STANDARD, &in);
    assert_int_equal(s.servicer_count, 0);
    in = make_input(0, 0);
    s = select_ok(&RULES_STANDARD, &in);
    assert_int_equal(s.servicer_count, 0);
    in = make_input(ACTORS, ACTORS);
    s = select_ok(&RULES_STANDARD, &in);
    assert_int_equal(s.servicer_count, ACTORS);
}

/* D12: an actor of any chain that is paused ends it for all, or is simply not drawn. */
static void test_inactive_actors(void **state)
{
    struct session_input in = make_input(4, 9);
    struct record *paused = make_actor(TREE_SERVICER, 200, &chain_0002);
    struct record *leaving = make_actor(TREE_SERVICER, 2, &chain_0001);
    const struct record **servicers = make_actors(TREE_SERVICER, 5);
    struct session s;

    (void)state;
    paused->actor.paused_height = 3;
    leaving->actor.unstaking_height = 9;
    servicers[4] = paused;
    in.servicers = servicers;
    in.servicer_count = 5;
    assert_refused(&RULES_REFERENCE, &in, TM_ERR_RULE, "00c8 is paused");
    s = select_ok(&RULES_STANDARD, &in);
    assert_int_equal(s.servicer_count, 4);
    servicers[2] = leaving;
    assert_refused(&RULES_REFERENCE, &in, TM_ERR_RULE, "0002 is unstaking");
    s = select_ok(&RULES_STANDARD, &in);
    assert_int_equal(s.servicer_count, 3);
    assert_int_equal(s.servicers[2].actor->key.data[19], 3);

    in = make_input(4, 9);
    servicers[4] = make_actor(TREE_FISH, 9, &chain_0001);
    leaving->actor.unstaking_height = 0;
    in.fishermen = &servicers[2];
    in.fisherman_count = 3;
    assert_refused(&RULES_REFERENCE, &in, TM_ERR_RULE, "fisherman");
    s = select_ok(&RULES_STANDARD, &in);
    assert_int_equal(s.fisherman_count, 1);
}

/* D9: under `reference` the chains that count come from older rows. */
static void test_chains_of_older_rows(void **state)
{
    struct session_input in = make_input(3, 9);
    const struct record *chains[3] = {
        make_actor(TREE_SERVICER, 0, &chain_0001),
        make_actor(TREE_SERVICER, 1, &chain_0002),
        NULL,
    };
    struct session s;

    (void)state;
    in.servicer_chains = chains;
    s = select_ok(&RULES_REFERENCE, &in);
    assert_int_equal(s.servicer_count, 1);
    assert_ptr_equal(s.servicers[0].actor, in.servicers[0]);
    s = select_ok(&RULES_STANDARD, &in);
    assert_int_equal(s.servicer_count, 3);
}

static void test_application(void **state)
{
    struct session_input in = make_input(3, 2);
    struct record *app = make_actor(TREE_APP, 1, &chain_0001);
    struct bytes key = in.application->actor.public_key;

    (void)state;
    in.relay_chain = bytes_of("000");
    assert_refused(&RULES_STANDARD, &in, TM_ERR_RULE, "not staked for chain '000'");
    in.relay_chain = chain_0001;
    app->actor.public_key = key;
    app->actor.paused_height = 0;
    in.application = app;
    assert_refused(&RULES_STANDARD, &in, TM_ERR_RULE, "is paused");
    app->actor.paused_height = HEIGHT_NONE;
    app->actor.unstaking_height = 12;
    assert_refused(&RULES_REFERENCE, &in, TM_ERR_RULE, "is unstaking");
    in.application = NULL;
    assert_refused(&RULES_STANDARD, &in, TM_ERR_NOT_FOUND, "application does not exist");
    in = make_input(3, 2);
    in.has_previous_hash = false;
    in.height = 7;
    assert_refused(&RULES_STANDARD, &in, TM_ERR_NOT_FOUND, "block 6 does not exist");
    in.height = 0;
    assert_refused(&RULES_STANDARD, &in, TM_ERR_NOT_FOUND, "block 0 does not exist");
    in = make_input(3, 2);
    in.blocks_per_session = 0;
    assert_refused(&RULES_STANDARD, &in, TM_ERR_RULE, "blocks_per_session is 0");
}

static void test_long_text(void **state)
{
    struct session_input in = make_input(3, 2);

    (void)state;
    in.geo_zone = bytes_make(arena_zalloc(&arena, 1025), 1025);
    assert_refused(&RULES_STANDARD, &in, TM_ERR_LIMIT, "geo_zone is longer");
    in.geo_zone.size = 1024;
    select_ok(&RULES_STANDARD, &in);
    in.relay_chain = bytes_make(in.geo_zone.data, 1025);
    assert_refused(&RULES_STANDARD, &in, TM_ERR_LIMIT, "relay_chain is longer");
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena);
    chain_0001 = bytes_of("0001");
    chain_0002 = bytes_of("0002");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session_height),  cmocka_unit_test(test_golden_session),
        cmocka_unit_test(test_derived_session), cmocka_unit_test(test_numbers_wanted),
        cmocka_unit_test(test_inactive_actors), cmocka_unit_test(test_chains_of_older_rows),
        cmocka_unit_test(test_application),     cmocka_unit_test(test_long_text),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
