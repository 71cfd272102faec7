#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "files.h"

static enum tm_err set_user(const struct passwd *p, struct process_user *out, struct tm_error *e)
{
    if (strlen(p->pw_name) >= sizeof out->name)
        return tm_fail(e, TM_ERR_LIMIT, "the user name %.80s is too long", p->pw_name);
    out->uid = p->pw_uid;
    out->gid = p->pw_gid;
    snprintf(out->name, sizeof out->name, "%s", p->pw_name);
    return TM_OK;
}

enum tm_err process_user_by_name(const char *name, struct process_user *out, struct tm_error *e)
{
    const struct passwd *p = getpwnam(name);

    if (p == NULL)
        return tm_fail(e, TM_ERR_NOT_FOUND, "this machine has no user %s", name);
    return set_user(p, out, e);
}

enum tm_err process_user_by_id(uid_t uid, struct process_user *out, struct tm_error *e)
{
    const struct passwd *p = getpwuid(uid);

    if (p == NULL)
        return tm_fail(e, TM_ERR_NOT_FOUND, "user id %ld has no name on this machine", (long)uid);
    return set_user(p, out, e);
}

enum tm_err process_become(const struct process_user *user, struct tm_error *e)
{
    if (geteuid() == user->uid)
        return TM_OK;
    if (initgroups(user->name, user->gid) != 0 || setgid(user->gid) != 0 || setuid(user->uid) != 0)
        return tm_fail(e, TM_ERR_IO, "cannot become user %s: %s", user->name, strerror(errno));
    return TM_OK;
}

static pid_t wait_child(pid_t pid, int *status)
{
    pid_t got;

    do
        got = waitpid(pid, status, 0);
    while (got < 0 && errno == EINTR);
    return got;
}

enum tm_err process_call(const struct process_user *user,
                         enum tm_err (*work)(void *arg, struct tm_error *e), void *arg,
                         struct tm_error *e)
{
    struct tm_error result = {TM_OK, 0, ""};
    int channel[2], status;
    size_t got = 0;
    ssize_t n = 0;
    pid_t pid;

    if (pipe2(channel, O_CLOEXEC) != 0)
        return tm_fail(e, TM_ERR_IO, "cannot make a pipe: %s", strerror(errno));
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        close(channel[0]);
        result.err = process_become(user, &result);
        if (result.err == TM_OK)
            result.err = work(arg, &result);
        while (got < sizeof result &&
               (n = write(channel[1], (char *)&result + got, sizeof result - got)) > 0)
            got += (size_t)n;
        _exit(0);
    }
    close(channel[1]);
    if (pid < 0) {
        close(channel[0]);
        return tm_fail(e, TM_ERR_IO, "cannot start a process: %s", strerror(errno));
    }
    while (got < sizeof result &&
           ((n = read(channel[0], (char *)&result + got, sizeof result - got)) > 0 ||
            (n < 0 && errno == EINTR)))
        got += n > 0 ? (size_t)n : 0;
    close(channel[0]);
    wait_child(pid, &status);
    if (got < sizeof result)
        return tm_fail(e, TM_ERR_IO, "a helper process ended unexpectedly");
    if (result.err != TM_OK && e != NULL)
        *e = result;
    return result.err;
}

static void default_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
}

enum tm_err process_run(const char *const argv[], struct tm_error *e)
{
    enum { TAIL = 400 }; /* fits into the message with the program's name */
    char tail[TAIL + 1];
    size_t have = 0;
    int channel[2], status = 0;
    pid_t pid;

    if (pipe2(channel, O_CLOEXEC) != 0)
        return tm_fail(e, TM_ERR_IO, "cannot make a pipe: %s", strerror(errno));
    pid = fork();
    if (pid == 0) {
        char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", NULL};
        int null = open("/dev/null", O_RDONLY);

        default_signals();
        dup2(null, STDIN_FILENO);
        dup2(channel[1], STDOUT_FILENO);
        dup2(channel[1], STDERR_FILENO);
        execve(argv[0], (char *const *)argv, environment);
        dprintf(STDERR_FILENO, "%s", strerror(errno));
        _exit(127);
    }
    close(channel[1]);
    if (pid < 0) {
        close(channel[0]);
        return tm_fail(e, TM_ERR_IO, "cannot start %s: %s", argv[0], strerror(errno));
    }
    for (;;) {
        char part[TAIL];
        ssize_t n = read(channel[0], part, sizeof part);
        size_t keep;

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        keep = have + (size_t)n > TAIL ? TAIL - (size_t)n : have;
        memmove(tail, tail + have - keep, keep);
        memcpy(tail + keep, part, (size_t)n);
        have = keep + (size_t)n;
    }
    close(channel[0]);
    wait_child(pid, &status);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return TM_OK;
    while (have > 0 && tail[have - 1] == '\n')
        have--;
    tail[have] = '\0';
    return tm_fail(e, TM_ERR_IO, "%s failed: %s", argv[0], tail);
}

