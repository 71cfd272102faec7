#include "store_totals.h"

#include <stdlib.h>

enum {
    SECONDS_PER_DAY = 86400,
    /* Where more accounts than LARGE_MAX are above the floor, it is lifted to this many. Lists of
     * the 100 richest need LARGE_MIN rows; the others are spare, for those that leave. */
    LARGE_KEPT = 400,
    /* Rows between which ledger.large_balance is left alone. */
    LARGE_MIN = 150,
    LARGE_MAX = 1500
};

/* sql/70_report_totals.sql has the same names. */
static const char *actor_type(int kind)
{
    return kind == ACTOR_APP ? "application" : actor_word((enum actor_kind)kind);
}

static int32_t day_of(const struct store_block *b)
{
    int64_t seconds = b->header.seconds;

    return (int32_t)(seconds / SECONDS_PER_DAY - (seconds % SECONDS_PER_DAY < 0));
}

static enum tm_err send_sums(PGconn *conn, struct arena *a, const struct store_block *const *blocks,
                             size_t count, struct tm_error *e)
{
    static const int pools[] = {POOL_DAO,
                                POOL_FEE_COLLECTOR,
                                POOL_APP_STAKE,
                                POOL_VALIDATOR_STAKE,
                                POOL_SERVICER_STAKE,
                                POOL_FISHERMAN_STAKE,
                                0};
    enum { POOLS = sizeof pools / sizeof *pools };
    struct pg_array height, day, proposer, accounts, account, pool[POOLS], fees, reward;
    struct pg_params p;

    pg_array_begin(&height, a, PG_INT8);
    pg_array_begin(&day, a, PG_INT4);
    pg_array_begin(&proposer, a, PG_BYTEA);
    pg_array_begin(&accounts, a, PG_INT8);
    pg_array_begin(&account, a, PG_NUMERIC);
    for (int i = 0; i < POOLS; i++)
        pg_array_begin(&pool[i], a, PG_NUMERIC);
    pg_array_begin(&fees, a, PG_NUMERIC);
    pg_array_begin(&reward, a, PG_NUMERIC);
    for (size_t k = 0; k < count; k++) {
        const struct block_totals *t = blocks[k]->totals;

        pg_array_int64(&height, (int64_t)blocks[k]->header.height);
        pg_array_int32(&day, day_of(blocks[k]));
        pg_array_bytes(&proposer, blocks[k]->header.proposer);
        pg_array_int64(&accounts, t->accounts);
        pg_array_numeric(&account, t->account.text);
        for (int i = 0; i < POOLS; i++)
            pg_array_numeric(&pool[i], t->pools[pools[i]].text);
        pg_array_numeric(&fees, t->fees.text);
        pg_array_numeric(&reward, t->reward.text);
    }
    pg_params_init(&p, a);
    pg_param_array(&p, &height);
    pg_param_array(&p, &day);
    pg_param_array(&p, &proposer);
    pg_param_array(&p, &accounts);
    pg_param_array(&p, &account);
    for (int i = 0; i < POOLS; i++)
        pg_param_array(&p, &pool[i]);
    pg_param_array(&p, &fees);
    pg_param_array(&p, &reward);
    return pg_send_prepared(conn, "apply_totals", &p, e);
}

static enum tm_err send_messages(PGconn *conn, struct arena *a,
                                 const struct store_block *const *blocks, size_t count, bool *sent,
                                 struct tm_error *e)
{
    struct pg_array height, day, type, transactions, failed, fees;
    struct pg_params p;

