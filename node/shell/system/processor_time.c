#include "processor_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Fields of /proc/PID/stat behind the name: state is the first, utime the 12th (proc(5)). */
enum { STAT_MAX = 1024, FIELD_UTIME = 12, USEC = 1000000 };

static int64_t clock_usec(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * USEC + t.tv_nsec / 1000;
}

/* User and system time of a process of this machine. */
static bool read_process(int pid, int64_t *usec)
{
    char path[64], text[STAT_MAX];
    FILE *file;
    size_t n;
    char *at;
    int64_t ticks;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    file = fopen(path, "r");
    if (file == NULL)
        return false;
    n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = '\0';
    at = strrchr(text, ')'); /* the name may hold anything */
    for (int field = 0; at != NULL && field < FIELD_UTIME; field++)
        at = strchr(at + 1, ' ');
    if (at == NULL)
        return false;
    ticks = strtoll(at, &at, 10);
    ticks += strtoll(at, NULL, 10);
    *usec = ticks * USEC / sysconf(_SC_CLK_TCK);
    return true;
}

struct processor_time processor_time_read(PGconn *conn)
{
    struct processor_time t = {.wall_usec = clock_usec(CLOCK_MONOTONIC),
                               .own_usec = clock_usec(CLOCK_PROCESS_CPUTIME_ID)};
    const char *host = PQhost(conn);

    /* Over a socket of this machine the server's process is one of this machine. */
    t.has_backend = host != NULL && host[0] == '/' && PQstatus(conn) == CONNECTION_OK &&
                    read_process(PQbackendPID(conn), &t.backend_usec);
    return t;
}

int64_t processor_time_spent(const struct processor_time *from, const struct processor_time *to)
{
    int64_t own = to->own_usec - from->own_usec, wall = to->wall_usec - from->wall_usec;

    if (from->has_backend && to->has_backend && to->backend_usec >= from->backend_usec)
        return own + to->backend_usec - from->backend_usec;
    return own > wall ? own : wall;
}
