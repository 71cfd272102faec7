#include "codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "../base/hex.h"
#include "protocol/proto/block.pb-c.h"
#include "protocol/proto/transaction.pb-c.h"
#include "wire.h"

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

static struct canonical canonicalise(const ProtobufCMessageDescriptor *type, const char *hex)
{
    struct tm_error e = {.text = ""};
    struct canonical c;

    if (codec_canonicalise(&arena, type, unhex(hex), 100, &c, &e) != TM_OK)
        fail_msg("%s: %s", hex, e.text);
    return c;
}

static void assert_canonical_form(const ProtobufCMessageDescriptor *type, const char *given,
                                  const char *expected)
{
    struct canonical c = canonicalise(type, given);

    assert_bytes(c.encoded, unhex(expected));
    assert_int_equal(c.was_canonical, bytes_equal(unhex(given), unhex(expected)));
}

static void brings_every_kind_of_field_into_form(void **state)
{
    const ProtobufCMessageDescriptor *stake = &pocket__message_stake__descriptor;
    const ProtobufCMessageDescriptor *header = &pocket__block_header__descriptor;
    const ProtobufCMessageDescriptor *threshold = &pocket__threshold_signature__descriptor;

    (void)state;
    assert_canonical_form(stake, "", "");
    /* int32: five bytes of ones are -1, which takes ten; high bits beyond 32 are dropped */
    assert_canonical_form(stake, "08ffffffff0f", "08ffffffffffffffffff01");
    assert_canonical_form(stake, "08818080808010", "0801");
    assert_canonical_form(stake, "08808080808010", "");
    assert_canonical_form(stake, "0800", "");
    /* uint64 keeps them */
    assert_canonical_form(header, "08818080808010", "08818080808010");
    assert_canonical_form(header, "08ffffffffffffffffff01", "08ffffffffffffffffff01");
    /* empty elements and the optional signer stay, an empty plain field goes */
    assert_canonical_form(stake, "1a00 1a0161 1a00 3a00", "1a00 1a0161 1a00 3a00");
    assert_canonical_form(stake, "2200 1200", "");
    assert_canonical_form(stake, "3a0161 3a00", "3a00");
    /* elements keep their order around other fields */
    assert_canonical_form(stake, "1a0162 0801 1a0161", "0801 1a0162 1a0161");
    assert_canonical_form(threshold, "0a00 0a06 120161 0a0162", "0a00 0a06 0a0162 120161");
    /* map entries: sorted, both fields written, the last of equal keys, nothing else kept */
    assert_canonical_form(header, "4206 0a0162 120131 4206 0a0161 120132",
                          "4206 0a0161 120132 4206 0a0162 120131");
    assert_canonical_form(header, "4200", "4204 0a00 1200");
    assert_canonical_form(header, "4203 120131", "4205 0a00 120131");
    assert_canonical_form(header, "4203 0a0131 4203 0a0131", "4205 0a0131 1200");
    assert_canonical_form(header, "4206 0a0161 120131 4206 0a0161 120132", "4206 0a0161 120132");
    assert_canonical_form(header, "4208 0a0161 120131 1801", "4206 0a0161 120131");
    assert_canonical_form(header, "4208 0801 0a0161 120131", "4206 0a0161 120131");
}

static void unpacks_without_unknown_fields(void **state)
{
    struct canonical c =
        canonicalise(&pocket__transaction__descriptor, "2801 1005 120134 0a05 1801 0a0161 2a00");
    const Pocket__Transaction *tx = codec_unpack(&arena, &c);

    (void)state;
    assert_true(c.has_unknown);
    assert_bytes(codec_bytes(tx->nonce), bytes_of("4"));
    assert_non_null(tx->msg);
    assert_bytes(codec_bytes(tx->msg->type_url), bytes_of("a"));
    assert_null(tx->signature);
    assert_bytes(codec_pack(&arena, tx), unhex("0a03 0a0161 120134"));
}

