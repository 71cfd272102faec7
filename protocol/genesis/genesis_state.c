#include "genesis_state.h"

#include "../base/hex.h"
#include "../ed25519/ed25519.h"
#include "../params/params.h"
#include "../state/chains.h"
#include "../state/pool.h"
#include "../state/state_map.h"

/* The sum of a list is taken in an arena of its own, emptied whenever it has grown this far. */
enum { TALLY_SCRATCH_MAX = 1 << 20 };

struct loading {
    struct arena *arena;
    struct genesis *genesis;
    struct state_map seen;
    struct arena scratch;
    struct amount supply;                /* `standard`: accounts + pools */
    struct amount stakes[POOL_LAST + 1]; /* `standard`: by the pool that is credited */
    size_t validators;                   /* neither paused nor unstaking */
};

static const char *const ACCOUNT_KEYS[] = {"address", "amount", NULL};
static const char *const ACTOR_KEYS[] = {
    "actor_type", "address",     "chains",        "output",           "paused_height",
    "public_key", "service_url", "staked_amount", "unstaking_height", NULL};

/* The record of (tree, key): the one there is (*again = true), or a new one. */
static struct record *place(struct loading *l, enum tree_id tree, struct bytes key, bool *again)
{
    const struct state_entry *entry = state_map_find(&l->seen, tree, key);
    struct record *r;

    *again = entry != NULL;
    if (entry != NULL)
        return &l->genesis->records[entry->record - l->genesis->records];
    r = &l->genesis->records[l->genesis->record_count++];
    *r = (struct record){.tree = tree, .key = key};
    state_map_put(&l->seen, tree, key, r);
    return r;
}

static void add_to(struct loading *l, struct amount *sum, struct amount n)
{
    *sum = amount_add(&l->scratch, *sum, n);
    if (l->scratch.used <= TALLY_SCRATCH_MAX)
        return;
    l->supply.text = arena_copy(l->arena, l->supply.text);
    for (int i = 0; i <= POOL_LAST; i++)
        l->stakes[i].text = arena_copy(l->arena, l->stakes[i].text);
    arena_reset(&l->scratch);
}

/* Reads an amount as the rules want it; *typed is the text of the file. */
static enum tm_err read_amount(struct loading *l, const struct field_object *o, const char *name,
                               struct bytes *typed, struct amount *out, struct tm_error *e)
{
    enum tm_err err = field_text(l->arena, o, name, typed, e);

    if (err != TM_OK)
        return err;
    if (l->genesis->rules->standard_amounts) {
        if (!amount_is_standard(*typed))
            return field_fail(e, o, name,
                              "must be decimal digits without leading zeros, below 10^78");
        *out = amount_of_canonical(*typed);
        return TM_OK;
    }
    switch (amount_parse(l->arena, *typed, out)) {
    case TM_OK:
        return TM_OK;
    case TM_ERR_LIMIT:
        return field_fail(e, o, name, "longer than %d digits", AMOUNT_DIGITS_MAX);
    case TM_ERR_MALFORMED:
    case TM_ERR_NOT_CANONICAL:
    case TM_ERR_RULE:
    case TM_ERR_MISMATCH:
    case TM_ERR_NOT_FOUND:
    case TM_ERR_EXISTS:
    case TM_ERR_AGAIN:
    case TM_ERR_IO:
    case TM_ERR_CONFIG:
    case TM_ERR_USAGE:
        break;
    }
    return field_fail(e, o, name, "is not a decimal integer");
}

static enum tm_err read_address(struct loading *l, const struct field_object *o, const char *name,
                                struct bytes *out, struct tm_error *e)
{
    if (o->strict)
        return field_hex(l->arena, o, name, sizeof(struct address), true, out, e);
    return field_hex(l->arena, o, name, ACCOUNT_ADDRESS_MAX, false, out, e);
}

static enum tm_err read_account(struct loading *l, const struct field_object *o, struct tm_error *e)
{
    struct bytes address, typed;
    struct amount amount;
    struct record *r;
    bool again;
    enum tm_err err = field_known(o, ACCOUNT_KEYS, e);

