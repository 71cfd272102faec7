#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "executor.h"
#include "node/demo/traffic.h"
#include "node/recorded/recorded_block.h"
#include "protocol/base/hex.h"
#include "test_chain.h"

static const char LOCALNET[] = "tests/vectors/localnet/genesis.json";
static const char CHAIN_A[] = "tests/vectors/chain-a/genesis.json";

static struct executor *open_executor(const struct store *store,
                                      const struct executor_options *options)
{
    struct executor *x;
    struct tm_error e = {0};

    if (executor_open(&x, store, NULL, options, &e) != TM_OK)
        fail_msg("%s", e.text);
    return x;
}

/* Replays the recorded chain; `change` may alter the raw bytes of a height first. */
static enum tm_err replay_chain(struct executor *x, height_t last,
                                void (*change)(struct arena *a, struct recorded_block *b),
                                height_t change_at, struct arena *a, struct executor_difference *d,
                                struct tm_error *e)
{
    char *text = arena_text(a, test_file(a, "tests/vectors/chain-a/blocks.jsonl"));
    enum tm_err err = TM_OK;

    for (char *line = text; *line != '\0' && err == TM_OK;) {
        size_t size = strcspn(line, "\n");
        struct recorded_block b;

        err = recorded_block_parse(a, bytes_make(line, size), &b, e);
        if (err == TM_OK && b.height == change_at && change != NULL)
            change(a, &b);
        if (err == TM_OK && b.height > 0 && b.height <= last)
            err = executor_replay(x, b.raw, a, d, e);
        line += size + (line[size] == '\n');
    }
    return err;
}

static void replays_the_recorded_chain(void **state)
{
    /* No memory for trees: every block loads its pages again; batches of several sizes. */
    static const struct executor_options options[] = {
        {.tree_memory = 1, .cache_memory = 1, .batch = 1},
        {.batch = 7},
        {.tree_memory = 1, .cache_memory = 1, .batch = 100}};

    (void)state;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct store_memory *m = test_store(CHAIN_A, &RULES_REFERENCE);
        struct store store = store_memory_store(m);
        struct executor *x = open_executor(&store, &options[i]);
        struct executor_difference d = {0};
        struct tm_error e = {0};
        struct arena a;
        struct hash32 stored;
        height_t height;
        char text[65] = {0};

        arena_init(&a);
        if (replay_chain(x, 1000, NULL, -1, &a, &d, &e) != TM_OK)
            fail_msg("%s", e.text);
        assert_int_equal(executor_flush(x, &e), TM_OK);
        assert_int_equal(store.tip(store.ctx, &height, &stored, &e), TM_OK);
        assert_int_equal(height, 59);
        hex_encode(bytes_hash(&stored), text);
        assert_string_equal(text,
                            "eb30e9853402b94ea874844db8df8a6ad2c5d7bbfa8cd2fe6213b6f5998844a5");
        executor_close(x);
        store_memory_free(m);
        arena_free(&a);
    }
}

/* Another root of the account tree, in a block that is otherwise as recorded. */
static void other_account_root(struct arena *a, struct recorded_block *b)
{
    b->block.header.tree_roots[TREE_ACCOUNT].b[0] ^= 1;
    b->raw = block_encode(a, &b->block);
}

static void other_next_set(struct arena *a, struct recorded_block *b)
{
    b->block.header.next_validator_set_hash.b[0] ^= 1;
    b->raw = block_encode(a, &b->block);
}

static void no_certificate(struct arena *a, struct recorded_block *b)
{
    b->block.header.certificate = (struct bytes){NULL, 0};
    b->raw = block_encode(a, &b->block);
}

/* The first second of the year 10000; a recorded timestamp is covered by nothing. */
static void late_year(struct arena *a, struct recorded_block *b)
{
    b->block.header.seconds = 253402300800;
    b->raw = block_encode(a, &b->block);
}

static void no_nanos(struct arena *a, struct recorded_block *b)
{
    b->block.header.nanos = -1;
    b->raw = block_encode(a, &b->block);
}

