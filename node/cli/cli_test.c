#include "cli.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static const char *data, *many[3], *words[2];
static bool flag;
static size_t count;
static int ran;

static const struct cli_option options[] = {{.name = "--data", .value = &data},
                                            {.name = "--flag", .flag = &flag},
                                            {.name = "-c", .values = many, .most = 2},
                                            {NULL}};

/* What is printed for a person is not this test's subject. */
static int quiet(void **state)
{
    int null = open("/dev/null", O_WRONLY);

    (void)state;
    return null < 0 || dup2(null, STDERR_FILENO) < 0;
}

static bool parse(int argc, const char **argv)
{
    data = many[0] = words[0] = words[1] = NULL;
    flag = false;
    count = 99;
    return cli_options(argc, (char **)argv, options, words, 2, &count);
}

#define PARSE(...)                                                                                 \
    parse((int)(sizeof((const char *[]){"x", __VA_ARGS__}) / sizeof(char *)),                      \
          (const char *[]){"x", __VA_ARGS__, NULL})

static void reads_options(void **state)
{
    (void)state;
    assert_true(PARSE("one", "--data", "dir", "--flag", "-c", "a", "-c", "-b", "two"));
    assert_int_equal(count, 2);
    assert_string_equal(words[0], "one");
    assert_string_equal(words[1], "two");
    assert_string_equal(data, "dir");
    assert_true(flag);
    assert_string_equal(many[0], "a");
    assert_string_equal(many[1], "-b");
    assert_null(many[2]);
    assert_true(PARSE("--data=", "-"));
    assert_string_equal(data, "");
    assert_string_equal(words[0], "-");
    assert_true(PARSE("--", "--data", "-c"));
    assert_null(data);
    assert_string_equal(words[1], "-c");
}

static void refuses_options(void **state)
{
    (void)state;
    assert_false(PARSE("--data"));
    assert_false(PARSE("--dat", "x"));
    assert_false(PARSE("--database", "x"));
    assert_false(PARSE("--flag=1"));
    assert_false(PARSE("one", "two", "three"));
    assert_false(PARSE("-c", "1", "-c", "2", "-c", "3"));
    assert_false(PARSE("-x"));
}

static void reads_integers(void **state)
{
    int64_t n = 77;

    (void)state;
    assert_true(cli_integer("0", 0, 10, &n));
    assert_int_equal(n, 0);
    assert_true(cli_integer("-5", -5, 10, &n));
    assert_int_equal(n, -5);
    assert_true(cli_integer("9223372036854775807", 0, INT64_MAX, &n));
    assert_false(cli_integer("9223372036854775808", 0, INT64_MAX, &n));
    assert_false(cli_integer("11", 0, 10, &n));
    assert_false(cli_integer("", 0, 10, &n));
    assert_false(cli_integer(" 1", 0, 10, &n));
    assert_false(cli_integer("+1", 0, 10, &n));
    assert_false(cli_integer("1x", 0, 10, &n));
    assert_false(cli_integer("-", -10, 10, &n));
}

/* What the words print on standard output. */
static void assert_printed(const struct cli_command *const *commands, char **argv,
                           const char *expected)
{
    FILE *f = tmpfile();
    char text[1000];
    int old, argc = 0;
    size_t n;

    while (argv[argc] != NULL)
        argc++;
    fflush(stdout);
    old = dup(STDOUT_FILENO);
    dup2(fileno(f), STDOUT_FILENO);
    assert_int_equal(cli_main(commands, argc, argv), CLI_DONE);
    fflush(stdout);
    dup2(old, STDOUT_FILENO);
    close(old);
    rewind(f);
    n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    fclose(f);
    assert_string_equal(text, expected);
}

static int run_it(int argc, char **argv)
{
    ran = argc;
    return argv[argc] == NULL ? CLI_REFUSED : CLI_DONE;
}

static const struct cli_topic *topic(size_t i)
{
    static const struct cli_topic topics[] = {
        {"get ADDRESS", "reads one\n"}, {"put app", "writes one\n"}, {"put", NULL}};

    return i < 3 ? &topics[i] : NULL;
}

static void prints_topics(void **state)
{
    static const struct cli_command it = {.name = "it",
                                          .summary = "does it",
                                          .help = "It is this.\n",
                                          .run = run_it,
                                          .topic = topic,
                                          .options = "  --x\n"};
    static const struct cli_command *const commands[] = {&it, NULL};
    static const char whole[] = "usage: tidemark it get ADDRESS\n"
                                "       tidemark it put app\n"
                                "       tidemark it put\n\n"
                                "It is this.\n\n"
                                "  get   reads one\n"
                                "  put   writes one\n\n"
                                "  --x\n";
    static const char page[] = "usage: tidemark it put app\n"
                               "       tidemark it put\n\n"
                               "writes one\n\n"
                               "  --x\n";
    char *asked[] = {"tidemark", "it", "--help", NULL};
    char *about[] = {"tidemark", "it", "--x", "put", "--help", NULL};
    char *help[] = {"tidemark", "help", "it", "put", NULL};

    (void)state;
    assert_printed(commands, asked, whole);
    assert_printed(commands, about, page);
    assert_printed(commands, help, page);
}

static void finds_commands(void **state)
{
    static const struct cli_command it = {
        .name = "it",
        .summary = "does it",
        .help = "usage: tidemark it\n",
        .run = run_it,
    };
    static const struct cli_command *const commands[] = {&it, NULL};
    char *run[] = {"tidemark", "it", "word", NULL}, *none[] = {"tidemark", NULL};
    char *unknown[] = {"tidemark", "that", NULL}, *help[] = {"tidemark", "it", "--help", NULL};
    char *literal[] = {"tidemark", "it", "--", "--help", NULL};
    struct tm_error usage = {TM_ERR_USAGE, 0, "so not"}, refused = {TM_ERR_RULE, 5, "no"};

    (void)state;
    assert_int_equal(cli_main(commands, 3, run), CLI_REFUSED);
    assert_int_equal(ran, 2);
    ran = 0;
    assert_int_equal(cli_main(commands, 1, none), CLI_USAGE);
    assert_int_equal(cli_main(commands, 2, unknown), CLI_USAGE);
    assert_int_equal(cli_main(commands, 3, help), CLI_DONE);
    assert_int_equal(ran, 0);
    assert_int_equal(cli_main(commands, 4, literal), CLI_REFUSED);
    assert_int_equal(ran, 3);
    assert_int_equal(cli_fail("it", &usage), CLI_USAGE);
    assert_int_equal(cli_fail("it", &refused), CLI_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_options),  cmocka_unit_test(refuses_options),
        cmocka_unit_test(reads_integers), cmocka_unit_test(finds_commands),
        cmocka_unit_test(prints_topics),
    };

    return cmocka_run_group_tests(tests, quiet, NULL);
}