    if (err == TM_OK)
        err = read_address(l, o, "address", &address, e);
    if (err == TM_OK)
        err = read_amount(l, o, "amount", &typed, &amount, e);
    if (err != TM_OK)
        return err;
    r = place(l, TREE_ACCOUNT, address, &again);
    if (again && o->strict)
        return field_fail(e, o, "address", "occurs twice");
    r->balance = amount;
    if (o->strict)
        add_to(l, &l->supply, amount);
    return TM_OK;
}

static enum tm_err read_pool(struct loading *l, const struct field_object *o, struct tm_error *e)
{
    struct bytes address, typed;
    struct amount amount;
    struct record *r;
    bool again;
    enum tm_err err = field_known(o, ACCOUNT_KEYS, e);

    if (err == TM_OK)
        err = field_hex(l->arena, o, "address", ACCOUNT_ADDRESS_MAX, false, &address, e);
    if (err == TM_OK)
        err = read_amount(l, o, "amount", &typed, &amount, e);
    if (err != TM_OK)
        return err;
    /* The reference stores a pool's text unread (state.md 4.4); ours is a number from the start. */
    if (!bytes_equal(typed, amount.text))
        return field_fail(e, o, "amount", "must be written without '+' and leading zeros");
    if (o->strict) {
        enum pool_id pool = pool_by_key(address);

        if (pool == 0)
            return field_fail(e, o, "address", "is none of the six pools");
        address = pool_key(l->genesis->rules, pool);
        add_to(l, &l->supply, amount);
    }
    r = place(l, TREE_POOL, address, &again);
    if (again && o->strict)
        return field_fail(e, o, "address", "the pool %s occurs twice",
                          pool_name(pool_by_key(address)));
    r->balance = amount;
    return TM_OK;
}

static enum tm_err read_chains(struct loading *l, const struct field_object *o, struct chains *out,
                               struct tm_error *e)
{
    json_t *array, *value;
    size_t i;
    struct bytes *ids;
    enum tm_err err = field_array(o, "chains", &array, e);

    *out = (struct chains){0};
    if (err != TM_OK)
        return err;
    if (o->strict && json_array_size(array) == 0)
        return field_fail(e, o, "chains", "must name at least one chain");
    ids = arena_array(l->arena, struct bytes, json_array_size(array));
    json_array_foreach(array, i, value)
    {
        struct bytes id;

        if (!json_is_string(value))
            return field_fail(e, o, "chains", "element %zu must be a string", i);
        id = arena_copy(l->arena, bytes_make(json_string_value(value), json_string_length(value)));
        if (o->strict ? !chain_id_is_standard(id) : !chain_id_pad(l->arena, id, &id))
            return field_fail(e, o, "chains", "element %zu must have %s%d %s", i,
                              o->strict ? "" : "at most ", CHAIN_ID_SIZE,
                              o->strict ? "bytes of printable ASCII" : "characters");
        ids[i] = id;
    }
    *out = chains_sorted(l->arena, ids, json_array_size(array));
    if (o->strict && out->count != json_array_size(array))
        return field_fail(e, o, "chains", "a chain occurs twice");
    return TM_OK;
}

static enum tm_err read_height(const struct field_object *o, const char *name, height_t *out,
                               struct tm_error *e)
{
    enum tm_err err = field_integer(o, name, INT64_MIN, INT64_MAX, out, e);

    if (err == TM_OK && o->strict && *out != HEIGHT_NONE && *out <= 0)
        return field_fail(e, o, name, "must be -1 (none) or above 0");
    return err;
}

static enum tm_err read_keys(struct loading *l, const struct field_object *o, struct bytes *address,
                             struct actor *actor, struct tm_error *e)
{
    enum tm_err err = read_address(l, o, "address", address, e);

