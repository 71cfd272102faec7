#include "cluster_keeper.h"

#include "cluster_files.h"
#include "write_back.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    LOOK_MSEC = 200,         /* how often the keeper looks whether the server is in use */
    WRITE_BACK_LOOKS = 5,    /* between two steps of write_back.h: a second */
    FAST_STOP_SECONDS = 120, /* a shutdown checkpoint on a slow disk; then an immediate stop */
};

/* In the child: becomes the server. */
static void run_server(const struct cluster *c, pid_t keeper)
{
    char *const argv[] = {(char *)c->server, "-D", (char *)c->data, NULL};
    char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", NULL};
    sigset_t none;
    int log;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (process_become(&c->user, NULL) != TM_OK)
        _exit(127);
    umask(077);
    log = open(c->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (log < 0)
        _exit(127);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    close(log);
    /* A killed keeper takes the server along: nothing else would ever stop it. */
    prctl(PR_SET_PDEATHSIG, SIGINT);
    if (getppid() != keeper)
        _exit(127);
    execve(c->server, argv, environment);
    dprintf(STDERR_FILENO, "FATAL:  cannot run %s: %s\n", c->server, strerror(errno));
    _exit(127);
}

static bool ended(pid_t server)
{
    return waitpid(server, NULL, WNOHANG) == server;
}

static void stop_server(pid_t server, const sigset_t *child)
{
    const struct timespec look = {1, 0};

    kill(server, SIGINT);
    for (int second = 0; !ended(server); second++) {
        if (second == FAST_STOP_SECONDS)
            kill(server, SIGQUIT);
        sigtimedwait(child, NULL, &look);
    }
}

static void keep(const struct cluster *c, pid_t server, const char *started, const char *use_lock)
{
    const struct timespec look = {0, LOOK_MSEC * 1000000L};
    int use = open(use_lock, O_RDWR | O_CLOEXEC);
    char base[FILES_PATH_MAX + 8];
    struct write_back growth;
    sigset_t child;

    snprintf(base, sizeof base, "%s/base", c->data);
    write_back_init(&growth, base);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    for (int looks = 0; !ended(server); looks = (looks + 1) % WRITE_BACK_LOOKS) {
        if (!files_exist(started) && flock(use, LOCK_EX | LOCK_NB) == 0) {
            /* The last user may have asked to keep it just before it ended. */
            if (!files_exist(started) || !files_exist(c->directory)) {
                stop_server(server, &child);
                cluster_socket_remove(c);
                break;
            }
            flock(use, LOCK_UN);
        }
        if (looks == 0)
            write_back_step(&growth);
        sigtimedwait(&child, NULL, &look);
    }
    write_back_free(&growth);
}

static void run_keeper(const struct cluster *c, int alive)
{
    char started[FILES_PATH_MAX + 32], use_lock[FILES_PATH_MAX + 32];
    char title[FILES_PATH_MAX + 32];
    sigset_t child;
    pid_t keeper, server;
    int null;

    setsid();
    if (chdir("/") != 0)
        _exit(1);
    null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    /* Nothing of the command that starts it may stay open: pipes, locks, connections. */
    dup2(alive, STDERR_FILENO + 1);
    fcntl(STDERR_FILENO + 1, F_SETFD, FD_CLOEXEC);
    close_range(STDERR_FILENO + 2, ~0u, 0);
    snprintf(title, sizeof title, "tidemark-keeper %s", c->directory);
    process_set_title(title);
    snprintf(started, sizeof started, "%s/" CLUSTER_STARTED_FILE, c->directory);
    snprintf(use_lock, sizeof use_lock, "%s/" CLUSTER_USE_LOCK, c->directory);

    signal(SIGCHLD, SIG_DFL);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_SETMASK, &child, NULL);
    keeper = getpid();
    server = fork();
    if (server == 0)
        run_server(c, keeper);
    if (server > 0)
        keep(c, server, started, use_lock);
    _exit(0);
}

enum tm_err cluster_keeper_start(const struct cluster *c, int *alive, struct tm_error *e)
{
    int channel[2];
    pid_t between;

    if (pipe2(channel, O_CLOEXEC) != 0)
        return tm_fail(e, TM_ERR_IO, "cannot make a pipe: %s", strerror(errno));
    fflush(NULL);
    /* Two forks: the keeper outlives this process and must not be its zombie. */
    between = fork();
    if (between == 0) {
        pid_t keeper = fork();

        if (keeper == 0)
            run_keeper(c, channel[1]);
        _exit(keeper < 0 ? 1 : 0);
    }
    close(channel[1]);
    if (between < 0) {
        close(channel[0]);
        return tm_fail(e, TM_ERR_IO, "cannot start a process: %s", strerror(errno));
    }
    while (waitpid(between, NULL, 0) < 0 && errno == EINTR)
        ;
    *alive = channel[0];
    return TM_OK;
}
