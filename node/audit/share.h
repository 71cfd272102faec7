/* A share of one processor core, kept by resting in proportion to the work done. */
#ifndef NODE_AUDIT_SHARE_H
#define NODE_AUDIT_SHARE_H

#include <stdint.h>

/* Per cent of one core. */
enum { SHARE_LEAST = 1, SHARE_MOST = 100, SHARE_DEFAULT = 25 };

struct share {
    unsigned percent;
    int64_t owed_usec; /* rest that earlier work has earned and that was not taken yet */
};

/*
 * Tells of `work_usec` of processor time within `elapsed_usec` (0 work: a rest that was taken) and
 * gives the microseconds to rest now so that all work since the last rest stays at the share. Time
 * in which nothing was done is no credit for later.
 */
int64_t share_rest(struct share *s, int64_t work_usec, int64_t elapsed_usec);

#endif
