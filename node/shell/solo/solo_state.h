/* What the files of the solo node share. */
#ifndef NODE_SHELL_SOLO_SOLO_STATE_H
#define NODE_SHELL_SOLO_SOLO_STATE_H

#include <uv.h>

#include "node/mempool/mempool.h"
#include "node/solo/solo.h"
#include "signature_log.h"
#include "solo_node.h"
#include "node/shell/store/store_guard.h"
#include "submissions.h"
#include "node/shell/system/workers.h"

/* A proposal is filled for at most a quarter of the pacemaker's first timeout (network.md 2.4). */
enum { SOLO_FILL_MSEC = 500 };
/* Pending rows are looked for this often where no notification came. */
enum { SOLO_POLL_MSEC = 1000 };

/* Keys with what they signed, and where that is written. */
struct solo_vote {
    struct private_key *keys; /* ascending by address, parallel to solo_keys */
    struct solo_key *solo_keys;
    size_t count;
    struct guard_file file;
    struct guard_content all; /* records of these keys first, then of others found */
    bool *marked;
    uint64_t *rows; /* sequence each key's row has, parallel to all.records; 0: no row */
    struct signature_log log;
    bool place_changed;
    bool taken_back;
};

/* The pool and the rows it comes from. */
struct solo_pool {
    PGconn *conn;
    struct submissions submissions;
    struct mempool *mempool;
    uint64_t told; /* height whose transactions are marked as included */
};

struct solo_node {
    const struct solo_node_options *options;
    struct arena arena; /* for the node's life */
    PGconn *conn;
    struct store_pg *pg;
    struct store store;
    struct workers *workers;
    struct executor *executor;
    struct solo solo;
    struct solo_vote vote;
    struct solo_pool pool;
    uv_loop_t loop;
    uv_timer_t timer, poll_timer, watchdog_timer;
    uv_poll_t ops_poll;
    bool ops_polled;
    uv_signal_t sigterm, sigint;
    uint64_t made;         /* blocks since the start */
    uint64_t started_msec; /* when the current block was begun */
    bool unavailable;      /* said so */
    bool stopping;
    struct tm_error error; /* why it ended; err TM_OK: as asked */
};

/* Keys, guard rows and guard file; refuses what may not be started with. */
enum tm_err solo_vote_open(struct solo_vote *v, struct solo_node *n, struct tm_error *e);
void solo_vote_close(struct solo_vote *v);
/* The decider's records to database and file; body belongs to header_hash. */
enum tm_err solo_vote_persist(struct solo_vote *v, struct store_pg *pg,
                              const struct solo_action *action, struct bytes body,
                              struct tm_error *e);
/* The commit certificate by all keys that sign, in the arena. TM_ERR_CONFIG: signed, not logged. */
enum tm_err solo_vote_sign(struct solo_vote *v, struct arena *a, const struct executor_proposal *p,
                           uint64_t round, struct bytes *certificate, struct tm_error *e);

enum tm_err solo_pool_open(struct solo_pool *p, struct solo_node *n, struct tm_error *e);
void solo_pool_close(struct solo_pool *p);
/* Takes in what was submitted; true if the pool got a transaction. */
bool solo_pool_poll(struct solo_pool *p, struct executor *x, bool *reconnected);
/* The pool as candidates, in the arena. */
struct executor_candidate *solo_pool_candidates(struct solo_pool *p, struct arena *a,
                                                size_t *count);
/* Defers or drops those that the proposal could not include. */
void solo_pool_after_proposal(struct solo_pool *p, const struct executor_candidate *candidates,
                              size_t count);
/* Removes what the last block included, admits again whose signers' leaves it changed. */
void solo_pool_after_block(struct solo_pool *p, struct executor *x,
                           const struct executor_proposal *block);
/* ops.node; errors are ignored, the next call makes it up. */
void solo_pool_state(struct solo_pool *p, const char *status, const char *message, uint64_t height);

#endif
