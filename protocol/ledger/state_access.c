#include "ledger_parts.h"

#include "../params/params.h"

#include <stdio.h>

enum { PARAM_NAME_MAX = 64 }; /* state.md 4.1 */

enum tm_err state_read(struct ledger *l, enum tree_id tree, struct bytes key,
                       const struct record **out, struct tm_error *e)
{
    return l->rules->reads_own_writes ? layer_current(&l->layer, tree, key, out, e)
                                      : layer_committed(&l->layer, tree, key, out, e);
}

enum tm_err balance_read(struct ledger *l, enum tree_id tree, struct bytes key, struct amount *out,
                         struct tm_error *e)
{
    const struct record *r;
    enum tm_err err = state_read(l, tree, key, &r, e);

    if (err == TM_OK)
        *out = r == NULL ? AMOUNT_ZERO : r->balance;
    return err;
}

enum tm_err param_text(struct ledger *l, const char *name, struct bytes *out, struct tm_error *e)
{
    const struct record *r;
    enum tm_err err = state_read(l, TREE_PARAMS, bytes_of(name), &r, e);

    if (err != TM_OK)
        return err;
    if (r == NULL)
        return tm_refuse(e, 44, "cannot read parameter %s: it has no value", name);
    *out = r->value;
    return TM_OK;
}

enum tm_err param_integer(struct ledger *l, const char *name, int64_t *out, struct tm_error *e)
{
    struct bytes text = {0};
    enum tm_err err = param_text(l, name, &text, e);

    if (err == TM_OK && !param_read_integer(text, out))
        return tm_refuse(e, 44, "cannot read parameter %s: its value is not an integer", name);
    return err;
}

enum tm_err param_amount(struct ledger *l, const char *name, struct amount *out, struct tm_error *e)
{
    struct bytes text = {0};
    enum tm_err err = param_text(l, name, &text, e);

    if (err == TM_OK && amount_parse(l->arena, text, out) != TM_OK)
        return tm_refuse(e, 40, "not an integer: the value of parameter %s", name);
    return err;
}

enum tm_err actor_param_integer(struct ledger *l, enum actor_kind kind, const char *suffix,
                                int64_t *out, struct tm_error *e)
{
    char name[PARAM_NAME_MAX + 1];

    snprintf(name, sizeof name, "%s%s", actor_word(kind), suffix);
    return param_integer(l, name, out, e);
}

enum tm_err actor_param_amount(struct ledger *l, enum actor_kind kind, const char *suffix,
                               struct amount *out, struct tm_error *e)
{
    char name[PARAM_NAME_MAX + 1];

    snprintf(name, sizeof name, "%s%s", actor_word(kind), suffix);
    return param_amount(l, name, out, e);
}

enum tm_err message_amount(struct ledger *l, const struct message *m, struct amount *out,
                           struct tm_error *e)
{
    if (amount_parse(l->arena, m->amount, out) != TM_OK)
        return tm_refuse(e, 40, "not an integer: the amount of the message");
    return TM_OK;
}

enum tm_err kind_of_message(const struct message *m, enum actor_kind *out, struct tm_error *e)
{
    if (m->actor_type < ACTOR_APP || m->actor_type > ACTOR_VAL)
        return tm_refuse(e, 130, "unknown actor type %d", (int)m->actor_type);
    *out = (enum actor_kind)m->actor_type;
    return TM_OK;
}

enum tm_err active_validators(struct ledger *l, size_t *out, struct tm_error *e)
{
    if (!l->validators_known) {
        enum tm_err err = l->view->active_validators(l->view->ctx, &l->committed_validators, e);

        if (err != TM_OK)
            return err;
        l->validators_known = true;
    }
    *out = (size_t)((long)l->committed_validators + l->layer.active_validators);
    return TM_OK;
}

height_t height_add(height_t h, int64_t blocks)
{
    return (height_t)((uint64_t)h + (uint64_t)blocks);
}

enum tm_err check_account_key(struct bytes address, struct tm_error *e)
{
    if (address.size > ACCOUNT_ADDRESS_MAX)
        return tm_refuse(e, 42, "cannot add to account: an address of %zu bytes is longer than %d",
                         address.size, ACCOUNT_ADDRESS_MAX);
    return TM_OK;
}

static struct record *new_record(struct ledger *l, enum tree_id tree, struct bytes key)
{
    struct record *r = arena_new(l->arena, struct record);

    r->tree = tree;
    r->key = arena_copy(l->arena, key);
    r->valid_from = l->height;
    return r;
}

enum tm_err balance_set(struct ledger *l, enum tree_id tree, struct bytes key, struct amount n,
                        struct tm_error *e)
{
    struct record *r = new_record(l, tree, key);

    r->balance.text = arena_copy(l->arena, n.text);
    return layer_put(&l->layer, r, e);
}

static enum tm_err balance_now(struct ledger *l, enum tree_id tree, struct bytes key,
                               struct amount *out, struct tm_error *e)
{
    const struct record *r;
    enum tm_err err = layer_current(&l->layer, tree, key, &r, e);

    if (err == TM_OK)
        *out = r == NULL ? AMOUNT_ZERO : r->balance;
    return err;
}

enum tm_err balance_add(struct ledger *l, enum tree_id tree, struct bytes key, struct amount n,
                        struct tm_error *e)
{
    struct amount now;
    enum tm_err err = balance_now(l, tree, key, &now, e);

    return err != TM_OK ? err : balance_set(l, tree, key, amount_add(l->arena, now, n), e);
}

enum tm_err balance_subtract(struct ledger *l, enum tree_id tree, struct bytes key, struct amount n,
                             struct tm_error *e)
{
    struct amount now;
    enum tm_err err = balance_now(l, tree, key, &now, e);

    return err != TM_OK ? err : balance_set(l, tree, key, amount_subtract(l->arena, now, n), e);
}

struct record *actor_successor(struct ledger *l, const struct record *from)
{
    struct record *r = record_copy(l->arena, from);

    r->valid_from = l->height;
    /* Chains stand in rows of their own that carry the height at which they were given. */
    if (!l->rules->chains_survive_updates && from->valid_from != l->height) {
        r->actor.chains = NULL;
        r->actor.chain_count = 0;
    }
    return r;
}

enum tm_err value_put(struct ledger *l, enum tree_id tree, struct bytes key, struct bytes value,
                      struct tm_error *e)
{
    struct record *r = new_record(l, tree, key);

    r->value = arena_copy(l->arena, value);
    return layer_put(&l->layer, r, e);
}
