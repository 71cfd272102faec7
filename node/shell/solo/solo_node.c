#include "solo_node.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "node/shell/cluster/database.h"
#include "node/shell/store/migrations.h"
#include "protocol/base/hex.h"
#include "solo_state.h"
#include "watchdog_sessions.h"

static uint64_t height_of(const struct solo_node *n)
{
    return (uint64_t)executor_height(n->executor);
}

static void dispatch(struct solo_node *n, const struct solo_event *event);

static void tell(struct solo_node *n, enum solo_event_kind kind)
{
    const struct solo_event event = {.kind = kind,
                                     .tip = height_of(n),
                                     .set = executor_validators(n->executor),
                                     .pool_empty = mempool_count(n->pool.mempool) == 0};

    dispatch(n, &event);
}

static void end(struct solo_node *n)
{
    n->stopping = true;
    uv_stop(&n->loop);
}

/* What failed decides: try later, leave it, or stop. */
static void fail(struct solo_node *n, const struct tm_error *e)
{
    struct solo_event event = {.kind = e->err == TM_ERR_IO ? SOLO_UNAVAILABLE : SOLO_INVALID,
                               .text = e->text};

    if (event.kind == SOLO_UNAVAILABLE && !n->unavailable) {
        fprintf(stderr, "tidemarkd: no blocks are made: %s; trying again every %d s\n", e->text,
                SOLO_RETRY_MSEC / 1000);
        n->unavailable = true;
        solo_pool_state(&n->pool, "waiting", e->text, height_of(n));
    } else if (event.kind == SOLO_INVALID && n->solo.phase == SOLO_REPEATING) {
        fprintf(stderr, "tidemarkd: the signed block is left for another round: %s\n", e->text);
    }
    dispatch(n, &event);
}

static void recovered(struct solo_node *n)
{
    if (n->unavailable)
        fprintf(stderr, "tidemarkd: going on\n");
    n->unavailable = false;
}

static bool time_is_up(void *ctx)
{
    const struct solo_node *n = ctx;

    return uv_hrtime() / 1000000 - n->started_msec > SOLO_FILL_MSEC;
}

static void executed(struct solo_node *n, const struct executor_proposal *p)
{
    const struct solo_event event = {.kind = SOLO_EXECUTED, .header_hash = p->key};

    recovered(n);
    dispatch(n, &event);
}

static void build(struct solo_node *n, const struct solo_action *action)
{
    struct arena a;
    struct timespec now;
    struct executor_prepare_input in = {
        .proposer = action->proposer, .stop = time_is_up, .stop_ctx = n};
    const struct executor_proposal *p;
    struct tm_error e = {0};
    enum tm_err err;

    arena_init(&a);
    n->started_msec = uv_hrtime() / 1000000;
    clock_gettime(CLOCK_REALTIME, &now);
    in.seconds = now.tv_sec;
    in.nanos = (int32_t)now.tv_nsec;
    in.candidates = solo_pool_candidates(&n->pool, &a, &in.count);
    err = executor_prepare(n->executor, &in, &p, &e);
    if (err == TM_OK)
        solo_pool_after_proposal(&n->pool, in.candidates, in.count);
    arena_free(&a);
    if (err == TM_OK)
        executed(n, p);
    else
        fail(n, &e);
}

/* The body of a block that was signed before a crash. */
static void execute(struct solo_node *n, const struct solo_action *action)
{
    struct arena a;
    struct bytes body;
    const struct executor_proposal *p = NULL;
    struct tm_error e = {0};
    enum tm_err err;

    arena_init(&a);
    n->started_msec = uv_hrtime() / 1000000;
    err = store_guard_body(n->pg, &a, action->height, &action->header_hash, &body, &e);
    if (err == TM_OK)
        err = executor_apply(n->executor, body, &p, &e);
    arena_free(&a);
    if (err == TM_OK)
        executed(n, p);
    else
        fail(n, &e);
}

static void persist(struct solo_node *n, const struct solo_action *action)
{
    const struct executor_proposal *p = executor_find(n->executor, &action->header_hash);
    struct tm_error e = {0};
    enum tm_err err = solo_vote_persist(&n->vote, n->pg, action, p->body, &e);

    if (err != TM_OK) {
        fail(n, &e);
        return;
    }
    recovered(n);
    tell(n, SOLO_PERSISTED);
}

