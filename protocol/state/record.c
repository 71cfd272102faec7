#include "record.h"

#include "../codec/wire_writer.h"
#include "../sha256/sha256.h"
#include "../sha3/sha3.h"

static const struct {
    const char *name;      /* the reference's */
    const char *view;      /* of the SQL view */
    enum actor_kind actor; /* 0: not an actor tree */
} TREE[TREES] = {
    [TREE_APP] = {"app", "application", ACTOR_APP},
    [TREE_VAL] = {"val", "validator", ACTOR_VAL},
    [TREE_FISH] = {"fish", "fisherman", ACTOR_FISH},
    [TREE_SERVICER] = {"servicer", "servicer", ACTOR_SERVICER},
    [TREE_ACCOUNT] = {"account", "account", 0},
    [TREE_POOL] = {"pool", "pool", 0},
    [TREE_TRANSACTIONS] = {"transactions", "transaction", 0},
    [TREE_PARAMS] = {"params", "param", 0},
    [TREE_FLAGS] = {"flags", "flag", 0},
    [TREE_IBC] = {"ibc", "ibc_entry", 0},
};

const char *tree_name(enum tree_id tree)
{
    return TREE[tree].name;
}

int tree_by_name(struct bytes name)
{
    for (int i = 0; i < TREES; i++)
        if (bytes_equal(name, bytes_of(TREE[i].name)) || bytes_equal(name, bytes_of(TREE[i].view)))
            return i;
    return -1;
}

enum tree_id actor_tree(enum actor_kind kind)
{
    switch (kind) {
    case ACTOR_APP:
        return TREE_APP;
    case ACTOR_SERVICER:
        return TREE_SERVICER;
    case ACTOR_FISH:
        return TREE_FISH;
    case ACTOR_VAL:
        return TREE_VAL;
    }
    return TREE_APP;
}

enum actor_kind actor_kind_of(enum tree_id tree)
{
    return TREE[tree].actor;
}

const char *actor_word(enum actor_kind kind)
{
    static const char *const word[] = {
        [ACTOR_APP] = "app",
        [ACTOR_SERVICER] = "servicer",
        [ACTOR_FISH] = "fisherman",
        [ACTOR_VAL] = "validator",
    };

    return word[kind];
}

struct bytes record_tree_key(const struct record *r, struct hash32 *scratch)
{
    if (r->tree != TREE_PARAMS && r->tree != TREE_FLAGS)
        return r->key;
    *scratch = sha3_256(r->key);
    return bytes_hash(scratch);
}

/* core.Actor (state.md 1.2). */
static void write_actor(const struct record *r, struct buffer *out)
{
    const struct actor *actor = &r->actor;

    wire_int64(out, 1, actor_kind_of(r->tree));
    wire_hex(out, 2, r->key);
    wire_hex(out, 3, actor->public_key);
    if (r->tree != TREE_VAL)
        for (size_t i = 0; i < actor->chain_count; i++)
            wire_element(out, 4, actor->chains[i]);
    if (r->tree != TREE_APP)
        wire_text(out, 5, actor->service_url);
    wire_text(out, 6, actor->stake_text);
    wire_int64(out, 7, actor->paused_height);
    wire_int64(out, 8, actor->unstaking_height);
    wire_hex(out, 9, actor->output);
}

void record_leaf(const struct record *r, struct buffer *out)
{
    switch (r->tree) {
    case TREE_APP:
    case TREE_VAL:
    case TREE_FISH:
    case TREE_SERVICER:
        write_actor(r, out);
        break;
    case TREE_ACCOUNT:
    case TREE_POOL:
        wire_hex(out, 1, r->key);
        wire_text(out, 2, r->balance.text);
        break;
    case TREE_PARAMS:
        wire_text(out, 1, r->key);
        wire_text(out, 2, r->value);
        wire_int64(out, 3, r->valid_from);
        break;
    case TREE_FLAGS:
        wire_text(out, 1, r->key);
        wire_text(out, 2, r->flag.value);
        wire_int64(out, 3, r->valid_from);
        wire_text(out, 4, bytes_of(r->flag.enabled ? "true" : "false"));
        break;
    case TREE_TRANSACTIONS:
    case TREE_IBC:
        buffer_append(out, r->value.data, r->value.size);
        break;
    case TREES:
        break;
    }
}

