#include "files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[] = "/tmp/tidemark-files-XXXXXX";

static char *at(struct arena *a, const char *name)
{
    return arena_format(a, "%s/%s", root, name);
}

static int set_up(void **state)
{
    struct arena *a = calloc(1, sizeof *a);

    arena_init(a);
    *state = a;
    snprintf(root, sizeof root, "/tmp/tidemark-files-XXXXXX");
    return mkdtemp(root) == NULL;
}

static int tear_down(void **state)
{
    struct arena *a = *state;
    int failed = system(arena_format(a, "rm -rf %s", root));

    arena_free(a);
    free(a);
    return failed;
}

static void write_and_read(void **state)
{
    struct arena *a = *state;
    struct bytes got;
    struct tm_error e;
    struct stat st;
    bool changed;

    assert_int_equal(files_write(at(a, "x"), bytes_of("one"), 0640, &e), TM_OK);
    assert_int_equal(stat(at(a, "x"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(files_read(a, at(a, "x"), 3, &got, &e), TM_OK);
    assert_true(bytes_equal(got, bytes_of("one")));

    assert_int_equal(files_update(at(a, "x"), bytes_of("one"), 0640, &changed, &e), TM_OK);
    assert_false(changed);
    assert_int_equal(files_update(at(a, "x"), bytes_of("two!"), 0640, &changed, &e), TM_OK);
    assert_true(changed);
    assert_int_equal(files_read(a, at(a, "x"), 100, &got, &e), TM_OK);
    assert_true(bytes_equal(got, bytes_of("two!")));

    assert_int_equal(files_write(at(a, "empty"), (struct bytes){NULL, 0}, 0600, &e), TM_OK);
    assert_int_equal(files_read(a, at(a, "empty"), 0, &got, &e), TM_OK);
    assert_int_equal(got.size, 0);
}

static void refusals(void **state)
{
    struct arena *a = *state;
    struct bytes got;
    struct tm_error e;

    assert_int_equal(files_read(a, at(a, "none"), 10, &got, &e), TM_ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, "none"));
    assert_int_equal(files_read(a, root, 10, &got, &e), TM_ERR_IO);
    assert_non_null(strstr(e.text, "is a directory"));
    assert_int_equal(files_write(at(a, "x"), bytes_of("four"), 0600, &e), TM_OK);
    assert_int_equal(files_read(a, at(a, "x"), 3, &got, &e), TM_ERR_LIMIT);
    assert_int_equal(files_write(at(a, "no/such/place"), bytes_of("x"), 0600, &e),
                     TM_ERR_NOT_FOUND);
    assert_int_equal(files_make_directory(at(a, "x/below"), 0755, &e), TM_ERR_IO);
    assert_non_null(strstr(e.text, "not a directory"));
    assert_int_equal(files_make_directory("", 0755, &e), TM_ERR_USAGE);
}

static void copies(void **state)
{
    struct arena *a = *state;
    struct stat from, to;
    struct tm_error e;

    assert_int_equal(files_write(at(a, "from"), bytes_of("content"), 0755, &e), TM_OK);
    assert_int_equal(files_copy(at(a, "from"), at(a, "to"), &e), TM_OK);
    assert_int_equal(stat(at(a, "from"), &from), 0);
    assert_int_equal(stat(at(a, "to"), &to), 0);
    assert_int_equal(to.st_mode & 0777, 0755);
    assert_int_equal(from.st_mtim.tv_nsec, to.st_mtim.tv_nsec);
    /* the same size and time: taken for the same file */
    assert_int_equal(files_copy(at(a, "from"), at(a, "to"), &e), TM_OK);
    assert_int_equal(files_write(at(a, "from"), bytes_of("changed"), 0755, &e), TM_OK);
    assert_int_equal(files_copy(at(a, "from"), at(a, "to"), &e), TM_OK);
    assert_int_equal(stat(at(a, "from"), &from), 0);
    assert_int_equal(stat(at(a, "to"), &to), 0);
    assert_int_equal(from.st_mtim.tv_nsec, to.st_mtim.tv_nsec);
    assert_int_equal(files_copy(at(a, "none"), at(a, "to"), &e), TM_ERR_NOT_FOUND);
}

static void links_and_lists(void **state)
{
    struct arena *a = *state;
    struct tm_error e;
    struct stat st;
    size_t count;
    char **names;

    assert_int_equal(files_make_directory(at(a, "one/deep"), 0755, &e), TM_OK);
    assert_int_equal(files_make_directory(at(a, "two"), 0755, &e), TM_OK);
    assert_int_equal(files_write(at(a, "one/b.sql"), bytes_of("b"), 0644, &e), TM_OK);
    assert_int_equal(files_write(at(a, "one/a.sql"), bytes_of("a"), 0644, &e), TM_OK);
    assert_int_equal(files_write(at(a, "one/c.txt"), bytes_of("c"), 0644, &e), TM_OK);
    assert_int_equal(files_write(at(a, "two/a.sql"), bytes_of("own"), 0644, &e), TM_OK);
    assert_int_equal(files_link_entries(at(a, "one"), at(a, "two"), &e), TM_OK);
    assert_int_equal(lstat(at(a, "two/deep"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(lstat(at(a, "two/a.sql"), &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(files_link_entries(at(a, "one"), at(a, "two"), &e), TM_OK);

    assert_int_equal(files_list(a, at(a, "one"), ".sql", &names, &count, &e), TM_OK);
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "a.sql");
    assert_string_equal(names[1], "b.sql");
    assert_int_equal(files_list(a, at(a, "none"), "", &names, &count, &e), TM_ERR_NOT_FOUND);
}

static void shipped_files(void **state)
{
    struct arena *a = *state;

    assert_true(files_exist(files_program_directory(a)));
    assert_null(files_find_shipped(a, "no such thing", "share/tidemark/no such thing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(write_and_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(copies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_and_lists, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shipped_files, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
