/* A small chain in memory for the tests and the fuzzer of the ledger. */
#ifndef PROTOCOL_LEDGER_TEST_CHAIN_H
#define PROTOCOL_LEDGER_TEST_CHAIN_H

#include "ledger_memory.h"

#include "../params/params.h"
#include "../sha3/sha3.h"
#include "../state/pool.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEST_KEYS = 12 };

struct test_chain {
    const struct rules *rules;
    struct arena arena; /* of the chain: genesis, messages */
    struct arena block; /* of the block that is open */
    struct ledger_memory memory;
    struct ledger_view view;
    struct ledger *ledger;
    height_t height; /* of the block that is open */
    struct public_key key[TEST_KEYS];
    struct address address[TEST_KEYS];
    uint64_t nonce;
    struct tm_error error;
    struct ledger_result result;
};

static inline struct bytes test_address(struct test_chain *c, int n)
{
    return bytes_address(&c->address[n]);
}

static inline struct bytes test_key(struct test_chain *c, int n)
{
    return bytes_make(c->key[n].b, sizeof c->key[n].b);
}

/* Derived once: the fuzzer makes a chain for every input. */
static inline struct public_key test_public_key(int n)
{
    static struct public_key keys[TEST_KEYS];
    static bool known[TEST_KEYS];

    if (!known[n]) {
        uint8_t seed[32] = {(uint8_t)(n + 1)};
        struct private_key key = ed25519_from_seed(seed);

        keys[n] = ed25519_public(&key);
        known[n] = true;
    }
    return keys[n];
}

static inline void test_put(struct test_chain *c, struct record r)
{
    ledger_memory_load(&c->memory, &r, 1);
}

static inline void test_balance(struct test_chain *c, enum tree_id tree, struct bytes key,
                                const char *amount)
{
    test_put(c, (struct record){
                    .tree = tree, .key = key, .balance = amount_of_canonical(bytes_of(amount))});
}

static inline void test_param(struct test_chain *c, const char *name, const char *value)
{
    test_put(c,
             (struct record){.tree = TREE_PARAMS, .key = bytes_of(name), .value = bytes_of(value)});
}

/* An actor under key n with output address of key `output`, staked 20000000000 on 0001 and 0002. */
static inline void test_actor(struct test_chain *c, enum actor_kind kind, int n, int output,
                              height_t paused, height_t unstaking)
{
    struct bytes chains[2] = {bytes_of("0001"), bytes_of("0002")};
    struct record r = {.tree = actor_tree(kind),
                       .key = test_address(c, n),
                       .actor = {.public_key = test_key(c, n),
                                 .output = test_address(c, output),
                                 .stake_text = bytes_of("20000000000"),
                                 .paused_height = paused,
                                 .unstaking_height = unstaking}};

    if (kind != ACTOR_APP)
        r.actor.service_url = bytes_of("https://n.example:443");
    if (kind != ACTOR_VAL) {
        r.actor.chains = chains;
        r.actor.chain_count = 2;
    }
    test_put(c, r);
}

/*
 * Keys 0 to 11 with 100000000000 each, the six pools with 1000000000000 (FeeCollector 0), default
 * parameters with key 11 as every owner, validators 0 and 1. Block 1 is not open yet.
 */
static inline void test_chain_init(struct test_chain *c, const struct rules *rules)
{
    static const char hex[] = "0123456789abcdef";

    memset(c, 0, sizeof *c);
    c->rules = rules;
    arena_init(&c->arena);
    arena_init(&c->block);
    ledger_memory_init(&c->memory);
    c->view = ledger_memory_view(&c->memory);
    for (int i = 0; i < TEST_KEYS; i++) {
        c->key[i] = test_public_key(i);
        c->address[i] = address_of_key(&c->key[i]);
        test_balance(c, TREE_ACCOUNT, test_address(c, i), "100000000000");
    }
    for (int i = POOL_DAO; i <= POOL_LAST; i++)
        test_balance(c, TREE_POOL, pool_key(rules, (enum pool_id)i),
                     i == POOL_FEE_COLLECTOR ? "0" : "1000000000000");
    for (int i = 0; i < PARAMS_COUNT; i++)
        test_param(c, PARAMS[i].name, PARAMS[i].default_value);
    for (int i = 0; i < PARAMS_COUNT; i++)
        if (PARAMS[i].kind == PARAM_ADDRESS) {
            char owner[41] = {0};

            for (int k = 0; k < 20; k++) {
                owner[2 * k] = hex[c->address[11].b[k] >> 4];
                owner[2 * k + 1] = hex[c->address[11].b[k] & 15];
            }
            test_param(c, PARAMS[i].name, owner);
        }
    test_actor(c, ACTOR_VAL, 0, 0, HEIGHT_NONE, HEIGHT_NONE);
    test_actor(c, ACTOR_VAL, 1, 1, HEIGHT_NONE, HEIGHT_NONE);
}

