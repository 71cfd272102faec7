/* The three checks of the audit, each in the snapshot of a source. */
#ifndef NODE_SHELL_AUDIT_AUDIT_CHECK_H
#define NODE_SHELL_AUDIT_AUDIT_CHECK_H

#include "node/audit/plan.h"
#include "node/shell/verify/verify_source.h"

/* Prepares the statements, once per connection. */
enum tm_err audit_check_prepare(PGconn *conn, struct tm_error *e);

struct audit_check {
    PGconn *conn;
    struct verify_source *source; /* its snapshot is open on conn */
    struct arena *arena;          /* of the findings */
    /* Asked after each height: is it enough for now? */
    bool (*enough)(void *ctx);
    void *ctx;
};

struct audit_result {
    height_t held;         /* the last height of the task that held; first - 1: none */
    bool found;            /* the one after it does not */
    struct bytes findings; /* lines without a newline behind the last */
};

/* TM_ERR_IO: the outside world failed; what held until then is in *out. */
enum tm_err audit_check_run(const struct audit_check *c, const struct audit_task *t,
                            struct audit_result *out, struct tm_error *e);

#endif
