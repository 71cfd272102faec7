/* Random messages over a test chain, from a seed or from a fuzzer's bytes. */
#ifndef PROTOCOL_LEDGER_TEST_RANDOM_H
#define PROTOCOL_LEDGER_TEST_RANDOM_H

#include "test_chain.h"

/* Bytes of a fuzzer first, when there are any; else a generator seeded with `state`. */
struct test_source {
    const uint8_t *data;
    size_t size;
    uint64_t state; /* 0: no generator, zeros when the bytes are used up */
};

static inline uint32_t test_next(struct test_source *s, uint32_t below)
{
    uint32_t n = 0;

    if (s->state != 0) {
        s->state ^= s->state << 13;
        s->state ^= s->state >> 7;
        s->state ^= s->state << 17;
        return (uint32_t)(s->state >> 16) % below;
    }
    for (int i = 0; i < (below > 256 ? 2 : 1) && s->size > 0; i++, s->data++, s->size--)
        n = n << 8 | *s->data;
    return n % below;
}

static inline struct bytes test_random_bytes(struct test_chain *c, struct test_source *s)
{
    size_t size = test_next(s, 24);
    uint8_t *raw = arena_alloc(&c->arena, size);

    for (size_t i = 0; i < size; i++)
        raw[i] = (uint8_t)test_next(s, 256);
    return bytes_make(raw, size);
}

/* Mostly amounts that make sense; sometimes not. */
static inline struct bytes test_random_amount(struct test_chain *c, struct test_source *s)
{
    static const char *const odd[] = {
        "0",
        "-1",
        "",
        "+5",
        "007",
        "1x",
        "15000000000",
        "15000000001",
        "200000000000",
        "999999999999999999999999999999999999999999999999999999999999999999999999999999",
        "-123456789012345678901234567890"};

    switch (test_next(s, 8)) {
    case 0:
        return bytes_of(odd[test_next(s, sizeof odd / sizeof odd[0])]);
    case 1:
        return bytes_of(arena_format(&c->arena, "%u", test_next(s, 60000)));
    case 2:
        return test_random_bytes(c, s);
    default:
        return bytes_of(
            arena_format(&c->arena, "%llu", 15000000000ull + 1000000ull * test_next(s, 20000)));
    }
}

static inline struct bytes test_random_address(struct test_chain *c, struct test_source *s)
{
    if (test_next(s, 32) == 0)
        return test_random_bytes(c, s);
    return test_address(c, (int)test_next(s, TEST_KEYS));
}

static inline void test_random_chains(struct test_chain *c, struct test_source *s,
                                      struct message *m)
{
    static const char *const ids[] = {"0001", "0002", "0003", "00AF", "~!~!", "1", "", "00001"};

    m->chain_count = test_next(s, 5);
    m->chains = arena_array(&c->arena, struct bytes, m->chain_count);
    for (size_t i = 0; i < m->chain_count; i++)
        m->chains[i] = bytes_of(ids[test_next(s, test_next(s, 8) == 0 ? 8 : 5)]);
}

static inline void test_random_parameter(struct test_chain *c, struct test_source *s,
                                         struct message *m)
{
    static const char *const names[] = {"app_unstaking_blocks",
                                        "validator_unstaking_blocks",
                                        "servicer_max_pause_blocks",
                                        "fisherman_max_pause_blocks",
                                        "message_send_fee",
                                        "message_stake_app_fee",
                                        "proposer_percentage_of_fees",
                                        "app_max_chains",
                                        "validator_minimum_stake",
                                        "fisherman_minimum_pause_blocks",
                                        "message_send_fee_owner"};

    m->owner = m->signer = test_address(c, 11);
    m->parameter_key = test_next(s, 8) == 0
                           ? bytes_of(PARAMS[test_next(s, PARAMS_COUNT)].name)
                           : bytes_of(names[test_next(s, sizeof names / sizeof names[0])]);
    m->has_parameter_value = true;
    m->wrapper_decodes = true;
    m->parameter_type_url = bytes_of("type.googleapis.com/google.protobuf.Int64Value");
    switch (test_next(s, 6)) {
    case 0:
        m->wrapper = WRAPPER_BYTES;
        m->text_value = test_random_address(c, s);
        break;
    case 1:
        m->wrapper = WRAPPER_OTHER;
        break;
    case 2:
        m->wrapper = WRAPPER_STRING;
        m->text_value = test_random_amount(c, s);
        break;
    default:
        m->wrapper = WRAPPER_INT32;
        m->int32_value = (int32_t)test_next(s, 12);
        break;
    }
}

