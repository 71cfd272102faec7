/*
 * The setting tidemark.nice: sessions that give way to others when processors are short. A process
 * may lower its own priority and cannot raise it again, so the setting is for roles, not for a
 * statement.
 */
#include "server/priority.h"

#include "value/compat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "access/parallel.h"
#include "miscadmin.h"
#include "utils/guc.h"

enum {
    NICE_MAX = 19,
    /* The kernel takes one change of an autogroup in a tenth of a second, from all users together;
     * sessions that begin at once wait for their turn. */
    GROUP_TRIES = 12,
    GROUP_WAIT_USEC = 50000
};

static int nice_value;

/* Where the kernel groups processes by session (sched_autogroup), priorities count within a group
 * only, and each session of the server is a group of its own: the group is lowered as well. Where
 * it does not, there is no such file. */
static void lower_group(int value)
{
    char text[8];
    int fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
    int size = snprintf(text, sizeof text, "%d", value);

    if (fd < 0)
        return;
    for (int i = 0; write(fd, text, (size_t)size) < 0 && errno == EAGAIN; i++) {
        /* A worker's query does not wait; its leader has been lowered. */
        if (IsParallelWorker() || i == GROUP_TRIES)
            break;
        pg_usleep(GROUP_WAIT_USEC);
    }
    close(fd);
}

static void set_nice(int value, void *extra)
{
    (void)extra;
    if (value == 0)
        return;
    setpriority(PRIO_PROCESS, 0, value);
    lower_group(value);
}

void priority_init(void)
{
    DefineCustomIntVariable("tidemark.nice",
                            "How far a session gives way to others that want a processor, as nice.",
                            "Of a session under way it can only be raised.", &nice_value, 0, 0,
                            NICE_MAX, PGC_SUSET, 0, NULL, set_nice, NULL);
}