struct hash32 record_path(const struct record *r)
{
    struct hash32 scratch;

    return sha256(record_tree_key(r, &scratch));
}

struct hash32 record_value_hash(const struct record *r, struct buffer *scratch)
{
    if (r->pruned != NULL)
        return *r->pruned;
    /* Values that are leaves as they stand need no copy; a transaction can be long. */
    if (r->tree == TREE_TRANSACTIONS || r->tree == TREE_IBC)
        return sha256(r->value);
    scratch->size = 0;
    record_leaf(r, scratch);
    return sha256(buffer_bytes(scratch));
}

struct record *record_copy(struct arena *a, const struct record *r)
{
    struct record *copy = arena_new(a, struct record);

    *copy = *r;
    copy->key = arena_copy(a, r->key);
    if (r->pruned != NULL)
        copy->pruned = (const struct hash32 *)arena_copy(a, bytes_hash(r->pruned)).data;
    switch (r->tree) {
    case TREE_APP:
    case TREE_VAL:
    case TREE_FISH:
    case TREE_SERVICER:
        copy->actor.public_key = arena_copy(a, r->actor.public_key);
        copy->actor.output = arena_copy(a, r->actor.output);
        copy->actor.stake_text = arena_copy(a, r->actor.stake_text);
        copy->actor.service_url = arena_copy(a, r->actor.service_url);
        copy->actor.chains = arena_array(a, struct bytes, r->actor.chain_count);
        for (size_t i = 0; i < r->actor.chain_count; i++)
            copy->actor.chains[i] = arena_copy(a, r->actor.chains[i]);
        break;
    case TREE_ACCOUNT:
    case TREE_POOL:
        copy->balance.text = arena_copy(a, r->balance.text);
        break;
    case TREE_PARAMS:
    case TREE_TRANSACTIONS:
    case TREE_IBC:
        copy->value = arena_copy(a, r->value);
        break;
    case TREE_FLAGS:
        copy->flag.value = arena_copy(a, r->flag.value);
        break;
    case TREES:
        break;
    }
    return copy;
}

static bool actor_equal(enum tree_id tree, const struct actor *x, const struct actor *y)
{
    if (!bytes_equal(x->public_key, y->public_key) || !bytes_equal(x->output, y->output) ||
        !bytes_equal(x->stake_text, y->stake_text) || x->paused_height != y->paused_height ||
        x->unstaking_height != y->unstaking_height)
        return false;
    if (tree != TREE_APP && !bytes_equal(x->service_url, y->service_url))
        return false;
    if (tree == TREE_VAL)
        return true;
    if (x->chain_count != y->chain_count)
        return false;
    for (size_t i = 0; i < x->chain_count; i++)
        if (!bytes_equal(x->chains[i], y->chains[i]))
            return false;
    return true;
}

bool record_equal(const struct record *x, const struct record *y)
{
    if (x->tree != y->tree || !bytes_equal(x->key, y->key))
        return false;
    switch (x->tree) {
    case TREE_APP:
    case TREE_VAL:
    case TREE_FISH:
    case TREE_SERVICER:
        return actor_equal(x->tree, &x->actor, &y->actor);
    case TREE_ACCOUNT:
    case TREE_POOL:
        return bytes_equal(x->balance.text, y->balance.text);
    case TREE_PARAMS:
        return x->valid_from == y->valid_from && bytes_equal(x->value, y->value);
    case TREE_FLAGS:
        return x->valid_from == y->valid_from && x->flag.enabled == y->flag.enabled &&
               bytes_equal(x->flag.value, y->flag.value);
    case TREE_TRANSACTIONS:
    case TREE_IBC:
        return bytes_equal(x->value, y->value);
    case TREES:
        break;
    }
    return false;
}

int64_t path64(const struct hash32 *path)
{
    uint64_t n = 0;

    for (int i = 0; i < 8; i++)
        n = n << 8 | path->b[i];
    n ^= UINT64_C(1) << 63;
    return (int64_t)n;
}