    pg_array_begin(&height, a, PG_INT8);
    pg_array_begin(&day, a, PG_INT4);
    pg_array_begin(&type, a, PG_TEXT);
    pg_array_begin(&transactions, a, PG_INT8);
    pg_array_begin(&failed, a, PG_INT8);
    pg_array_begin(&fees, a, PG_NUMERIC);
    for (size_t k = 0; k < count; k++)
        for (int kind = 0; kind < MESSAGE_KINDS; kind++) {
            const struct message_total *m = &blocks[k]->totals->messages[kind];

            if (m->transactions == 0)
                continue;
            pg_array_int64(&height, (int64_t)blocks[k]->header.height);
            pg_array_int32(&day, day_of(blocks[k]));
            pg_array_bytes(&type, bytes_of(message_name((enum message_kind)kind)));
            pg_array_int64(&transactions, m->transactions);
            pg_array_int64(&failed, m->failed);
            pg_array_numeric(&fees, m->fees.text);
        }
    *sent = height.count > 0;
    if (!*sent)
        return TM_OK;
    pg_params_init(&p, a);
    pg_param_array(&p, &height);
    pg_param_array(&p, &day);
    pg_param_array(&p, &type);
    pg_param_array(&p, &transactions);
    pg_param_array(&p, &failed);
    pg_param_array(&p, &fees);
    return pg_send_prepared(conn, "apply_message_totals", &p, e);
}

static enum tm_err send_stakes(PGconn *conn, struct arena *a,
                               const struct store_block *const *blocks, size_t count, bool *sent,
                               struct tm_error *e)
{
    enum { SUMS = 4 };
    struct pg_array height, day, type, number[SUMS], amount[SUMS];
    struct pg_params p;

    pg_array_begin(&height, a, PG_INT8);
    pg_array_begin(&day, a, PG_INT4);
    pg_array_begin(&type, a, PG_TEXT);
    for (int i = 0; i < SUMS; i++) {
        pg_array_begin(&number[i], a, PG_INT8);
        pg_array_begin(&amount[i], a, PG_NUMERIC);
    }
    for (size_t k = 0; k < count; k++)
        for (int kind = ACTOR_APP; kind <= ACTOR_VAL; kind++) {
            const struct stake_total *s = &blocks[k]->totals->stakes[kind];
            const int64_t numbers[SUMS] = {s->staked, s->edited, s->unstaking, s->returned};
            const struct amount amounts[SUMS] = {s->staked_upokt, s->edited_upokt,
                                                 s->unstaking_upokt, s->returned_upokt};

            if (s->staked + s->edited + s->unstaking + s->returned == 0)
                continue;
            pg_array_int64(&height, (int64_t)blocks[k]->header.height);
            pg_array_int32(&day, day_of(blocks[k]));
            pg_array_bytes(&type, bytes_of(actor_type(kind)));
            for (int i = 0; i < SUMS; i++) {
                pg_array_int64(&number[i], numbers[i]);
                pg_array_numeric(&amount[i], amounts[i].text);
            }
        }
    *sent = height.count > 0;
    if (!*sent)
        return TM_OK;
    pg_params_init(&p, a);
    pg_param_array(&p, &height);
    pg_param_array(&p, &day);
    pg_param_array(&p, &type);
    for (int i = 0; i < SUMS; i++) {
        pg_param_array(&p, &number[i]);
        pg_param_array(&p, &amount[i]);
    }
    return pg_send_prepared(conn, "apply_stake_totals", &p, e);
}

static enum tm_err send_chains(PGconn *conn, struct arena *a,
                               const struct store_block *const *blocks, size_t count, bool *sent,
                               struct tm_error *e)
{
    struct pg_array height, day, chain, joined, gone;
    struct pg_params p;

    pg_array_begin(&height, a, PG_INT8);
    pg_array_begin(&day, a, PG_INT4);
    pg_array_begin(&chain, a, PG_TEXT);
    pg_array_begin(&joined, a, PG_INT8);
    pg_array_begin(&gone, a, PG_INT8);
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < blocks[k]->totals->chain_count; i++) {
            const struct chain_total *c = &blocks[k]->totals->chains[i];

            pg_array_int64(&height, (int64_t)blocks[k]->header.height);
            pg_array_int32(&day, day_of(blocks[k]));
            pg_array_bytes(&chain, c->chain);
            pg_array_int64(&joined, c->joined);
            pg_array_int64(&gone, c->gone);
        }
    *sent = height.count > 0;
    if (!*sent)
        return TM_OK;
    pg_params_init(&p, a);
    pg_param_array(&p, &height);
    pg_param_array(&p, &day);
    pg_param_array(&p, &chain);
    pg_param_array(&p, &joined);
    pg_param_array(&p, &gone);
    return pg_send_prepared(conn, "apply_chain_totals", &p, e);
}

