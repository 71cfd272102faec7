#include "ledger_parts.h"

#include "../base/hex.h"
#include "../state/chains.h"

static enum tm_err check_chain_count(struct ledger *l, enum actor_kind kind,
                                     const struct message *m, struct tm_error *e)
{
    int64_t most = 0;
    enum tm_err err;

    if (kind == ACTOR_VAL)
        return TM_OK;
    err = actor_param_integer(l, kind, "_max_chains", &most, e);
    if (err == TM_OK && (int64_t)m->chain_count > most)
        return tm_refuse(e, 52, "too many chains: the maximum is %lld", (long long)most);
    return err;
}

/* What the signer has left after paying; code 41. */
static enum tm_err pay(struct ledger *l, struct bytes signer, struct amount price,
                       struct amount *rest, struct tm_error *e)
{
    struct amount balance = AMOUNT_ZERO;
    enum tm_err err = balance_read(l, TREE_ACCOUNT, signer, &balance, e);

    if (err != TM_OK)
        return err;
    *rest = amount_subtract(l->arena, balance, price);
    if (amount_is_negative(*rest))
        return tm_refuse(e, 41, "insufficient amount: %s", hex_text(l->arena, signer));
    return TM_OK;
}

static struct bytes stake_pool(const struct ledger *l, enum actor_kind kind)
{
    return pool_key(l->rules, l->rules->own_stake_pools ? pool_of_stakes(kind) : POOL_APP_STAKE);
}

static bool has_nul(struct bytes text)
{
    return text.size > 0 && memchr(text.data, 0, text.size) != NULL;
}

/*
 * The chains of a message as they are stored. Where the reference's INSERT fails (an id of more
 * than four characters, a NUL), its whole block is lost; here the message fails with 53.
 */
static enum tm_err stored_chains(struct ledger *l, enum actor_kind kind, const struct message *m,
                                 struct chains *out, struct tm_error *e)
{
    struct bytes *ids;

    *out = (struct chains){0};
    if (kind == ACTOR_VAL)
        return TM_OK;
    ids = arena_array(l->arena, struct bytes, m->chain_count);
    for (size_t i = 0; i < m->chain_count; i++)
        if (!chain_id_pad(l->arena, m->chains[i], &ids[i]))
            return tm_refuse(e, 53, "cannot insert actor: chain %zu is not %d characters long", i,
                             CHAIN_ID_SIZE);
    *out = chains_sorted(l->arena, ids, m->chain_count);
    return TM_OK;
}

/* Text that no database row can hold; never the case under `standard`. An output address may have
 * any length: it becomes a key only when the actor unbonds. */
static enum tm_err check_storable(const struct message *m, struct tm_error *e)
{
    if (has_nul(m->service_url))
        return tm_refuse(e, 53, "cannot insert actor: a NUL in service_url");
    return TM_OK;
}

/* Inserts the actor of a stake message, or merges it into the row of the same block (D26). */
static enum tm_err insert_actor(struct ledger *l, enum actor_kind kind, struct bytes address,
                                const struct message *m, struct chains chains, struct tm_error *e)
{
    const struct record *there;
    struct record r = {.tree = actor_tree(kind), .key = address, .valid_from = l->height};
    enum tm_err err = layer_current(&l->layer, r.tree, address, &there, e);

    if (err != TM_OK)
        return err;
    r.actor = (struct actor){.public_key = m->public_key,
                             .output = m->output,
                             .stake_text = m->amount,
                             .chains = chains.ids,
                             .chain_count = chains.count,
                             .paused_height = HEIGHT_NONE,
                             .unstaking_height = HEIGHT_NONE};
    if (kind != ACTOR_APP)
        r.actor.service_url = m->service_url;
    if (there != NULL) {
        chains = chains_union(
            l->arena, (struct chains){there->actor.chains, there->actor.chain_count}, chains);
        r.actor.public_key = there->actor.public_key;
        r.actor.output = there->actor.output;
        r.actor.chains = chains.ids;
        r.actor.chain_count = chains.count;
    }
    return layer_put(&l->layer, record_copy(l->arena, &r), e);
}

enum tm_err handle_stake(struct ledger *l, const struct transaction *tx, struct tm_error *e)
{
    const struct message *m = &tx->message;
    struct bytes signer = bytes_address(&tx->signer);
    struct public_key key;
    struct address address;
    enum actor_kind kind;
    struct amount amount, minimum = AMOUNT_ZERO, rest = AMOUNT_ZERO;
    struct chains chains;
    const struct record *there = NULL;
    enum tm_err err = kind_of_message(m, &kind, e);

    if (err != TM_OK)
        return err;
    if (m->public_key.size != sizeof key.b)
        return tm_refuse(e, 8, "malformed public key");
    memcpy(key.b, m->public_key.data, sizeof key.b);
    address = address_of_key(&key);
    err = actor_param_amount(l, kind, "_minimum_stake", &minimum, e);
    if (err == TM_OK)
        err = message_amount(l, m, &amount, e);
    if (err == TM_OK && amount_compare(amount, minimum) < 0)
        err = tm_refuse(e, 45, "below the minimum stake of %.*s", (int)minimum.text.size,
                        (const char *)minimum.text.data);
    if (err == TM_OK)
        err = pay(l, signer, amount, &rest, e);
    if (err == TM_OK)
        err = check_chain_count(l, kind, m, e);
    if (err == TM_OK)
        err = state_read(l, actor_tree(kind), bytes_address(&address), &there, e);
    if (err == TM_OK && there != NULL)
        err = tm_refuse(e, 60, "the %s exists already", actor_word(kind));
    if (err == TM_OK)
        err = stored_chains(l, kind, m, &chains, e);
    if (err == TM_OK)
        err = check_storable(m, e);
    if (err == TM_OK)
        err = balance_set(l, TREE_ACCOUNT, signer, rest, e);
    if (err == TM_OK)
        err = balance_add(l, TREE_POOL, stake_pool(l, kind), amount, e);
    if (err == TM_OK)
        err = insert_actor(l, kind, bytes_address(&address), m, chains, e);
    return err;
}