enum tm_err process_start(const char *const argv[], int parent_death, pid_t *pid,
                          struct tm_error *e)
{
    pid_t parent = getpid();

    fflush(NULL);
    *pid = fork();
    if (*pid < 0)
        return tm_fail(e, TM_ERR_IO, "cannot start %s: %s", argv[0], strerror(errno));
    if (*pid > 0)
        return TM_OK;
    default_signals();
    if (parent_death != 0) {
        prctl(PR_SET_PDEATHSIG, parent_death);
        if (getppid() != parent) /* it ended before the line above */
            _exit(127);
    }
    execv(argv[0], (char *const *)argv);
    dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

enum tm_err process_wait_for(const char *const argv[], int *status, struct tm_error *e)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
    enum tm_err err;
    pid_t pid;
    int raw = 0;

    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGQUIT, &ignore, &quit);
    err = process_start(argv, SIGTERM, &pid, e);
    if (err == TM_OK)
        wait_child(pid, &raw);
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGQUIT, &quit, NULL);
    *status = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
    return err;
}

/* The state letter of /proc/PID/stat, after the name in parentheses; 0: no such process. */
static char process_state(pid_t pid)
{
    char path[64], line[512];
    const char *after;
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    n = read(fd, line, sizeof line - 1);
    close(fd);
    line[n > 0 ? n : 0] = '\0';
    after = strrchr(line, ')');
    return after != NULL && after[1] == ' ' ? after[2] : 0;
}

bool process_is(pid_t pid, const char *program)
{
    static const char deleted[] = " (deleted)"; /* the file was replaced while it runs */
    char path[64], link[FILES_PATH_MAX];
    char state = process_state(pid);
    ssize_t n;

    if (state == 0 || state == 'Z' || state == 'X')
        return false;
    snprintf(path, sizeof path, "/proc/%ld/exe", (long)pid);
    n = readlink(path, link, sizeof link - 1);
    if (n <= 0)
        return false;
    link[n] = '\0';
    if ((size_t)n > sizeof deleted - 1 && strcmp(link + n - (sizeof deleted - 1), deleted) == 0)
        link[n - (ssize_t)(sizeof deleted - 1)] = '\0';
    return strcmp(link, program) == 0;
}

int process_signal_all(const char *program, int signal)
{
    DIR *d = opendir("/proc");
    struct dirent *entry;
    int found = 0;

    if (d == NULL)
        return 0;
    while ((entry = readdir(d)) != NULL) {
        long pid = strtol(entry->d_name, NULL, 10);

        if (pid > 1 && process_is((pid_t)pid, program)) {
            found++;
            if (signal != 0)
                kill((pid_t)pid, signal);
        }
    }
    closedir(d);
    return found;
}

void process_set_title(const char *title)
{
    char line[4096];
    char *start = NULL, *end = NULL, *field;
    FILE *f = fopen("/proc/self/stat", "r");
    int number = 3;

    if (f == NULL)
        return;
    if (fgets(line, sizeof line, f) != NULL && (field = strrchr(line, ')')) != NULL) {
        /* proc(5): fields 48 and 49 are where the command line starts and ends. */
        for (field += 2; field != NULL && number < 48; number++)
            field = (field = strchr(field, ' ')) != NULL ? field + 1 : NULL;
        if (field != NULL) {
            start = (char *)(uintptr_t)strtoull(field, &field, 10);
            end = (char *)(uintptr_t)strtoull(field, NULL, 10);
        }
    }
    fclose(f);
    if (start == NULL || end <= start)
        return;
    memset(start, 0, (size_t)(end - start));
    snprintf(start, (size_t)(end - start), "%s", title);
    prctl(PR_SET_NAME, title);
}

void process_sleep_msec(int msec)
{
    struct timespec t = {msec / 1000, (msec % 1000) * 1000000L};

    nanosleep(&t, NULL);
}
