/*
 * One leaf of the state as a typed value: what a row of schema `ledger` holds and what the trees
 * hash (state.md 3). Ten trees; the order is the one used in SQL (`tree` columns) and in arrays.
 */
#ifndef PROTOCOL_STATE_RECORD_H
#define PROTOCOL_STATE_RECORD_H

#include "../amount/amount.h"
#include "../base/arena.h"

/* Bytes of an account's address under `reference`, which has no limit of its own: a key must fit
 * an index row (PostgreSQL: 2,704 bytes). The reference keeps hex text in such rows, so of
 * addresses that cannot be compressed it takes no more than 1,342 bytes. 20 under `standard`. */
enum { ACCOUNT_ADDRESS_MAX = 2560 };

enum tree_id {
    TREE_APP = 0,
    TREE_VAL = 1,
    TREE_FISH = 2,
    TREE_SERVICER = 3,
    TREE_ACCOUNT = 4,
    TREE_POOL = 5,
    TREE_TRANSACTIONS = 6,
    TREE_PARAMS = 7,
    TREE_FLAGS = 8,
    TREE_IBC = 9,
    TREES = 10
};

/* The reference's names: "app", "val", "fish", "servicer", "account", … (state.md 3). */
const char *tree_name(enum tree_id tree);

/* By that name or the name of the SQL view ("application", "validator", "fisherman",
 * "transaction", "param", "flag", "ibc_entry"); -1 if neither. */
int tree_by_name(struct bytes name);

/* Actor kinds with the wire's numbers (utility.md 2.1). */
enum actor_kind { ACTOR_APP = 1, ACTOR_SERVICER = 2, ACTOR_FISH = 3, ACTOR_VAL = 4 };

enum tree_id actor_tree(enum actor_kind kind);
enum actor_kind actor_kind_of(enum tree_id tree); /* tree is one of the four actor trees */
const char *actor_word(enum actor_kind kind);     /* "app", "servicer", "fisherman", "validator" */

struct actor {
    struct bytes public_key;  /* 32 bytes; any length in a `reference` genesis */
    struct bytes output;      /* 20 bytes; any length under `reference` */
    struct bytes stake_text;  /* as hashed; canonical under `standard` */
    struct bytes service_url; /* not hashed and empty for applications */
    struct bytes *chains;     /* ascending by byte; none for validators */
    size_t chain_count;
    height_t paused_height, unstaking_height; /* HEIGHT_NONE = not */
};

/*
 * key: raw tree key for accounts, pools (20 or 40 bytes), actors, ibc (the raw IBC key);
 * the *name* for params and flags (the tree key is its SHA3-256).
 */
struct record {
    enum tree_id tree;
    struct bytes key;
    height_t valid_from; /* the block that wrote this version */
    /* TREE_TRANSACTIONS whose bytes are pruned: SHA-256 of the value, which is empty here. */
    const struct hash32 *pruned;
    union {
        struct amount balance; /* TREE_ACCOUNT, TREE_POOL */
        struct actor actor;    /* the four actor trees */
        struct bytes value; /* TREE_PARAMS, TREE_IBC, TREE_TRANSACTIONS (key = hash, value = tx) */
        struct {
            struct bytes value;
            bool enabled;
        } flag;
    };
};

/* The key given to the tree: record.key, or SHA3-256(name) for params and flags. Writes at most
 * 32 bytes into scratch; the result points to scratch or to record.key. */
struct bytes record_tree_key(const struct record *r, struct hash32 *scratch);

/* Appends the leaf's bytes (core.Actor, core.Account, core.Param, core.Flag, or the value). */
void record_leaf(const struct record *r, struct buffer *out);

/* SHA-256 of the tree key; SHA-256 of the leaf. */
struct hash32 record_path(const struct record *r);
struct hash32 record_value_hash(const struct record *r, struct buffer *scratch);

/* Deep copy into an arena. */
struct record *record_copy(struct arena *a, const struct record *r);

/* Equal leaves: same tree, key and bytes (params and flags: valid_from is part of the leaf). */
bool record_equal(const struct record *x, const struct record *y);

/* First 8 bytes of a path as bigint order: top bit flipped (storage.md). */
int64_t path64(const struct hash32 *path);

#endif
