#include "process.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "files.h"

static void runs_and_reports(void **state)
{
    const char *const good[] = {"/bin/true", NULL};
    const char *const bad[] = {"/bin/sh", "-c", "echo first; echo last >&2; exit 3", NULL};
    const char *const loud[] = {"/bin/sh", "-c", "yes line | head -c 100000; echo end; exit 1",
                                NULL};
    const char *const none[] = {"/nonexistent/program", NULL};
    struct tm_error e;

    (void)state;
    assert_int_equal(process_run(good, &e), TM_OK);
    assert_int_equal(process_run(bad, &e), TM_ERR_IO);
    assert_non_null(strstr(e.text, "first\nlast"));
    assert_int_equal(process_run(loud, &e), TM_ERR_IO);
    assert_non_null(strstr(e.text, "line\nend"));
    assert_int_equal(process_run(none, &e), TM_ERR_IO);
    assert_non_null(strstr(e.text, "No such file"));
}

static enum tm_err report_uid(void *arg, struct tm_error *e)
{
    (void)arg;
    return tm_fail(e, TM_ERR_RULE, "uid %ld", (long)geteuid());
}

static enum tm_err fall_over(void *arg, struct tm_error *e)
{
    (void)arg;
    (void)e;
    raise(SIGKILL);
    return TM_OK;
}

static void works_as_another_user(void **state)
{
    struct process_user user;
    struct tm_error e;

    (void)state;
    assert_int_equal(process_user_by_id(geteuid(), &user, &e), TM_OK);
    assert_int_equal(process_call(&user, report_uid, NULL, &e), TM_ERR_RULE);
    assert_int_equal(process_call(&user, fall_over, NULL, &e), TM_ERR_IO);
    assert_int_equal(process_user_by_name("no such user", &user, &e), TM_ERR_NOT_FOUND);
    if (geteuid() == 0) {
        assert_int_equal(process_user_by_name("nobody", &user, &e), TM_OK);
        assert_int_equal(process_call(&user, report_uid, NULL, &e), TM_ERR_RULE);
        assert_string_equal(e.text, "uid 65534");
        assert_int_equal(geteuid(), 0);
    }
}

static void waits_for_a_program(void **state)
{
    const char *const seven[] = {"/bin/sh", "-c", "exit 7", NULL};
    const char *const killed[] = {"/bin/sh", "-c", "kill -9 $$", NULL};
    struct tm_error e;
    int status;

    (void)state;
    assert_int_equal(process_wait_for(seven, &status, &e), TM_OK);
    assert_int_equal(status, 7);
    assert_int_equal(process_wait_for(killed, &status, &e), TM_OK);
    assert_int_equal(status, 128 + 9);
}

static void knows_what_runs(void **state)
{
    const char *const sleeper[] = {"/bin/sleep", "60", NULL};
    char program[FILES_PATH_MAX];
    struct tm_error e;
    pid_t pid;
    int status;

    (void)state;
    assert_non_null(realpath("/bin/sleep", program));
    assert_int_equal(process_start(sleeper, SIGTERM, &pid, &e), TM_OK);
    for (int i = 0; i < 500 && !process_is(pid, program); i++)
        process_sleep_msec(10);
    assert_true(process_is(pid, program));
    assert_false(process_is(pid, "/bin/other"));
    kill(pid, SIGKILL);
    for (int i = 0; i < 500 && process_is(pid, program); i++)
        process_sleep_msec(10);
    assert_false(process_is(pid, program)); /* a zombie does not count */
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_false(process_is(pid, program));
}

static void a_child_ends_with_its_parent(void **state)
{
    int channel[2];
    char byte;
    pid_t parent;

    (void)state;
    assert_int_equal(pipe(channel), 0);
    parent = fork();
    if (parent == 0) {
        const char *const sleeper[] = {"/bin/sleep", "60", NULL};
        pid_t pid;

        close(channel[0]);
        if (process_start(sleeper, SIGTERM, &pid, NULL) != TM_OK)
            _exit(1);
        raise(SIGKILL);
    }
    close(channel[1]);
    /* end of file once parent and child, which both hold the other end, are gone */
    alarm(20);
    assert_int_equal(read(channel[0], &byte, 1), 0);
    alarm(0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    close(channel[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_and_reports),
        cmocka_unit_test(works_as_another_user),
        cmocka_unit_test(waits_for_a_program),
        cmocka_unit_test(knows_what_runs),
        cmocka_unit_test(a_child_ends_with_its_parent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
