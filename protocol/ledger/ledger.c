#include "ledger.h"

#include "block_end.h"
#include "ledger_parts.h"

static struct ledger ledger_over(struct arena *a, const struct rules *rules,
                                 const struct ledger_view *view, height_t height)
{
    return (struct ledger){.arena = a, .rules = rules, .view = view, .height = height};
}

enum tm_err ledger_begin(struct arena *a, const struct rules *rules, const struct ledger_view *view,
                         height_t height, struct bytes proposer, struct ledger **out,
                         struct tm_error *e)
{
    struct ledger *l = arena_new(a, struct ledger);
    int64_t most;

    *l = ledger_over(a, rules, view, height);
    l->proposer = proposer;
    l->end.fees = l->end.reward = AMOUNT_ZERO;
    for (int kind = 0; kind <= ACTOR_VAL; kind++)
        l->end.stayed_upokt[kind] = AMOUNT_ZERO;
    layer_init(&l->layer, a, view);
    l->layer.step = STEP_BEGIN_OF_BLOCK;
    *out = l;
    if (proposer.size > ACCOUNT_ADDRESS_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "the proposer's address is longer than %d bytes",
                       ACCOUNT_ADDRESS_MAX);
    /* The list of validators that missed their turn is always empty, but its limit is read. */
    return param_integer(l, "validator_maximum_missed_blocks", &most, e);
}

/* The message, then whether it is new: rules.md "Includable" up to 95. */
static enum tm_err check_message(const struct ledger *l, const struct transaction *tx,
                                 bool refuse_committed, bool *committed, struct tm_error *e)
{
    enum tm_err err;

    if (!tx->message_decodes)
        return tm_refuse(e, 4, "the message cannot be decoded or is of an unsupported type");
    if (l->rules->message_checks) {
        err = message_check(&tx->message, e);
        if (err != TM_OK)
            return err;
    }
    err = l->view->has_transaction(l->view->ctx, &tx->hash, committed, e);
    if (err == TM_OK && *committed && refuse_committed)
        return tm_refuse(e, 95, "the transaction is committed already");
    return err;
}

/* Runs the handler; its refusal becomes the result, anything else is handed on. */
static enum tm_err run_handler(struct ledger *l, const struct transaction *tx,
                               struct ledger_result *result, struct tm_error *e)
{
    struct layer_mark mark = layer_mark(&l->layer);
    struct tm_error why = {0};
    enum tm_err err = handle_message(l, tx, &why);

    *result = (struct ledger_result){.error = bytes_of(""), .signer = tx->signer};
    if (err == TM_ERR_RULE) {
        if (l->rules->failed_handler_rolls_back)
            layer_rollback(&l->layer, mark);
        result->code = why.code;
        result->error = bytes_of(arena_format(l->arena, "CODE: %d, ERROR: %s", why.code, why.text));
        return TM_OK;
    }
    if (err != TM_OK && e != NULL)
        *e = why;
    return err;
}

/* Fee, handler, and the transaction itself. */
static enum tm_err execute(struct ledger *l, const struct transaction *tx, struct amount fee,
                           struct amount rest, bool committed, struct ledger_result *result,
                           struct tm_error *e)
{
    enum tm_err err = balance_set(l, TREE_ACCOUNT, bytes_address(&tx->signer), rest, e);

    if (err == TM_OK)
        err = balance_add(l, TREE_POOL, pool_key(l->rules, POOL_FEE_COLLECTOR), fee, e);
    if (err == TM_OK)
        err = run_handler(l, tx, result, e);
    if (err == TM_OK)
        result->fee = fee;
    /* One that is in the tree already (`reference` alone) changes nothing there. */
    if (err == TM_OK && !committed)
        err = value_put(l, TREE_TRANSACTIONS, bytes_hash(&tx->hash), tx->encoded, e);
    return err;
}

enum tm_err ledger_apply(struct ledger *l, const struct transaction *tx,
                         struct ledger_result *result, struct tm_error *e)
{
    struct layer_mark mark;
    struct amount fee, rest;
    bool committed = false;
    enum tm_err err = check_message(l, tx, l->rules->canonical_transactions, &committed, e);

