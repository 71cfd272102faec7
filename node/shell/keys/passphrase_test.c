#include "passphrase.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define VARIABLE "TIDEMARK_TEST_PASSPHRASE"

static void write_file(const char *path, const char *text, size_t size)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static void test_from_file(void **state)
{
    char path[] = "/tmp/tidemark_passphrase_XXXXXX";
    struct passphrase p = {.file = path, .variable = VARIABLE, .prompt = "? "};
    char *longest = malloc(PASSPHRASE_MAX + 1);
    struct bytes out;
    struct tm_error e;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    setenv(VARIABLE, "not this", 1);
    write_file(path, " first line \r\nsecond\n", 21);
    assert_int_equal(passphrase_get(&p, &out, &e), TM_OK);
    assert_true(bytes_equal(out, bytes_of(" first line ")));
    unlink(path); /* remembered: the file is not read again */
    assert_int_equal(passphrase_get(&p, &out, &e), TM_OK);
    assert_true(bytes_equal(out, bytes_of(" first line ")));
    passphrase_forget(&p);
    for (size_t i = 0; i < sizeof p.text; i++)
        assert_int_equal(p.text[i], 0);
    assert_int_equal(passphrase_get(&p, &out, &e), TM_ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, path));

    write_file(path, "", 0);
    assert_int_equal(passphrase_get(&p, &out, &e), TM_OK);
    assert_int_equal(out.size, 0);
    passphrase_forget(&p);
    memset(longest, 'x', PASSPHRASE_MAX + 1);
    write_file(path, longest, PASSPHRASE_MAX + 1);
    assert_int_equal(passphrase_get(&p, &out, &e), TM_ERR_LIMIT);
    write_file(path, longest, PASSPHRASE_MAX);
    assert_int_equal(passphrase_get(&p, &out, &e), TM_OK);
    assert_int_equal(out.size, PASSPHRASE_MAX);
    unlink(path);
    free(longest);
    p.file = "/tmp";
    passphrase_forget(&p);
    assert_int_equal(passphrase_get(&p, &out, &e), TM_ERR_IO);
}

static void test_from_variable(void **state)
{
    struct passphrase p = {.variable = VARIABLE, .prompt = "? "};
    char longest[PASSPHRASE_MAX + 2];
    struct bytes out;
    struct tm_error e;

    (void)state;
    setenv(VARIABLE, "secret", 1);
    assert_int_equal(passphrase_get(&p, &out, &e), TM_OK);
    assert_true(bytes_equal(out, bytes_of("secret")));
    passphrase_forget(&p);
    setenv(VARIABLE, "", 1);
    assert_int_equal(passphrase_get(&p, &out, &e), TM_OK);
    assert_int_equal(out.size, 0);
    passphrase_forget(&p);
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    setenv(VARIABLE, longest, 1);
    assert_int_equal(passphrase_get(&p, &out, &e), TM_ERR_LIMIT);
    unsetenv(VARIABLE);
}

/* A session without a terminal: the message says what to do. */
static void test_nobody_to_ask(void **state)
{
    pid_t pid = fork();
    int status;

    (void)state;
    assert_true(pid >= 0);
    if (pid == 0) {
        struct passphrase p = {.variable = VARIABLE, .prompt = "? "};
        struct bytes out;
        struct tm_error e = {.text = ""};

        setsid();
        unsetenv(VARIABLE);
        _exit(passphrase_get(&p, &out, &e) == TM_ERR_USAGE &&
                      strstr(e.text, "--passphrase-file, or set " VARIABLE) != NULL
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* Runs passphrase_get at a pseudo-terminal where `typed` is typed; the child's exit status. */
static int at_terminal(const char *typed, bool confirm, char *screen, size_t size)
{
    int master, status;
    size_t shown = 0, sent = 0;
    pid_t pid = forkpty(&master, NULL, NULL, NULL);

    assert_true(pid >= 0);
    if (pid == 0) {
        struct passphrase p = {.variable = VARIABLE, .prompt = "Passphrase: ", .confirm = confirm};
        struct termios after;
        struct bytes out = {NULL, 0};
        struct tm_error e;
        enum tm_err err;

        err = passphrase_get(&p, &out, &e);
        if (tcgetattr(0, &after) != 0 || (after.c_lflag & ECHO) == 0)
            _exit(100);
        if (err != TM_OK)
            _exit(50 + (int)err);
        _exit(bytes_equal(out, bytes_of("open sesame")) ? 0 : 1);
    }
    /* One line for each prompt, as a person would: input before a prompt is thrown away. */
    while (shown + 1 < size) {
        ssize_t n = read(master, screen + shown, size - 1 - shown);

        if (n <= 0)
            break;
        shown += (size_t)n;
        screen[shown] = '\0';
        if (shown >= 2 && strcmp(screen + shown - 2, ": ") == 0 && typed[sent] != '\0') {
            size_t line = strcspn(typed + sent, "\n\x03\x04");
            const char *from = typed + sent;

            line += from[line] != '\0' ? 1 : 0;
            sent += line;
            assert_int_equal(write(master, from, line), line);
        }
    }
    screen[shown] = '\0';
    close(master);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_prompt(void **state)
{
    char screen[4096];

    (void)state;
    unsetenv(VARIABLE);
    assert_int_equal(at_terminal("open sesame\n", false, screen, sizeof screen), 0);
    assert_non_null(strstr(screen, "Passphrase: "));
    assert_null(strstr(screen, "sesame"));
    assert_int_equal(at_terminal("open sesame\nopen sesame\n", true, screen, sizeof screen), 0);
    assert_non_null(strstr(screen, "The same again: "));
    assert_null(strstr(screen, "sesame"));
    assert_int_equal(at_terminal("open sesame\nopen barley\n", true, screen, sizeof screen),
                     50 + TM_ERR_USAGE);
}

/* Ctrl-C ends the program by its signal, after the echo has come back. */
static void test_interrupt(void **state)
{
    char screen[4096];

    (void)state;
    for (int i = 0; i < 20; i++)
        assert_int_equal(at_terminal("open\x03", false, screen, sizeof screen), 1000 + SIGINT);
}

/* The end of input instead of a line is no answer; an empty line is the empty passphrase. */
static void test_end_of_input(void **state)
{
    char screen[4096];

    (void)state;
    assert_int_equal(at_terminal("\x04", false, screen, sizeof screen), 50 + TM_ERR_USAGE);
    assert_int_equal(at_terminal("\n", false, screen, sizeof screen), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_file),     cmocka_unit_test(test_from_variable),
        cmocka_unit_test(test_nobody_to_ask), cmocka_unit_test(test_prompt),
        cmocka_unit_test(test_interrupt),     cmocka_unit_test(test_end_of_input),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
