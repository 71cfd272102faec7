/*
 * Random blocks over a seeded state. Under `standard`: accounts + pools are conserved at each
 * height and none is negative, each stake pool holds its stakes, a failed transaction leaves
 * nothing but its fee, a refused one nothing at all. Under both rule sets: a store that fetches
 * only the keys the ledger names gives the same result.
 */
#include "test_random.h"

#include "ledger_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { HEIGHTS = 300, BLOCK_MAX_TRANSACTIONS = 30 };

struct block_run {
    struct transaction tx[BLOCK_MAX_TRANSACTIONS];
    int code[BLOCK_MAX_TRANSACTIONS]; /* of the result, or minus the code of a refusal */
    int32_t step[BLOCK_MAX_TRANSACTIONS];
    size_t count;
};

/* --- a store that knows only what it was told to fetch ------------------------------------------
 */

struct fetched {
    struct ledger_view whole;
    struct state_map wanted;
    struct arena *arena;
};

static void want(void *ctx, enum tree_id tree, struct bytes key)
{
    static const struct record marker;
    struct fetched *f = ctx;

    state_map_put(&f->wanted, tree, arena_copy(f->arena, key), &marker);
}

static enum tm_err fetched_get(void *ctx, enum tree_id tree, struct bytes key,
                               const struct record **out, struct tm_error *e)
{
    struct fetched *f = ctx;
    enum tm_err err;

    if (tree != TREE_PARAMS && tree != TREE_POOL && state_map_find(&f->wanted, tree, key) == NULL)
        return tm_fail(e, TM_ERR_AGAIN, "a key of tree %s was not fetched", tree_name(tree));
    err = f->whole.get(f->whole.ctx, tree, key, out, e);
    if (err == TM_OK && *out != NULL)
        *out = record_copy(f->arena, *out); /* from elsewhere each time */
    return err;
}

static enum tm_err fetched_has(void *ctx, const struct hash32 *hash, bool *out, struct tm_error *e)
{
    struct fetched *f = ctx;

    if (state_map_find(&f->wanted, TREE_TRANSACTIONS, bytes_hash(hash)) == NULL)
        return tm_fail(e, TM_ERR_AGAIN, "a transaction was not fetched");
    return f->whole.has_transaction(f->whole.ctx, hash, out, e);
}

static enum tm_err fetched_unstaking(void *ctx, enum tree_id tree, height_t height,
                                     const struct record *const **out, size_t *count,
                                     struct tm_error *e)
{
    struct fetched *f = ctx;
    enum tm_err err = f->whole.unstaking(f->whole.ctx, tree, height, out, count, e);

    for (size_t i = 0; err == TM_OK && i < *count; i++)
        want(f, tree, (*out)[i]->key);
    return err;
}

static enum tm_err fetched_paused(void *ctx, enum tree_id tree, height_t before,
                                  const struct record *const **out, size_t *count,
                                  struct tm_error *e)
{
    struct fetched *f = ctx;
    enum tm_err err = f->whole.paused(f->whole.ctx, tree, before, out, count, e);

    for (size_t i = 0; err == TM_OK && i < *count; i++)
        want(f, tree, (*out)[i]->key);
    return err;
}

static enum tm_err fetched_validators(void *ctx, size_t *out, struct tm_error *e)
{
    struct fetched *f = ctx;

    return f->whole.active_validators(f->whole.ctx, out, e);
}

/* Runs the block once more over such a store: the same codes, writes and touches. */
static void run_again_fetched(struct test_chain *c, const struct block_run *run)
{
    struct arena a;
    struct fetched f = {.whole = c->view, .arena = &a};
    struct ledger_view view = {
        &f, fetched_get, fetched_has, fetched_unstaking, fetched_paused, fetched_validators};
    struct ledger *l;
    struct tm_error e = {0};
    const struct ledger_write *x, *y;
    const struct ledger_touch *tx, *ty;
    size_t count;

    arena_init(&a);
    state_map_init_in(&f.wanted, &a);
    for (size_t i = 0; i < run->count; i++)
        ledger_keys(&run->tx[i], want, &f);
    assert_int_equal(ledger_begin(&a, c->rules, &view, c->height, test_address(c, 0), &l, &e),
                     TM_OK);
    for (size_t i = 0; i < run->count; i++) {
        struct ledger_result result;
        enum tm_err err = ledger_apply(l, &run->tx[i], &result, &e);

        assert_true(err == TM_OK || err == TM_ERR_RULE);
        assert_int_equal(err == TM_OK ? result.code : -e.code, run->code[i]);
    }
    assert_int_equal(ledger_end_keys(l, want, &f, &e), TM_OK);
    assert_int_equal(ledger_end(l, &e), TM_OK);
    count = ledger_writes(c->ledger, &x);
    assert_int_equal(ledger_writes(l, &y), count);
    for (size_t i = 0; i < count; i++) {
        assert_true(x[i].tree == y[i].tree && bytes_equal(x[i].key, y[i].key));
        assert_int_equal(x[i].after == NULL, y[i].after == NULL);
        assert_int_equal(x[i].before == NULL, y[i].before == NULL);
        assert_true(x[i].after == NULL || record_equal(x[i].after, y[i].after));
    }
    count = ledger_touches(c->ledger, &tx);
    assert_int_equal(ledger_touches(l, &ty), count);
    for (size_t i = 0; i < count; i++)
        assert_true(tx[i].tree == ty[i].tree && tx[i].step == ty[i].step &&
                    bytes_equal(tx[i].key, ty[i].key));
    arena_free(&a);
}