static void replay_names_the_difference(void **state)
{
    static const struct {
        void (*change)(struct arena *a, struct recorded_block *b);
        const char *field;
        int tree;
    } cases[] = {{other_account_root, "tree", TREE_ACCOUNT},
                 {other_next_set, "next_val_set_hash", -1},
                 {late_year, "timestamp", -1},
                 {no_nanos, "timestamp", -1},
                 {no_certificate, "quorumCertificate", -1}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct store_memory *m = test_store(CHAIN_A, &RULES_REFERENCE);
        struct store store = store_memory_store(m);
        struct executor *x = open_executor(&store, NULL);
        struct executor_difference d = {0};
        struct tm_error e = {0};
        struct arena a;

        arena_init(&a);
        assert_int_not_equal(replay_chain(x, 1000, cases[i].change, 20, &a, &d, &e), TM_OK);
        assert_int_equal(d.height, 20);
        assert_string_equal(d.field, cases[i].field);
        assert_int_equal(d.tree, cases[i].tree);
        if (d.tree >= 0) {
            assert_true(d.write_count > 0);
            assert_string_not_equal(d.expected, d.found);
        }
        /* Nothing of the block stays: the true one still fits. */
        assert_int_equal(executor_height(x), 19);
        assert_int_equal(executor_queued(x), 0);
        executor_close(x);
        store_memory_free(m);
        arena_free(&a);
    }
}

/* A `standard` chain on the memory store with everything needed to extend it. */
struct chain {
    struct store_memory *memory;
    struct store store;
    struct executor *x;
    struct private_key keys[TEST_VALIDATORS];
    struct traffic traffic;
    struct arena arena;
};

static void chain_open(struct chain *c, const struct executor_options *options)
{
    c->memory = test_store(LOCALNET, NULL);
    c->store = store_memory_store(c->memory);
    c->x = open_executor(&c->store, options);
    test_validators(c->keys);
    traffic_init(&c->traffic, 7, 1, TRAFFIC_FUND_OWNER, c->keys, TEST_VALIDATORS);
    arena_init(&c->arena);
}

static void chain_close(struct chain *c)
{
    executor_close(c->x);
    store_memory_free(c->memory);
    arena_free(&c->arena);
}

/* A proposal with the next traffic, at `second` of the proposer's clock. */
static const struct executor_proposal *propose(struct chain *c, int64_t second, bool with_traffic)
{
    struct bytes raw[TRAFFIC_BATCH_MAX];
    size_t count = with_traffic ? traffic_next(&c->traffic, &c->arena, raw) : 0;
    struct executor_candidate *candidates =
        arena_array(&c->arena, struct executor_candidate, count);
    const struct executor_proposal *p;
    struct tm_error e = {0};

    if (test_propose(c->x, &c->arena, second, raw, count, candidates, &p, &e) != TM_OK)
        fail_msg("%s", e.text);
    return p;
}

static enum tm_err decide(struct chain *c, const struct executor_proposal *p, struct tm_error *e)
{
    struct hash32 key = p->key;

    return executor_decide(c->x, &key,
                           test_certificate(&c->arena, p, 0, c->keys, TEST_VALIDATORS - 1), e);
}

/* A block is decided in the round of its proposer or a later one. */
static void the_round_must_have_come_to_the_proposer(void **state)
{
    struct executor_prepare_input in = {.seconds = 2000000000};
    const struct executor_proposal *p;
    struct tm_error e = {0};
    struct hash32 key;
    struct chain c;

    (void)state;
    chain_open(&c, NULL);
    in.proposer = test_proposer(c.x, 2);
    assert_int_equal(executor_prepare(c.x, &in, &p, &e), TM_OK);
    key = p->key;
    assert_int_equal(executor_decide(c.x, &key, test_certificate(&c.arena, p, 1, c.keys, 3), &e),
                     TM_ERR_MISMATCH);
    assert_int_equal(executor_height(c.x), 0);
    assert_int_equal(executor_decide(c.x, &key, test_certificate(&c.arena, p, 3, c.keys, 3), &e),
                     TM_OK);
    chain_close(&c);
}

static void genesis_has_the_known_hash(void **state)
{
    struct chain c;
    char text[65] = {0};

    (void)state;
    chain_open(&c, NULL);
    hex_encode(bytes_hash(&executor_tip(c.x)->state_hash), text);
    assert_string_equal(text, "013850a053823e1c4c23abac95e979830cfb3b0440c25f64020f7c1ce83cef1b");
    chain_close(&c);
}

