#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static int print_commands(const struct cli_command *const *commands, FILE *out)
{
    fputs("usage: tidemark COMMAND [OPTION]…\n\n", out);
    for (size_t i = 0; commands[i] != NULL; i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n`tidemark COMMAND --help` explains one.\n"
          "Exit codes: 0 done, 1 a difference or refused, 2 usage.\n",
          out);
    return out == stdout ? CLI_DONE : CLI_USAGE;
}

static const struct cli_command *find(const struct cli_command *const *commands, const char *name)
{
    for (size_t i = 0; commands[i] != NULL; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0)
            return true;
    return false;
}

static size_t word_length(const struct cli_topic *topic)
{
    return strcspn(topic->usage, " ");
}

static bool is_about(const struct cli_topic *topic, const char *word)
{
    return word == NULL || (strlen(word) == word_length(topic) &&
                            strncmp(topic->usage, word, word_length(topic)) == 0);
}

/* The first word after the command that names a subcommand, or NULL. */
static const char *topic_word(const struct cli_command *command, int argc, char **argv)
{
    const struct cli_topic *topic;

    for (int i = 1; i < argc; i++)
        for (size_t n = 0; (topic = command->topic(n)) != NULL; n++)
            if (is_about(topic, argv[i]))
                return argv[i];
    return NULL;
}

/* The list of subcommands: words on the left, every line of the texts on the right. */
static void print_topics(const struct cli_command *command)
{
    const struct cli_topic *topic;
    int width = 0;

    for (size_t n = 0; (topic = command->topic(n)) != NULL; n++)
        if ((int)word_length(topic) > width)
            width = (int)word_length(topic);
    for (size_t n = 0; (topic = command->topic(n)) != NULL; n++) {
        if (topic->text == NULL)
            continue;
        printf("  %-*.*s   ", width, (int)word_length(topic), topic->usage);
        for (const char *c = topic->text; *c != '\0'; c++) {
            putchar(*c);
            if (*c == '\n' && c[1] != '\0')
                printf("%*s", width + 5, "");
        }
    }
}

/* argv[0] is the command's name. */
static int print_help(const struct cli_command *command, int argc, char **argv)
{
    const char *lead = "usage:", *word;
    const struct cli_topic *topic;

    if (command->topic == NULL) {
        fputs(command->help, stdout);
        return CLI_DONE;
    }
    word = topic_word(command, argc, argv);
    for (size_t n = 0; (topic = command->topic(n)) != NULL; n++)
        if (is_about(topic, word)) {
            printf("%-6s tidemark %s %s\n", lead, command->name, topic->usage);
            lead = "";
        }
    putchar('\n');
    if (word == NULL) {
        printf("%s\n", command->help);
        print_topics(command);
    } else {
        for (size_t n = 0; (topic = command->topic(n)) != NULL; n++)
            if (is_about(topic, word) && topic->text != NULL)
                fputs(topic->text, stdout);
    }
    printf("\n%s", command->options);
    return CLI_DONE;
}

int cli_main(const struct cli_command *const *commands, int argc, char **argv)
{
    const struct cli_command *command;
    bool asked = false;
    int status;

    if (argc < 2)
        return print_commands(commands, stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        if (argc < 3)
            return print_commands(commands, stdout);
        asked = true;
        argv++;
        argc--;
    }
    command = find(commands, argv[1]);
    if (command == NULL) {
        fprintf(stderr, "tidemark: there is no command \"%.40s\"; tidemark --help lists them\n",
                argv[1]);
        return CLI_USAGE;
    }
    if (asked || wants_help(argc - 1, argv + 1))
        return print_help(command, argc - 1, argv + 1);
    status = command->run(argc - 1, argv + 1);
    if (fflush(stdout) != 0 && status == CLI_DONE) {
        fprintf(stderr, "tidemark %s: cannot write the output: %s\n", command->name,
                strerror(errno));
        return CLI_REFUSED;
    }
    return status;
}

/* The option a word names; *value points behind "=" or is NULL. */
static const struct cli_option *match(const struct cli_option *options, const char *word,
                                      const char **value)
{
    for (const struct cli_option *o = options; o->name != NULL; o++) {
        size_t n = strlen(o->name);

        if (strncmp(word, o->name, n) != 0)
            continue;
        if (word[n] == '\0' || (word[n] == '=' && word[1] == '-')) {
            *value = word[n] == '=' ? word + n + 1 : NULL;
            return o;
        }
    }
    return NULL;
}

static bool store(const char *command, const struct cli_option *o, const char *value)
{
    size_t n = 0;

    if (o->values == NULL) {
        *o->value = value;
        return true;
    }
    while (o->values[n] != NULL)
        n++;
    if (n == o->most) {
        cli_usage(command, "%s is given more than %zu times", o->name, o->most);
        return false;
    }
    o->values[n] = value;
    o->values[n + 1] = NULL;
    return true;
}

bool cli_options(int argc, char **argv, const struct cli_option *options, const char **words,
                 size_t most, size_t *count)
{
    bool only_words = false;
    size_t n = 0;

    for (int i = 1; i < argc; i++) {
        const struct cli_option *o = NULL;
        const char *value = NULL;

        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
            continue;
        }
        if (only_words || argv[i][0] != '-' || argv[i][1] == '\0') {
            if (n == most) {
                cli_usage(argv[0], "unexpected word \"%.80s\"", argv[i]);
                return false;
            }
            words[n++] = argv[i];
            continue;
        }
        o = match(options, argv[i], &value);
        if (o == NULL) {
            cli_usage(argv[0], "unknown option %.80s", argv[i]);
            return false;
        }
        if (o->flag != NULL) {
            if (value != NULL) {
                cli_usage(argv[0], "%s takes no value", o->name);
                return false;
            }
            *o->flag = true;
            continue;
        }
        if (value == NULL && i + 1 == argc) {
            cli_usage(argv[0], "%s needs a value", o->name);
            return false;
        }
        if (!store(argv[0], o, value != NULL ? value : argv[++i]))
            return false;
    }
    if (count != NULL)
        *count = n;
    return true;
}

int cli_usage(const char *name, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "tidemark %s: ", name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "; see tidemark %s --help\n", name);
    return CLI_USAGE;
}

int cli_fail(const char *name, const struct tm_error *e)
{
    if (e->err == TM_ERR_USAGE)
        return cli_usage(name, "%s", e->text);
    fflush(stdout);
    fprintf(stderr, "tidemark %s: %s\n", name, e->text);
    return CLI_REFUSED;
}

bool cli_integer(const char *text, int64_t min, int64_t max, int64_t *out)
{
    char *end;
    intmax_t value;

    if ((text[0] < '0' || text[0] > '9') && text[0] != '-')
        return false;
    errno = 0;
    value = strtoimax(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < min || value > max)
        return false;
    *out = value;
    return true;
}
