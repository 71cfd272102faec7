/* A fixed pool of threads for work without side effects: signature checks. */
#ifndef NODE_SHELL_SYSTEM_WORKERS_H
#define NODE_SHELL_SYSTEM_WORKERS_H

#include "node/executor/executor.h"

enum { WORKERS_MAX = 64 };

struct workers;

/* count 0: one for each processor, the caller's thread among them. */
struct workers *workers_start(unsigned count);
void workers_stop(struct workers *w);

/* For executor_open; the caller's thread takes part in each run. One run at a time. */
struct executor_workers workers_of(struct workers *w);

#endif