static inline void test_chain_free(struct test_chain *c)
{
    ledger_memory_free(&c->memory);
    arena_free(&c->block);
    arena_free(&c->arena);
}

/* Opens the block of this height, proposed by key 0. */
static inline enum tm_err test_begin(struct test_chain *c, height_t height)
{
    c->height = height;
    arena_reset(&c->block);
    c->error = (struct tm_error){0};
    return ledger_begin(&c->block, c->rules, &c->view, height, test_address(c, 0), &c->ledger,
                        &c->error);
}

/* A transaction as decoding would give it; signing is not the ledger's business. */
static inline struct transaction test_transaction(struct test_chain *c, int signer,
                                                  const struct message *m)
{
    struct transaction tx = {.canonical = true,
                             .has_message = true,
                             .has_signature = true,
                             .message_decodes = true,
                             .message = *m,
                             .public_key = test_key(c, signer),
                             .signer = c->address[signer]};

    tx.encoded =
        bytes_of(arena_format(&c->arena, "transaction %llu", (unsigned long long)c->nonce++));
    tx.hash = sha3_256(tx.encoded);
    return tx;
}

static inline enum tm_err test_apply(struct test_chain *c, const struct transaction *tx)
{
    c->error = (struct tm_error){0};
    return ledger_apply(c->ledger, tx, &c->result, &c->error);
}

/* Ends the block and makes it part of the chain. */
static inline enum tm_err test_end(struct test_chain *c)
{
    const struct ledger_write *writes;
    enum tm_err err;

    c->error = (struct tm_error){0};
    err = ledger_end(c->ledger, &c->error);
    if (err == TM_OK) {
        size_t count = ledger_writes(c->ledger, &writes);

        ledger_memory_apply(&c->memory, writes, count);
    }
    return err;
}

/* The record in the committed state, or NULL. */
static inline const struct record *test_get(struct test_chain *c, enum tree_id tree,
                                            struct bytes key)
{
    const struct state_entry *entry = state_map_find(&c->memory.state, tree, key);

    return entry == NULL ? NULL : entry->record;
}

/* --- messages ----------------------------------------------------------------------------------
 */

static inline struct message test_send(struct test_chain *c, int from, int to, const char *amount)
{
    return (struct message){.kind = MESSAGE_SEND,
                            .from = test_address(c, from),
                            .to = test_address(c, to),
                            .amount = bytes_of(amount)};
}

/* A stake of key n on chain 0001, paid and received by `output`. */
static inline struct message test_stake(struct test_chain *c, enum actor_kind kind, int n,
                                        int output, const char *amount)
{
    struct message m = {.kind = MESSAGE_STAKE,
                        .actor_type = kind,
                        .public_key = test_key(c, n),
                        .output = test_address(c, output),
                        .amount = bytes_of(amount),
                        .chains = arena_array(&c->arena, struct bytes, 1),
                        .chain_count = 1};

    m.chains[0] = bytes_of("0001");
    if (kind != ACTOR_APP)
        m.service_url = bytes_of("https://s.example:443");
    return m;
}

/* EditStake, Unstake or Unpause of the actor of key n. */
static inline struct message test_actor_message(struct test_chain *c, enum message_kind what,
                                                enum actor_kind kind, int n)
{
    struct message m = {.kind = what, .actor_type = kind, .address = test_address(c, n)};

    if (what == MESSAGE_EDIT_STAKE) {
        m.chains = arena_array(&c->arena, struct bytes, 1);
        m.chains[0] = bytes_of("0003");
        m.chain_count = 1;
        m.amount = bytes_of("20000000000");
        if (kind != ACTOR_APP)
            m.service_url = bytes_of("https://edited.example:443");
    }
    return m;
}

static inline struct message test_change(struct test_chain *c, const char *name, const char *value)
{
    return (struct message){.kind = MESSAGE_CHANGE_PARAMETER,
                            .signer = test_address(c, 11),
                            .owner = test_address(c, 11),
                            .parameter_key = bytes_of(name),
                            .has_parameter_value = true,
                            .parameter_type_url = bytes_of("type.googleapis.com/"
                                                           "google.protobuf.StringValue"),
                            .wrapper = WRAPPER_STRING,
                            .wrapper_decodes = true,
                            .text_value = bytes_of(value)};
}

static inline struct message test_ibc(struct test_chain *c, int signer, const char *key,
                                      const char *value)
{
    return (struct message){.kind =
                                value == NULL ? MESSAGE_PRUNE_IBC_STORE : MESSAGE_UPDATE_IBC_STORE,
                            .signer = test_address(c, signer),
                            .key = bytes_of(key),
                            .value = value == NULL ? bytes_make(NULL, 0) : bytes_of(value)};
}

#endif