static inline struct message test_random_message(struct test_chain *c, struct test_source *s)
{
    struct message m = {.kind = (enum message_kind)test_next(s, MESSAGE_KINDS)};

    /* Half of all messages are sends. */
    if (test_next(s, 2) == 0)
        m.kind = MESSAGE_SEND;
    m.actor_type = (int32_t)test_next(s, 32) == 0 ? (int32_t)test_next(s, 300) - 40
                                                  : (int32_t)test_next(s, 4) + 1;
    m.from = m.signer = m.output = test_random_address(c, s);
    m.to = m.address = test_random_address(c, s);
    m.public_key =
        test_next(s, 32) == 0 ? test_random_bytes(c, s) : test_key(c, (int)test_next(s, TEST_KEYS));
    m.amount = test_random_amount(c, s);
    m.service_url =
        test_next(s, 16) == 0 ? test_random_bytes(c, s) : bytes_of("https://r.example:443");
    test_random_chains(c, s, &m);
    if (m.kind == MESSAGE_CHANGE_PARAMETER)
        test_random_parameter(c, s, &m);
    m.key = bytes_of(test_next(s, 2) ? "clients/07" : "ports");
    m.value = bytes_of(test_next(s, 2) ? "state" : "other");
    return m;
}

/* Signed by whoever the message suggests, or by chance. */
static inline struct transaction test_random_transaction(struct test_chain *c,
                                                         struct test_source *s)
{
    struct message m = test_random_message(c, s);
    int signer = (int)test_next(s, TEST_KEYS);
    bool by_actor =
        m.kind == MESSAGE_EDIT_STAKE || m.kind == MESSAGE_UNSTAKE || m.kind == MESSAGE_UNPAUSE;
    struct bytes wanted = by_actor ? m.address : m.from;

    if (m.kind == MESSAGE_CHANGE_PARAMETER)
        wanted = test_address(c, 11);
    if (test_next(s, 16) != 0)
        for (int i = 0; i < TEST_KEYS; i++)
            if (bytes_equal(wanted, test_address(c, i)))
                signer = i;
    return test_transaction(c, signer, &m);
}

/* Actors of every kind, some paused, some unstaking, and heights short enough to be reached. */
static inline void test_populate(struct test_chain *c)
{
    static const char *const words[] = {"app", "servicer", "fisherman", "validator"};

    for (int kind = ACTOR_APP; kind <= ACTOR_VAL; kind++)
        for (int n = 2; n < 8; n++)
            test_actor(c, (enum actor_kind)kind, n, (n + kind) % TEST_KEYS,
                       n % 3 == 0 ? n : HEIGHT_NONE, n % 4 == 1 ? 10 + n : HEIGHT_NONE);
    for (int i = 0; i < 4; i++) {
        test_param(c, arena_format(&c->arena, "%s_unstaking_blocks", words[i]), "3");
        test_param(c, arena_format(&c->arena, "%s_max_pause_blocks", words[i]), "12");
        test_param(c, arena_format(&c->arena, "%s_minimum_pause_blocks", words[i]), "2");
    }
    test_param(c, "message_send_fee", "137");
}

/* Accounts and pools together; *negative tells whether one of them is below zero. */
static inline struct amount test_supply(struct test_chain *c, struct arena *a, bool *negative)
{
    struct amount sum = AMOUNT_ZERO;

    *negative = false;
    for (size_t i = 0; i < c->memory.state.count; i++) {
        const struct record *r = c->memory.state.entries[i].record;

        if (r == NULL || (r->tree != TREE_ACCOUNT && r->tree != TREE_POOL))
            continue;
        sum = amount_add(a, sum, r->balance);
        *negative = *negative || amount_is_negative(r->balance);
    }
    return sum;
}

#endif
