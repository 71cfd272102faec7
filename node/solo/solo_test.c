#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <stdio.h>

#include "solo.h"

enum { VALIDATORS = 4, HISTORY_MAX = 4096 };

static struct address ADDRESS[VALIDATORS] = {{{1}}, {{2}}, {{3}}, {{4}}};

/* A decider with what its shell would keep: guards that survive a crash, signatures given out. */
struct node {
    struct solo solo;
    struct solo_key keys[VALIDATORS];
    struct guard_record durable[VALIDATORS];
    struct validator members[VALIDATORS];
    struct validator_set set;
    uint64_t tip, blocks;
    bool has_body; /* the body of durable[0].header_hash is stored */
    struct {
        uint64_t height, round;
        struct hash32 hash;
    } history[HISTORY_MAX];
    size_t signatures;
};

static void node_init(struct node *n, size_t own)
{
    const struct solo_config config = {.interval_msec = 1000, .empty_interval_msec = 1000};

    *n = (struct node){.set = {.members = n->members, .count = VALIDATORS}};
    for (int i = 0; i < VALIDATORS; i++) {
        n->members[i].address = bytes_address(&ADDRESS[i]);
        n->durable[i].address = ADDRESS[i];
        n->keys[i].guard.address = ADDRESS[i];
    }
    solo_init(&n->solo, &config, n->keys, own);
}

/* A crash: memory is gone, what was persisted stays. */
static struct solo_action restart(struct node *n, bool accept_older)
{
    struct solo_config config = n->solo.config;
    const struct solo_event started = {.kind = SOLO_STARTED, .tip = n->tip, .set = &n->set};
    size_t own = n->solo.key_count;

    config.accept_older = accept_older;
    for (int i = 0; i < VALIDATORS; i++)
        n->keys[i] = (struct solo_key){.guard = n->durable[i]};
    solo_init(&n->solo, &config, n->keys, own);
    return solo_step(&n->solo, &started);
}

static struct solo_action send(struct node *n, enum solo_event_kind kind)
{
    const struct solo_event event = {.kind = kind, .tip = n->tip, .set = &n->set, .text = "broken"};

    return solo_step(&n->solo, &event);
}

static struct solo_action executed(struct node *n, struct hash32 hash)
{
    const struct solo_event event = {.kind = SOLO_EXECUTED, .header_hash = hash};

    return solo_step(&n->solo, &event);
}

static void persist(struct node *n)
{
    for (size_t i = 0; i < n->solo.key_count; i++)
        if (n->keys[i].signs)
            n->durable[i] = n->keys[i].guard;
    n->has_body = true;
}

/* Every signature that leaves the node; never two for one (height, round). */
static void sign(struct node *n, const struct solo_action *decide)
{
    for (size_t i = 0; i < n->signatures; i++)
        if (n->history[i].height == decide->height && n->history[i].round == decide->round)
            assert_memory_equal(&n->history[i].hash, &decide->header_hash,
                                sizeof decide->header_hash);
    assert_true(n->signatures < HISTORY_MAX);
    n->history[n->signatures].height = decide->height;
    n->history[n->signatures].round = decide->round;
    n->history[n->signatures++].hash = decide->header_hash;
}

static struct hash32 fresh_hash(struct node *n)
{
    struct hash32 h = {{0}};

    n->blocks++;
    memcpy(h.b, &n->blocks, sizeof n->blocks);
    return h;
}

static void a_block_goes_its_way(void **state)
{
    struct node n;
    struct solo_action action;

    (void)state;
    node_init(&n, VALIDATORS);
    action = restart(&n, false);
    assert_int_equal(action.kind, SOLO_SET_TIMER);
    assert_int_equal(action.msec, 1000);
    action = send(&n, SOLO_TIMER);
    assert_int_equal(action.kind, SOLO_BUILD);
    assert_int_equal(action.height, 1);
    assert_int_equal(action.round, 0);
    assert_memory_equal(action.proposer.data, &ADDRESS[1], sizeof ADDRESS[1]);
    action = executed(&n, (struct hash32){{9}});
    assert_int_equal(action.kind, SOLO_PERSIST);
    for (int i = 0; i < VALIDATORS; i++) {
        assert_true(n.keys[i].signs);
        assert_int_equal(n.keys[i].guard.height, 1);
        assert_int_equal(n.keys[i].guard.step, STEP_COMMIT);
        assert_int_equal(n.keys[i].guard.sequence, 1);
    }
    action = send(&n, SOLO_PERSISTED);
    assert_int_equal(action.kind, SOLO_DECIDE);
    n.tip = 1;
    action = send(&n, SOLO_COMMITTED);
    assert_int_equal(action.kind, SOLO_SET_TIMER);
    action = send(&n, SOLO_TIMER);
    assert_int_equal(action.height, 2);
}

