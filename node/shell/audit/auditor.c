#include "auditor.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "audit_check.h"
#include "audit_log.h"
#include "node/audit/share.h"
#include "node/shell/pg/pg_session.h"
#include "node/shell/system/processor_time.h"
#include "node/shell/store/store.h"

enum {
    TURN_USEC = 500000,       /* of blocks and executions: what a snapshot is held for */
    PROGRESS_USEC = 10000000, /* between two reports */
    IDLE_USEC = 10000000,     /* without a notification the tip is looked at that often */
    RECONNECT_USEC = 1000000, /* between two attempts */
    SKIPPED_TEXT_MAX = 128
};

/* What the handler needs; one audit per process. */
static volatile sig_atomic_t asked_to_end;
static PGcancel *volatile cancel;

static void on_signal(int number)
{
    char ignored[256];
    int saved = errno;

    (void)number;
    asked_to_end = 1;
    if (cancel != NULL)
        PQcancel(cancel, ignored, sizeof ignored);
    errno = saved;
}

static const int SIGNALS[] = {SIGTERM, SIGINT, SIGHUP};
enum { SIGNAL_COUNT = sizeof SIGNALS / sizeof *SIGNALS };

struct auditor {
    PGconn *conn;
    const struct auditor_options *options;
    const struct auditor_listener *listener;
    struct auditor_totals *totals;
    struct share share;
    uint64_t spent[AUDIT_KINDS];
    int64_t started_usec, shown_usec, turn_until_usec;
    struct processor_time read; /* when work or rest was last told to the share */
    struct sigaction before[SIGNAL_COUNT];
    bool state_checked; /* a height in full, whether it held or not */
};

static int64_t now_usec(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* --- connection and signals ------------------------------------------------------------------- */

static void catch_signals(struct auditor *x)
{
    struct sigaction action = {.sa_handler = on_signal};

    asked_to_end = 0;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        sigaction(SIGNALS[i], &action, &x->before[i]);
}

static void hold_signals(sigset_t *before)
{
    sigset_t all;

    sigemptyset(&all);
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        sigaddset(&all, SIGNALS[i]);
    sigprocmask(SIG_BLOCK, &all, before);
}

/* The handler must not find a handle that is being made or freed. */
static void set_cancel(PGcancel *handle)
{
    PGcancel *old = cancel;
    sigset_t before;

    hold_signals(&before);
    cancel = handle;
    sigprocmask(SIG_SETMASK, &before, NULL);
    PQfreeCancel(old);
}

static void release_signals(struct auditor *x)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        sigaction(SIGNALS[i], &x->before[i], NULL);
    set_cancel(NULL);
}

static enum tm_err prepare(struct auditor *x, struct tm_error *e)
{
    enum tm_err err = store_check(x->conn, e);

    if (err == TM_OK)
        err = audit_log_prepare(x->conn, e);
    if (err == TM_OK)
        err = audit_check_prepare(x->conn, e);
    if (err == TM_OK)
        err = pg_run(x->conn, "LISTEN tidemark_block", e);
    set_cancel(PQgetCancel(x->conn));
    return err;
}