    if (err == TM_OK && l->rules->canonical_transactions &&
        layer_has(&l->layer, TREE_TRANSACTIONS, bytes_hash(&tx->hash)))
        err = tm_refuse(e, 35, "the transaction is in the block already");
    if (err == TM_OK)
        err = check_includable(l, tx, &fee, &rest, e);
    if (err != TM_OK)
        return err;
    mark = layer_mark(&l->layer);
    l->layer.step = l->transactions;
    err = execute(l, tx, fee, rest, committed, result, e);
    if (err != TM_OK) {
        layer_rollback(&l->layer, mark);
        return err;
    }
    layer_settle(&l->layer);
    l->transactions++;
    return TM_OK;
}

enum tm_err ledger_end(struct ledger *l, struct tm_error *e)
{
    enum tm_err err;

    l->layer.step = STEP_END_OF_BLOCK + 1;
    err = end_rewards(l, e);
    if (err == TM_OK) {
        l->layer.step = STEP_END_OF_BLOCK + 2;
        err = end_unbonding(l, e);
    }
    if (err == TM_OK) {
        l->layer.step = STEP_END_OF_BLOCK + 3;
        err = end_long_pauses(l, e);
    }
    return err;
}

const struct ledger_end_sums *ledger_end_moved(const struct ledger *l)
{
    return &l->end;
}

size_t ledger_writes(struct ledger *l, const struct ledger_write **out)
{
    if (!l->sorted) {
        l->write_count = layer_writes(&l->layer, &l->writes);
        l->sorted = true;
    }
    *out = l->writes;
    return l->write_count;
}

size_t ledger_touches(struct ledger *l, const struct ledger_touch **out)
{
    const struct ledger_write *writes;
    size_t count = ledger_writes(l, &writes);

    return layer_touches(&l->layer, writes, count, out);
}

enum tm_err ledger_admit(struct arena *a, const struct rules *rules, const struct ledger_view *view,
                         height_t height, const struct transaction *tx, struct tm_error *e)
{
    struct ledger l = ledger_over(a, rules, view, height);
    struct amount fee, rest;
    bool committed;
    enum tm_err err;

    layer_init(&l.layer, a, view);
    /* Admission refuses a committed transaction under either rule set (utility.md 1.6). */
    err = check_message(&l, tx, true, &committed, e);
    return err != TM_OK ? err : check_includable(&l, tx, &fee, &rest, e);
}

void ledger_keys(const struct transaction *tx, ledger_want *want, void *ctx)
{
    const struct message *m = &tx->message;
    bool of_actor =
        m->kind == MESSAGE_EDIT_STAKE || m->kind == MESSAGE_UNSTAKE || m->kind == MESSAGE_UNPAUSE;

    want(ctx, TREE_TRANSACTIONS, bytes_hash(&tx->hash));
    want(ctx, TREE_ACCOUNT, bytes_address(&tx->signer));
    if (!tx->message_decodes)
        return;
    if (m->kind == MESSAGE_SEND) {
        want(ctx, TREE_ACCOUNT, m->from);
        if (m->to.size <= ACCOUNT_ADDRESS_MAX)
            want(ctx, TREE_ACCOUNT, m->to);
    } else if (m->kind == MESSAGE_UPDATE_IBC_STORE || m->kind == MESSAGE_PRUNE_IBC_STORE) {
        want(ctx, TREE_IBC, m->key);
    } else if (m->actor_type >= ACTOR_APP && m->actor_type <= ACTOR_VAL) {
        enum tree_id tree = actor_tree((enum actor_kind)m->actor_type);

        if (of_actor) {
            want(ctx, tree, m->address);
        } else if (m->kind == MESSAGE_STAKE && m->public_key.size == sizeof(struct public_key)) {
            struct public_key key;
            struct address own;

            memcpy(key.b, m->public_key.data, sizeof key.b);
            own = address_of_key(&key);
            want(ctx, tree, bytes_address(&own));
        }
    }
}

enum tm_err ledger_end_keys(struct ledger *l, ledger_want *want, void *ctx, struct tm_error *e)
{
    want(ctx, TREE_ACCOUNT, l->proposer);
    for (int kind = ACTOR_APP; kind <= ACTOR_VAL; kind++) {
        const struct record **due;
        size_t count;
        enum tm_err err = find_unbonding(l, (enum actor_kind)kind, &due, &count, e);

        if (err != TM_OK)
            return err;
        for (size_t i = 0; i < count; i++)
            want(ctx, TREE_ACCOUNT, due[i]->actor.output);
    }
    return TM_OK;
}