    if (err == TM_OK)
        err = field_hex(l->arena, o, "public_key",
                        o->strict ? sizeof(struct public_key) : ACCOUNT_ADDRESS_MAX, o->strict,
                        &actor->public_key, e);
    if (err == TM_OK)
        err = read_address(l, o, "output", &actor->output, e);
    if (err == TM_OK && o->strict) {
        struct public_key key;
        struct address own;

        memcpy(key.b, actor->public_key.data, sizeof key.b);
        own = address_of_key(&key);
        if (!bytes_equal(*address, bytes_address(&own)))
            return field_fail(e, o, "address", "is not the address of public_key, which is %s",
                              hex_text(l->arena, bytes_address(&own)));
    }
    return err;
}

static enum tm_err read_actor_type(const struct field_object *o, enum actor_kind kind,
                                   struct tm_error *e)
{
    int64_t type;
    enum tm_err err;

    if (field_find(o, "actor_type") == NULL)
        return TM_OK;
    err = field_integer(o, "actor_type", INT32_MIN, INT32_MAX, &type, e);
    if (err == TM_OK && o->strict && type != kind)
        return field_fail(e, o, "actor_type", "must be %d in this list", (int)kind);
    return err;
}

/* The rest of an actor's fields; actor->stake_text is the text of the file. */
static enum tm_err read_stake(struct loading *l, const struct field_object *o, enum actor_kind kind,
                              struct actor *actor, struct amount *stake, struct tm_error *e)
{
    struct chains chains = {0};
    enum tm_err err = read_amount(l, o, "staked_amount", &actor->stake_text, stake, e);

    if (err == TM_OK && kind != ACTOR_APP)
        err = field_text(l->arena, o, "service_url", &actor->service_url, e);
    if (err == TM_OK && kind != ACTOR_VAL)
        err = read_chains(l, o, &chains, e);
    if (err == TM_OK)
        err = read_height(o, "paused_height", &actor->paused_height, e);
    if (err == TM_OK)
        err = read_height(o, "unstaking_height", &actor->unstaking_height, e);
    actor->chains = chains.ids;
    actor->chain_count = chains.count;
    return err;
}

static enum tm_err read_actor(struct loading *l, const struct field_object *o, enum actor_kind kind,
                              struct tm_error *e)
{
    struct bytes address;
    struct actor actor = {0};
    struct amount stake;
    struct record *r;
    bool again;
    enum tm_err err = field_known(o, ACTOR_KEYS, e);

    if (err == TM_OK)
        err = read_actor_type(o, kind, e);
    if (err == TM_OK)
        err = read_keys(l, o, &address, &actor, e);
    if (err == TM_OK)
        err = read_stake(l, o, kind, &actor, &stake, e);
    if (err != TM_OK)
        return err;
    r = place(l, actor_tree(kind), address, &again);
    if (again && o->strict)
        return field_fail(e, o, "address", "occurs twice");
    if (again) {
        /* D26: the later row keeps the first one's key and output; chains add up. */
        struct chains both =
            chains_union(l->arena, (struct chains){r->actor.chains, r->actor.chain_count},
                         (struct chains){actor.chains, actor.chain_count});

        actor.public_key = r->actor.public_key;
        actor.output = r->actor.output;
        actor.chains = both.ids;
        actor.chain_count = both.count;
    }
    r->actor = actor;
    if (o->strict)
        add_to(l, &l->stakes[pool_of_stakes(kind)], stake);
    if (kind == ACTOR_VAL && actor.paused_height == HEIGHT_NONE &&
        actor.unstaking_height == HEIGHT_NONE)
        l->validators++;
    return TM_OK;
}

static enum tm_err read_params(struct loading *l, const struct field_object *top,
                               struct tm_error *e)
{
    struct field_object params;
    const char *names[PARAMS_COUNT + 1] = {0};
    enum tm_err err = field_member(top, "params", &params, e);

    for (int i = 0; i < PARAMS_COUNT; i++)
        names[i] = PARAMS[i].name;
    if (err == TM_OK)
        err = field_known(&params, names, e);
    for (int i = 0; err == TM_OK && i < PARAMS_COUNT; i++) {
        const struct param_info *info = &PARAMS[i];
        struct bytes text;
        int64_t n;
        bool again;
        struct tm_error why;

        if (info->kind == PARAM_INTEGER) {
            err = field_integer(&params, info->name, INT32_MIN, INT32_MAX, &n, e);
            text = bytes_of(arena_format(l->arena, "%d", (int)n));
        } else {
            err = field_text(l->arena, &params, info->name, &text, e);
        }
        if (err == TM_OK && params.strict && param_check(info, text, &why) != TM_OK)
            err = field_fail(e, &params, info->name, "%s", why.text);
        if (err == TM_OK)
            place(l, TREE_PARAMS, bytes_of(info->name), &again)->value = text;
    }
    return err;
}

