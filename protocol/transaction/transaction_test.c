#include "transaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <jansson.h>

#include "../base/hex.h"
#include "../codec/wire_writer.h"
#include "../state/record.h"

/* First key of utility.md 10. */
#define OWNER_KEY                                                                                  \
    "ff538589deb7f28bbce1ba68b37d2efc0eaa03204b36513cf88422a875559e38"                             \
    "d6cbe0430ddd85a5e48e0c99ef3dea47bf0d1a83c6e6ad1640f72201dc8a0120"
#define OWNER     "da034209758b78eaea06dd99c07909ab54c99b45"
#define VALIDATOR "00104055c00bed7c983a48aac7dc6335d7c607a7"

static struct arena arena;

static struct bytes unhex(const char *hex)
{
    size_t size = strlen(hex) / 2;
    uint8_t *out = arena_alloc(&arena, size);

    assert_true(hex_decode(bytes_of(hex), out));
    return bytes_make(out, size);
}

static void assert_bytes(struct bytes found, struct bytes expected)
{
    assert_int_equal(found.size, expected.size);
    if (expected.size > 0)
        assert_memory_equal(found.data, expected.data, expected.size);
}

static struct private_key owner_key(void)
{
    struct private_key key;

    memcpy(key.b, unhex(OWNER_KEY).data, sizeof key.b);
    return key;
}

static struct transaction decode(struct bytes raw)
{
    struct tm_error e = {.text = ""};
    struct transaction tx;

    if (transaction_decode(&arena, raw, &tx, &e) != TM_OK)
        fail_msg("%s", e.text);
    return tx;
}

static void assert_code(const struct transaction *tx, const struct rules *rules, int code)
{
    struct tm_error e = {TM_OK, 0, ""};
    enum tm_err err = transaction_check(tx, rules, &e);

    assert_int_equal(err, code == 0 ? TM_OK : TM_ERR_RULE);
    assert_int_equal(e.code, code);
}

static struct message send_message(void)
{
    return (struct message){
        .kind = MESSAGE_SEND,
        .from = unhex(OWNER),
        .to = unhex(VALIDATOR),
        .amount = bytes_of("1000"),
    };
}

static struct message stake_message(void)
{
    static struct bytes chains[1];

    chains[0] = bytes_of("0001");
    return (struct message){
        .kind = MESSAGE_STAKE,
        .actor_type = 1,
        .public_key = unhex("d6cbe0430ddd85a5e48e0c99ef3dea47bf0d1a83c6e6ad1640f72201dc8a0120"),
        .chains = chains,
        .chain_count = 1,
        .amount = bytes_of("15000000000"),
        .output = unhex(OWNER),
    };
}

static struct message change_parameter_message(void)
{
    return (struct message){
        .kind = MESSAGE_CHANGE_PARAMETER,
        .signer = unhex(OWNER),
        .owner = unhex(OWNER),
        .parameter_key = bytes_of("blocks_per_session"),
        .has_parameter_value = true,
        .wrapper = WRAPPER_STRING,
        .wrapper_decodes = true,
        .text_value = bytes_of("5"),
    };
}

static struct message unstake_message(void)
{
    return (struct message){
        .kind = MESSAGE_UNSTAKE,
        .actor_type = 4,
        .address = unhex(OWNER),
    };
}

