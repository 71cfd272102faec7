/* tidemark up: database and node in the foreground, each restarted when it dies. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "cli.h"
#include "node/shell/cluster/database.h"
#include "node/shell/store/migrations.h"
#include "node/shell/replica/replica.h"

enum {
    LOOK_MSEC = 100,  /* how often database and node are looked at */
    PAUSE_MSEC = 500, /* before a node that died at once, or a database, is started again */
    SHORT_LIFE_MSEC = 2000,
    NODE_STOP_MSEC = 30000, /* a block of the largest size is finished in less */
    NODE_LATER = 3,         /* tidemarkd: the database cannot be reached now */
    BLOCKS_MAX = 1000000000,
    INTERVAL_MAX = 86400 /* a day; more is a mistake */
};

static const char help[] =
    "usage: tidemark up [--data DIR] [--interval S] [--blocks N] [--keys DIR]\n"
    "                   [--accept-older-state] [--reader-statement S] [--reader-transaction S]\n"
    "                   [--reader-idle S]\n"
    "\n"
    "Runs the database and the node in the foreground, one line per block. Whichever dies is "
    "started\n"
    "again. Ctrl-C stops both.\n"
    "\n"
    "  --data DIR     directory of the embedded database (default ./var)\n"
    "  --interval S   seconds between blocks (default: the genesis file's)\n"
    "  --blocks N     end after N new blocks\n"
    "  --keys DIR     private keys of the validators this node signs for (default DIR/keys of "
    "--data)\n"
    "  --accept-older-state   go on although these keys have signed more than the database has\n"
    "  --reader-statement S, --reader-transaction S, --reader-idle S\n"
    "                 end sessions of readers whose statement runs, whose transaction is open, or\n"
    "                 that are idle for longer (default 120, 300 and 3600 seconds; 0: no limit)\n"
    "\n"
    "On a validator's machine readers may not log in unless `tidemark db readers allow` says so.\n";

/* Handed on to the node. */
static const char *const READER_OPTIONS[] = {"--reader-statement", "--reader-transaction",
                                             "--reader-idle"};

struct up {
    struct cluster cluster;
    struct arena arena;
    const char *interval, *blocks, *keys;
    const char *readers[sizeof READER_OPTIONS / sizeof *READER_OPTIONS]; /* NULL: not given */
    bool accept_older;
    int64_t target; /* height to end at; -1: none */
    pid_t node;     /* 0: not running */
    int64_t node_started;
    bool database_died;           /* since the node was started */
    char said[TM_ERROR_TEXT_MAX]; /* the last trouble; the same one is not repeated */
};

static void say_trouble(struct up *u, const struct tm_error *e)
{
    if (strcmp(u->said, e->text) == 0)
        return;
    snprintf(u->said, sizeof u->said, "%s", e->text);
    fprintf(stderr, "tidemark up: %s; trying again\n", e->text);
}