/* Until a time, a signal, or (watched) news from the server. */
static void wait_until(struct auditor *x, int64_t until_usec, bool watched)
{
    struct pollfd socket = {.fd = PQsocket(x->conn), .events = POLLIN};
    sigset_t before;

    hold_signals(&before);
    while (!asked_to_end) {
        int64_t left = until_usec - now_usec();
        struct timespec timeout = {.tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000};

        if (left <= 0 || (ppoll(&socket, watched ? 1 : 0, &timeout, &before) != 0 && watched))
            break;
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static void drop_notifications(PGconn *conn)
{
    PGnotify *n;

    if (PQconsumeInput(conn) != 1)
        return;
    while ((n = PQnotifies(conn)) != NULL)
        PQfreemem(n);
}

static void reconnect(struct auditor *x, const struct tm_error *why)
{
    char line[TM_ERROR_TEXT_MAX + 32];
    struct tm_error e;

    snprintf(line, sizeof line, "%s; trying again", why->text);
    x->listener->said(x->listener->ctx, line);
    while (!asked_to_end) {
        wait_until(x, now_usec() + RECONNECT_USEC, false);
        if (asked_to_end)
            break;
        set_cancel(NULL);
        if (PQstatus(x->conn) != CONNECTION_OK)
            PQreset(x->conn);
        if (PQstatus(x->conn) == CONNECTION_OK && pg_run(x->conn, "DEALLOCATE ALL", &e) == TM_OK &&
            prepare(x, &e) == TM_OK)
            break;
    }
    x->read = processor_time_read(x->conn);
}

/* --- one task --------------------------------------------------------------------------------- */

static bool enough(void *ctx)
{
    struct auditor *x = ctx;

    return asked_to_end || now_usec() >= x->turn_until_usec;
}

static struct audit_position position_of(const struct auditor *x,
                                         const struct audit_log_state *state)
{
    struct audit_position p = {.earliest = state->earliest, .tip = state->tip};

    for (int kind = 0; kind < AUDIT_KINDS; kind++) {
        p.spent[kind] = x->spent[kind];
        p.left[kind] = UINT64_MAX;
    }
    p.cursor[AUDIT_BLOCK] = state->cursor[AUDIT_BLOCK];
    p.cursor[AUDIT_EXECUTION] = state->cursor[AUDIT_EXECUTION];
    if (x->options->blocks > 0)
        p.left[AUDIT_EXECUTION] = x->options->blocks - x->totals->heights[AUDIT_EXECUTION];
    return p;
}

/* What a task came to, as rows of ops.audit. */
struct outcome {
    struct audit_entry entries[2];
    size_t count;
};

static enum tm_err add_entry(struct auditor *x, struct arena *a, struct outcome *o,
                             struct audit_entry entry, struct tm_error *e)
{
    enum tm_err err = TM_OK;

    if (entry.outcome != AUDIT_SKIPPED || entry.moves)
        err = audit_log_state_hash(x->conn, a, entry.last, &entry.state_hash, e);
    if (err == TM_OK)
        o->entries[o->count++] = entry;
    return err;
}

static enum tm_err skip(struct auditor *x, struct arena *a, const struct audit_task *t,
                        struct outcome *o, struct tm_error *e)
{
    char text[SKIPPED_TEXT_MAX];

    snprintf(text, sizeof text,
             "%s: heights %" PRId64 " to %" PRId64 " are skipped, the state they need is pruned",
             audit_kind_name(t->kind), t->first, t->last);
    x->listener->said(x->listener->ctx, text);
    return add_entry(x, a, o,
                     (struct audit_entry){.kind = t->kind,
                                          .first = t->first,
                                          .last = t->last,
                                          .outcome = AUDIT_SKIPPED,
                                          .findings = arena_copy(a, bytes_of(text)),
                                          .moves = true},
                     e);
}

static enum tm_err check(struct auditor *x, struct arena *a, struct verify_source *source,
                         const struct audit_task *t, struct outcome *o, struct tm_error *e)
{
    const struct audit_check c = {
        .conn = x->conn, .source = source, .arena = a, .enough = enough, .ctx = x};
    int64_t start = now_usec();
    struct audit_result result;
    enum tm_err err;

    x->turn_until_usec = start + TURN_USEC;
    err = audit_check_run(&c, t, &result, e);
    if (err == TM_OK && result.held >= t->first)
        err = add_entry(x, a, o,
                        (struct audit_entry){.kind = t->kind,
                                             .first = t->first,
                                             .last = result.held,
                                             .outcome = AUDIT_HELD,
                                             .msec = (now_usec() - start) / 1000,
                                             .moves = true},
                        e);
    /* An error of the server ends the snapshot: then what held before it is checked once more. */
    if (result.found && err != TM_ERR_IO)
        err = TM_OK;
    if (err != TM_OK || !result.found)
        return err;
    o->entries[o->count++] = (struct audit_entry){.kind = t->kind,
                                                  .first = result.held + 1,
                                                  .last = result.held + 1,
                                                  .outcome = AUDIT_FOUND,
                                                  .findings = result.findings,
                                                  .msec = (now_usec() - start) / 1000,
                                                  .moves = x->options->keep_going};
    return TM_OK;
}

/* The snapshot may have ended with an error of the server, so the finding's hash is read after it.
 */
static enum tm_err write_outcome(struct auditor *x, struct arena *a,
                                 const struct audit_log_state *state, struct outcome *o,
                                 struct tm_error *e)
{
    bool overtaken;
    enum tm_err err = TM_OK;

    for (size_t i = 0; i < o->count && err == TM_OK; i++)
        if (o->entries[i].outcome == AUDIT_FOUND)
            err =
                audit_log_state_hash(x->conn, a, o->entries[i].last, &o->entries[i].state_hash, e);
    if (err == TM_OK)
        err = audit_log_write(x->conn, state, o->entries, o->count, &overtaken, e);
    for (size_t i = 0; i < o->count && err == TM_OK; i++) {
        const struct audit_entry *entry = &o->entries[i];

        if (entry->outcome == AUDIT_FOUND) {
            x->totals->findings++;
            x->listener->found(x->listener->ctx, entry->kind, entry->last, entry->findings);
        }
        if (overtaken)
            continue;
        if (entry->kind == AUDIT_STATE && entry->outcome != AUDIT_SKIPPED)
            x->state_checked = true;
        if (entry->outcome == AUDIT_HELD)
            x->totals->heights[entry->kind] += (uint64_t)(entry->last - entry->first) + 1;
        if (entry->moves && entry->kind == AUDIT_BLOCK)
            x->totals->block = entry->last;
        if (entry->moves && entry->kind == AUDIT_EXECUTION)
            x->totals->execution = entry->last;
    }
    return err;
}

static bool at_end(const struct auditor *x, const struct audit_position *p)
{
    if (x->options->blocks > 0 && x->totals->heights[AUDIT_EXECUTION] >= x->options->blocks)
        return true;
    return x->options->until_tip && audit_at_tip(p) &&
           (x->state_checked || audit_lowest(AUDIT_STATE, p->earliest) > p->tip);
}

enum turn { TURN_DONE, TURN_IDLE, TURN_END };

/* What is next, in one snapshot, and what it came to. */
static enum tm_err turn(struct auditor *x, enum turn *out, struct audit_task *task,
                        struct tm_error *e)
{
    struct audit_log_state state = {0};
    struct verify_source *source = NULL;
    struct audit_position position;
    struct outcome outcome = {.count = 0};
    struct arena a;
    uint64_t drawn;
    enum tm_err err;

    *out = TURN_DONE;
    *task = (struct audit_task){.kind = AUDIT_KINDS};
    if (getrandom(&drawn, sizeof drawn, 0) != (ssize_t)sizeof drawn)
        return tm_fail(e, TM_ERR_IO, "no random numbers: %s", strerror(errno));
    arena_init(&a);
    err = verify_source_open(x->conn, &source, e);
    if (err == TM_OK)
        err = audit_log_read(x->conn, &state, e);
    if (err == TM_OK && !state.moved) {
        position = position_of(x, &state);
        x->totals->tip = state.tip;
        x->totals->block = state.cursor[AUDIT_BLOCK];
        x->totals->execution = state.cursor[AUDIT_EXECUTION];
        if (at_end(x, &position))
            *out = TURN_END;
        else if (!audit_next(&position, drawn, task))
            *out = TURN_IDLE;
        else if (task->pruned)
            err = skip(x, &a, task, &outcome, e);
        else
            err = check(x, &a, source, task, &outcome, e);
    }
    verify_source_close(source);
    if (err == TM_OK && state.moved) {
        x->listener->said(x->listener->ctx,
                          "the chain is another than was audited: beginning again");
        err = audit_log_restart(x->conn, e);
    }
    if (err == TM_OK && outcome.count > 0)
        err = write_outcome(x, &a, &state, &outcome, e);
    arena_free(&a);
    return err;
}

/* --- the loop --------------------------------------------------------------------------------- */

/* Tells the share of the work since the last time and rests as long as that asks for. */
static void rest(struct auditor *x, enum audit_kind kind)
{
    struct processor_time now = processor_time_read(x->conn);
    int64_t work = processor_time_spent(&x->read, &now);
    int64_t pause = share_rest(&x->share, work, now.wall_usec - x->read.wall_usec);

    x->totals->work_usec += work;
    if (kind != AUDIT_KINDS)
        x->spent[kind] += (uint64_t)(work > 0 ? work : 0);
    x->read = now;
    if (pause > 0)
        wait_until(x, now.wall_usec + pause, false);
    now = processor_time_read(x->conn);
    share_rest(&x->share, 0, now.wall_usec - x->read.wall_usec);
    x->read = now;
}

static void show(struct auditor *x)
{
    x->shown_usec = now_usec();
    x->totals->elapsed_usec = x->shown_usec - x->started_usec;
    x->listener->progress(x->listener->ctx, x->totals);
}

static enum tm_err loop(struct auditor *x, struct tm_error *e)
{
    while (!asked_to_end) {
        struct audit_task task;
        enum turn kind;
        enum tm_err err = turn(x, &kind, &task, e);

        if (asked_to_end && err == TM_ERR_IO)
            break;
        if (err == TM_ERR_IO) {
            reconnect(x, e);
            continue;
        }
        if (err != TM_OK)
            return err;
        if (kind == TURN_END || (x->totals->findings > 0 && !x->options->keep_going))
            break;
        rest(x, task.kind);
        if (now_usec() >= x->shown_usec + PROGRESS_USEC)
            show(x);
        if (kind == TURN_IDLE)
            wait_until(x, now_usec() + IDLE_USEC, true);
        drop_notifications(x->conn);
    }
    return TM_OK;
}

enum tm_err auditor_run(PGconn *conn, const struct auditor_options *options,
                        const struct auditor_listener *listener, struct auditor_totals *totals,
                        struct tm_error *e)
{
    struct auditor x = {.conn = conn,
                        .options = options,
                        .listener = listener,
                        .totals = totals,
                        .share = {.percent = options->percent}};
    enum tm_err err;

    *totals =
        (struct auditor_totals){.tip = HEIGHT_NONE, .block = HEIGHT_NONE, .execution = HEIGHT_NONE};
    catch_signals(&x);
    x.started_usec = x.shown_usec = now_usec();
    err = prepare(&x, e);
    x.read = processor_time_read(conn);
    if (err == TM_OK)
        err = loop(&x, e);
    else if (asked_to_end)
        err = TM_OK;
    if (err == TM_OK)
        show(&x);
    release_signals(&x);
    return err;
}
