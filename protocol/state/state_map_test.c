#include "state_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { KEYS = 300, ROUNDS = 20000 };

static uint64_t seed = 88172645463325252u;

static uint64_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Random puts and absences against a plain table of (tree, key). */
static void behaves_like_a_table(struct state_map *m)
{
    static uint8_t key[KEYS][24];
    static struct record record[KEYS];
    const struct record *expected[KEYS] = {0};
    bool said[KEYS] = {0};
    size_t first[KEYS], count = 0;

    for (int i = 0; i < KEYS; i++) {
        memset(key[i], 0, sizeof key[i]);
        key[i][i % 20] = (uint8_t)(i / 20 + 1);
        record[i] = (struct record){.tree = (enum tree_id)(i % 2 ? TREE_ACCOUNT : TREE_POOL),
                                    .key = {key[i], (size_t)(20 + i % 4)}};
    }
    for (int round = 0; round < ROUNDS; round++) {
        int i = (int)(next() % KEYS);
        const struct state_entry *entry = state_map_find(m, record[i].tree, record[i].key);

        assert_int_equal(entry != NULL, said[i]);
        if (entry != NULL) {
            assert_ptr_equal(entry->record, expected[i]);
            assert_int_equal(entry - m->entries, first[i]);
        }
        expected[i] = next() % 3 ? &record[i] : NULL;
        state_map_put(m, record[i].tree, record[i].key, expected[i]);
        if (!said[i])
            first[i] = count++;
        said[i] = true;
        assert_int_equal(m->count, count);
    }
    assert_null(state_map_find(m, TREE_IBC, record[0].key));
}

static void own_memory(void **state)
{
    struct state_map m;

    (void)state;
    state_map_init(&m);
    behaves_like_a_table(&m);
    state_map_clear(&m);
    assert_int_equal(m.count, 0);
    assert_null(state_map_find(&m, TREE_POOL, bytes_of("")));
    behaves_like_a_table(&m);
    state_map_free(&m);
    behaves_like_a_table(&m);
    state_map_free(&m);
}

static void in_an_arena(void **state)
{
    struct arena a;
    struct state_map m;

    (void)state;
    arena_init(&a);
    state_map_init_in(&m, &a);
    behaves_like_a_table(&m);
    state_map_free(&m);
    behaves_like_a_table(&m);
    arena_free(&a);
}

static void keys_of_any_length_differ(void **state)
{
    struct state_map m;
    static const uint8_t zeros[64];
    static struct record r[65];

    (void)state;
    state_map_init(&m);
    for (int i = 0; i <= 64; i++) {
        r[i] = (struct record){.tree = TREE_IBC, .key = {zeros, (size_t)i}};
        assert_null(state_map_find(&m, TREE_IBC, r[i].key));
        state_map_put(&m, TREE_IBC, r[i].key, &r[i]);
    }
    for (int i = 0; i <= 64; i++)
        assert_ptr_equal(state_map_find(&m, TREE_IBC, r[i].key)->record, &r[i]);
    state_map_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_memory),
        cmocka_unit_test(in_an_arena),
        cmocka_unit_test(keys_of_any_length_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