static int64_t now_msec(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum tm_err read_height(PGconn *conn, int64_t *height, struct tm_error *e)
{
    PGresult *result = PQexec(conn, "SELECT height FROM ledger.tip");
    enum tm_err err = TM_OK;

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        err = database_fail(conn, result, "cannot read the chain's tip", e);
    else if (PQntuples(result) != 1)
        err = tm_fail(e, TM_ERR_NOT_FOUND,
                      "there is no chain here yet: tidemark init --genesis FILE makes one");
    else
        *height = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return err;
}

/* What has to hold before the first start: a chain of this program's schema. */
static enum tm_err check_database(struct up *u, int64_t blocks, struct tm_error *e)
{
    bool denied = false;
    int64_t height = 0;
    PGconn *conn;
    enum tm_err err = database_connect(cluster_url(&u->cluster, &u->arena, NULL), &conn, e);

    if (err != TM_OK)
        return err;
    err = migrations_check(conn, e);
    if (err == TM_OK)
        err = read_height(conn, &height, e);
    if (err == TM_OK)
        err = database_readers_default(&u->cluster, conn, false, &denied, e);
    PQfinish(conn);
    if (err == TM_OK && denied)
        printf("readers may not log in while this machine validates; to let them: tidemark db "
               "readers allow\n");
    u->target = blocks > 0 ? height + blocks : -1;
    return err;
}

static enum tm_err start_node(struct up *u, struct tm_error *e)
{
    const char *argv[24], *url = cluster_url(&u->cluster, &u->arena, "node");
    size_t n = 0;
    enum tm_err err;
    PGconn *conn;
    int64_t height = 0;

    argv[n++] = arena_format(&u->arena, "%s/tidemarkd", files_program_directory(&u->arena));
    argv[n++] = "--data";
    argv[n++] = u->cluster.directory;
    argv[n++] = "--db";
    argv[n++] = url;
    argv[n++] = "--keys";
    argv[n++] =
        u->keys != NULL ? u->keys : arena_format(&u->arena, "%s/keys", u->cluster.directory);
    if (u->accept_older)
        argv[n++] = "--accept-older-state";
    if (u->interval != NULL) {
        argv[n++] = "--interval";
        argv[n++] = u->interval;
    }
    for (size_t i = 0; i < sizeof READER_OPTIONS / sizeof *READER_OPTIONS; i++) {
        if (u->readers[i] == NULL)
            continue;
        argv[n++] = READER_OPTIONS[i];
        argv[n++] = u->readers[i];
    }
    if (u->target >= 0) {
        err = database_connect(url, &conn, e);
        if (err != TM_OK)
            return err;
        err = read_height(conn, &height, e);
        PQfinish(conn);
        if (err != TM_OK)
            return err;
        if (height >= u->target)
            return tm_fail(e, TM_ERR_EXISTS, "all blocks are made");
        argv[n++] = "--blocks";
        argv[n++] = arena_format(&u->arena, "%" PRId64, u->target - height);
    }
    argv[n] = NULL;
    u->database_died = false;
    u->node_started = now_msec();
    return process_start(argv, SIGTERM, &u->node, e);
}

static void stop_node(struct up *u)
{
    int64_t until = now_msec() + NODE_STOP_MSEC;

    if (u->node == 0)
        return;
    kill(u->node, SIGTERM);
    while (waitpid(u->node, NULL, WNOHANG) == 0) {
        if (now_msec() > until)
            kill(u->node, SIGKILL);
        process_sleep_msec(LOOK_MSEC / 10);
    }
    u->node = 0;
}

/*
 * What the node's end means: -1 to go on (it will be started again), else the exit code of `up`.
 * A node that ends with 1 or 2 has said why and would say so again; one that lost its database has
 * not, nor one that found it in recovery or without room.
 */
static int judge_end(struct up *u, int status)
{
    u->node = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && u->target >= 0)
        return CLI_DONE;
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != NODE_LATER &&
        !u->database_died)
        return WEXITSTATUS(status) == CLI_USAGE ? CLI_USAGE : CLI_REFUSED;
    if (WIFSIGNALED(status))
        fprintf(stderr, "tidemark up: the node was ended by signal %d; starting it again\n",
                WTERMSIG(status));
    else
        fprintf(stderr, "tidemark up: the node ended; starting it again\n");
    return -1;
}

static void look_at_database(struct up *u)
{
    struct tm_error e;

    if (cluster_running(&u->cluster, NULL))
        return;
    u->database_died = true;
    fprintf(stderr, "tidemark up: the database ended; starting it again\n");
    while (cluster_revive(&u->cluster, NULL, &e) != TM_OK) {
        sigset_t pending;

        say_trouble(u, &e);
        process_sleep_msec(PAUSE_MSEC);
        if (sigpending(&pending) == 0 &&
            (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM)))
            return;
    }
    u->said[0] = '\0';
}

