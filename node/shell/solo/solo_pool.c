#include "solo_state.h"

#include <stdlib.h>

#include "node/shell/cluster/database.h"

enum tm_err solo_pool_open(struct solo_pool *p, struct solo_node *n, struct tm_error *e)
{
    enum tm_err err = database_connect(n->options->db, &p->conn, e);

    if (err == TM_OK)
        err = submissions_open(&p->submissions, p->conn, e);
    p->mempool = mempool_new(NULL);
    p->told = (uint64_t)executor_height(n->executor);
    return err;
}

void solo_pool_close(struct solo_pool *p)
{
    mempool_free(p->mempool);
    PQfinish(p->conn);
}

/* Adds an admitted transaction; its entry, or NULL while the pool is full. */
static const struct mempool_entry *add(struct mempool *m, const struct transaction *tx,
                                       bool *is_new)
{
    struct tm_error why;

    *is_new = false;
    if (mempool_count(m) >= MEMPOOL_TRANSACTIONS_MAX ||
        mempool_bytes(m) + tx->encoded.size > MEMPOOL_BYTES_MAX)
        return NULL;
    *is_new = mempool_add(m, tx->encoded, NULL, NULL, &why) == TM_OK;
    return mempool_find(m, &tx->hash);
}

/* Refused ones are told, the rest is added to the pool. How many came in. */
static size_t admit(struct solo_pool *p, struct executor *x, struct arena *a,
                    const struct submission *given, size_t count)
{
    struct transaction *list = arena_array(a, struct transaction, count);
    struct executor_candidate *candidates = arena_array(a, struct executor_candidate, count);
    const struct hash32 **hashes = arena_array(a, const struct hash32 *, count);
    struct submission_refusal *refusals = arena_array(a, struct submission_refusal, count);
    const struct mempool_entry **added = arena_array(a, const struct mempool_entry *, count);
    size_t decoded = 0, refused = 0, found = 0, admitted = 0;
    struct tm_error e;

    for (size_t i = 0; i < count; i++) {
        if (transaction_decode(a, given[i].tx, &list[decoded], &e) == TM_OK) {
            hashes[decoded] = &given[i].hash;
            candidates[decoded].tx = &list[decoded];
            decoded++;
        } else {
            refusals[refused++] = (struct submission_refusal){
                .hash = given[i].hash, .code = e.code, .error = arena_text(a, bytes_of(e.text))};
        }
    }
    if (executor_admit(x, candidates, decoded, &e) != TM_OK)
        return 0;
    for (size_t i = 0; i < decoded; i++) {
        struct executor_candidate *c = &candidates[i];
        const struct mempool_entry *entry;
        bool is_new = false;

        if (!c->included) {
            refusals[refused++] =
                (struct submission_refusal){.hash = *hashes[i], .code = c->code, .error = c->error};
            continue;
        }
        entry = add(p->mempool, c->tx, &is_new);
        if (entry != NULL)
            added[found++] = entry;
        admitted += is_new;
    }
    submissions_refuse(&p->submissions, refusals, refused, &e);
    submissions_admitted(&p->submissions, added, found, &e);
    return admitted;
}

bool solo_pool_poll(struct solo_pool *p, struct executor *x, bool *reconnected)
{
    struct arena a;
    struct submission *given;
    struct tm_error e;
    size_t count = 0, admitted = 0;

    arena_init(&a);
    if (submissions_reconnect(&p->submissions, reconnected, &e) == TM_OK) {
        if (*reconnected) {
            /* ops.mempool was emptied: the pool's rows again. */
            const struct mempool_entry **all =
                arena_array(&a, const struct mempool_entry *, mempool_count(p->mempool));
            size_t n = mempool_reap(p->mempool, all, mempool_count(p->mempool));

            submissions_admitted(&p->submissions, all, n, &e);
        }
        /* What does not fit waits in ops.submission. */
        do {
            arena_reset(&a);
            if (mempool_count(p->mempool) >= MEMPOOL_TRANSACTIONS_MAX ||
                submissions_pending(&p->submissions, &a, &given, &count, &e) != TM_OK || count == 0)
                break;
            count = admit(p, x, &a, given, count);
            admitted += count;
        } while (count > 0);
    }
    submissions_notified(&p->submissions);
    arena_free(&a);
    return admitted > 0;
}