/* --- the greatest balances ----------------------------------------------------------------------
 */

/* The greater balance comes first, of equal ones the lower address. */
static int rank(struct amount x, struct bytes x_address, struct amount y, struct bytes y_address)
{
    int c = amount_compare(y, x);

    return c != 0 ? c : bytes_compare(x_address, y_address);
}

static bool above(const struct large_floor *f, struct amount balance, struct bytes address)
{
    return balance.text.size > 0 &&
           (!f->exists || rank(balance, address, f->balance, f->address) <= 0);
}

static int by_rank(const void *x, const void *y)
{
    const struct balance_move *const *a = x, *const *b = y;

    return rank((*a)->after, (*a)->address, (*b)->after, (*b)->address);
}

/* Changes of ledger.large_balance by consecutive blocks. */
struct large_changes {
    struct pg_array height, address, present, balance;
};

static void changes_begin(struct large_changes *c, struct arena *a)
{
    pg_array_begin(&c->height, a, PG_INT8);
    pg_array_begin(&c->address, a, PG_BYTEA);
    pg_array_begin(&c->present, a, PG_BOOL);
    pg_array_begin(&c->balance, a, PG_NUMERIC);
}

/* One block's changes. Where too many enter, the floor is lifted: true. */
static bool add_changes(struct large_changes *c, struct arena *a, const struct store_block *b,
                        struct large_floor *floor)
{
    const struct block_totals *t = b->totals;
    const struct balance_move **in = arena_array(a, const struct balance_move *, t->move_count);
    struct large_floor old = *floor;
    size_t n = 0;

    for (size_t i = 0; i < t->move_count; i++)
        if (above(&old, t->moves[i].after, t->moves[i].address))
            in[n++] = &t->moves[i];
    if (n > LARGE_MAX) {
        qsort(in, n, sizeof *in, by_rank);
        *floor = (struct large_floor){true, true, in[LARGE_KEPT - 1]->after,
                                      in[LARGE_KEPT - 1]->address};
    }
    for (size_t i = 0; i < t->move_count; i++) {
        const struct balance_move *m = &t->moves[i];
        bool enters = above(floor, m->after, m->address);

        if (!enters && !above(&old, m->before, m->address))
            continue;
        pg_array_int64(&c->height, (int64_t)b->header.height);
        pg_array_bytes(&c->address, m->address);
        pg_array_bool(&c->present, enters);
        pg_array_numeric(&c->balance, enters ? m->after.text : AMOUNT_ZERO.text);
    }
    return n > LARGE_MAX;
}

static enum tm_err send_large_changes(PGconn *conn, struct arena *a, struct large_changes *c,
                                      size_t *sent, struct tm_error *e)
{
    struct pg_params p;

    if (c->height.count == 0)
        return TM_OK;
    pg_params_init(&p, a);
    pg_param_array(&p, &c->height);
    pg_param_array(&p, &c->address);
    pg_param_array(&p, &c->present);
    pg_param_array(&p, &c->balance);
    ++*sent;
    return pg_send_prepared(conn, "apply_large", &p, e);
}

static enum tm_err send_floor(PGconn *conn, struct arena *a, uint64_t height,
                              const struct large_floor *floor, size_t *sent, struct tm_error *e)
{
    struct pg_params p;

    pg_params_init(&p, a);
    pg_param_int64(&p, (int64_t)height);
    if (floor->exists) {
        pg_param_text(&p, arena_text(a, floor->balance.text));
        pg_param_bytes(&p, floor->address);
    } else {
        pg_param_null(&p);
        pg_param_null(&p);
    }
    ++*sent;
    return pg_send_prepared(conn, "apply_large_floor", &p, e);
}