/* Until a signal, the last block, or an end that a restart would only repeat. */
static int supervise(struct up *u, const sigset_t *signals)
{
    const struct timespec look = {0, LOOK_MSEC * 1000000L};
    int64_t start_at = 0;
    struct tm_error e;

    for (;;) {
        int status, verdict, got = sigtimedwait(signals, NULL, &look);

        if (got == SIGINT || got == SIGTERM || got == SIGHUP)
            return CLI_DONE;
        look_at_database(u);
        if (u->node != 0 && waitpid(u->node, &status, WNOHANG) == u->node) {
            verdict = judge_end(u, status);
            if (verdict >= 0)
                return verdict;
            start_at = now_msec() < u->node_started + SHORT_LIFE_MSEC ? now_msec() + PAUSE_MSEC : 0;
        }
        if (u->node == 0 && now_msec() >= start_at) {
            enum tm_err err = start_node(u, &e);

            if (err == TM_ERR_EXISTS)
                return CLI_DONE;
            if (err != TM_OK) {
                say_trouble(u, &e);
                start_at = now_msec() + PAUSE_MSEC;
            }
        }
    }
}

static int run_up(struct up *u, const char *data, int64_t blocks, struct tm_error *e)
{
    sigset_t signals;
    enum tm_err err;
    int lock, status;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    err = cluster_find(&u->cluster, data, false, e);
    if (err == TM_OK)
        err = replica_refuse_writer(&u->cluster, e);
    if (err == TM_OK) /* held as long as this process lives */
        err = cluster_lock(&u->cluster, "up.lock", false, &lock, e);
    if (err == TM_ERR_AGAIN)
        tm_fail(e, TM_ERR_CONFIG, "another tidemark up runs on %s", u->cluster.directory);
    if (err == TM_OK)
        err = cluster_acquire(&u->cluster, NULL, e);
    if (err != TM_OK)
        return cli_fail("up", e);
    err = check_database(u, blocks, e);
    fflush(stdout);
    status = err == TM_OK ? supervise(u, &signals) : cli_fail("up", e);
    stop_node(u);
    cluster_release(&u->cluster);
    return status;
}

static int run(int argc, char **argv)
{
    const char *data = CLUSTER_DIRECTORY_DEFAULT;
    struct up u = {.target = -1};
    const struct cli_option options[] = {{.name = "--data", .value = &data},
                                         {.name = "--interval", .value = &u.interval},
                                         {.name = "--blocks", .value = &u.blocks},
                                         {.name = "--keys", .value = &u.keys},
                                         {.name = "--accept-older-state", .flag = &u.accept_older},
                                         {.name = READER_OPTIONS[0], .value = &u.readers[0]},
                                         {.name = READER_OPTIONS[1], .value = &u.readers[1]},
                                         {.name = READER_OPTIONS[2], .value = &u.readers[2]},
                                         {NULL}};
    int64_t blocks = 0;
    struct tm_error e;
    char *end;
    int status;

    if (!cli_options(argc, argv, options, NULL, 0, NULL))
        return CLI_USAGE;
    if (u.blocks != NULL && !cli_integer(u.blocks, 1, BLOCKS_MAX, &blocks))
        return cli_usage("up", "--blocks is a number from 1, not \"%.40s\"", u.blocks);
    if (u.interval != NULL) {
        double seconds = strtod(u.interval, &end);

        if (end == u.interval || *end != '\0' || !(seconds >= 0 && seconds <= INTERVAL_MAX))
            return cli_usage("up", "--interval is a number of seconds up to %d, not \"%.40s\"",
                             INTERVAL_MAX, u.interval);
    }
    arena_init(&u.arena);
    status = run_up(&u, data, blocks, &e);
    arena_free(&u.arena);
    return status;
}

const struct cli_command cli_up_command = {
    .name = "up",
    .summary = "run the database and the node",
    .help = help,
    .run = run,
};
