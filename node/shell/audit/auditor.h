/* The background audit: task after task beside a running node, with a share of one core. */
#ifndef NODE_SHELL_AUDIT_AUDITOR_H
#define NODE_SHELL_AUDIT_AUDITOR_H

#include <libpq-fe.h>

#include "node/audit/plan.h"
#include "protocol/base/error.h"

struct auditor_options {
    unsigned percent; /* of one core */
    uint64_t blocks;  /* end when so many blocks were executed again; 0: no end */
    bool until_tip;   /* end when both cursors have reached the tip and a height was drawn */
    bool keep_going;  /* go on behind a height that does not hold */
};

struct auditor_totals {
    height_t tip, block, execution; /* HEIGHT_NONE: none yet */
    uint64_t heights[AUDIT_KINDS];  /* that held, in this run */
    uint64_t findings;              /* heights that do not hold, in this run */
    int64_t work_usec, elapsed_usec;
};

/* Who is told, all borrowed for the call. */
struct auditor_listener {
    void *ctx;
    /* A height does not hold: lines of text. */
    void (*found)(void *ctx, enum audit_kind kind, height_t height, struct bytes lines);
    /* Something an operator should know: one line. */
    void (*said)(void *ctx, const char *line);
    /* From time to time, and at the end. */
    void (*progress)(void *ctx, const struct auditor_totals *totals);
};

/*
 * Audits until there is an end by the options, a finding, or SIGTERM, SIGINT or SIGHUP. TM_OK:
 * ended; totals->findings says whether all held. A lost connection is not an end: it is tried
 * again.
 */
enum tm_err auditor_run(PGconn *conn, const struct auditor_options *options,
                        const struct auditor_listener *listener, struct auditor_totals *totals,
                        struct tm_error *e);

#endif
