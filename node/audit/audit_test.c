#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "node/audit/plan.h"
#include "node/audit/share.h"

static struct audit_position at(height_t earliest, height_t tip, height_t block, height_t execution)
{
    return (struct audit_position){.earliest = earliest,
                                   .tip = tip,
                                   .cursor = {block, execution},
                                   .left = {UINT64_MAX, UINT64_MAX, UINT64_MAX}};
}

static struct audit_task next(const struct audit_position *p, uint64_t random)
{
    struct audit_task t;

    assert_true(audit_next(p, random, &t));
    return t;
}

static void test_new_chain(void **state)
{
    struct audit_position p = at(0, 100, HEIGHT_NONE, HEIGHT_NONE);
    struct audit_task t = next(&p, 0);

    (void)state;
    assert_int_equal(t.kind, AUDIT_BLOCK);
    assert_int_equal(t.first, 0);
    assert_int_equal(t.last, AUDIT_RUN_HEIGHTS - 1);
    assert_false(t.pruned);
    p.spent[AUDIT_BLOCK] = 10;
    t = next(&p, 0);
    assert_int_equal(t.kind, AUDIT_EXECUTION);
    assert_int_equal(t.first, 1); /* genesis is no execution */
    assert_int_equal(t.last, AUDIT_RUN_HEIGHTS);
    assert_false(t.pruned);
    p.spent[AUDIT_EXECUTION] = 10;
    assert_int_equal(next(&p, 0).kind, AUDIT_STATE);
    p.spent[AUDIT_STATE] = 5; /* half their time: their turn again */
    assert_int_equal(next(&p, 0).kind, AUDIT_BLOCK);
}

static void test_tip(void **state)
{
    struct audit_position p = at(0, 100, 98, 100);
    struct audit_task t = next(&p, 0);

    (void)state;
    assert_false(audit_at_tip(&p));
    assert_int_equal(t.kind, AUDIT_BLOCK);
    assert_int_equal(t.first, 99);
    assert_int_equal(t.last, 100);
    p.cursor[AUDIT_BLOCK] = 100;
    assert_true(audit_at_tip(&p));
    p.spent[AUDIT_STATE] = 1000000; /* nothing else to do */
    assert_int_equal(next(&p, 7).kind, AUDIT_STATE);
}

static void test_random_heights(void **state)
{
    struct audit_position p = at(0, 9, 9, 9);

    (void)state;
    for (uint64_t i = 0; i < 30; i++) {
        struct audit_task t = next(&p, i);

        assert_int_equal(t.first, i % 10);
        assert_int_equal(t.last, t.first);
    }
    p.earliest = 4; /* the state before height 4 is gone */
    for (uint64_t i = 0; i < 30; i++)
        assert_int_equal(next(&p, i).first, 5 + (height_t)(i % 5));
    assert_in_range(next(&p, UINT64_MAX).first, 5, 9);
}

static void test_pruned(void **state)
{
    struct audit_position p = at(40, 59, 10, 10);
    struct audit_task t = next(&p, 0);

    (void)state;
    assert_true(t.pruned);
    assert_int_equal(t.kind, AUDIT_BLOCK);
    assert_int_equal(t.first, 11);
    assert_int_equal(t.last, 39);
    p.spent[AUDIT_BLOCK] = 1;
    p.spent[AUDIT_BLOCK] = 10;
    t = next(&p, 0);
    assert_true(t.pruned);
    assert_int_equal(t.kind, AUDIT_EXECUTION);
    assert_int_equal(t.last, 40); /* the state it needs is that of 39 */
    p.cursor[AUDIT_BLOCK] = 39;
    p.cursor[AUDIT_EXECUTION] = 40;
    p.spent[AUDIT_BLOCK] = 0;
    assert_int_equal(next(&p, 0).first, 40);
    assert_false(next(&p, 0).pruned);
}

static void test_nothing(void **state)
{
    struct audit_position p = at(59, 59, 59, 59);
    struct audit_task t;

    (void)state;
    assert_false(audit_next(&p, 0, &t)); /* only the tip's state is left */
    p.cursor[AUDIT_EXECUTION] = 50;
    assert_true(audit_next(&p, 0, &t));
    assert_true(t.pruned);
    assert_int_equal(t.last, 59);
    p = at(0, 0, 0, HEIGHT_NONE); /* genesis alone */
    assert_true(audit_at_tip(&p));
    assert_int_equal(next(&p, 3).kind, AUDIT_STATE);
    assert_int_equal(next(&p, 3).first, 0);
}

static void test_limits(void **state)
{
    struct audit_position p = at(0, 100, 100, 10);
    struct audit_task t;

    (void)state;
    p.left[AUDIT_EXECUTION] = 3;
    p.spent[AUDIT_STATE] = 1;
    t = next(&p, 0);
    assert_int_equal(t.kind, AUDIT_EXECUTION);
    assert_int_equal(t.first, 11);
    assert_int_equal(t.last, 13);
    p.left[AUDIT_EXECUTION] = 0;
    assert_int_equal(next(&p, 0).kind, AUDIT_STATE);
    assert_true(audit_at_tip(&p));
    p.left[AUDIT_STATE] = 0;
    assert_false(audit_next(&p, 0, &t));
}

static void test_share(void **state)
{
    struct share s = {.percent = 25};

    (void)state;
    /* 100 of work in 100: another 300 to be at a quarter */
    assert_int_equal(share_rest(&s, 100, 100), 300);
    assert_int_equal(share_rest(&s, 0, 300), 0);
    /* two pieces of work in a row */
    assert_int_equal(share_rest(&s, 10, 10), 30);
    assert_int_equal(share_rest(&s, 10, 10), 60);
    assert_int_equal(share_rest(&s, 0, 20), 40); /* woken early */
    assert_int_equal(share_rest(&s, 0, 40), 0);
    /* two processors at once */
    assert_int_equal(share_rest(&s, 200, 100), 700);
    assert_int_equal(share_rest(&s, 0, 1000000), 0);
    /* waiting is no credit */
    assert_int_equal(share_rest(&s, 100, 100), 300);
    s = (struct share){.percent = 100};
    assert_int_equal(share_rest(&s, 50, 50), 0);
    assert_int_equal(share_rest(&s, 90, 50), 40);
    assert_int_equal(share_rest(&s, -5, -5), 40); /* clocks that jump */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_chain),      cmocka_unit_test(test_tip),
        cmocka_unit_test(test_random_heights), cmocka_unit_test(test_pruned),
        cmocka_unit_test(test_nothing),        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_share),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
