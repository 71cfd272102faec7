#include "store_totals.h"

#include <stdlib.h>

#include "node/shell/pg/pg_rows.h"

enum { SECONDS_PER_DAY = 86400 };

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

static enum tm_err send_rows(PGconn *conn, struct pg_rows *r, const char *statement,
                             struct tm_error *e)
{
    struct pg_params p;

    pg_params_init(&p, r->arena);
    pg_param_rows(&p, r);
    return pg_send_prepared(conn, statement, &p, e);
}

/* What the rows of all these tables begin with. */
static void add_row(struct pg_rows *r, const struct store_block *b)
{
    pg_rows_add(r);
    pg_cell_int64(r, (int64_t)b->header.height);
    pg_cell_int32(r, day_of(b));
}

/* The rows of one block; cells in the order of the statement's parameters. */
static void add_sums(struct pg_rows *r, const struct store_block *b)
{
    static const int pools[] = {POOL_DAO,
                                POOL_FEE_COLLECTOR,
                                POOL_APP_STAKE,
                                POOL_VALIDATOR_STAKE,
                                POOL_SERVICER_STAKE,
                                POOL_FISHERMAN_STAKE,
                                0};
    const struct block_totals *t = b->totals;

    add_row(r, b);
    pg_cell_bytea(r, b->header.proposer);
    pg_cell_int64(r, t->accounts);
    pg_cell_numeric(r, t->account.text);
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
        pg_cell_numeric(r, t->pools[pools[i]].text);
    pg_cell_numeric(r, t->fees.text);
    pg_cell_numeric(r, t->reward.text);
}

static void add_messages(struct pg_rows *r, const struct store_block *b)
{
    for (int kind = 0; kind < MESSAGE_KINDS; kind++) {
        const struct message_total *m = &b->totals->messages[kind];

        if (m->transactions == 0)
            continue;
        add_row(r, b);
        pg_cell_text(r, bytes_of(message_name((enum message_kind)kind)));
        pg_cell_int64(r, m->transactions);
        pg_cell_int64(r, m->failed);
        pg_cell_numeric(r, m->fees.text);
    }
}

static void add_stakes(struct pg_rows *r, const struct store_block *b)
{
    for (int kind = ACTOR_APP; kind <= ACTOR_VAL; kind++) {
        const struct stake_total *s = &b->totals->stakes[kind];

        if (s->staked + s->edited + s->unstaking + s->returned == 0)
            continue;
        add_row(r, b);
        pg_cell_text(r, bytes_of(actor_type(kind)));
        pg_cell_int64(r, s->staked);
        pg_cell_numeric(r, s->staked_upokt.text);
        pg_cell_int64(r, s->edited);
        pg_cell_numeric(r, s->edited_upokt.text);
        pg_cell_int64(r, s->unstaking);
        pg_cell_numeric(r, s->unstaking_upokt.text);
        pg_cell_int64(r, s->returned);
        pg_cell_numeric(r, s->returned_upokt.text);
    }
}

