/*
 * Decoding and encoding of protobuf messages on top of protobuf-c, with the reference's rules where
 * that library has others (state.md 1.1): duplicates merge, unknown fields are kept, text is UTF-8,
 * and every message has one canonical encoding.
 */
#ifndef PROTOCOL_CODEC_CODEC_H
#define PROTOCOL_CODEC_CODEC_H

#include <protobuf-c/protobuf-c.h>

#include "../base/arena.h"
#include "../base/error.h"

enum { CODEC_MAP_MAX = 1024 }; /* entries of a map; the protocol's one map has ten */

/* A well-formed message in canonical form. */
struct canonical {
    const ProtobufCMessageDescriptor *type;
    struct bytes encoded; /* the bytes given when they were canonical, else in the arena */
    bool was_canonical;
    bool has_unknown; /* unknown fields, in the message or below it */
};

/*
 * Checks raw against the type, messages below it included, and brings it into canonical form:
 * known fields ascending in shortest form, defaults omitted, map entries sorted, then unknown
 * fields in order of arrival. TM_ERR_MALFORMED names message and field; TM_ERR_LIMIT when one
 * message has more than repeats_max repeated elements.
 */
enum tm_err codec_canonicalise(struct arena *a, const ProtobufCMessageDescriptor *type,
                               struct bytes raw, size_t repeats_max, struct canonical *out,
                               struct tm_error *e);

/* The message as protobuf-c's structure, in the arena; unknown fields are left out. */
const void *codec_unpack(struct arena *a, const struct canonical *c);

/* Canonical bytes of a structure without unknown fields. */
struct bytes codec_pack(struct arena *a, const void *message);

static inline ProtobufCBinaryData codec_data(struct bytes b)
{
    return (ProtobufCBinaryData){b.size, (uint8_t *)b.data};
}

static inline struct bytes codec_bytes(ProtobufCBinaryData d)
{
    return bytes_make(d.data, d.len);
}

#endif
