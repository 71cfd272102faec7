#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mempool.h"

#include "protocol/ed25519/ed25519.h"

static struct private_key key_of(uint8_t n)
{
    uint8_t seed[32] = {n, 1};

    return ed25519_from_seed(seed);
}

/* A send by signer `n`, told apart by its nonce. */
static struct bytes make(struct arena *a, uint8_t n, unsigned number)
{
    struct private_key key = key_of(n);
    struct public_key public = ed25519_public(&key);
    struct address from = address_of_key(&public);
    struct message m = {.kind = MESSAGE_SEND,
                        .from = bytes_address(&from),
                        .to = bytes_address(&from),
                        .amount = bytes_of("1")};

    return transaction_sign(a, &m, bytes_of(arena_format(a, "%u", number)), &key);
}

static struct hash32 add(struct mempool *m, struct arena *a, uint8_t n, unsigned number)
{
    struct bytes raw = make(a, n, number);
    struct transaction tx;
    struct tm_error e;

    assert_int_equal(transaction_decode(a, raw, &tx, &e), TM_OK);
    assert_int_equal(mempool_add(m, raw, NULL, NULL, &e), TM_OK);
    return tx.hash;
}

static void signers_take_turns(void **state)
{
    struct arena a;
    struct mempool *m = mempool_new(NULL);
    const struct mempool_entry *out[16];
    struct hash32 hash[6];
    static const int expected[6] = {0, 3, 4, 1, 5, 2};

    (void)state;
    arena_init(&a);
    hash[0] = add(m, &a, 1, 0);
    hash[1] = add(m, &a, 1, 1);
    hash[2] = add(m, &a, 1, 2);
    hash[3] = add(m, &a, 2, 3);
    hash[4] = add(m, &a, 3, 4);
    hash[5] = add(m, &a, 2, 5);
    assert_int_equal(mempool_reap(m, out, 16), 6);
    for (int i = 0; i < 6; i++)
        assert_memory_equal(&out[i]->tx.hash, &hash[expected[i]], sizeof hash[0]);
    assert_int_equal(mempool_reap(m, out, 2), 2);
    assert_memory_equal(&out[1]->tx.hash, &hash[3], sizeof hash[0]);
    mempool_free(m);
    arena_free(&a);
}

static void duplicates_and_garbage_are_refused(void **state)
{
    struct arena a;
    struct mempool *m = mempool_new(NULL);
    struct tm_error e;

    (void)state;
    arena_init(&a);
    add(m, &a, 1, 0);
    assert_int_equal(mempool_add(m, make(&a, 1, 0), NULL, NULL, &e), TM_ERR_RULE);
    assert_int_equal(e.code, 35);
    assert_int_equal(mempool_add(m, bytes_of("garbage"), NULL, NULL, &e), TM_ERR_RULE);
    assert_int_equal(e.code, 26);
    assert_int_equal(mempool_count(m), 1);
    mempool_free(m);
    arena_free(&a);
}

static void count_evicted(void *ctx, const struct mempool_entry *entry)
{
    unsigned *n = ctx;

    assert_true(entry->tx.encoded.size > 0);
    (*n)++;
}

static void the_oldest_are_evicted(void **state)
{
    struct arena a;
    struct mempool_limits limits = {.transactions = 3, .bytes = 100000};
    struct mempool *m = mempool_new(&limits);
    const struct mempool_entry *out[4];
    unsigned evicted = 0;
    struct tm_error e;

    (void)state;
    arena_init(&a);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(mempool_add(m, make(&a, 1, i), count_evicted, &evicted, &e), TM_OK);
    assert_int_equal(evicted, 2);
    assert_int_equal(mempool_count(m), 3);
    assert_int_equal(mempool_reap(m, out, 4), 3);
    assert_true(bytes_equal(out[0]->tx.nonce, bytes_of("2")));
    mempool_free(m);
    limits = (struct mempool_limits){.transactions = 100, .bytes = 10};
    m = mempool_new(&limits);
    assert_int_equal(mempool_add(m, make(&a, 1, 0), NULL, NULL, &e), TM_ERR_LIMIT);
    mempool_free(m);
    arena_free(&a);
}

static void deferred_twice_then_dropped(void **state)
{
    struct arena a;
    struct mempool *m = mempool_new(NULL);
    const struct mempool_entry *out[4];
    struct hash32 first, unknown = {{0}};
    size_t bytes;

    (void)state;
    arena_init(&a);
    first = add(m, &a, 1, 0);
    add(m, &a, 1, 1);
    bytes = mempool_bytes(m);
    assert_false(mempool_defer(m, &first));
    assert_int_equal(
        mempool_of_signer(m, bytes_address(&mempool_find(m, &first)->tx.signer), out, 4), 2);
    assert_memory_equal(&out[1]->tx.hash, &first, sizeof first);
    assert_false(mempool_defer(m, &first));
    assert_int_equal(mempool_bytes(m), bytes);
    assert_true(mempool_defer(m, &first));
    assert_null(mempool_find(m, &first));
    assert_false(mempool_defer(m, &first));
    assert_false(mempool_remove(m, &unknown));
    assert_int_equal(mempool_count(m), 1);
    mempool_free(m);
    arena_free(&a);
}

static void many_come_and_go(void **state)
{
    struct arena a;
    struct mempool *m = mempool_new(NULL);
    struct hash32 hash[300];
    const struct mempool_entry *out[300];

    (void)state;
    arena_init(&a);
    for (unsigned i = 0; i < 300; i++)
        hash[i] = add(m, &a, (uint8_t)(i % 17), i);
    for (unsigned i = 0; i < 300; i += 2)
        assert_true(mempool_remove(m, &hash[i]));
    assert_int_equal(mempool_count(m), 150);
    assert_int_equal(mempool_reap(m, out, 300), 150);
    for (unsigned i = 1; i < 300; i += 2)
        assert_true(mempool_remove(m, &hash[i]));
    assert_int_equal(mempool_count(m), 0);
    assert_int_equal(mempool_bytes(m), 0);
    assert_int_equal(mempool_reap(m, out, 300), 0);
    mempool_free(m);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signers_take_turns),
        cmocka_unit_test(duplicates_and_garbage_are_refused),
        cmocka_unit_test(the_oldest_are_evicted),
        cmocka_unit_test(deferred_twice_then_dropped),
        cmocka_unit_test(many_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