static enum tm_err outcome(const char *hex, size_t repeats_max)
{
    struct tm_error e = {.text = ""};
    struct canonical c;
    enum tm_err err = codec_canonicalise(&arena, &pocket__message_stake__descriptor, unhex(hex),
                                         repeats_max, &c, &e);

    assert_true((err == TM_OK) == (e.text[0] == '\0'));
    return err;
}

static void bounds_repeated_elements(void **state)
{
    (void)state;
    assert_int_equal(outcome("1a00 1a00 1a00", 3), TM_OK);
    assert_int_equal(outcome("1a00 1a00 1a00", 2), TM_ERR_LIMIT);
    assert_int_equal(outcome("1a00", 0), TM_ERR_LIMIT);
}

static void names_the_message_that_is_wrong(void **state)
{
    struct tm_error e;
    struct canonical c;

    (void)state;
    assert_int_equal(codec_canonicalise(&arena, &pocket__transaction__descriptor,
                                        unhex("1a03 0a0561"), 0, &c, &e),
                     TM_ERR_MALFORMED);
    assert_string_equal(e.text, "Signature: field 1: length 5 with 1 bytes left");
    assert_int_equal(codec_canonicalise(&arena, &pocket__transaction__descriptor,
                                        unhex("0a03 0a01ff"), 0, &c, &e),
                     TM_ERR_MALFORMED);
    assert_string_equal(e.text, "Any: type_url is not UTF-8");
}

static void knows_text(void **state)
{
    static const char *const good[] = {
        "",       "00",     "7f",     "c280",     "dfbf",     "e0a080",
        "ed9fbf", "ee8080", "efbfbf", "f0908080", "f48fbfbf", "61c3a9e282acf09f9880",
    };
    static const char *const bad[] = {
        "80",       "bf",       "c0",       "c080",     "c1bf",   "c2",     "c27f",   "c2c0",
        "e08080",   "e09fbf",   "e0a0",     "eda080",   "edbfbf", "e28228", "f08080", "f0808080",
        "f08fbfbf", "f4908080", "f5808080", "f8888080", "fe",     "ff",     "6180",   "f0908028",
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(wire_is_text(unhex(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(wire_is_text(unhex(bad[i])));
}

static void reads_fields(void **state)
{
    struct bytes rest = unhex("08 ac02 1203 616263 1d 01020304 21 0102030405060708 a806 01");
    struct wire_field f;

    (void)state;
    assert_int_equal(wire_next(&rest, &f, NULL), TM_OK);
    assert_int_equal(f.number, 1);
    assert_int_equal(f.integer, 300);
    assert_true(f.short_tag && f.short_integer);
    assert_int_equal(wire_next(&rest, &f, NULL), TM_OK);
    assert_int_equal(f.type, WIRE_LENGTH);
    assert_bytes(f.content, bytes_of("abc"));
    assert_bytes(f.value, unhex("03616263"));
    assert_int_equal(wire_next(&rest, &f, NULL), TM_OK);
    assert_int_equal(f.type, WIRE_FIXED32);
    assert_int_equal(f.value.size, 4);
    assert_int_equal(wire_next(&rest, &f, NULL), TM_OK);
    assert_int_equal(f.type, WIRE_FIXED64);
    assert_int_equal(f.value.size, 8);
    assert_int_equal(wire_next(&rest, &f, NULL), TM_OK);
    assert_int_equal(f.number, 101);
    assert_int_equal(rest.size, 0);
    rest = unhex("888000 818000");
    assert_int_equal(wire_next(&rest, &f, NULL), TM_OK);
    assert_int_equal(f.integer, 1);
    assert_false(f.short_tag || f.short_integer);
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
        cmocka_unit_test(brings_every_kind_of_field_into_form),
        cmocka_unit_test(unpacks_without_unknown_fields),
        cmocka_unit_test(bounds_repeated_elements),
        cmocka_unit_test(names_the_message_that_is_wrong),
        cmocka_unit_test(knows_text),
        cmocka_unit_test(reads_fields),
    };

    return cmocka_run_group_tests(tests, start, end);
}