/* utility.md 10: nonce "42", signed by the first key. */
static void makes_the_golden_transactions(void **state)
{
    const struct {
        struct message message;
        const char *sign_bytes, *signature, *hash;
        size_t size;
    } rows[] = {
        {send_message(),
         "0a5d0a27747970652e676f6f676c65617069732e636f6d2f7574696c6974792e4d65737361676553656e6412"
         "320a14da034209758b78eaea06dd99c07909ab54c99b45121400104055c00bed7c983a48aac7dc6335d7c607"
         "a71a043130303012023432",
         "245239d3bbc2d5c880b8b96d0e4535fc3eab8584e28eae414cda763ddf41998ac637d02990054dca15ba2a0b"
         "c717d4fc3bf7015437f2392e887b37fd9d8f6c0f",
         "768643fbbdbf16b45387c50495c334828a9d12fae2fd5af7942ad793fef44cf7", 201},
        {stake_message(),
         "0a790a28747970652e676f6f676c65617069732e636f6d2f7574696c6974792e4d6573736167655374616b65"
         "124d08011220d6cbe0430ddd85a5e48e0c99ef3dea47bf0d1a83c6e6ad1640f72201dc8a01201a0430303031"
         "220b31353030303030303030303214da034209758b78eaea06dd99c07909ab54c99b4512023432",
         "dc393658768b213f2a479c37f3311e08901b61d56e07613a177eef2edc962d2bed78468d0e7492f32a6c08e6"
         "de03c551e740f9a7798dc6ff3f4ae3a8c9f06902",
         "d89cf3935a9aeea1888ea6eaf419fbb172b25f8a0fdee1ec16fe0ca014decaaf", 229},
        {change_parameter_message(),
         "0aae010a32747970652e676f6f676c65617069732e636f6d2f7574696c6974792e4d6573736167654368616e"
         "6765506172616d6574657212780a14da034209758b78eaea06dd99c07909ab54c99b451214da034209758b78"
         "eaea06dd99c07909ab54c99b451a12626c6f636b735f7065725f73657373696f6e22360a2f747970652e676f"
         "6f676c65617069732e636f6d2f676f6f676c652e70726f746f6275662e537472696e6756616c756512030a01"
         "3512023432",
         "e94842008081c2d645a41b6f7a3a0807724bb575e5d91a78d1f389d8c2f02202bd6d9baa43dbcf3f44095518"
         "ec5d8a3997e6120910f237c7319e6c9a219c0201",
         "84fca6cd9c028147df04801ae1e75686976c0a9ca54118bfdca466b8b41b96de", 283},
        {unstake_message(),
         "0a460a2a747970652e676f6f676c65617069732e636f6d2f7574696c6974792e4d657373616765556e737461"
         "6b65121808041214da034209758b78eaea06dd99c07909ab54c99b4512023432",
         "f66b4abc6f85b4417f4ee9114e92856e290356977f42cf8c0dfd34ec78e00e4b1500b5228095c67ebae1e8de"
         "7d00c82eaa8685489437b69f7d04a4247e89b804",
         "b151006b4d9c2d2b3dd6a884ed7426cf1c1c02487d0c773672467d5a97b134d1", 178},
    };
    struct private_key key = owner_key();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes raw = transaction_sign(&arena, &rows[i].message, bytes_of("42"), &key);
        struct transaction tx = decode(raw);

        assert_int_equal(raw.size, rows[i].size);
        assert_true(tx.canonical);
        assert_bytes(tx.encoded, raw);
        assert_bytes(tx.sign_bytes, unhex(rows[i].sign_bytes));
        assert_bytes(tx.signature, unhex(rows[i].signature));
        assert_bytes(bytes_hash(&tx.hash), unhex(rows[i].hash));
        assert_bytes(bytes_address(&tx.signer), unhex(OWNER));
        assert_true(tx.message_decodes);
        assert_int_equal(tx.message.kind, rows[i].message.kind);
        assert_bytes(message_encode(&arena, &tx.message), tx.message_raw);
        assert_code(&tx, &RULES_STANDARD, 0);
        assert_code(&tx, &RULES_REFERENCE, 0);
        assert_int_equal(transaction_verify(&tx, &RULES_STANDARD, NULL), TM_OK);
        assert_int_equal(transaction_verify(&tx, &RULES_REFERENCE, NULL), TM_OK);
        assert_int_equal(message_check(&tx.message, NULL), TM_OK);
    }
}

/* state.md 10.2: from key 43 to key 44. */
static void makes_the_state_vector(void **state)
{
    static const uint8_t seed[32] = {43};
    struct private_key key = ed25519_from_seed(seed);
    struct message m = send_message();
    struct transaction tx;

    (void)state;
    m.from = unhex("67f6e8c48c62dc62a3706e7a8ba2164ca345d762");
    m.to = unhex("b0cca84843f6f5a274150a98da66d78f0273f64e");
    tx = decode(transaction_sign(&arena, &m, bytes_of("42"), &key));
    assert_bytes(tx.sign_bytes,
                 unhex("0a5d0a27747970652e676f6f676c65617069732e636f6d2f7574696c6974792e4d6573"
                       "7361676553656e6412320a1467f6e8c48c62dc62a3706e7a8ba2164ca345d7621214b0"
                       "cca84843f6f5a274150a98da66d78f0273f64e1a043130303012023432"));
    assert_int_equal(tx.encoded.size, 201);
    assert_bytes(bytes_address(&tx.signer), m.from);
    assert_bytes(bytes_hash(&tx.hash),
                 unhex("fa370074868932ab893afbed578be4415fb6ed41426baa24515e866a626a0bb1"));
}

