/* Bytes of all kinds: canonical form, unknown fields, and what is refused. */
#include "transaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <jansson.h>

#include "../base/hex.h"
#include "../sha3/sha3.h"
#include "../codec/wire.h"
#include "../codec/wire_writer.h"

static struct arena arena;

/* Hex with blanks for the reader. */
static struct bytes unhex(const char *hex)
{
    char *digits = arena_alloc(&arena, strlen(hex) + 1);
    uint8_t *out = arena_alloc(&arena, strlen(hex) / 2);
    size_t n = 0;

    for (const char *p = hex; *p != '\0'; p++)
        if (*p != ' ')
            digits[n++] = *p;
    assert_true(hex_decode(bytes_make(digits, n), out));
    return bytes_make(out, n / 2);
}

static void assert_bytes(struct bytes found, struct bytes expected)
{
    assert_int_equal(found.size, expected.size);
    if (expected.size > 0)
        assert_memory_equal(found.data, expected.data, expected.size);
}

static struct transaction decode(struct bytes raw)
{
    struct tm_error e = {.text = ""};
    struct transaction tx;

    if (transaction_decode(&arena, raw, &tx, &e) != TM_OK)
        fail_msg("%s", e.text);
    return tx;
}

static void assert_undecodable(struct bytes raw)
{
    struct tm_error e = {TM_OK, 0, ""};
    struct transaction tx;

    assert_int_equal(transaction_decode(&arena, raw, &tx, &e), TM_ERR_RULE);
    assert_int_equal(e.code, 26);
    assert_true(strlen(e.text) > 0);
}

static struct message send_message(void)
{
    return (struct message){
        .kind = MESSAGE_SEND,
        .from = unhex("da034209758b78eaea06dd99c07909ab54c99b45"),
        .to = unhex("00104055c00bed7c983a48aac7dc6335d7c607a7"),
        .amount = bytes_of("1000"),
    };
}

static struct bytes sign(const struct message *m)
{
    static const uint8_t seed[32] = {5};
    struct private_key key = ed25519_from_seed(seed);

    return transaction_sign(&arena, m, bytes_of("42"), &key);
}

static void accepts_any_url_prefix(void **state)
{
    static const struct {
        const char *url;
        bool known;
    } rows[] = {
        {"type.googleapis.com/utility.MessageSend", true},
        {"utility.MessageSend", true},
        {"/utility.MessageSend", true},
        {"a/b//utility.MessageSend", true},
        {"", false},
        {"/", false},
        {"utility.MessageSend/", false},
        {"utility.messageSend", false},
        {"utility.TxGossipMessage", false},
        {"type.googleapis.com/google.protobuf.Any", false},
    };
    struct message m = send_message();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer any, tx;
        struct transaction decoded;

        buffer_init(&any, &arena, 0);
        wire_text(&any, 1, bytes_of(rows[i].url));
        wire_text(&any, 2, message_encode(&arena, &m));
        buffer_init(&tx, &arena, 0);
        wire_element(&tx, 1, buffer_bytes(&any));
        decoded = decode(buffer_bytes(&tx));
        assert_true(decoded.has_message);
        assert_int_equal(decoded.message_decodes, rows[i].known);
    }
}