static void too_few_keys_stop_it(void **state)
{
    struct node n;

    (void)state;
    node_init(&n, 2);
    assert_int_equal(restart(&n, false).kind, SOLO_STOP);
    node_init(&n, 3);
    assert_int_equal(restart(&n, false).kind, SOLO_SET_TIMER);
}

static void another_leader_is_passed_over(void **state)
{
    struct node n;
    struct solo_action action;

    (void)state;
    node_init(&n, 3); /* without the leader of (3, 0) */
    n.tip = 2;
    restart(&n, false);
    action = send(&n, SOLO_TIMER);
    assert_int_equal(action.kind, SOLO_BUILD);
    assert_int_equal(action.round, 1);
    assert_memory_equal(action.proposer.data, &ADDRESS[0], sizeof ADDRESS[0]);
}

static void the_signed_block_is_decided_after_a_crash(void **state)
{
    struct node n;
    struct solo_action action;
    struct hash32 hash = {{9}};

    (void)state;
    node_init(&n, VALIDATORS);
    restart(&n, false);
    send(&n, SOLO_TIMER);
    executed(&n, hash);
    persist(&n);
    action = restart(&n, false);
    assert_int_equal(action.kind, SOLO_EXECUTE);
    assert_memory_equal(&action.header_hash, &hash, sizeof hash);
    action = executed(&n, hash);
    assert_int_equal(action.kind, SOLO_PERSIST);
    assert_int_equal(action.round, 0);
    assert_int_equal(send(&n, SOLO_PERSISTED).kind, SOLO_DECIDE);
    /* Without the body: another round. */
    restart(&n, false);
    action = send(&n, SOLO_INVALID);
    assert_int_equal(action.kind, SOLO_BUILD);
    assert_int_equal(action.round, 1);
}

static void an_older_database_is_refused(void **state)
{
    struct node n;
    struct solo_action action;
    struct solo_event moved = {.kind = SOLO_STARTED, .place_changed = true};
    struct solo_event back = {.kind = SOLO_STARTED, .taken_back = true};

    (void)state;
    node_init(&n, VALIDATORS);
    for (int i = 0; i < VALIDATORS; i++) {
        n.durable[i].height = 10;
        n.durable[i].step = STEP_COMMIT;
    }
    n.tip = 5;
    assert_int_equal(restart(&n, false).kind, SOLO_STOP);
    assert_int_equal(restart(&n, true).kind, SOLO_SET_TIMER);
    action = send(&n, SOLO_TIMER);
    assert_int_equal(action.height, 6);
    assert_int_equal(action.round, 1);
    n.tip = 10;
    assert_int_equal(restart(&n, false).kind, SOLO_SET_TIMER);
    /* A block that was decided and rolled back is no block that is still to be decided. */
    n.tip = 9;
    assert_int_equal(restart(&n, false).kind, SOLO_EXECUTE);
    back.tip = 9;
    back.set = &n.set;
    assert_int_equal(solo_step(&n.solo, &back).kind, SOLO_STOP);
    n.tip = 10;
    assert_int_equal(restart(&n, false).kind, SOLO_SET_TIMER);
    /* The same tip in another place is as suspect. */
    moved.tip = 10;
    moved.set = &n.set;
    assert_int_equal(solo_step(&n.solo, &moved).kind, SOLO_STOP);
}

