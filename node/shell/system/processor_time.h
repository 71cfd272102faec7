/* Processor time of this process and of the server's process that works for it. */
#ifndef NODE_SHELL_SYSTEM_PROCESSOR_TIME_H
#define NODE_SHELL_SYSTEM_PROCESSOR_TIME_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

struct processor_time {
    int64_t wall_usec, own_usec, backend_usec;
    bool has_backend; /* false: the server runs elsewhere, or its process cannot be seen */
};

/* Now. */
struct processor_time processor_time_read(PGconn *conn);

/* Processor time between two readings: this process and the backend; where the backend cannot be
 * seen, all time that passed is taken for work of one or the other. */
int64_t processor_time_spent(const struct processor_time *from, const struct processor_time *to);

#endif