/* Two texts of one message: as sent, and as the reference re-encodes it. */
static void re_encodes_as_the_reference_does(void **state)
{
    static const char *const rows[][2] = {
        /* fields out of order */
        {"1201 34 0a00", "0a00 120134"},
        /* the last scalar wins, messages merge */
        {"120131 120134", "120134"},
        {"120131 1200", ""},
        {"0a030a0161 0a03120162", "0a060a0161120162"},
        {"0a030a0161 0a030a0162", "0a030a0162"},
        {"1a031201aa 1a030a01bb", "1a060a01bb1201aa"},
        /* over-long tag, length and integer */
        {"928000 0134", "120134"},
        {"12810034", "120134"},
        {"92808080808080808000 0134", "120134"},
        {"1281808080808080808000 34", "120134"},
        /* an absent and an empty message differ */
        {"0a00", "0a00"},
        {"", ""},
        {"1a020a00", "1a00"},
        /* unknown fields follow the known ones, in order of arrival, at every level; only their
         * tags are written anew */
        {"2801 120134 2202aabb 2800", "120134 2801 2202aabb 2800"},
        {"0a081a01630a01611801", "0a080a01611a01631801"},
        {"a88000 8100 120134", "120134 28 8100"},
        {"2d01020304 120134", "120134 2d01020304"},
        {"290102030405060708", "290102030405060708"},
        /* a group is one unknown field; what is within is kept as it is */
        {"2b2c 120134", "120134 2b2c"},
        {"ab8000 8a80000161 8301 8401 3d01020304 2c 120134",
         "120134 2b 8a80000161 8301 8401 3d01020304 2c"},
        {"13 14 120134", "120134 13 14"},
        {"2bf8ffffff3f01 2c", "2bf8ffffff3f01 2c"},
        /* another wire type makes a field unknown */
        {"1005 120134", "120134 1005"},
        {"0801 0a00", "0a00 0801"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes given = unhex(rows[i][0]), expected = unhex(rows[i][1]);
        struct transaction tx = decode(given), again;

        assert_bytes(tx.encoded, expected);
        assert_int_equal(tx.canonical, bytes_equal(given, expected));
        again = decode(tx.encoded);
        assert_true(again.canonical);
        assert_bytes(bytes_hash(&again.hash), bytes_hash(&tx.hash));
        assert_bytes(again.sign_bytes, tx.sign_bytes);
    }
}

/* As deep as the reference follows groups, and one deeper. */
static void bounds_groups_in_groups(void **state)
{
    uint8_t *deep = arena_alloc(&arena, 2 * (WIRE_GROUP_DEPTH_MAX + 1));

    (void)state;
    memset(deep, 0x2b, WIRE_GROUP_DEPTH_MAX + 1);
    memset(deep + WIRE_GROUP_DEPTH_MAX + 1, 0x2c, WIRE_GROUP_DEPTH_MAX + 1);
    assert_undecodable(bytes_make(deep, 2 * (WIRE_GROUP_DEPTH_MAX + 1)));
    assert_true(decode(bytes_make(deep + 1, 2 * WIRE_GROUP_DEPTH_MAX)).canonical);
}

static void keeps_unknown_fields_in_sign_bytes(void **state)
{
    (void)state;
    assert_bytes(decode(unhex("0a001201341a002801")).sign_bytes, unhex("0a001201342801"));
    assert_bytes(decode(unhex("28010a001a00120134")).sign_bytes, unhex("0a001201342801"));
    /* A field 3 of another wire type is unknown, not a signature. */
    assert_bytes(decode(unhex("1201341801")).sign_bytes, unhex("1201341801"));
}

static void refuses_what_is_no_transaction(void **state)
{
    static const char *const rows[] = {
        "ff",                         /* a tag without end */
        "0a",                         /* no length */
        "0a05",                       /* cut off */
        "0aff",                       /* a length without end */
        "0a80c2d72f",                 /* 100,000,000 bytes announced */
        "0affffffff0f",               /* 2^32 - 1 bytes announced */
        "0affffffffffffffffff01",     /* 2^64 - 1 bytes announced */
        "0affffffffffffffffff02",     /* more than 64 bits */
        "12ffffffffffffffffffff0134", /* an integer of eleven bytes */
        "8a8080808080808080808000",   /* a tag of eleven bytes */
        "0000",                       /* field number 0 */
        "8080808010 00",              /* field number 2^29 */
        "2b",                         /* a group that does not end */
        "2b34",                       /* nor with its own number */
        "2b332c34",                   /* groups that cross */
        "2b0001 2c",                  /* field number 0 in a group */
        "2b8080808040 01 2c",         /* field number 2^31 in one */
        "2b3a05 2c",                  /* a length past its end */
        "2c",                         /* the end of a group that is not open */
        "2e00",                       /* wire type 6 */
        "2f00",                       /* wire type 7 */
        "29010203",                   /* cut off in a fixed 64 */
        "2d0102",                     /* cut off in a fixed 32 */
        "28",                         /* no integer */
        "1201ff",                     /* the nonce is no UTF-8 */
        "1203eda080",                 /* a surrogate */
        "1202c080",                   /* over-long */
        "1204f4908080",               /* above U+10FFFF */
        "0a030a01ff",                 /* the URL is no UTF-8 */
        "0a021201",                   /* the message runs past its Any */
        "1201ff120134",               /* even when a later one would win */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_undecodable(unhex(rows[i]));
    assert_undecodable(bytes_make(arena_zalloc(&arena, TRANSACTION_MAX + 1), TRANSACTION_MAX + 1));
}

static void refuses_every_truncation(void **state)
{
    struct message m = send_message();
    struct bytes raw = sign(&m);

    (void)state;
    for (size_t n = 0; n < raw.size; n++) {
        struct transaction tx;

        if (transaction_decode(&arena, bytes_make(raw.data, n), &tx, NULL) == TM_OK)
            assert_int_not_equal(transaction_check(&tx, &RULES_REFERENCE, NULL), TM_OK);
    }
}

static void nests_unknown_fields_without_following_them(void **state)
{
    enum { LEVELS = 100000 };
    struct buffer b;
    struct bytes nested;
    uint8_t *data = arena_alloc(&arena, (size_t)LEVELS * 6);
    size_t at = (size_t)LEVELS * 6, size = 0;
    struct transaction tx;

    (void)state;
    /* Field 5, length-delimited, around itself LEVELS times, built from the inside out. */
    for (int i = 0; i < LEVELS; i++) {
        struct buffer head;
        uint8_t room[16];

        head = (struct buffer){&arena, room, 0, sizeof room};
        wire_varint(&head, 5 << 3 | 2);
        wire_varint(&head, size);
        at -= head.size;
        memcpy(data + at, head.data, head.size);
        size += head.size;
    }
    nested = bytes_make(data + at, size);
    tx = decode(nested);
    assert_true(tx.canonical);
    assert_bytes(tx.encoded, nested);
    buffer_init(&b, &arena, 0);
    for (int i = 0; i < LEVELS; i++)
        buffer_append(&b, "\x2b", 1);
    assert_undecodable(buffer_bytes(&b));
}

static void bounds_the_chains(void **state)
{
    struct message m = {.kind = MESSAGE_STAKE, .actor_type = 1};
    struct tm_error e;
    struct transaction tx;

    (void)state;
    m.chains = arena_array(&arena, struct bytes, MESSAGE_CHAINS_MAX + 1);
    m.chain_count = MESSAGE_CHAINS_MAX;
    tx = decode(sign(&m));
    assert_true(tx.message_decodes);
    assert_int_equal(tx.message.chain_count, MESSAGE_CHAINS_MAX);
    m.chain_count++;
    tx = decode(sign(&m));
    assert_false(tx.message_decodes);
    assert_int_equal(transaction_check(&tx, &RULES_REFERENCE, &e), TM_ERR_RULE);
    assert_int_equal(e.code, 4);
}

static struct bytes hex_member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    assert_non_null(text);
    return unhex(text);
}

/* What was posted to the recorded network, refused inputs included, decodes or is refused. */
static void reads_the_recorded_submissions(void **state)
{
    FILE *file = fopen("tests/vectors/chain-a/submissions.jsonl", "r");
    size_t count = 0;

    (void)state;
    assert_non_null(file);
    for (;;) {
        json_t *row = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL);
        struct tm_error e = {TM_OK, 0, ""};
        struct bytes raw;
        struct hash32 hash;
        struct transaction tx;
        bool accepted;

        if (row == NULL)
            break;
        raw = hex_member(row, "tx");
        hash = sha3_256(raw);
        assert_bytes(bytes_hash(&hash), hex_member(row, "hash"));
        accepted = transaction_decode(&arena, raw, &tx, &e) == TM_OK &&
                   transaction_check(&tx, &RULES_REFERENCE, &e) == TM_OK &&
                   transaction_verify(&tx, &RULES_REFERENCE, &e) == TM_OK;
        if (json_integer_value(json_object_get(row, "status")) == 200)
            assert_true(accepted);
        json_decref(row);
        count++;
    }
    fclose(file);
    assert_true(count > 0);
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
        cmocka_unit_test(accepts_any_url_prefix),
        cmocka_unit_test(re_encodes_as_the_reference_does),
        cmocka_unit_test(bounds_groups_in_groups),
        cmocka_unit_test(keeps_unknown_fields_in_sign_bytes),
        cmocka_unit_test(refuses_what_is_no_transaction),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(nests_unknown_fields_without_following_them),
        cmocka_unit_test(bounds_the_chains),
        cmocka_unit_test(reads_the_recorded_submissions),
    };

    return cmocka_run_group_tests(tests, start, end);
}
