#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "guard.h"

static struct hash32 hash_of(uint8_t n)
{
    return (struct hash32){{n}};
}

static void only_forward_or_the_same(void **state)
{
    struct hash32 a = hash_of(1), b = hash_of(2);
    struct guard_record g = {.height = 7, .round = 2, .step = STEP_COMMIT, .header_hash = a};

    (void)state;
    assert_true(guard_may_sign(&g, 7, 2, STEP_COMMIT, &a));
    assert_false(guard_may_sign(&g, 7, 2, STEP_COMMIT, &b));
    assert_false(guard_may_sign(&g, 7, 2, STEP_PREPARE, &a));
    assert_false(guard_may_sign(&g, 7, 1, STEP_COMMIT, &a));
    assert_false(guard_may_sign(&g, 6, 9, STEP_COMMIT, &a));
    assert_true(guard_may_sign(&g, 7, 3, STEP_PREPARE, &b));
    assert_true(guard_may_sign(&g, 8, 0, STEP_PREPARE, &b));
    assert_int_equal(guard_next_round(&g, 7), 3);
    assert_int_equal(guard_next_round(&g, 8), 0);
}

static void the_greater_record_counts(void **state)
{
    struct guard_record file = {.height = 9, .round = 0, .step = STEP_COMMIT, .sequence = 4};
    struct guard_record row = {.height = 8, .round = 3, .step = STEP_COMMIT, .sequence = 9};
    struct guard_record merged = guard_merge(&file, &row);

    (void)state;
    assert_int_equal(merged.height, 9);
    assert_int_equal(merged.sequence, 9);
    assert_int_equal(merged.highest_round, 3);
    assert_int_equal(guard_merge(NULL, &row).height, 8);
    assert_int_equal(guard_merge(&file, NULL).height, 9);
    assert_int_equal(guard_merge(NULL, NULL).step, STEP_UNKNOWN);
}

/* Another node wrote the row while this one wrote the file: neither header is signed again. */
static void two_headers_for_one_vote_bar_both(void **state)
{
    struct hash32 a = hash_of(1), b = hash_of(2);
    struct guard_record file = {.height = 7, .step = STEP_COMMIT, .header_hash = a};
    struct guard_record row = {.height = 7, .step = STEP_COMMIT, .header_hash = b};
    struct guard_record merged = guard_merge(&file, &row);

    (void)state;
    assert_false(guard_may_sign(&merged, 7, 0, STEP_COMMIT, &a));
    assert_false(guard_may_sign(&merged, 7, 0, STEP_COMMIT, &b));
    assert_int_equal(guard_next_round(&merged, 7), 1);
    row.header_hash = a;
    merged = guard_merge(&file, &row);
    assert_true(guard_may_sign(&merged, 7, 0, STEP_COMMIT, &a));
}

/* An accepted older database: no (height, round, step) that may have been signed comes again. */
static void accepting_an_older_database_never_repeats(void **state)
{
    struct hash32 a = hash_of(1), b = hash_of(2);
    struct guard_record g = {
        .height = 500, .round = 1, .step = STEP_COMMIT, .header_hash = a, .highest_round = 4};
    struct guard_record accepted = guard_accept_older(&g, 300);

    (void)state;
    for (uint64_t height = 301; height <= 500; height++) {
        for (uint64_t round = 0; round <= 4; round++)
            assert_false(guard_may_sign(&accepted, height, round, STEP_COMMIT, &b));
        assert_int_equal(guard_next_round(&accepted, height), 5);
        assert_true(guard_may_sign(&accepted, height, 5, STEP_COMMIT, &b));
    }
    assert_int_equal(guard_next_round(&accepted, 501), 0);
    assert_true(guard_may_sign(&accepted, 501, 0, STEP_COMMIT, &b));
    /* A second time, after some heights were signed in round 5. */
    accepted.height = 400;
    accepted.round = accepted.highest_round = 5;
    accepted.step = STEP_COMMIT;
    accepted = guard_accept_older(&accepted, 350);
    assert_int_equal(guard_next_round(&accepted, 351), 6);
    assert_int_equal(guard_next_round(&accepted, 500), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_forward_or_the_same),
        cmocka_unit_test(the_greater_record_counts),
        cmocka_unit_test(two_headers_for_one_vote_bar_both),
        cmocka_unit_test(accepting_an_older_database_never_repeats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