struct executor_candidate *solo_pool_candidates(struct solo_pool *p, struct arena *a, size_t *count)
{
    size_t room = mempool_count(p->mempool);
    const struct mempool_entry **entries = arena_array(a, const struct mempool_entry *, room);
    struct executor_candidate *candidates;

    *count = mempool_reap(p->mempool, entries, room);
    candidates = arena_array(a, struct executor_candidate, *count);
    for (size_t i = 0; i < *count; i++)
        candidates[i] = (struct executor_candidate){.tx = &entries[i]->tx, .verified = true};
    return candidates;
}

void solo_pool_after_proposal(struct solo_pool *p, const struct executor_candidate *candidates,
                              size_t count)
{
    struct arena a;
    struct submission_refusal *refusals;
    struct tm_error e;
    size_t refused = 0;

    arena_init(&a);
    refusals = arena_array(&a, struct submission_refusal, count);
    for (size_t i = 0; i < count; i++) {
        struct hash32 hash = candidates[i].tx->hash;

        if (candidates[i].included || !candidates[i].tried)
            continue;
        if (mempool_defer(p->mempool, &hash))
            refusals[refused++] = (struct submission_refusal){
                .hash = hash, .code = candidates[i].code, .error = candidates[i].error};
    }
    submissions_refuse(&p->submissions, refusals, refused, &e);
    arena_free(&a);
}

/* Entries of signers whose leaves the last block changed, each once. */
static size_t touched_entries(struct solo_pool *p, struct executor *x,
                              const struct mempool_entry **out, size_t room)
{
    const struct ledger_write *writes;
    size_t count = executor_last_writes(x, &writes);
    struct state_map signers;
    size_t n = 0;

    state_map_init(&signers);
    for (size_t i = 0; i < count && n < room; i++) {
        if (writes[i].tree != TREE_ACCOUNT ||
            state_map_find(&signers, TREE_ACCOUNT, writes[i].key) != NULL)
            continue;
        state_map_put(&signers, TREE_ACCOUNT, writes[i].key, NULL);
        n += mempool_of_signer(p->mempool, writes[i].key, out + n, room - n);
    }
    state_map_free(&signers);
    return n;
}

static void admit_again(struct solo_pool *p, struct executor *x)
{
    struct arena a;
    struct tm_error e;
    size_t room = mempool_count(p->mempool), refused = 0;

    arena_init(&a);

    const struct mempool_entry **entries = arena_array(&a, const struct mempool_entry *, room);
    struct submission_refusal *refusals = arena_array(&a, struct submission_refusal, room);
    size_t count = touched_entries(p, x, entries, room);
    struct executor_candidate *candidates = arena_array(&a, struct executor_candidate, count);

    for (size_t i = 0; i < count; i++)
        candidates[i] = (struct executor_candidate){.tx = &entries[i]->tx, .verified = true};
    if (executor_admit(x, candidates, count, &e) == TM_OK)
        for (size_t i = 0; i < count; i++) {
            if (candidates[i].included)
                continue;
            refusals[refused++] = (struct submission_refusal){.hash = candidates[i].tx->hash,
                                                              .code = candidates[i].code,
                                                              .error = candidates[i].error};
            mempool_remove(p->mempool, &refusals[refused - 1].hash);
        }
    submissions_refuse(&p->submissions, refusals, refused, &e);
    arena_free(&a);
}

void solo_pool_after_block(struct solo_pool *p, struct executor *x,
                           const struct executor_proposal *block)
{
    uint64_t height = (uint64_t)executor_height(x);
    struct tm_error e;

    for (size_t i = 0; i < block->transaction_count; i++)
        mempool_remove(p->mempool, &block->transactions[i].hash);
    if (submissions_included(&p->submissions, p->told + 1, height, &e) == TM_OK)
        p->told = height;
    if (mempool_count(p->mempool) > 0)
        admit_again(p, x);
}

void solo_pool_state(struct solo_pool *p, const char *status, const char *message, uint64_t height)
{
    struct tm_error ignored;

    if (p->conn != NULL && PQstatus(p->conn) == CONNECTION_OK)
        submissions_state(&p->submissions, status, message, height, &ignored);
}
