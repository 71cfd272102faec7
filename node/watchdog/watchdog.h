/*
 * Which sessions of analysts are to be ended (architecture.md 8). A reader can lift its own
 * statement_timeout; that these limits hold is the node's doing. Pure: ages in, a verdict out.
 */
#ifndef NODE_WATCHDOG_WATCHDOG_H
#define NODE_WATCHDOG_WATCHDOG_H

#include <stddef.h>
#include <stdint.h>

enum {
    /* Twice the readers' default statement_timeout: only who lifted that one gets here. */
    WATCHDOG_STATEMENT_SECONDS = 120,
    /* An open transaction keeps dead rows of every table in place, a few for each block. */
    WATCHDOG_TRANSACTION_SECONDS = 300,
    /* Few places are shared by many (CONNECTION LIMIT); a pool that uses its sessions keeps them.
     */
    WATCHDOG_IDLE_SECONDS = 3600,
    WATCHDOG_SECONDS_MAX = 7 * 86400,
    WATCHDOG_TEXT_MAX = 200
};

/* Milliseconds; 0: no such limit. */
struct watchdog_limits {
    int64_t statement, transaction, idle;
};

/* Ages in milliseconds; negative: the session has nothing of the kind. */
struct watchdog_session {
    int64_t statement, transaction, idle;
};

enum watchdog_verdict {
    WATCHDOG_KEEP,
    WATCHDOG_STATEMENT,   /* a statement runs for too long */
    WATCHDOG_TRANSACTION, /* so does a transaction, whatever it does */
    WATCHDOG_IDLE         /* no statement and no transaction for too long */
};

struct watchdog_limits watchdog_defaults(void);

enum watchdog_verdict watchdog_judge(const struct watchdog_limits *limits,
                                     const struct watchdog_session *session);

/* The reason for a verdict other than WATCHDOG_KEEP, with age and limit, in out. */
void watchdog_reason(enum watchdog_verdict verdict, const struct watchdog_limits *limits,
                     const struct watchdog_session *session, char out[WATCHDOG_TEXT_MAX]);

/* What the analyst can do instead. */
const char *watchdog_hint(enum watchdog_verdict verdict);

/* Milliseconds between two looks: often enough that no limit is passed by half; 0: no limit. */
uint64_t watchdog_interval(const struct watchdog_limits *limits);

#endif
