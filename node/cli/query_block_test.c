#include "query_block.h"

#include "protocol/base/hex.h"
#include "protocol/transaction/transaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char OWNER[] = "da034209758b78eaea06dd99c07909ab54c99b45";

static struct bytes from_hex(struct arena *a, const char *text)
{
    uint8_t *data = arena_alloc(a, strlen(text) / 2);

    assert_true(hex_decode(bytes_of(text), data));
    return bytes_make(data, strlen(text) / 2);
}

static json_t *indexed(struct arena *a, struct bytes tx)
{
    return json_pack("{s:i, s:i, s:s, s:s, s:s, s:i}", "height", 7, "index", 2, "hash", "aabb",
                     "fee", "10000", "tx", hex_text(a, tx), "id", 3);
}

/* The message as it comes out of a transaction that carries it. */
static void assert_message(struct arena *a, const struct message *m, const char *expected)
{
    const struct private_key key = {{1}};
    json_t *object = indexed(a, transaction_sign(a, m, bytes_of("n"), &key));
    const json_t *content;
    struct tm_error e;
    char *text;

    assert_int_equal(query_transaction_complete(object, &e), TM_OK);
    assert_null(json_object_get(object, "fee"));
    assert_null(json_object_get(object, "id"));
    assert_null(json_object_get(object, "hash"));
    assert_string_equal(json_string_value(json_object_get(json_object_get(object, "tx"), "hash")),
                        "aabb");
    content = json_object_get(json_object_get(object, "tx"), "txMsg");
    assert_string_equal(json_string_value(json_object_get(content, "nonce")), "n");
    text = json_dumps(json_object_get(content, "message"), JSON_SORT_KEYS | JSON_COMPACT);
    assert_string_equal(text, expected);
    free(text);
    json_decref(object);
}

static void test_messages(void **state)
{
    struct bytes chains[] = {bytes_of("0002"), bytes_of("0001")};
    struct message m = {.kind = MESSAGE_EDIT_STAKE, .actor_type = 2, .chains = chains};
    struct arena a;

    (void)state;
    arena_init(&a);
    m.address = from_hex(&a, OWNER);
    m.amount = bytes_of("+015");
    m.chain_count = 2;
    m.service_url = bytes_make("a\0\x1b", 3);
    assert_message(&a, &m,
                   "{\"actor_type\":\"servicer\",\"address\":"
                   "\"da034209758b78eaea06dd99c07909ab54c99b45\",\"amount\":\"+015\",\"chains\":["
                   "\"0002\",\"0001\"],\"denom\":\"upokt\",\"service_url\":\"a\\u0000\\u001B\","
                   "\"signer\":\"\"}");
    m.kind = MESSAGE_STAKE;
    m.actor_type = 4;
    m.chain_count = 0;
    m.service_url = bytes_of("");
    m.public_key = from_hex(&a, "00ff");
    m.output = m.address;
    m.has_signer = true;
    m.signer = m.address;
    assert_message(&a, &m,
                   "{\"actor_type\":\"validator\",\"amount\":\"+015\",\"chains\":null,\"denom\":"
                   "\"upokt\",\"output_address\":\"da034209758b78eaea06dd99c07909ab54c99b45\","
                   "\"public_key\":\"00ff\",\"service_url\":\"\",\"signer\":"
                   "\"da034209758b78eaea06dd99c07909ab54c99b45\"}");
    m.kind = MESSAGE_UNPAUSE;
    m.actor_type = 9;
    assert_message(&a, &m,
                   "{\"actor_type\":\"9\",\"address\":\"da034209758b78eaea06dd99c07909ab54c99b45\","
                   "\"signer\":\"da034209758b78eaea06dd99c07909ab54c99b45\"}");
    arena_free(&a);
}

static void assert_refused(enum tm_err (*complete)(json_t *, struct tm_error *), const char *json)
{
    json_t *object = json_loads(json, 0, NULL);
    struct tm_error e;

    assert_non_null(object);
    assert_int_not_equal(complete(object, &e), TM_OK);
    json_decref(object);
}

static void test_refuses(void **state)
{
    (void)state;
    assert_refused(query_transaction_complete, "{}");
    assert_refused(query_transaction_complete, "{\"tx\": \"0\"}");
    assert_refused(query_transaction_complete, "{\"tx\": \"ff\"}");
    assert_refused(query_transaction_complete, "{\"tx\": 5}");
    assert_refused(query_block_complete, "{}");
    assert_refused(query_block_complete, "{\"block_header\": {\"quorum_cert\": \"zz\"}}");
    assert_refused(query_block_complete, "{\"block_header\": {\"quorum_cert\": \"ff\"}}");
    assert_refused(query_block_complete,
                   "{\"block_header\": {\"quorum_cert\": \"\"}, \"transactions\": [{}]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
