/* Child processes and the user they run as. */
#ifndef NODE_SHELL_SYSTEM_PROCESS_H
#define NODE_SHELL_SYSTEM_PROCESS_H

#include <sys/types.h>

#include "protocol/base/error.h"
#include "protocol/base/bytes.h"

struct process_user {
    uid_t uid;
    gid_t gid;
    char name[64];
};

/* TM_ERR_NOT_FOUND: this machine has no such user. */
enum tm_err process_user_by_name(const char *name, struct process_user *out, struct tm_error *e);
enum tm_err process_user_by_id(uid_t uid, struct process_user *out, struct tm_error *e);

/* Becomes the user for good; does nothing where the process is that user. */
enum tm_err process_become(const struct process_user *user, struct tm_error *e);

/* Runs work(arg) in a child that has become the user; its result and message come back. */
enum tm_err process_call(const struct process_user *user,
                         enum tm_err (*work)(void *arg, struct tm_error *e), void *arg,
                         struct tm_error *e);

/*
 * Runs a program with an environment of PATH and LC_ALL=C only. TM_ERR_IO with the last lines it
 * wrote when it does not end with status 0.
 */
enum tm_err process_run(const char *const argv[], struct tm_error *e);

/*
 * Starts a program that gets `parent_death` (a signal, 0: none) when the calling thread's process
 * ends. Standard files and environment are inherited; signal handling is the default.
 */
enum tm_err process_start(const char *const argv[], int parent_death, pid_t *pid,
                          struct tm_error *e);

/* process_start, then waits; SIGINT and SIGQUIT go to the program alone. Its exit status (128 + n
 * for signal n). */
enum tm_err process_wait_for(const char *const argv[], int *status, struct tm_error *e);

/* True while pid is a live process (not a zombie) whose program is the file `program`. */
bool process_is(pid_t pid, const char *program);

/* Sends the signal to every live process whose program is the file; how many there were. */
int process_signal_all(const char *program, int signal);

/* Shows the text instead of the command line where processes are listed. */
void process_set_title(const char *title);

void process_sleep_msec(int msec);

#endif