static void print_block(const struct solo_node *n, const struct executor_proposal *p)
{
    char text[32], hash[2 * sizeof(struct hash32)];
    time_t seconds = (time_t)p->header.seconds;
    struct tm time;

    gmtime_r(&seconds, &time);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &time);
    hex_encode(bytes_hash(&p->header.state_hash), hash);
    printf("block %" PRIu64 "  %s.%06d  %zu transactions  state %.16s  %" PRIu64 " ms\n",
           p->header.height, text, p->header.nanos / 1000, p->transaction_count, hash,
           uv_hrtime() / 1000000 - n->started_msec);
    fflush(stdout);
}

/* The decided block is written. `p` is still readable: the executor keeps the last one. */
static void written(struct solo_node *n, const struct executor_proposal *p)
{
    recovered(n);
    print_block(n, p);
    solo_pool_after_block(&n->pool, n->executor, p);
    solo_pool_state(&n->pool, "running", "", height_of(n));
    n->made++;
    if (n->options->blocks > 0 && n->made >= n->options->blocks)
        end(n);
    else
        tell(n, SOLO_COMMITTED);
}

static void decide(struct solo_node *n, const struct solo_action *action)
{
    struct arena a;
    const struct executor_proposal *p = executor_find(n->executor, &action->header_hash);
    struct bytes certificate;
    struct tm_error e = {0};
    enum tm_err err;

    arena_init(&a);
    err = solo_vote_sign(&n->vote, &a, p, action->round, &certificate, &e);
    if (err == TM_OK)
        err = executor_decide(n->executor, &action->header_hash, certificate, &e);
    arena_free(&a);
    if (err == TM_OK)
        written(n, p);
    else
        fail(n, &e);
}

static void write_again(struct solo_node *n)
{
    struct tm_error e = {0};

    if (executor_flush(n->executor, &e) == TM_OK)
        written(n, executor_last(n->executor));
    else
        fail(n, &e);
}

static void on_timer(uv_timer_t *timer)
{
    tell(timer->data, SOLO_TIMER);
}

static void stop(struct solo_node *n, const struct solo_action *action)
{
    tm_fail(&n->error, TM_ERR_CONFIG, "%s", action->text);
    solo_pool_state(&n->pool, "stopped", action->text, height_of(n));
    end(n);
}

static void dispatch(struct solo_node *n, const struct solo_event *event)
{
    struct solo_action action = solo_step(&n->solo, event);

    switch (action.kind) {
    case SOLO_WAIT:
        break;
    case SOLO_SET_TIMER:
        uv_update_time(&n->loop);
        uv_timer_start(&n->timer, on_timer, action.msec, 0);
        break;
    case SOLO_BUILD:
        build(n, &action);
        break;
    case SOLO_EXECUTE:
        execute(n, &action);
        break;
    case SOLO_PERSIST:
        persist(n, &action);
        break;
    case SOLO_DECIDE:
        decide(n, &action);
        break;
    case SOLO_WRITE:
        write_again(n);
        break;
    case SOLO_STOP:
        stop(n, &action);
        break;
    }
}

static void poll_submissions(struct solo_node *n);

static void on_ops_readable(uv_poll_t *handle, int status, int events)
{
    struct solo_node *n = handle->data;

    (void)events;
    if (status < 0 || submissions_notified(&n->pool.submissions) ||
        PQstatus(n->pool.conn) != CONNECTION_OK)
        poll_submissions(n);
}

/* The socket changes with the connection. */
static void watch_ops(struct solo_node *n)
{
    if (n->ops_polled)
        uv_poll_stop(&n->ops_poll);
    n->ops_polled = uv_poll_init(&n->loop, &n->ops_poll, PQsocket(n->pool.conn)) == 0;
    n->ops_poll.data = n;
    if (n->ops_polled)
        uv_poll_start(&n->ops_poll, UV_READABLE, on_ops_readable);
}

static void poll_submissions(struct solo_node *n)
{
    bool reconnected = false;
    bool any;

    if (PQstatus(n->pool.conn) != CONNECTION_OK && n->ops_polled) {
        uv_poll_stop(&n->ops_poll);
        n->ops_polled = false;
    }
    any = solo_pool_poll(&n->pool, n->executor, &reconnected);
    if (PQstatus(n->pool.conn) == CONNECTION_OK && !n->ops_polled)
        watch_ops(n);
    if (any)
        tell(n, SOLO_TRANSACTIONS);
}

static void on_poll_timer(uv_timer_t *timer)
{
    poll_submissions(timer->data);
}

/* Best effort, like all of schema `ops`: what fails now is done at the next look. */
static void on_watchdog_timer(uv_timer_t *timer)
{
    struct solo_node *n = timer->data;
    struct tm_error ignored;

    if (PQstatus(n->pool.conn) != CONNECTION_OK)
        return;
    watchdog_sessions_end(n->pool.conn, &n->options->readers, &ignored);
    /* Notifications that came with the answer do not make the socket readable again. */
    if (submissions_notified(&n->pool.submissions))
        poll_submissions(n);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    end(handle->data);
}