/* --- what must hold ------------------------------------------------------------------------------
 */

static void run_transaction(struct test_chain *c, struct test_source *s, struct block_run *run)
{
    size_t i = run->count++;
    size_t touches = c->ledger->layer.touch_count, entries = c->ledger->layer.undo_count;
    enum tm_err err;

    run->tx[i] = test_random_transaction(c, s);
    run->step[i] = c->ledger->transactions;
    err = test_apply(c, &run->tx[i]);
    assert_true(err == TM_OK || err == TM_ERR_RULE);
    run->code[i] = err == TM_OK ? c->result.code : -c->error.code;
    if (err == TM_OK)
        return;
    assert_true(c->error.code > 0);
    assert_int_equal(c->ledger->layer.touch_count, touches);
    assert_int_equal(c->ledger->layer.undo_count, entries);
    run->step[i] = -1;
}

/* Leaves that a failed transaction touched: its signer's account, FeeCollector, itself. */
static void failed_leave_their_fee(struct test_chain *c, const struct block_run *run)
{
    const struct write_layer *layer = &c->ledger->layer;

    for (size_t i = 0; i < run->count; i++) {
        if (run->code[i] <= 0)
            continue;
        for (size_t k = 0; k < layer->touch_count; k++) {
            const struct ledger_touch *t = &layer->touches[k];

            if (t->step != run->step[i])
                continue;
            assert_true((t->tree == TREE_ACCOUNT &&
                         bytes_equal(t->key, bytes_address(&run->tx[i].signer))) ||
                        (t->tree == TREE_POOL &&
                         bytes_equal(t->key, pool_key(c->rules, POOL_FEE_COLLECTOR))) ||
                        (t->tree == TREE_TRANSACTIONS &&
                         bytes_equal(t->key, bytes_hash(&run->tx[i].hash))));
        }
    }
}

/* Pool of a kind - stakes of the kind: constant under `standard`. */
static struct amount unbacked(struct test_chain *c, enum actor_kind kind, struct arena *a)
{
    struct amount rest = test_get(c, TREE_POOL, pool_key(c->rules, pool_of_stakes(kind)))->balance;

    for (size_t i = 0; i < c->memory.state.count; i++) {
        const struct record *r = c->memory.state.entries[i].record;

        if (r != NULL && r->tree == actor_tree(kind))
            rest = amount_subtract(a, rest, amount_of_canonical(r->actor.stake_text));
    }
    return rest;
}

/* How much of each a run has seen: one that sees too little shows nothing. */
struct tally {
    long included, failed, refused, left;
};

static void random_chain(const struct rules *rules, uint64_t seed, struct tally *tally)
{
    static struct block_run run;
    struct test_source s = {.state = seed};
    struct test_chain c;
    struct amount supply, backing[ACTOR_VAL + 1];
    bool negative, standard = rules == &RULES_STANDARD;

    test_chain_init(&c, rules);
    test_populate(&c);
    supply = test_supply(&c, &c.arena, &negative);
    for (int k = ACTOR_APP; k <= ACTOR_VAL; k++)
        backing[k] = unbacked(&c, (enum actor_kind)k, &c.arena);
    for (height_t h = 1; h <= HEIGHTS; h++) {
        struct arena scratch;
        const struct ledger_write *writes;
        size_t count;
        uint32_t transactions = test_next(&s, BLOCK_MAX_TRANSACTIONS);

        run.count = 0;
        if (test_begin(&c, h) != TM_OK) {
            assert_false(standard); /* a parameter made unusable ends a `reference` chain */
            break;
        }
        for (uint32_t i = 0; i < transactions; i++)
            run_transaction(&c, &s, &run);
        if (ledger_end(c.ledger, &c.error) != TM_OK) {
            assert_false(standard);
            break;
        }
        failed_leave_their_fee(&c, &run);
        run_again_fetched(&c, &run);
        count = ledger_writes(c.ledger, &writes);
        for (size_t i = 0; i < count; i++)
            tally->left += writes[i].after == NULL;
        ledger_memory_apply(&c.memory, writes, count);
        for (size_t i = 0; i < run.count; i++) {
            tally->included += run.code[i] == 0;
            tally->failed += run.code[i] > 0;
            tally->refused += run.code[i] < 0;
        }
        arena_init(&scratch);
        if (standard) {
            assert_true(bytes_equal(test_supply(&c, &scratch, &negative).text, supply.text));
            assert_false(negative);
            for (int k = ACTOR_APP; k <= ACTOR_VAL; k++)
                assert_true(
                    bytes_equal(unbacked(&c, (enum actor_kind)k, &scratch).text, backing[k].text));
            assert_true(ledger_memory_validators(&c.memory, rules, &scratch).count > 0);
        }
        arena_free(&scratch);
    }
    test_chain_free(&c);
}

static void standard(void **state)
{
    struct tally tally = {0};

    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++)
        random_chain(&RULES_STANDARD, seed * 0x9e3779b97f4a7c15u, &tally);
    assert_true(tally.included > 1000 && tally.failed > 100 && tally.refused > 1000);
    assert_true(tally.left > 50);
}

/* Most of these chains end at a parameter that was made unusable. */
static void reference(void **state)
{
    struct tally tally = {0};

    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++)
        random_chain(&RULES_REFERENCE, seed * 0xbf58476d1ce4e5b9u, &tally);
    assert_true(tally.included > 1000 && tally.failed > 100 && tally.refused > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(standard), cmocka_unit_test(reference)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
