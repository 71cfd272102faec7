#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "write_back.h"

/* Two databases, numbered 1 and 5. */
static char base[] = "/tmp/write-back-test-XXXXXX";
static const char *const names[] = {"1/100", "5/100", "5/100.1",      "5/200_fsm", "5/t3_100",
                                    "5/300", "5/400", "5/PG_VERSION", "tmp/100",   "pgsql_file"};

static const char *path_of(const char *name)
{
    static char path[100];

    snprintf(path, sizeof path, "%s/%s", base, name);
    return path;
}

static int fresh(void **state)
{
    (void)state;
    snprintf(base, sizeof base, "/tmp/write-back-test-XXXXXX");
    return mkdtemp(base) != NULL && mkdir(path_of("1"), 0700) == 0 &&
                   mkdir(path_of("5"), 0700) == 0 && mkdir(path_of("tmp"), 0700) == 0
               ? 0
               : -1;
}

static int clean(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(path_of(names[i]));
    rmdir(path_of("1"));
    rmdir(path_of("5"));
    rmdir(path_of("tmp"));
    return rmdir(base);
}

/* The file as long as this; made when it is not there. */
static void set_size(const char *name, off_t size)
{
    int file = open(path_of(name), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    assert_true(file >= 0);
    assert_int_equal(ftruncate(file, size), 0);
    close(file);
}

static void test_growth_of_all_databases(void **state)
{
    struct write_back w;

    (void)state;
    write_back_init(&w, base);
    set_size("1/100", 8192);
    set_size("5/100", 16384);
    assert_int_equal(write_back_step(&w), 0); /* what was there is the kernel's */
    assert_int_equal(write_back_step(&w), 0);
    set_size("1/100", 8192 + 8192);
    set_size("5/100", 16384 + 24576);
    assert_int_equal(write_back_step(&w), 8192 + 24576);
    assert_int_equal(write_back_step(&w), 0);
    write_back_free(&w);
}

static void test_new_shorter_and_gone(void **state)
{
    struct write_back w;

    (void)state;
    write_back_init(&w, base);
    set_size("5/100", 81920);
    write_back_step(&w);
    set_size("5/100.1", 8192);
    set_size("5/200_fsm", 24576);
    assert_int_equal(write_back_step(&w), 8192 + 24576);
    set_size("5/100", 8192);
    assert_int_equal(write_back_step(&w), 0);
    set_size("5/100", 16384); /* grown again from where it was cut */
    assert_int_equal(write_back_step(&w), 8192);
    unlink(path_of("5/100"));
    assert_int_equal(write_back_step(&w), 0);
    set_size("5/100", 8192);
    /* The number of a file that is gone may be given again; then it was never written. */
    assert_int_equal(write_back_step(&w), 8192);
    write_back_free(&w);
}

static void test_a_step_is_bounded(void **state)
{
    struct write_back w;

    (void)state;
    write_back_init(&w, base);
    write_back_step(&w);
    set_size("5/300", WRITE_BACK_STEP_MAX + 8192);
    set_size("5/400", WRITE_BACK_STEP_MAX / 2);
    assert_int_equal(write_back_step(&w), WRITE_BACK_STEP_MAX);
    assert_int_equal(write_back_step(&w), WRITE_BACK_STEP_MAX / 2 + 8192);
    assert_int_equal(write_back_step(&w), 0);
    write_back_free(&w);
}

static void test_other_files_are_passed_over(void **state)
{
    struct write_back w;

    (void)state;
    write_back_init(&w, base);
    write_back_step(&w);
    set_size("5/t3_100", 8192);
    set_size("5/PG_VERSION", 3);
    set_size("tmp/100", 8192);
    set_size("pgsql_file", 8192);
    assert_int_equal(symlink("/etc/passwd", path_of("5/400")), 0);
    assert_int_equal(mkfifo(path_of("5/300"), 0600), 0); /* opened, it would wait for a writer */
    assert_int_equal(write_back_step(&w), 0);
    write_back_free(&w);
    write_back_init(&w, "/nowhere");
    assert_int_equal(write_back_step(&w), 0);
    write_back_free(&w);
}

static void test_many_files(void **state)
{
    enum { FILES = 3000 };
    struct write_back w;
    char name[32];

    (void)state;
    write_back_init(&w, base);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < FILES; i++) {
            snprintf(name, sizeof name, "1/%d", 1000 + i);
            set_size(name, (off_t)(round + 1) * 8192);
        }
        assert_int_equal(write_back_step(&w), round == 0 ? 0 : FILES * 8192);
    }
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "1/%d", 1000 + i);
        unlink(path_of(name));
    }
    write_back_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_growth_of_all_databases, fresh, clean),
        cmocka_unit_test_setup_teardown(test_new_shorter_and_gone, fresh, clean),
        cmocka_unit_test_setup_teardown(test_a_step_is_bounded, fresh, clean),
        cmocka_unit_test_setup_teardown(test_other_files_are_passed_over, fresh, clean),
        cmocka_unit_test_setup_teardown(test_many_files, fresh, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
