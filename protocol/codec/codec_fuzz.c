/* The canonical form is a fixed point, and protobuf-c writes it byte for byte. */
#include "codec.h"

#include <stdlib.h>

#include "../../tests/fuzz/driver.h"
#include "protocol/proto/block.pb-c.h"
#include "protocol/proto/transaction.pb-c.h"

enum { REPEATS_MAX = 64 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

static const ProtobufCMessageDescriptor *const TYPES[] = {
    &pocket__transaction__descriptor,
    &pocket__indexed_transaction__descriptor,
    &pocket__message_send__descriptor,
    &pocket__message_stake__descriptor,
    &pocket__message_edit_stake__descriptor,
    &pocket__message_unstake__descriptor,
    &pocket__message_change_parameter__descriptor,
    &pocket__update_ibcstore__descriptor,
    &pocket__block__descriptor,
    &pocket__block_header__descriptor,
    &pocket__validator_set__descriptor,
    &pocket__quorum_certificate__descriptor,
};

enum { TYPE_COUNT = sizeof TYPES / sizeof TYPES[0] };

/* The first byte chooses the type. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ProtobufCMessageDescriptor *type;
    struct canonical c, again;
    struct bytes raw, packed;
    struct tm_error e = {TM_OK, 0, ""};
    struct arena a;

    if (size == 0)
        return 0;
    type = TYPES[data[0] % TYPE_COUNT];
    raw = bytes_make(data + 1, size - 1);
    arena_init(&a);
    if (codec_canonicalise(&a, type, raw, REPEATS_MAX, &c, &e) == TM_OK) {
        require(c.was_canonical == bytes_equal(c.encoded, raw));
        require(codec_canonicalise(&a, type, c.encoded, REPEATS_MAX, &again, NULL) == TM_OK);
        require(again.was_canonical && again.has_unknown == c.has_unknown);
        packed = codec_pack(&a, codec_unpack(&a, &c));
        if (!c.has_unknown)
            require(bytes_equal(packed, c.encoded));
        require(codec_canonicalise(&a, type, packed, REPEATS_MAX, &again, NULL) == TM_OK);
        require(again.was_canonical && !again.has_unknown);
    } else {
        require(e.err == TM_ERR_MALFORMED || e.err == TM_ERR_LIMIT);
        require(e.text[0] != '\0');
    }
    arena_free(&a);
    return 0;
}

#define SEED(text)                                                                                 \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

size_t fuzz_seeds(const struct fuzz_seed **out)
{
    static const struct fuzz_seed seeds[] = {
        SEED("\x00\x0a\x06\x0a\x01u\x12\x01m\x12\x01n\x1a\x06\x0a\x01k\x12\x01s"),
        SEED("\x01\x0a\x01t\x10\x05\x18\x01\x20\x29\x2a\x01"
             "e\x32\x01s\x3a\x01r\x42\x01m"),
        SEED("\x02\x0a\x01"
             "f\x12\x01t\x1a\x01"
             "1\x0a\x01g\x28\x01"),
        SEED("\x03\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x1a\x00\x1a\x01"
             "a\x22\x01"
             "1\x3a\x00"),
        SEED("\x04\x1a\x01"
             "b\x08\x02\x32\x00\x1a\x01"
             "a"),
        SEED("\x05\x08\x04\x12\x01"
             "a\x1a\x01s"),
        SEED("\x06\x0a\x01s\x12\x01o\x1a\x01p\x22\x06\x0a\x01u\x12\x01v"),
        SEED("\x07\x12\x01k\x1a\x01v"),
        SEED("\x08\x0a\x02\x08\x01\x12\x01t\x12\x00\x0a\x03\x12\x01x"),
        SEED("\x09\x08\x01\x3a\x04\x08\x01\x10\x02\x42\x06\x0a\x01"
             "b\x12\x01"
             "1\x42\x06\x0a\x01"
             "a\x12\x01"
             "2\x42\x04\x12\x00\x0a\x00\x5a\x01h"),
        SEED("\x0a\x0a\x06\x0a\x01"
             "a\x12\x01k\x0a\x00"),
        SEED("\x0b\x08\x01\x10\x02\x18\x04\x22\x04\x0a\x02\x08\x01\x2a\x08\x0a\x06\x0a\x01s\x12\x01"
             "a"),
    };

    *out = seeds;
    return sizeof seeds / sizeof seeds[0];
}