static void what_fails_is_tried_again(void **state)
{
    struct node n;
    struct solo_action action;

    (void)state;
    node_init(&n, VALIDATORS);
    restart(&n, false);
    send(&n, SOLO_TIMER);
    action = send(&n, SOLO_UNAVAILABLE);
    assert_int_equal(action.kind, SOLO_SET_TIMER);
    assert_int_equal(action.msec, SOLO_RETRY_MSEC);
    assert_int_equal(send(&n, SOLO_TRANSACTIONS).kind, SOLO_WAIT);
    assert_int_equal(send(&n, SOLO_TIMER).kind, SOLO_BUILD);
    executed(&n, (struct hash32){{9}});
    send(&n, SOLO_UNAVAILABLE);
    assert_int_equal(send(&n, SOLO_TIMER).kind, SOLO_PERSIST);
    send(&n, SOLO_PERSISTED);
    send(&n, SOLO_UNAVAILABLE);
    /* Decided is decided: only the writing is repeated. */
    assert_int_equal(send(&n, SOLO_TIMER).kind, SOLO_WRITE);
    send(&n, SOLO_UNAVAILABLE);
    assert_int_equal(send(&n, SOLO_TIMER).kind, SOLO_WRITE);
    n.tip = 1;
    assert_int_equal(send(&n, SOLO_COMMITTED).kind, SOLO_SET_TIMER);
    send(&n, SOLO_TIMER);
    assert_int_equal(send(&n, SOLO_INVALID).kind, SOLO_STOP);
    assert_int_equal(send(&n, SOLO_TIMER).kind, SOLO_WAIT);
}

static void empty_blocks_wait_longer(void **state)
{
    struct node n;
    struct solo_event timer = {.kind = SOLO_TIMER, .pool_empty = true};
    struct solo_action action;

    (void)state;
    node_init(&n, VALIDATORS);
    n.solo.config.empty_interval_msec = 10000;
    restart(&n, false);
    action = solo_step(&n.solo, &timer);
    assert_int_equal(action.kind, SOLO_SET_TIMER);
    assert_int_equal(action.msec, 9000);
    assert_int_equal(send(&n, SOLO_TRANSACTIONS).kind, SOLO_BUILD);
    restart(&n, false);
    solo_step(&n.solo, &timer);
    assert_int_equal(solo_step(&n.solo, &timer).kind, SOLO_BUILD);
}

/* Crashes at random points, bodies lost at random: never two signatures for one (height, round). */
static void random_crashes_never_sign_twice(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 50; seed++) {
        struct node n;
        struct solo_action action;

        srand(seed);
        node_init(&n, VALIDATORS - seed % 2);
        action = restart(&n, false);
        for (int step = 0; step < 300; step++) {
            if (rand() % 6 == 0) {
                n.has_body = n.has_body && rand() % 4 != 0;
                action = restart(&n, false);
                continue;
            }
            switch (action.kind) {
            case SOLO_SET_TIMER:
            case SOLO_WAIT:
                action = send(&n, SOLO_TIMER);
                break;
            case SOLO_BUILD:
                action = executed(&n, fresh_hash(&n));
                break;
            case SOLO_EXECUTE:
                action = n.has_body ? executed(&n, action.header_hash) : send(&n, SOLO_INVALID);
                break;
            case SOLO_PERSIST:
                if (rand() % 8 == 0) {
                    action = send(&n, SOLO_UNAVAILABLE);
                    break;
                }
                persist(&n);
                action = send(&n, SOLO_PERSISTED);
                break;
            case SOLO_DECIDE:
                sign(&n, &action);
                /* The crash may come between signing and committing. */
                if (rand() % 4 == 0) {
                    action = restart(&n, false);
                    break;
                }
                n.tip++;
                n.has_body = false;
                action = send(&n, SOLO_COMMITTED);
                break;
            case SOLO_WRITE:
            case SOLO_STOP:
                fail_msg("%s", action.text);
                break;
            }
        }
        assert_true(n.tip > 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_goes_its_way),
        cmocka_unit_test(too_few_keys_stop_it),
        cmocka_unit_test(another_leader_is_passed_over),
        cmocka_unit_test(the_signed_block_is_decided_after_a_crash),
        cmocka_unit_test(an_older_database_is_refused),
        cmocka_unit_test(what_fails_is_tried_again),
        cmocka_unit_test(empty_blocks_wait_longer),
        cmocka_unit_test(random_crashes_never_sign_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