/* A new floor holds from its block on, so what came before is written first. */
static enum tm_err send_large(PGconn *conn, struct arena *a,
                              const struct store_block *const *blocks, size_t count,
                              struct large_floor floor, size_t *sent, struct tm_error *e)
{
    bool first = blocks[0]->header.height == 0;
    struct large_changes c;
    enum tm_err err = TM_OK;

    if (first)
        floor = (struct large_floor){.known = true};
    if (!floor.known)
        return TM_OK;
    changes_begin(&c, a);
    for (size_t i = 0; i < count && err == TM_OK; i++) {
        uint64_t height = blocks[i]->header.height;

        if (!add_changes(&c, a, blocks[i], &floor) && height > 0)
            continue;
        err = send_large_changes(conn, a, &c, sent, e);
        if (err == TM_OK)
            err = send_floor(conn, a, height, &floor, sent, e);
        changes_begin(&c, a);
    }
    return err == TM_OK ? send_large_changes(conn, a, &c, sent, e) : err;
}

enum tm_err large_floor_read(PGconn *conn, struct arena *a, struct large_floor *out,
                             struct tm_error *e)
{
    struct pg_params p;
    PGresult *r;
    enum tm_err err;

    *out = (struct large_floor){.known = false};
    pg_params_init(&p, a);
    err = pg_query_prepared(conn, "large_floor", &p, &r, e);
    if (err == TM_OK && PQntuples(r) > 0) {
        out->known = true;
        out->exists = !pg_is_null(r, 0, 0);
        if (out->exists) {
            err = pg_get_numeric(a, r, 0, 0, &out->balance.text, e);
            out->address = arena_copy(a, pg_get_bytes(r, 0, 1));
        }
    }
    PQclear(r);
    return err;
}

enum tm_err totals_send(PGconn *conn, struct arena *a, const struct store_block *const *blocks,
                        size_t count, struct large_floor floor, size_t *sent, struct tm_error *e)
{
    enum tm_err (*const parts[])(PGconn *, struct arena *, const struct store_block *const *,
                                 size_t, bool *,
                                 struct tm_error *) = {send_messages, send_stakes, send_chains};
    enum tm_err err;

    *sent = 0;
    for (size_t i = 0; i < count; i++)
        if (blocks[i]->totals == NULL)
            return TM_OK;
    err = send_sums(conn, a, blocks, count, e);
    ++*sent;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && err == TM_OK; i++) {
        bool one = false;

        err = parts[i](conn, a, blocks, count, &one, e);
        *sent += one;
    }
    return err == TM_OK ? send_large(conn, a, blocks, count, floor, sent, e) : err;
}

enum tm_err totals_receive(PGconn *conn, size_t sent, int64_t *large_rows, struct tm_error *e)
{
    enum tm_err err = TM_OK;

    *large_rows = -1;
    for (size_t i = 0; i < sent && err == TM_OK; i++) {
        PGresult *r;

        err = pg_receive(conn, "writing sums over the block", &r, e);
        /* apply_large alone has an answer. */
        if (err == TM_OK && PQnfields(r) == 1 && PQntuples(r) == 1)
            *large_rows = pg_get_int64(r, 0, 0);
        PQclear(r);
    }
    return err;
}

void large_balances_tend(PGconn *conn, const struct large_floor *floor, int64_t large_rows)
{
    bool too_few = floor->exists && large_rows >= 0 && large_rows < LARGE_MIN;
    struct tm_error ignored;
    struct pg_params p;
    PGresult *r = NULL;
    struct arena a;

    if (floor->known && !too_few && large_rows <= LARGE_MAX)
        return;
    arena_init(&a);
    pg_params_init(&p, &a);
    pg_param_int32(&p, LARGE_MIN);
    pg_param_int32(&p, LARGE_KEPT);
    pg_param_int32(&p, LARGE_MAX);
    pg_query_prepared(conn, "tend_large", &p, &r, &ignored);
    PQclear(r);
    arena_free(&a);
}
