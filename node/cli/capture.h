/* For tests of commands: runs one in this process and keeps what it printed. */
#ifndef NODE_CLI_CAPTURE_H
#define NODE_CLI_CAPTURE_H

#include <stdio.h>
#include <unistd.h>

#include "cli.h"

enum { CAPTURE_MAX = 16384, CAPTURE_WORDS_MAX = 24 };

struct capture {
    int status;
    char out[CAPTURE_MAX], err[CAPTURE_MAX];
};

static inline void capture_read(FILE *f, char *text)
{
    size_t n;

    rewind(f);
    n = fread(text, 1, CAPTURE_MAX - 1, f);
    text[n] = '\0';
    fclose(f);
}

/* words: those after `tidemark`, ended by NULL. */
static inline void capture_run(const struct cli_command *command, const char *const *words,
                               struct capture *c)
{
    char *argv[CAPTURE_WORDS_MAX + 1] = {NULL};
    FILE *out = tmpfile(), *err = tmpfile();
    int old_out, old_err, argc = 0;

    while (words[argc] != NULL && argc < CAPTURE_WORDS_MAX) {
        argv[argc] = (char *)words[argc];
        argc++;
    }
    fflush(stdout);
    fflush(stderr);
    old_out = dup(STDOUT_FILENO);
    old_err = dup(STDERR_FILENO);
    dup2(fileno(out), STDOUT_FILENO);
    dup2(fileno(err), STDERR_FILENO);
    c->status = command->run(argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(old_out, STDOUT_FILENO);
    dup2(old_err, STDERR_FILENO);
    close(old_out);
    close(old_err);
    capture_read(out, c->out);
    capture_read(err, c->err);
}

#endif