static void decodes_every_field(void **state)
{
    static const uint8_t empty = 0;
    struct bytes chains[] = {bytes_of("0002"), bytes_of(""), bytes_of("0001")};
    struct message m = stake_message(), found;
    struct private_key key = owner_key();

    (void)state;
    m.actor_type = -1;
    m.chains = chains;
    m.chain_count = 3;
    m.service_url = bytes_of("https://foo.bar:443");
    m.has_signer = true;
    m.signer = bytes_make(&empty, 0);
    found = decode(transaction_sign(&arena, &m, bytes_of("1"), &key)).message;
    assert_int_equal(found.actor_type, -1);
    assert_int_equal(found.chain_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_bytes(found.chains[i], chains[i]);
    assert_bytes(found.service_url, m.service_url);
    assert_bytes(found.output, m.output);
    assert_bytes(found.public_key, m.public_key);
    assert_true(found.has_signer);
    assert_int_equal(found.signer.size, 0);
    /* Present but empty is written; -1 takes ten bytes. */
    assert_bytes(message_encode(&arena, &found), message_encode(&arena, &m));
    assert_int_equal(message_encode(&arena, &found).size, 11 + 34 + 14 + 13 + 21 + 22 + 2);

    m.kind = MESSAGE_EDIT_STAKE;
    m.address = unhex(OWNER);
    m.signer = unhex(VALIDATOR);
    found = decode(transaction_sign(&arena, &m, bytes_of("1"), &key)).message;
    assert_int_equal(found.kind, MESSAGE_EDIT_STAKE);
    assert_bytes(found.address, m.address);
    assert_bytes(found.amount, m.amount);
    assert_bytes(found.signer, m.signer);
    assert_int_equal(found.chain_count, 3);

    m.kind = MESSAGE_UNPAUSE;
    found = decode(transaction_sign(&arena, &m, bytes_of("1"), &key)).message;
    assert_int_equal(found.kind, MESSAGE_UNPAUSE);
    assert_bytes(found.address, m.address);
    assert_bytes(found.signer, m.signer);

    m.kind = MESSAGE_UPDATE_IBC_STORE;
    m.key = bytes_of("key");
    m.value = bytes_of("value");
    found = decode(transaction_sign(&arena, &m, bytes_of("1"), &key)).message;
    assert_int_equal(found.kind, MESSAGE_UPDATE_IBC_STORE);
    assert_bytes(found.signer, m.signer);
    assert_bytes(found.key, m.key);
    assert_bytes(found.value, m.value);

    m.kind = MESSAGE_PRUNE_IBC_STORE;
    found = decode(transaction_sign(&arena, &m, bytes_of("1"), &key)).message;
    assert_int_equal(found.kind, MESSAGE_PRUNE_IBC_STORE);
    assert_bytes(found.key, m.key);
    assert_int_equal(found.value.size, 0);
}

static struct message change_parameter(struct bytes type_url, struct bytes value)
{
    struct message m = change_parameter_message();
    struct private_key key = owner_key();

    m.wrapper = WRAPPER_OTHER;
    m.wrapper_decodes = false;
    m.parameter_type_url = type_url;
    m.parameter_value_raw = value;
    return decode(transaction_sign(&arena, &m, bytes_of("1"), &key)).message;
}

static void unwraps_parameter_values(void **state)
{
    struct message m;

    (void)state;
    m = change_parameter(bytes_of("type.googleapis.com/google.protobuf.Int32Value"),
                         unhex("08ffffffffffffffffff01"));
    assert_int_equal(m.wrapper, WRAPPER_INT32);
    assert_true(m.wrapper_decodes);
    assert_int_equal(m.int32_value, -1);
    m = change_parameter(bytes_of("google.protobuf.BytesValue"), unhex("0a0200ff"));
    assert_int_equal(m.wrapper, WRAPPER_BYTES);
    assert_true(m.wrapper_decodes);
    assert_bytes(m.text_value, unhex("00ff"));
    m = change_parameter(bytes_of("x/y/google.protobuf.StringValue"), unhex("0a0161"));
    assert_int_equal(m.wrapper, WRAPPER_STRING);
    assert_bytes(m.text_value, bytes_of("a"));
    /* Text that is no UTF-8, and no text at all. */
    m = change_parameter(bytes_of("/google.protobuf.StringValue"), unhex("0a01ff"));
    assert_int_equal(m.wrapper, WRAPPER_STRING);
    assert_false(m.wrapper_decodes);
    m = change_parameter(bytes_of("google.protobuf.StringValue"), unhex(""));
    assert_true(m.wrapper_decodes);
    assert_int_equal(m.text_value.size, 0);
    /* The reference's process ended on this one. */
    m = change_parameter(bytes_of("type.googleapis.com/google.protobuf.Int64Value"), unhex("0805"));
    assert_int_equal(m.wrapper, WRAPPER_OTHER);
    assert_false(m.wrapper_decodes);
    m = change_parameter(bytes_of("google.protobuf.StringValue/"), unhex("0a0161"));
    assert_int_equal(m.wrapper, WRAPPER_OTHER);
    m = change_parameter(bytes_of(""), unhex("0a0161"));
    assert_int_equal(m.wrapper, WRAPPER_OTHER);
}

static struct transaction altered(struct bytes nonce, struct bytes signature, struct bytes key)
{
    struct message m = send_message();
    struct buffer any, sig, tx;

    buffer_init(&any, &arena, 0);
    wire_text(&any, 1, bytes_of("type.googleapis.com/utility.MessageSend"));
    wire_text(&any, 2, message_encode(&arena, &m));
    buffer_init(&sig, &arena, 0);
    wire_text(&sig, 1, key);
    wire_text(&sig, 2, signature);
    buffer_init(&tx, &arena, 0);
    wire_element(&tx, 1, buffer_bytes(&any));
    wire_text(&tx, 2, nonce);
    wire_element(&tx, 3, buffer_bytes(&sig));
    return decode(buffer_bytes(&tx));
}

static void checks_in_the_order_of_the_spec(void **state)
{
    static const uint8_t zeros[200];
    struct bytes nonce = bytes_of("1"), none = {NULL, 0};
    struct transaction tx;

    (void)state;
    tx = decode(none);
    assert_code(&tx, &RULES_STANDARD, 30);
    tx = decode(unhex("120131"));
    assert_code(&tx, &RULES_STANDARD, 136);
    tx = decode(unhex("1201311a00"));
    assert_code(&tx, &RULES_STANDARD, 32);
    tx = altered(nonce, none, bytes_make(zeros, 32));
    assert_code(&tx, &RULES_STANDARD, 32);
    tx = altered(nonce, bytes_make(zeros, 64), none);
    assert_code(&tx, &RULES_STANDARD, 31);
    tx = altered(nonce, bytes_make(zeros, 64), bytes_make(zeros, 31));
    assert_code(&tx, &RULES_STANDARD, 8);
    tx = altered(nonce, bytes_make(zeros, 64), bytes_make(zeros, 32));
    assert_code(&tx, &RULES_STANDARD, 0);
    assert_int_equal(transaction_verify(&tx, &RULES_STANDARD, NULL), TM_ERR_RULE);
    tx = altered(nonce, bytes_make(zeros, 63), bytes_make(zeros, 32));
    assert_code(&tx, &RULES_STANDARD, 0);
    assert_int_equal(transaction_verify(&tx, &RULES_REFERENCE, NULL), TM_ERR_RULE);
    tx = altered(bytes_make(zeros, STANDARD_NONCE_MAX), bytes_make(zeros, 64),
                 bytes_make(zeros, 32));
    assert_code(&tx, &RULES_STANDARD, 0);
    tx = altered(bytes_make(zeros, STANDARD_NONCE_MAX + 1), bytes_make(zeros, 64),
                 bytes_make(zeros, 32));
    assert_code(&tx, &RULES_STANDARD, 30);
    assert_code(&tx, &RULES_REFERENCE, 0);
    tx.message_decodes = false;
    assert_code(&tx, &RULES_REFERENCE, 4);
    tx = decode(unhex("1a00120131"));
    assert_code(&tx, &RULES_STANDARD, 26);
    assert_code(&tx, &RULES_REFERENCE, 32);
    tx = altered(
        bytes_make(arena_zalloc(&arena, STANDARD_TRANSACTION_MAX), STANDARD_TRANSACTION_MAX),
        bytes_make(zeros, 64), bytes_make(zeros, 32));
    assert_code(&tx, &RULES_STANDARD, 26);
    assert_code(&tx, &RULES_REFERENCE, 0);
}

static void signs_again(void **state)
{
    static const uint8_t seed[32] = {9};
    struct message m = send_message();
    struct private_key key = owner_key(), other = ed25519_from_seed(seed);
    struct bytes raw = transaction_sign(&arena, &m, bytes_of("42"), &key), out;
    struct transaction tx;

    (void)state;
    assert_int_equal(transaction_resign(&arena, raw, &other, &out, NULL), TM_OK);
    tx = decode(out);
    assert_true(tx.canonical);
    assert_int_equal(transaction_verify(&tx, &RULES_STANDARD, NULL), TM_OK);
    assert_bytes(tx.public_key, bytes_make(ed25519_public(&other).b, 32));
    assert_int_equal(transaction_resign(&arena, out, &key, &out, NULL), TM_OK);
    assert_bytes(out, raw);
    /* Onto unsigned bytes, and before unknown fields. */
    assert_int_equal(transaction_resign(&arena, unhex("2801120131"), &key, &out, NULL), TM_OK);
    tx = decode(out);
    assert_true(tx.canonical);
    assert_bytes(tx.sign_bytes, unhex("1201312801"));
    assert_int_equal(transaction_verify(&tx, &RULES_STANDARD, NULL), TM_OK);
    assert_int_equal(transaction_resign(&arena, unhex("ff"), &key, &out, NULL), TM_ERR_RULE);
}

static struct bytes hex_member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    assert_non_null(text);
    return unhex(text);
}

