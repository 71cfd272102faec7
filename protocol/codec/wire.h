/*
 * Protobuf's wire format read field by field, as the reference's decoder does: integers and tags
 * may be over-long, up to ten bytes, and a group is a field of no known type.
 */
#ifndef PROTOCOL_CODEC_WIRE_H
#define PROTOCOL_CODEC_WIRE_H

#include "../base/bytes.h"
#include "../base/error.h"

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_LENGTH = 2,
    WIRE_GROUP = 3,
    WIRE_GROUP_END = 4,
    WIRE_FIXED32 = 5
};

enum {
    WIRE_FIELD_MAX = (1 << 29) - 1,   /* protobuf's greatest field number */
    WIRE_GROUP_FIELD_MAX = INT32_MAX, /* the reference's bound within a group */
    WIRE_GROUP_DEPTH_MAX = 10001,     /* groups in groups that its decoder follows */
    WIRE_VARINT_SIZE_MAX = 10
};

struct wire_field {
    uint32_t number;
    enum wire_type type;
    bool short_tag;       /* the tag is in its shortest form */
    bool short_integer;   /* so is the integer of WIRE_VARINT or the length of WIRE_LENGTH */
    uint64_t integer;     /* of WIRE_VARINT */
    struct bytes content; /* of WIRE_LENGTH: what follows the length */
    struct bytes value;   /* all that follows the tag, length or the group's end included */
};

/*
 * Takes one field off the front of *rest, which must not be empty. Borrows from *rest.
 * TM_ERR_MALFORMED says what is wrong with it.
 */
enum tm_err wire_next(struct bytes *rest, struct wire_field *out, struct tm_error *e);

/* Go's utf8.Valid: shortest form, no surrogates, up to U+10FFFF. U+0000 is text. */
bool wire_is_text(struct bytes b);

#endif