static enum tm_err open_chain(struct solo_node *n, struct tm_error *e)
{
    struct executor_options options = {.tree_memory = n->options->tree_memory};
    struct executor_workers workers;
    enum tm_err err = database_connect(n->options->db, &n->conn, e);

    if (err == TM_OK)
        err = migrations_check(n->conn, e);
    if (err == TM_OK)
        err = store_open(n->conn, &n->pg, e);
    if (err != TM_OK)
        return err;
    n->store = store_of(n->pg);
    n->workers = workers_start(0);
    workers = workers_of(n->workers);
    err = executor_open(&n->executor, &n->store, &workers, &options, e);
    if (err == TM_OK && !executor_chain(n->executor)->rules->signed_header)
        err = tm_fail(e, TM_ERR_CONFIG,
                      "this chain has `%s` rules: it is replayed (tidemark replay), not extended",
                      executor_chain(n->executor)->rules->name);
    return err;
}

static struct solo_config config_of(const struct solo_node *n)
{
    const struct store_chain *chain = executor_chain(n->executor);
    struct solo_config config = {.interval_msec = chain->block_interval_msec,
                                 .empty_interval_msec = chain->empty_block_interval_msec,
                                 .accept_older = n->options->accept_older};

    if (n->options->interval >= 0)
        config.interval_msec = config.empty_interval_msec =
            (uint32_t)(n->options->interval * 1000 + 0.5);
    return config;
}

static void start_loop(struct solo_node *n)
{
    uint64_t look = watchdog_interval(&n->options->readers);

    n->timer.data = n->poll_timer.data = n->watchdog_timer.data = n->sigterm.data = n->sigint.data =
        n;
    uv_timer_init(&n->loop, &n->timer);
    uv_timer_init(&n->loop, &n->poll_timer);
    uv_timer_start(&n->poll_timer, on_poll_timer, 0, SOLO_POLL_MSEC);
    uv_timer_init(&n->loop, &n->watchdog_timer);
    if (look > 0)
        uv_timer_start(&n->watchdog_timer, on_watchdog_timer, look, look);
    uv_signal_init(&n->loop, &n->sigterm);
    uv_signal_start(&n->sigterm, on_signal, SIGTERM);
    uv_signal_init(&n->loop, &n->sigint);
    uv_signal_start(&n->sigint, on_signal, SIGINT);
    watch_ops(n);
}

static void run(struct solo_node *n)
{
    const struct solo_config config = config_of(n);
    const struct solo_event started = {.kind = SOLO_STARTED,
                                       .tip = height_of(n),
                                       .set = executor_validators(n->executor),
                                       .place_changed = n->vote.place_changed,
                                       .taken_back = n->vote.taken_back};

    solo_init(&n->solo, &config, n->vote.solo_keys, n->vote.count);
    solo_pool_state(&n->pool, "running", "", height_of(n));
    start_loop(n);
    dispatch(n, &started);
    if (!n->stopping)
        uv_run(&n->loop, UV_RUN_DEFAULT);
    if (n->error.err == TM_OK)
        solo_pool_state(&n->pool, "stopped", "as asked", height_of(n));
}

enum tm_err solo_node_run(const struct solo_node_options *options, struct tm_error *e)
{
    struct solo_node n = {.options = options,
                          .vote = {.file = {.descriptors = {-1, -1}}, .log = {.descriptor = -1}}};
    enum tm_err err;

    arena_init(&n.arena);
    uv_loop_init(&n.loop);
    err = open_chain(&n, e);
    if (err == TM_OK && (err = solo_vote_open(&n.vote, &n, e)) == TM_ERR_IO)
        /* Keys and guard file do not mend themselves; a lost connection does. */
        err = PQstatus(n.conn) == CONNECTION_OK ? TM_ERR_CONFIG : TM_ERR_IO;
    if (err == TM_OK)
        err = solo_pool_open(&n.pool, &n, e);
    if (err == TM_ERR_IO)
        err = TM_ERR_AGAIN;
    if (err == TM_OK) {
        run(&n);
        *e = n.error;
        err = n.error.err;
    }
    solo_pool_close(&n.pool);
    solo_vote_close(&n.vote);
    executor_close(n.executor);
    store_close(n.pg);
    workers_stop(n.workers);
    PQfinish(n.conn);
    arena_free(&n.arena);
    return err;
}
