/*
 * Schema `ops` as the node writes it: transactions handed in, the pool as rows, the node's state.
 * All of it is best effort: blocks go on without it, and what was missed is made up later.
 */
#ifndef NODE_SHELL_SOLO_SUBMISSIONS_H
#define NODE_SHELL_SOLO_SUBMISSIONS_H

#include <libpq-fe.h>

#include "node/mempool/mempool.h"

enum { SUBMISSIONS_AT_ONCE = 2000 };

struct submissions {
    PGconn *conn; /* borrowed; its own, not the store's */
};

/*
 * Prepares statements, listens, empties ops.mempool, and marks what blocks have included meanwhile.
 * Also after a reconnect.
 */
enum tm_err submissions_open(struct submissions *s, PGconn *conn, struct tm_error *e);

/* Brings a broken connection back; *again tells that submissions_open ran. */
enum tm_err submissions_reconnect(struct submissions *s, bool *again, struct tm_error *e);

/* Takes notifications off the socket; true if there was one. */
bool submissions_notified(struct submissions *s);

struct submission {
    struct hash32 hash; /* the row's */
    struct bytes tx;
};

/* Pending transactions that are not in ops.mempool, oldest first, in the arena. */
enum tm_err submissions_pending(struct submissions *s, struct arena *a, struct submission **out,
                                size_t *count, struct tm_error *e);

/* A transaction's way out of the pool without a block, or the refusal to let it in. */
struct submission_refusal {
    struct hash32 hash;
    int code;
    const char *error;
};
enum tm_err submissions_refuse(struct submissions *s, const struct submission_refusal *list,
                               size_t count, struct tm_error *e);

/* Rows of ops.mempool for admitted entries. */
enum tm_err submissions_admitted(struct submissions *s, const struct mempool_entry *const *entries,
                                 size_t count, struct tm_error *e);

/* Marks what blocks from..to included, and takes it out of ops.mempool. */
enum tm_err submissions_included(struct submissions *s, uint64_t from, uint64_t to,
                                 struct tm_error *e);

/* ops.node: status is "running", "waiting" or "stopped". */
enum tm_err submissions_state(struct submissions *s, const char *status, const char *message,
                              uint64_t height, struct tm_error *e);

#endif