static void grows_and_replays_itself(void **state)
{
    struct executor_options small = {.tree_memory = 1, .cache_memory = 1};
    struct chain c;
    struct store_memory *other_memory;
    struct store other_store;
    struct executor *other;
    struct tm_error e = {0};
    size_t included = 0;

    (void)state;
    chain_open(&c, NULL);
    other_memory = test_store(LOCALNET, NULL);
    other_store = store_memory_store(other_memory);
    other = open_executor(&other_store, &small);
    for (int h = 1; h <= 40; h++) {
        const struct executor_proposal *p = propose(&c, 1800000000 + h, true);
        const struct executor_proposal *same;
        struct executor_difference d = {0};
        struct block stored;

        included += p->transaction_count;
        /* A replica gets the same from the body alone. */
        if (executor_apply(other, p->body, &same, &e) != TM_OK)
            fail_msg("height %d: %s", h, e.text);
        assert_memory_equal(&same->key, &p->key, sizeof p->key);
        executor_drop(other, &same->key);
        if (decide(&c, p, &e) != TM_OK)
            fail_msg("height %d: %s", h, e.text);
        assert_int_equal(c.store.block(c.store.ctx, &c.arena, h, &stored, &e), TM_OK);
        if (executor_replay(other, block_encode(&c.arena, &stored), &c.arena, &d, &e) != TM_OK)
            fail_msg("height %d: %s", h, e.text);
        if (h % 10 == 0) {
            /* A restart at any point goes on with the same chain. */
            executor_close(c.x);
            c.x = open_executor(&c.store, NULL);
        }
    }
    assert_true(included > 100);
    executor_close(other);
    store_memory_free(other_memory);
    chain_close(&c);
}

static void proposals_coexist_and_leave_nothing(void **state)
{
    struct chain c;
    struct tm_error e = {0};
    struct hash32 keys[3];
    const struct executor_proposal *p;

    (void)state;
    chain_open(&c, NULL);
    assert_int_equal(decide(&c, propose(&c, 1800000000, true), &e), TM_OK);
    for (int i = 0; i < 3; i++)
        keys[i] = propose(&c, 1800000001 + i, i > 0)->key;
    for (int i = 0; i < 3; i++)
        assert_non_null(executor_find(c.x, &keys[i]));
    executor_drop(c.x, &keys[1]);
    assert_null(executor_find(c.x, &keys[1]));
    executor_drop(c.x, &keys[1]);
    assert_int_equal(executor_height(c.x), 1);
    assert_int_equal(decide(&c, executor_find(c.x, &keys[2]), &e), TM_OK);
    /* The others were of the same height. */
    assert_null(executor_find(c.x, &keys[0]));
    assert_int_equal(executor_height(c.x), 2);
    p = propose(&c, 1800000010, true);
    assert_int_equal(p->header.height, 3);
    assert_int_equal(decide(&c, p, &e), TM_OK);
    chain_close(&c);
}

static void decision_needs_a_quorum(void **state)
{
    struct chain c;
    struct tm_error e = {0};
    const struct executor_proposal *p;
    struct hash32 key, unknown = {{1}};

    (void)state;
    chain_open(&c, NULL);
    p = propose(&c, 1800000000, true);
    key = p->key;
    assert_int_equal(executor_decide(c.x, &key, test_certificate(&c.arena, p, 0, c.keys, 2), &e),
                     TM_ERR_MISMATCH);
    assert_int_not_equal(executor_decide(c.x, &key, bytes_of("nonsense"), &e), TM_OK);
    assert_int_equal(executor_decide(c.x, &unknown, bytes_of(""), &e), TM_ERR_NOT_FOUND);
    assert_int_equal(executor_height(c.x), 0);
    assert_int_equal(decide(&c, executor_find(c.x, &key), &e), TM_OK);
    chain_close(&c);
}

static void a_failing_store_loses_nothing(void **state)
{
    struct chain c;
    struct tm_error e = {0};
    struct hash32 stored;
    height_t height;

    (void)state;
    chain_open(&c, NULL);
    store_memory_fail(c.memory, 2);
    assert_int_equal(decide(&c, propose(&c, 1800000000, true), &e), TM_ERR_IO);
    assert_int_equal(executor_height(c.x), 1);
    assert_int_equal(executor_queued(c.x), 1);
    assert_int_equal(executor_flush(c.x, &e), TM_ERR_IO);
    assert_int_equal(executor_flush(c.x, &e), TM_OK);
    assert_int_equal(executor_queued(c.x), 0);
    assert_int_equal(c.store.tip(c.store.ctx, &height, &stored, &e), TM_OK);
    assert_int_equal(height, 1);
    assert_int_equal(decide(&c, propose(&c, 1800000001, true), &e), TM_OK);
    chain_close(&c);
}

