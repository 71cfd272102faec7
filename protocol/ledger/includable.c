#include "ledger_parts.h"

#include "../base/hex.h"
#include "../params/params.h"

#include <stdio.h>

/* Who may sign (utility.md 2.5); never more than two. */
struct candidates {
    struct bytes who[2];
    int count;
};

static void add(struct candidates *c, struct bytes who)
{
    c->who[c->count++] = who;
}

static enum tm_err of_stake(struct ledger *l, const struct message *m, struct candidates *c,
                            struct tm_error *e)
{
    struct public_key key;
    struct address own;

    add(c, m->output);
    if (m->public_key.size != sizeof key.b)
        return tm_refuse(e, 8, "malformed public key: %zu bytes instead of %zu", m->public_key.size,
                         sizeof key.b);
    memcpy(key.b, m->public_key.data, sizeof key.b);
    own = address_of_key(&key);
    add(c, arena_copy(l->arena, bytes_address(&own)));
    return TM_OK;
}

/* EditStake, Unstake, Unpause: stored output address, then the actor's own. */
static enum tm_err of_actor(struct ledger *l, const struct message *m, struct candidates *c,
                            struct tm_error *e)
{
    const struct record *r;
    enum tm_err err;

    if (m->actor_type < ACTOR_APP || m->actor_type > ACTOR_VAL)
        return tm_refuse(e, 94, "cannot read output address: unknown actor type %d",
                         (int)m->actor_type);
    err = state_read(l, actor_tree((enum actor_kind)m->actor_type), m->address, &r, e);
    if (err != TM_OK)
        return err;
    if (r == NULL)
        return tm_refuse(e, 94, "cannot read output address: there is no %s at this address",
                         actor_word((enum actor_kind)m->actor_type));
    add(c, r->actor.output);
    add(c, m->address);
    return TM_OK;
}

static enum tm_err of_parameter(struct ledger *l, const struct message *m, struct candidates *c,
                                struct tm_error *e)
{
    int index = param_index(m->parameter_key);
    struct bytes text = {0};
    uint8_t *owner;
    enum tm_err err;

    if (index < 0)
        return tm_refuse(e, 44, "cannot read parameter: unknown parameter %.*s",
                         (int)(m->parameter_key.size < 100 ? m->parameter_key.size : 100),
                         (const char *)m->parameter_key.data);
    err = param_text(l, PARAMS[index].owner, &text, e);
    if (err != TM_OK)
        return err;
    owner = arena_alloc(l->arena, text.size / 2);
    if (!hex_decode(text, owner))
        return tm_refuse(e, 44, "cannot read parameter %s: its value is not hex",
                         PARAMS[index].owner);
    add(c, bytes_make(owner, text.size / 2));
    return TM_OK;
}

static enum tm_err find_candidates(struct ledger *l, const struct message *m, struct candidates *c,
                                   struct tm_error *e)
{
    switch (m->kind) {
    case MESSAGE_SEND:
        add(c, m->from);
        return TM_OK;
    case MESSAGE_STAKE:
        return of_stake(l, m, c, e);
    case MESSAGE_EDIT_STAKE:
        if (!l->rules->edit_stake)
            return tm_refuse(e, 6, "message type unknown to this step: MessageEditStake");
        return of_actor(l, m, c, e);
    case MESSAGE_UNSTAKE:
    case MESSAGE_UNPAUSE:
        return of_actor(l, m, c, e);
    case MESSAGE_CHANGE_PARAMETER:
        return of_parameter(l, m, c, e);
    case MESSAGE_UPDATE_IBC_STORE:
    case MESSAGE_PRUNE_IBC_STORE:
        add(c, m->signer);
        return TM_OK;
    case MESSAGE_KINDS:
        break;
    }
    return tm_refuse(e, 4, "unsupported message type");
}

static enum tm_err actor_fee(struct ledger *l, const struct message *m, const char *verb,
                             struct amount *out, struct tm_error *e)
{
    char name[64 + 1];
    enum actor_kind kind;
    enum tm_err err = kind_of_message(m, &kind, e);

    if (err != TM_OK)
        return err;
    snprintf(name, sizeof name, "message_%s_%s_fee", verb, actor_word(kind));
    return param_amount(l, name, out, e);
}

/* utility.md 2.6 */
static enum tm_err find_fee(struct ledger *l, const struct message *m, struct amount *out,
                            struct tm_error *e)
{
    switch (m->kind) {
    case MESSAGE_SEND:
    case MESSAGE_UPDATE_IBC_STORE:
    case MESSAGE_PRUNE_IBC_STORE:
        return param_amount(l, "message_send_fee", out, e);
    case MESSAGE_STAKE:
        return actor_fee(l, m, "stake", out, e);
    case MESSAGE_EDIT_STAKE:
        return actor_fee(l, m, "edit_stake", out, e);
    case MESSAGE_UNSTAKE:
        return actor_fee(l, m, "unstake", out, e);
    case MESSAGE_UNPAUSE:
        return actor_fee(l, m, "unpause", out, e);
    case MESSAGE_CHANGE_PARAMETER:
        return param_amount(l, "message_change_parameter_fee", out, e);
    case MESSAGE_KINDS:
        break;
    }
    return tm_refuse(e, 4, "unsupported message type");
}

enum tm_err check_includable(struct ledger *l, const struct transaction *tx, struct amount *fee,
                             struct amount *rest, struct tm_error *e)
{
    struct bytes signer = bytes_address(&tx->signer);
    struct candidates c = {0};
    struct amount balance = AMOUNT_ZERO;
    bool found = false;
    enum tm_err err = find_candidates(l, &tx->message, &c, e);

    if (err != TM_OK)
        return err;
    for (int i = 0; i < c.count; i++)
        found = found || bytes_equal(c.who[i], signer);
    if (!found)
        return tm_refuse(e, 3, "the signer is not among the candidates: %s",
                         hex_text(l->arena, signer));
    err = find_fee(l, &tx->message, fee, e);
    if (err == TM_OK)
        err = balance_read(l, TREE_ACCOUNT, signer, &balance, e);
    if (err != TM_OK)
        return err;
    *rest = amount_subtract(l->arena, balance, *fee);
    if (amount_is_negative(*rest))
        return tm_refuse(e, 41, "insufficient amount: %s cannot pay the fee",
                         hex_text(l->arena, signer));
    return TM_OK;
}