typedef enum tm_err read_one(struct loading *l, const struct field_object *o, enum actor_kind kind,
                             struct tm_error *e);

static enum tm_err one_account(struct loading *l, const struct field_object *o,
                               enum actor_kind kind, struct tm_error *e)
{
    (void)kind;
    return read_account(l, o, e);
}

static enum tm_err one_pool(struct loading *l, const struct field_object *o, enum actor_kind kind,
                            struct tm_error *e)
{
    (void)kind;
    return read_pool(l, o, e);
}

/* In the reference's order of loading (state.md 5.2). */
static const struct {
    const char *name;
    read_one *read;
    enum actor_kind kind;
} LIST[] = {
    {"accounts", one_account, 0},
    {"pools", one_pool, 0},
    {"applications", read_actor, ACTOR_APP},
    {"servicers", read_actor, ACTOR_SERVICER},
    {"fishermen", read_actor, ACTOR_FISH},
    {"validators", read_actor, ACTOR_VAL},
};
enum { LISTS = sizeof LIST / sizeof LIST[0] };

static enum tm_err read_lists(struct loading *l, const struct field_object *top, struct tm_error *e)
{
    json_t *array[LISTS];
    size_t total = PARAMS_COUNT + POOL_LAST;

    for (int i = 0; i < LISTS; i++) {
        enum tm_err err = field_array(top, LIST[i].name, &array[i], e);

        if (err != TM_OK)
            return err;
        total += json_array_size(array[i]);
    }
    l->genesis->records = arena_array(l->arena, struct record, total);
    for (int i = 0; i < LISTS; i++)
        for (size_t k = 0; k < json_array_size(array[i]); k++) {
            struct field_object o;
            enum tm_err err = field_element(top, LIST[i].name, array[i], k, &o, e);

            if (err == TM_OK)
                err = LIST[i].read(l, &o, LIST[i].kind, e);
            if (err != TM_OK)
                return err;
        }
    return TM_OK;
}

/* `standard`: six pools, stakes credited, a set that can make blocks, a bounded supply. */
static enum tm_err complete(struct loading *l, const struct field_object *top, struct tm_error *e)
{
    bool again;

    for (int i = POOL_DAO; i <= POOL_LAST; i++) {
        struct record *r =
            place(l, TREE_POOL, pool_key(l->genesis->rules, (enum pool_id)i), &again);

        if (!again)
            r->balance = AMOUNT_ZERO;
        r->balance = amount_add(l->arena, r->balance, l->stakes[i]);
        add_to(l, &l->supply, l->stakes[i]);
    }
    if (!amount_is_standard(l->supply.text))
        return field_fail(e, top, "accounts", "accounts, pools and stakes add up to 10^78 or more");
    if (l->validators == 0)
        return field_fail(e, top, "validators",
                          "there must be at least one, neither paused nor unstaking");
    return TM_OK;
}

enum tm_err genesis_state_read(struct arena *a, const struct field_object *top, struct genesis *g,
                               struct tm_error *e)
{
    struct loading l = {.arena = a, .genesis = g, .supply = AMOUNT_ZERO};
    enum tm_err err;

    for (int i = 0; i <= POOL_LAST; i++)
        l.stakes[i] = AMOUNT_ZERO;
    state_map_init(&l.seen);
    arena_init(&l.scratch);
    err = read_lists(&l, top, e);
    if (err == TM_OK)
        err = read_params(&l, top, e);
    if (err == TM_OK && top->strict)
        err = complete(&l, top, e);
    state_map_free(&l.seen);
    arena_free(&l.scratch);
    return err;
}
