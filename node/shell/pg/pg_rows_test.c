#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "pg_rows.h"

/* The parameters are those of arrays filled column by column. */
static void columns_are_arrays(void **state)
{
    static const int64_t heights[] = {7, -1, INT64_MAX};
    static const char *const names[] = {"a", "", "a longer one"};
    static const char *const amounts[] = {"0", "-12", "123456789012345678901234567890"};
    struct pg_array height, number, name, key, flag, amount;
    struct pg_array *const columns[] = {&height, &number, &name, &key, &flag, &amount};
    static const enum pg_type types[] = {PG_INT8, PG_INT4, PG_TEXT, PG_BYTEA, PG_BOOL, PG_NUMERIC};
    struct pg_params expected, found;
    struct pg_rows rows;
    struct arena a;

    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        pg_array_begin(columns[i], &a, types[i]);
    pg_rows_init(&rows, &a);
    for (int i = 0; i < 3; i++) {
        pg_rows_add(&rows);
        pg_cell_int64(&rows, heights[i]);
        pg_array_int64(&height, heights[i]);
        pg_cell_int32(&rows, i);
        pg_array_int32(&number, i);
        pg_cell_text(&rows, bytes_of(names[i]));
        pg_array_bytes(&name, bytes_of(names[i]));
        pg_cell_bytea(&rows, bytes_of(names[i]));
        pg_array_bytes(&key, bytes_of(names[i]));
        pg_cell_bool(&rows, i > 0);
        pg_array_bool(&flag, i > 0);
        pg_cell_numeric(&rows, bytes_of(amounts[i]));
        pg_array_numeric(&amount, bytes_of(amounts[i]));
    }
    assert_int_equal(rows.count, 3);
    pg_params_init(&expected, &a);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        pg_param_array(&expected, columns[i]);
    pg_params_init(&found, &a);
    pg_param_rows(&found, &rows);
    assert_int_equal(found.count, expected.count);
    for (int i = 0; i < found.count; i++) {
        assert_int_equal(found.lengths[i], expected.lengths[i]);
        assert_memory_equal(found.values[i], expected.values[i], (size_t)found.lengths[i]);
        assert_int_equal(found.formats[i], 1);
    }
    arena_free(&a);
}

/* The same rows may be used again, for other columns. */
static void begun_again_they_are_empty(void **state)
{
    struct pg_params p;
    struct pg_rows rows;
    struct arena a;

    (void)state;
    arena_init(&a);
    pg_rows_init(&rows, &a);
    pg_rows_add(&rows);
    pg_cell_bool(&rows, true);
    pg_cell_bool(&rows, true);
    pg_rows_init(&rows, &a);
    assert_int_equal(rows.count, 0);
    pg_rows_add(&rows);
    pg_cell_int64(&rows, 1);
    pg_params_init(&p, &a);
    pg_param_int64(&p, 5);
    pg_param_rows(&p, &rows);
    assert_int_equal(p.count, 2);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_arrays),
        cmocka_unit_test(begun_again_they_are_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
