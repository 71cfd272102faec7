#include "block_totals.h"

#include <stdlib.h>

void block_totals_init(struct block_totals *t)
{
    *t = (struct block_totals){.account = AMOUNT_ZERO, .fees = AMOUNT_ZERO, .reward = AMOUNT_ZERO};
    for (int i = 0; i <= POOL_LAST; i++)
        t->pools[i] = AMOUNT_ZERO;
    for (int i = 0; i <= ACTOR_VAL; i++) {
        struct stake_total *s = &t->stakes[i];

        s->staked_upokt = s->edited_upokt = s->unstaking_upokt = s->returned_upokt = AMOUNT_ZERO;
    }
    for (int i = 0; i < MESSAGE_KINDS; i++)
        t->messages[i].fees = AMOUNT_ZERO;
}

void block_totals_add(struct block_totals *t, struct arena *a, const struct transaction *tx,
                      const struct ledger_result *result)
{
    struct message_total *m = &t->messages[tx->message.kind];

    m->transactions++;
    m->failed += result->code != 0;
    m->fees = amount_add(a, m->fees, result->fee);
}

static struct amount copied(struct arena *a, struct amount x)
{
    return (struct amount){arena_copy(a, x.text)};
}

static struct amount difference(struct arena *a, struct amount sum, const struct record *before,
                                const struct record *after)
{
    if (after != NULL)
        sum = amount_add(a, sum, after->balance);
    if (before != NULL)
        sum = amount_subtract(a, sum, before->balance);
    return sum;
}

static void add_account(struct block_totals *t, struct arena *a, struct arena *scratch,
                        const struct ledger_write *w)
{
    struct balance_move *m = &t->moves[t->move_count++];

    t->account = difference(scratch, t->account, w->before, w->after);
    t->accounts += (w->after != NULL) - (w->before != NULL);
    *m = (struct balance_move){.address = w->key};
    if (w->before != NULL)
        m->before = copied(a, w->before->balance);
    if (w->after != NULL)
        m->after = w->after->balance;
}

/* The stake as a number; text of `reference` that is none counts as 0. */
static struct amount stake_of(struct arena *a, const struct record *r)
{
    struct amount stake;

    return amount_parse(a, r->actor.stake_text, &stake) == TM_OK ? stake : AMOUNT_ZERO;
}

static bool same_chains(const struct actor *x, const struct actor *y)
{
    if (x->chain_count != y->chain_count)
        return false;
    for (size_t i = 0; i < x->chain_count; i++)
        if (!bytes_equal(x->chains[i], y->chains[i]))
            return false;
    return true;
}

static void add_actor(struct stake_total *s, struct arena *a, const struct record *before,
                      const struct record *after)
{
    struct amount from = before != NULL ? stake_of(a, before) : AMOUNT_ZERO;
    struct amount to = after != NULL ? stake_of(a, after) : AMOUNT_ZERO;

    if (after == NULL) {
        s->returned++;
        s->returned_upokt = amount_add(a, s->returned_upokt, from);
        return;
    }
    if (before == NULL) {
        s->staked++;
        s->staked_upokt = amount_add(a, s->staked_upokt, to);
    } else if (amount_compare(from, to) != 0 ||
               !bytes_equal(before->actor.service_url, after->actor.service_url) ||
               !same_chains(&before->actor, &after->actor)) {
        s->edited++;
        s->edited_upokt = amount_add(a, s->edited_upokt, amount_subtract(a, to, from));
    }
    if (after->actor.unstaking_height != HEIGHT_NONE &&
        (before == NULL || before->actor.unstaking_height == HEIGHT_NONE)) {
        s->unstaking++;
        s->unstaking_upokt = amount_add(a, s->unstaking_upokt, to);
    }
}

/* A servicer that a session can draw serves its chains. */
static bool serves(const struct record *r, struct bytes chain)
{
    if (r == NULL || r->actor.paused_height != HEIGHT_NONE ||
        r->actor.unstaking_height != HEIGHT_NONE)
        return false;
    for (size_t i = 0; i < r->actor.chain_count; i++)
        if (bytes_equal(r->actor.chains[i], chain))
            return true;
    return false;
}