/* The actor a message names, as the handler sees it; NULL in *out: none. */
static enum tm_err find_actor(struct ledger *l, const struct message *m, enum actor_kind *kind,
                              const struct record **out, struct tm_error *e)
{
    enum tm_err err = kind_of_message(m, kind, e);

    return err != TM_OK ? err : state_read(l, actor_tree(*kind), m->address, out, e);
}

enum tm_err handle_edit_stake(struct ledger *l, const struct transaction *tx, struct tm_error *e)
{
    const struct message *m = &tx->message;
    struct bytes signer = bytes_address(&tx->signer);
    enum actor_kind kind;
    const struct record *there = NULL;
    struct record changed;
    struct amount amount = AMOUNT_ZERO, stored, more, rest = AMOUNT_ZERO;
    struct chains chains;
    enum tm_err err = find_actor(l, m, &kind, &there, e);

    if (err != TM_OK)
        return err;
    if (there == NULL)
        return tm_refuse(e, 71, "the %s does not exist", actor_word(kind));
    if (there->actor.unstaking_height != HEIGHT_NONE)
        return tm_refuse(e, 54, "wrong stake status: the %s is unstaking", actor_word(kind));
    err = message_amount(l, m, &amount, e);
    if (err == TM_OK && amount_parse(l->arena, there->actor.stake_text, &stored) != TM_OK)
        err = tm_refuse(e, 40, "not an integer: the stored stake");
    if (err == TM_OK && amount_compare(amount, stored) < 0)
        err = tm_refuse(e, 128, "the new stake is below the current %.*s", (int)stored.text.size,
                        (const char *)stored.text.data);
    if (err != TM_OK)
        return err;
    more = amount_subtract(l->arena, amount, stored);
    err = pay(l, signer, more, &rest, e);
    if (err == TM_OK)
        err = check_chain_count(l, kind, m, e);
    if (err == TM_OK)
        err = stored_chains(l, kind, m, &chains, e);
    if (err == TM_OK)
        err = check_storable(m, e);
    if (err == TM_OK)
        err = balance_set(l, TREE_ACCOUNT, signer, rest, e);
    if (err == TM_OK)
        err = balance_add(l, TREE_POOL, stake_pool(l, kind), more, e);
    if (err != TM_OK)
        return err;
    changed = *there;
    changed.valid_from = l->height;
    changed.actor.stake_text = m->amount;
    changed.actor.chains = chains.ids;
    changed.actor.chain_count = chains.count;
    if (kind != ACTOR_APP)
        changed.actor.service_url = m->service_url;
    return layer_put(&l->layer, record_copy(l->arena, &changed), e);
}

/* Would the validator set be empty without this one? */
static enum tm_err check_set_survives(struct ledger *l, const struct record *r, struct tm_error *e)
{
    size_t active = 0;
    enum tm_err err;

    if (!l->rules->validator_set_filtered || !is_active_validator(r))
        return TM_OK;
    err = active_validators(l, &active, e);
    if (err == TM_OK && active <= 1)
        return tm_refuse(e, 54, "wrong stake status: the last validator cannot unstake");
    return err;
}

enum tm_err handle_unstake(struct ledger *l, const struct transaction *tx, struct tm_error *e)
{
    const struct message *m = &tx->message;
    enum actor_kind kind;
    const struct record *there = NULL, *newest;
    struct record *changed;
    int64_t blocks;
    enum tm_err err = find_actor(l, m, &kind, &there, e);

    if (err != TM_OK)
        return err;
    if (there == NULL || there->actor.unstaking_height != HEIGHT_NONE)
        return tm_refuse(e, 54, "wrong stake status: the %s is not staked", actor_word(kind));
    err = check_set_survives(l, there, e);
    if (err == TM_OK)
        err = actor_param_integer(l, kind, "_unstaking_blocks", &blocks, e);
    if (err == TM_OK)
        err = layer_current(&l->layer, there->tree, there->key, &newest, e);
    if (err != TM_OK)
        return err;
    changed = actor_successor(l, newest);
    changed->actor.unstaking_height = height_add(l->height, blocks);
    return layer_put(&l->layer, changed, e);
}

enum tm_err handle_unpause(struct ledger *l, const struct transaction *tx, struct tm_error *e)
{
    const struct message *m = &tx->message;
    enum actor_kind kind;
    const struct record *there = NULL, *newest;
    struct record *changed;
    int64_t blocks = 0;
    enum tm_err err = find_actor(l, m, &kind, &there, e);

    if (err != TM_OK)
        return err;
    if (there == NULL)
        return tm_refuse(e, 64, "cannot read the pause height: the %s does not exist",
                         actor_word(kind));
    if (there->actor.paused_height == HEIGHT_NONE)
        return tm_refuse(e, 67, "the %s is not paused", actor_word(kind));
    err = actor_param_integer(l, kind, "_minimum_pause_blocks", &blocks, e);
    if (err == TM_OK && l->height < height_add(there->actor.paused_height, blocks))
        err = tm_refuse(e, 68, "too early to unpause: not before height %lld",
                        (long long)height_add(there->actor.paused_height, blocks));
    if (err == TM_OK)
        err = layer_current(&l->layer, there->tree, there->key, &newest, e);
    if (err != TM_OK)
        return err;
    changed = actor_successor(l, newest);
    changed->actor.paused_height = HEIGHT_NONE;
    return layer_put(&l->layer, changed, e);
}
