#include "arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

static void memory_is_aligned_apart_and_stays(void **state)
{
    enum { COUNT = 3000 };
    static uint8_t *run[COUNT];
    struct arena a;
    size_t handed_out = 0;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < COUNT; i++) {
        size_t n = i % 97 == 0 ? 50000 : i % 61;

        run[i] = arena_alloc(&a, n);
        assert_non_null(run[i]);
        assert_int_equal((uintptr_t)run[i] % alignof(max_align_t), 0);
        if (n > 0)
            memset(run[i], (int)(i % 251), n);
        handed_out += n;
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < (i % 97 == 0 ? 50000 : i % 61); k++)
            assert_int_equal(run[i][k], i % 251);
    assert_true(a.used >= handed_out);
    arena_reset(&a);
    assert_int_equal(a.used, 0);
    assert_non_null(arena_alloc(&a, 0));
    arena_free(&a);
}

static void zeroed_memory(void **state)
{
    struct arena a;
    uint64_t *x;
    struct bytes *b;

    (void)state;
    arena_init(&a);
    memset(arena_alloc(&a, 4096), 0xff, 4096);
    arena_reset(&a);
    x = arena_array(&a, uint64_t, 512);
    for (int i = 0; i < 512; i++)
        assert_int_equal(x[i], 0);
    b = arena_new(&a, struct bytes);
    assert_null(b->data);
    assert_non_null(arena_zalloc(&a, 0));
    arena_free(&a);
}

static void copies_and_text(void **state)
{
    struct arena a;
    char text[] = "state";
    struct bytes b;
    char *t;

    (void)state;
    arena_init(&a);
    b = arena_copy(&a, bytes_of(text));
    t = arena_text(&a, bytes_of(text));
    text[0] = 'S';
    assert_true(bytes_equal(b, bytes_of("state")));
    assert_string_equal(t, "state");
    assert_string_equal(arena_text(&a, bytes_make(NULL, 0)), "");
    assert_int_equal(arena_copy(&a, bytes_make(NULL, 0)).size, 0);
    assert_string_equal(arena_format(&a, "%s-%d", "height", 12), "height-12");
    assert_string_equal(arena_format(&a, "%s", ""), "");
    arena_free(&a);
}

struct counts {
    int got, put;
};

static void *counted_get(void *ctx, size_t size)
{
    ((struct counts *)ctx)->got++;
    return malloc(size);
}

static void counted_put(void *ctx, void *chunk)
{
    ((struct counts *)ctx)->put++;
    free(chunk);
}

static void takes_from_its_source_and_gives_back(void **state)
{
    struct counts c = {0};
    struct arena a;

    (void)state;
    arena_init_from(&a, (struct arena_source){counted_get, counted_put, &c});
    assert_int_equal(c.got, 0);
    for (int i = 0; i < 100; i++)
        arena_alloc(&a, 10000);
    assert_true(c.got > 1);
    assert_int_equal(c.put, 0);
    arena_free(&a);
    assert_int_equal(c.put, c.got);
}

static void buffers_grow(void **state)
{
    struct arena a;
    struct buffer b;

    (void)state;
    arena_init(&a);
    buffer_init(&b, &a, 0);
    assert_int_equal(buffer_bytes(&b).size, 0);
    for (uint32_t i = 0; i < 5000; i++)
        buffer_append(&b, &i, sizeof i);
    buffer_append(&b, NULL, 0);
    assert_int_equal(b.size, 5000 * sizeof(uint32_t));
    for (uint32_t i = 0; i < 5000; i++)
        assert_memory_equal(buffer_bytes(&b).data + i * sizeof i, &i, sizeof i);
    memset(buffer_extend(&b, 100000), 7, 100000);
    assert_int_equal(b.data[b.size - 1], 7);
    assert_memory_equal(b.data + 4, &(uint32_t){1}, 4);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_aligned_apart_and_stays),
        cmocka_unit_test(zeroed_memory),
        cmocka_unit_test(copies_and_text),
        cmocka_unit_test(takes_from_its_source_and_gives_back),
        cmocka_unit_test(buffers_grow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