static void bodies_are_checked(void **state)
{
    struct chain c;
    struct tm_error e = {0};
    const struct executor_proposal *p, *out;
    struct block b;
    bool canonical;

    (void)state;
    chain_open(&c, NULL);
    p = propose(&c, 1800000000, true);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(block_decode(&c.arena, p->body, &b, &canonical, &e), TM_OK);
        switch (i) {
        case 0:
            b.header.height++;
            break;
        case 1:
            b.header.network_id = bytes_of("other");
            break;
        case 2:
            b.header.previous_state_hash.b[3] ^= 1;
            break;
        case 3:
            b.header.seconds = executor_tip(c.x)->seconds;
            b.header.nanos = executor_tip(c.x)->nanos;
            break;
        case 4:
            b.header.nanos = 1;
            break;
        case 5:
            b.header.tree_roots[TREE_POOL].b[0] ^= 1;
            break;
        case 6:
            b.transaction_count--;
            break;
        case 7:
            b.header.seconds = BLOCK_SECONDS_MAX + 1;
            break;
        }
        assert_int_not_equal(executor_apply(c.x, block_encode(&c.arena, &b), &out, &e), TM_OK);
        assert_null(out);
    }
    assert_int_not_equal(executor_apply(c.x, bytes_make(p->body.data, p->body.size - 1), &out, &e),
                         TM_OK);
    /* The same body is the same proposal. */
    assert_int_equal(executor_apply(c.x, p->body, &out, &e), TM_OK);
    assert_ptr_equal(out, p);
    chain_close(&c);
}

/* The last moment that a block may have; none can follow it. */
static void the_years_end_with_9999(void **state)
{
    struct executor_prepare_input in = {.seconds = BLOCK_SECONDS_MAX + 1};
    const struct executor_proposal *p;
    struct tm_error e = {0};
    struct chain c;

    (void)state;
    chain_open(&c, NULL);
    in.proposer = test_proposer(c.x, 0);
    assert_int_equal(executor_prepare(c.x, &in, &p, &e), TM_ERR_LIMIT);
    in.seconds = BLOCK_SECONDS_MAX;
    in.nanos = 999999999;
    assert_int_equal(executor_prepare(c.x, &in, &p, &e), TM_OK);
    assert_int_equal(p->header.nanos, 999999000);
    assert_int_equal(decide(&c, p, &e), TM_OK);
    in.proposer = test_proposer(c.x, 0);
    in.seconds = 1800000000;
    assert_int_equal(executor_prepare(c.x, &in, &p, &e), TM_ERR_LIMIT);
    assert_int_equal(executor_height(c.x), 1);
    chain_close(&c);
}

static void rows_are_fetched_set_wise(void **state)
{
    struct executor_options small = {.tree_memory = 1, .cache_memory = 1};
    struct chain c;
    struct tm_error e = {0};
    unsigned most = 0;
    size_t transactions = 0;

    (void)state;
    chain_open(&c, &small);
    for (int h = 1; h <= 20; h++) {
        const struct executor_proposal *p;
        unsigned before;

        before = store_memory_calls(c.memory);
        p = propose(&c, 1800000000 + h, true);
        transactions += p->transaction_count;
        if (store_memory_calls(c.memory) - before > most)
            most = store_memory_calls(c.memory) - before;
        assert_int_equal(decide(&c, p, &e), TM_OK);
    }
    assert_true(transactions > 50);
    /* Rows once, pages of the transactions tree, pages of the others: a few levels each. */
    assert_in_range(most, 1, 12);
    chain_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replays_the_recorded_chain),
        cmocka_unit_test(replay_names_the_difference),
        cmocka_unit_test(the_round_must_have_come_to_the_proposer),
        cmocka_unit_test(genesis_has_the_known_hash),
        cmocka_unit_test(grows_and_replays_itself),
        cmocka_unit_test(proposals_coexist_and_leave_nothing),
        cmocka_unit_test(decision_needs_a_quorum),
        cmocka_unit_test(a_failing_store_loses_nothing),
        cmocka_unit_test(bodies_are_checked),
        cmocka_unit_test(the_years_end_with_9999),
        cmocka_unit_test(rows_are_fetched_set_wise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
