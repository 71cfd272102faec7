#include "watchdog.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    LOOKS_PER_LIMIT = 4,
    LOOK_LEAST = 100, /* milliseconds: a look is one query of some 0.2 ms */
    LOOK_MOST = 5000
};

static const struct {
    const char *what, *hint;
} texts[] = {
    [WATCHDOG_KEEP] = {"", ""},
    [WATCHDOG_STATEMENT] =
        {"a statement ran",
         "Ask for less at once (fewer heights, pages with state.account_page_at), or use a "
         "replica."},
    [WATCHDOG_TRANSACTION] =
        {"a transaction was open",
         "End transactions as soon as their answer is read; SET tidemark.height gives the same "
         "height to many of them."},
    [WATCHDOG_IDLE] = {"the session was idle", "Connect again when there is something to ask."},
};

struct watchdog_limits watchdog_defaults(void)
{
    return (struct watchdog_limits){.statement = WATCHDOG_STATEMENT_SECONDS * INT64_C(1000),
                                    .transaction = WATCHDOG_TRANSACTION_SECONDS * INT64_C(1000),
                                    .idle = WATCHDOG_IDLE_SECONDS * INT64_C(1000)};
}

enum watchdog_verdict watchdog_judge(const struct watchdog_limits *limits,
                                     const struct watchdog_session *session)
{
    if (limits->statement > 0 && session->statement > limits->statement)
        return WATCHDOG_STATEMENT;
    if (limits->transaction > 0 && session->transaction > limits->transaction)
        return WATCHDOG_TRANSACTION;
    if (limits->idle > 0 && session->idle > limits->idle)
        return WATCHDOG_IDLE;
    return WATCHDOG_KEEP;
}

static int64_t choose(enum watchdog_verdict verdict, int64_t statement, int64_t transaction,
                      int64_t idle)
{
    switch (verdict) {
    case WATCHDOG_STATEMENT:
        return statement;
    case WATCHDOG_TRANSACTION:
        return transaction;
    case WATCHDOG_IDLE:
        return idle;
    case WATCHDOG_KEEP:
        break;
    }
    return 0;
}

void watchdog_reason(enum watchdog_verdict verdict, const struct watchdog_limits *limits,
                     const struct watchdog_session *session, char out[WATCHDOG_TEXT_MAX])
{
    int64_t age = choose(verdict, session->statement, session->transaction, session->idle);
    int64_t limit = choose(verdict, limits->statement, limits->transaction, limits->idle);

    snprintf(out, WATCHDOG_TEXT_MAX,
             "%s for %" PRId64 ".%" PRId64 " s; the limit is %" PRId64 ".%" PRId64 " s",
             texts[verdict].what, age / 1000, age % 1000 / 100, limit / 1000, limit % 1000 / 100);
}

const char *watchdog_hint(enum watchdog_verdict verdict)
{
    return texts[verdict].hint;
}

uint64_t watchdog_interval(const struct watchdog_limits *limits)
{
    const int64_t all[] = {limits->statement, limits->transaction, limits->idle};
    int64_t least = 0, interval;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] > 0 && (least == 0 || all[i] < least))
            least = all[i];
    if (least == 0)
        return 0;
    interval = least / LOOKS_PER_LIMIT;
    return (uint64_t)(interval < LOOK_LEAST  ? LOOK_LEAST
                      : interval > LOOK_MOST ? LOOK_MOST
                                             : interval);
}