/* Every transaction of the recorded chain: hash, signer, recipient, type, index entry. */
static void reads_the_recorded_chain(void **state)
{
    FILE *file = fopen("tests/vectors/chain-a/txresults.jsonl", "r");
    size_t count = 0;

    (void)state;
    assert_non_null(file);
    for (;;) {
        json_t *row = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL);
        struct indexed_transaction indexed;
        struct transaction tx;

        if (row == NULL)
            break;
        tx = decode(hex_member(row, "tx"));
        assert_true(tx.canonical);
        assert_bytes(bytes_hash(&tx.hash), hex_member(row, "hash"));
        assert_bytes(bytes_address(&tx.signer), hex_member(row, "signer"));
        assert_bytes(transaction_recipient(&tx), hex_member(row, "recipient"));
        assert_true(tx.message_decodes);
        assert_string_equal(message_name(tx.message.kind),
                            json_string_value(json_object_get(row, "message_type")));
        assert_bytes(message_encode(&arena, &tx.message), tx.message_raw);
        assert_code(&tx, &RULES_REFERENCE, 0);
        assert_int_equal(transaction_verify(&tx, &RULES_REFERENCE, NULL), TM_OK);
        indexed = (struct indexed_transaction){
            .tx = tx.encoded,
            .height = json_integer_value(json_object_get(row, "height")),
            .index = (int32_t)json_integer_value(json_object_get(row, "index")),
            .result_code = (int32_t)json_integer_value(json_object_get(row, "result_code")),
            .error = bytes_of(json_string_value(json_object_get(row, "error"))),
            .signer = bytes_address(&tx.signer),
            .recipient = transaction_recipient(&tx),
            .message_type = message_name(tx.message.kind),
        };
        assert_bytes(indexed_transaction_encode(&arena, &indexed), hex_member(row, "indexed_raw"));
        json_decref(row);
        count++;
    }
    fclose(file);
    assert_int_equal(count, 190);
}

/* The longest address an account can have is one, a longer one is none. */
static void names_the_recipient(void **state)
{
    struct transaction tx = {.message_decodes = true, .message = send_message()};

    (void)state;
    assert_bytes(transaction_recipient(&tx), tx.message.to);
    tx.message.to = bytes_make(arena_zalloc(&arena, ACCOUNT_ADDRESS_MAX + 1), ACCOUNT_ADDRESS_MAX);
    assert_int_equal(transaction_recipient(&tx).size, ACCOUNT_ADDRESS_MAX);
    tx.message.to.size++;
    assert_int_equal(transaction_recipient(&tx).size, 0);
    tx.message = stake_message();
    assert_int_equal(transaction_recipient(&tx).size, 0);
}

static int start(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_the_golden_transactions),
        cmocka_unit_test(makes_the_state_vector),
        cmocka_unit_test(decodes_every_field),
        cmocka_unit_test(unwraps_parameter_values),
        cmocka_unit_test(checks_in_the_order_of_the_spec),
        cmocka_unit_test(signs_again),
        cmocka_unit_test(reads_the_recorded_chain),
        cmocka_unit_test(names_the_recipient),
    };

    return cmocka_run_group_tests(tests, start, end);
}