/* Chains that one has and the other has not, each once; chains are sorted. */
static size_t list_chains(struct chain_total *out, const struct record *has,
                          const struct record *has_not, bool joined)
{
    size_t n = 0;

    for (size_t i = 0; has != NULL && i < has->actor.chain_count; i++) {
        struct bytes chain = has->actor.chains[i];

        if ((i > 0 && bytes_equal(has->actor.chains[i - 1], chain)) || !serves(has, chain) ||
            serves(has_not, chain))
            continue;
        out[n++] = (struct chain_total){.chain = chain, .joined = joined, .gone = !joined};
    }
    return n;
}

static int by_chain(const void *x, const void *y)
{
    const struct chain_total *a = x, *b = y;

    return bytes_compare(a->chain, b->chain);
}

static void add_chains(struct block_totals *t, struct arena *a, const struct ledger_write *writes,
                       size_t count)
{
    size_t room = 0, n = 0, kept = 0;
    struct chain_total *list;

    for (size_t i = 0; i < count; i++)
        if (writes[i].tree == TREE_SERVICER) {
            room += writes[i].before != NULL ? writes[i].before->actor.chain_count : 0;
            room += writes[i].after != NULL ? writes[i].after->actor.chain_count : 0;
        }
    list = arena_array(a, struct chain_total, room);
    for (size_t i = 0; i < count; i++)
        if (writes[i].tree == TREE_SERVICER) {
            n += list_chains(list + n, writes[i].after, writes[i].before, true);
            n += list_chains(list + n, writes[i].before, writes[i].after, false);
        }
    if (n > 1)
        qsort(list, n, sizeof *list, by_chain);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || !bytes_equal(list[kept - 1].chain, list[i].chain)) {
            list[kept] = list[i];
            list[kept++].chain = arena_copy(a, list[i].chain);
            continue;
        }
        list[kept - 1].joined += list[i].joined;
        list[kept - 1].gone += list[i].gone;
    }
    t->chains = list;
    t->chain_count = kept;
}

static void add_end(struct block_totals *t, struct arena *a, const struct ledger_end_sums *end)
{
    t->fees = copied(a, end->fees);
    t->reward = copied(a, end->reward);
    for (int kind = ACTOR_APP; kind <= ACTOR_VAL; kind++) {
        struct stake_total *s = &t->stakes[kind];

        s->returned += end->stayed[kind];
        s->returned_upokt = amount_add(a, s->returned_upokt, end->stayed_upokt[kind]);
    }
}

void block_totals_finish(struct block_totals *t, struct arena *a, const struct ledger_write *writes,
                         size_t count, const struct ledger_end_sums *end)
{
    struct arena scratch;
    size_t accounts = 0;

    arena_init(&scratch);
    for (size_t i = 0; i < count; i++)
        accounts += writes[i].tree == TREE_ACCOUNT;
    t->moves = arena_array(a, struct balance_move, accounts);
    for (size_t i = 0; i < count; i++) {
        const struct ledger_write *w = &writes[i];

        switch (w->tree) {
        case TREE_ACCOUNT:
            add_account(t, a, &scratch, w);
            break;
        case TREE_POOL: {
            struct amount *pool = &t->pools[pool_by_key(w->key)];

            *pool = difference(a, *pool, w->before, w->after);
            break;
        }
        case TREE_APP:
        case TREE_VAL:
        case TREE_FISH:
        case TREE_SERVICER:
            add_actor(&t->stakes[actor_kind_of(w->tree)], a, w->before, w->after);
            break;
        case TREE_TRANSACTIONS:
        case TREE_PARAMS:
        case TREE_FLAGS:
        case TREE_IBC:
        case TREES:
            break;
        }
    }
    t->account = copied(a, t->account);
    arena_free(&scratch);
    add_chains(t, a, writes, count);
    if (end != NULL)
        add_end(t, a, end);
}