static void add_chains(struct pg_rows *r, const struct store_block *b)
{
    for (size_t i = 0; i < b->totals->chain_count; i++) {
        const struct chain_total *c = &b->totals->chains[i];

        add_row(r, b);
        pg_cell_text(r, c->chain);
        pg_cell_int64(r, c->joined);
        pg_cell_int64(r, c->gone);
    }
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

/* One block's changes of ledger.large_balance. Where too many enter, the floor is lifted: true. */
static bool add_changes(struct pg_rows *c, struct arena *a, const struct store_block *b,
                        struct large_floor *floor)
{
    const struct block_totals *t = b->totals;
    const struct balance_move **in = arena_array(a, const struct balance_move *, t->move_count);
    struct large_floor old = *floor;
    bool lifted;
    size_t n = 0;

    for (size_t i = 0; i < t->move_count; i++)
        if (above(&old, t->moves[i].after, t->moves[i].address))
            in[n++] = &t->moves[i];
    lifted = n > (size_t)floor->most;
    if (lifted) {
        const struct balance_move *last;

        qsort(in, n, sizeof *in, by_rank);
        last = in[floor->kept - 1];
        floor->exists = true;
        floor->balance = last->after;
        floor->address = last->address;
    }
    for (size_t i = 0; i < t->move_count; i++) {
        const struct balance_move *m = &t->moves[i];
        bool enters = above(floor, m->after, m->address);

        if (!enters && !above(&old, m->before, m->address))
            continue;
        pg_rows_add(c);
        pg_cell_int64(c, (int64_t)b->header.height);
        pg_cell_bytea(c, m->address);
        pg_cell_bool(c, enters);
        pg_cell_numeric(c, enters ? m->after.text : AMOUNT_ZERO.text);
    }
    return lifted;
}

static enum tm_err send_large_changes(PGconn *conn, struct pg_rows *c, size_t *sent,
                                      struct tm_error *e)
{
    if (c->count == 0)
        return TM_OK;
    ++*sent;
    return send_rows(conn, c, "apply_large", e);
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
    struct pg_rows c;
    enum tm_err err = TM_OK;

    if (first) {
        floor.known = true;
        floor.exists = false;
    }
    if (!floor.known)
        return TM_OK;
    pg_rows_init(&c, a);
    for (size_t i = 0; i < count && err == TM_OK; i++) {
        uint64_t height = blocks[i]->header.height;

        if (!add_changes(&c, a, blocks[i], &floor) && height > 0)
            continue;
        err = send_large_changes(conn, &c, sent, e);
        if (err == TM_OK)
            err = send_floor(conn, a, height, &floor, sent, e);
        pg_rows_init(&c, a);
    }
    return err == TM_OK ? send_large_changes(conn, &c, sent, e) : err;
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
    if (err == TM_OK) {
        out->fewest = pg_get_int32(r, 0, 0);
        out->kept = pg_get_int32(r, 0, 1);
        out->most = pg_get_int32(r, 0, 2);
        out->known = pg_get_bool(r, 0, 3);
        out->exists = !pg_is_null(r, 0, 4);
    }
    if (err == TM_OK && (out->fewest < 0 || out->kept < 1 || out->kept > out->most))
        err = tm_fail(e, TM_ERR_MISMATCH, "ledger.large_bounds are no bounds: %d, %d, %d",
                      out->fewest, out->kept, out->most);
    if (err == TM_OK && out->exists) {
        err = pg_get_numeric(a, r, 0, 4, &out->balance.text, e);
        out->address = arena_copy(a, pg_get_bytes(r, 0, 5));
    }
    PQclear(r);
    return err;
}

enum tm_err totals_send(PGconn *conn, struct arena *a, const struct store_block *const *blocks,
                        size_t count, struct large_floor floor, size_t *sent, struct tm_error *e)
{
    /* The sums come first: the other statements look for the block's. */
    static const struct {
        const char *statement;
        void (*add)(struct pg_rows *r, const struct store_block *b);
    } tables[] = {{"apply_totals", add_sums},
                  {"apply_message_totals", add_messages},
                  {"apply_stake_totals", add_stakes},
                  {"apply_chain_totals", add_chains}};
    enum tm_err err = TM_OK;

    *sent = 0;
    for (size_t i = 0; i < count; i++)
        if (blocks[i]->totals == NULL)
            return TM_OK;
    for (size_t i = 0; i < sizeof tables / sizeof *tables && err == TM_OK; i++) {
        struct pg_rows r;

        pg_rows_init(&r, a);
        for (size_t k = 0; k < count; k++)
            tables[i].add(&r, blocks[k]);
        if (r.count == 0)
            continue;
        ++*sent;
        err = send_rows(conn, &r, tables[i].statement, e);
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
    bool too_few = floor->exists && large_rows >= 0 && large_rows < floor->fewest;
    struct tm_error ignored;
    struct pg_params p;
    PGresult *r = NULL;
    struct arena a;

    if (floor->known && !too_few && large_rows <= floor->most)
        return;
    arena_init(&a);
    pg_params_init(&p, &a);
    pg_query_prepared(conn, "tend_large", &p, &r, &ignored);
    PQclear(r);
    arena_free(&a);
}
