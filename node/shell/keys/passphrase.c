#include "passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

/* Signals that end or stop the program while the terminal does not echo. */
static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
enum { SIGNAL_COUNT = sizeof SIGNALS / sizeof SIGNALS[0] };

static volatile sig_atomic_t caught;

static void remember_signal(int number)
{
    caught = number;
}

static const char *or_else(const char *text, const char *usual)
{
    return text != NULL ? text : usual;
}

static const char *variable_of(const struct passphrase *p)
{
    return or_else(p->variable, "TIDEMARK_PASSPHRASE");
}

/*
 * One byte of input as read(2) returns it. `waiting` (NULL: do not care) is the signal mask while
 * nothing has come yet: a signal blocked until then ends the wait, however early it arrived.
 */
static ssize_t read_byte(int fd, const sigset_t *waiting, char *out)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    ssize_t n;

    do {
        n = waiting != NULL ? ppoll(&ready, 1, NULL, waiting) : 1;
        if (n > 0)
            n = read(fd, out, 1);
    } while (n < 0 && errno == EINTR && caught == 0);
    return n;
}

/* One line without its end into p; false at a signal, an error, or when it is too long. */
static bool read_line(int fd, const sigset_t *waiting, struct passphrase *p, bool *ended)
{
    p->size = 0;
    for (;;) {
        char c;
        ssize_t n = read_byte(fd, waiting, &c);

        if (n < 0)
            return false;
        *ended = n == 0;
        if (n == 0 || c == '\n')
            break;
        if (p->size == sizeof p->text) {
            errno = EMSGSIZE;
            return false;
        }
        p->text[p->size++] = c;
    }
    if (p->size > 0 && p->text[p->size - 1] == '\r')
        p->size--;
    return true;
}

static void write_text(int fd, const char *text)
{
    ssize_t written = write(fd, text, strlen(text));

    (void)written; /* a prompt that cannot be shown leaves a person who can still type */
}

/* Signals that would leave the terminal silent are held back until a wait in read_byte. */
static void watch_signals(struct sigaction old[SIGNAL_COUNT], sigset_t *mask)
{
    struct sigaction action = {.sa_handler = remember_signal};
    sigset_t blocked;

    caught = 0;
    sigemptyset(&action.sa_mask);
    sigemptyset(&blocked);
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        sigaddset(&blocked, SIGNALS[i]);
        sigaction(SIGNALS[i], &action, &old[i]);
    }
    sigprocmask(SIG_BLOCK, &blocked, mask);
}

static void release_signals(const struct sigaction old[SIGNAL_COUNT], const sigset_t *mask)
{
    sigprocmask(SIG_SETMASK, mask, NULL);
    for (int i = 0; i < SIGNAL_COUNT; i++)
        sigaction(SIGNALS[i], &old[i], NULL);
}

/* Asks without echo; whatever ends the question, the terminal is as before. */
static enum tm_err ask(int terminal, const char *prompt, struct passphrase *p, struct tm_error *e)
{
    struct termios before, silent;
    struct sigaction old[SIGNAL_COUNT];
    sigset_t mask;
    bool ok, ended = false;
    int reason;

    if (tcgetattr(terminal, &before) != 0)
        return tm_fail(e, TM_ERR_IO, "cannot ask for a passphrase: %s", strerror(errno));
    watch_signals(old, &mask);
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(terminal, TCSAFLUSH, &silent);
    write_text(terminal, prompt);
    ok = read_line(terminal, &mask, p, &ended);
    reason = errno;
    write_text(terminal, "\n");
    tcsetattr(terminal, TCSAFLUSH, &before);
    release_signals(old, &mask);
    if (caught != 0)
        raise(caught);
    if (caught != 0 || (ok && ended))
        return tm_fail(e, TM_ERR_USAGE, "no passphrase was given");
    if (!ok && reason == EMSGSIZE)
        return tm_fail(e, TM_ERR_LIMIT, "the passphrase is longer than %d bytes", PASSPHRASE_MAX);
    if (!ok)
        return tm_fail(e, TM_ERR_IO, "cannot read a passphrase: %s", strerror(reason));
    return TM_OK;
}

static enum tm_err ask_twice(int terminal, struct passphrase *p, struct tm_error *e)
{
    struct passphrase again = {.size = 0};
    enum tm_err err = ask(terminal, or_else(p->prompt, "Passphrase: "), p, e);

    if (err == TM_OK && p->confirm) {
        err = ask(terminal, "The same again: ", &again, e);
        if (err == TM_OK &&
            !bytes_equal(bytes_make(p->text, p->size), bytes_make(again.text, again.size)))
            err = tm_fail(e, TM_ERR_USAGE, "the two passphrases differ; nothing was changed");
    }
    sodium_memzero(&again, sizeof again);
    return err;
}

static enum tm_err from_terminal(struct passphrase *p, struct tm_error *e)
{
    int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    enum tm_err err;

    if (terminal < 0)
        return tm_fail(
            e, TM_ERR_USAGE,
            "a passphrase is needed and there is no terminal to ask at: name a file with "
            "%s, or set %s",
            p->file_option != NULL ? p->file_option : "--passphrase-file",
            p->variable != NULL ? p->variable : "TIDEMARK_PASSPHRASE");
    err = ask_twice(terminal, p, e);
    close(terminal);
    return err;
}

static enum tm_err from_file(struct passphrase *p, struct tm_error *e)
{
    int fd = open(p->file, O_RDONLY | O_CLOEXEC);
    bool ok, ended;
    int reason;

    if (fd < 0)
        return tm_fail(e, errno == ENOENT ? TM_ERR_NOT_FOUND : TM_ERR_IO,
                       "cannot open passphrase file %s: %s", p->file, strerror(errno));
    caught = 0;
    ok = read_line(fd, NULL, p, &ended);
    reason = errno;
    close(fd);
    if (!ok && reason == EMSGSIZE)
        return tm_fail(e, TM_ERR_LIMIT,
                       "the first line of passphrase file %s is longer than %d "
                       "bytes",
                       p->file, PASSPHRASE_MAX);
    if (!ok)
        return tm_fail(e, TM_ERR_IO, "cannot read passphrase file %s: %s", p->file,
                       strerror(reason));
    return TM_OK;
}

static enum tm_err from_variable(struct passphrase *p, const char *value, struct tm_error *e)
{
    size_t size = strlen(value);

    if (size > sizeof p->text)
        return tm_fail(e, TM_ERR_LIMIT, "%s is longer than %d bytes", variable_of(p),
                       PASSPHRASE_MAX);
    memcpy(p->text, value, size);
    p->size = size;
    return TM_OK;
}

enum tm_err passphrase_get(struct passphrase *p, struct bytes *out, struct tm_error *e)
{
    const char *value = getenv(variable_of(p));
    enum tm_err err = TM_OK;

    if (!p->known) {
        if (p->file != NULL)
            err = from_file(p, e);
        else if (value != NULL)
            err = from_variable(p, value, e);
        else
            err = from_terminal(p, e);
    }
    if (err != TM_OK) {
        passphrase_forget(p);
        return err;
    }
    p->known = true;
    *out = bytes_make(p->text, p->size);
    return TM_OK;
}

void passphrase_forget(struct passphrase *p)
{
    sodium_memzero(p->text, sizeof p->text);
    p->size = 0;
    p->known = false;
}
