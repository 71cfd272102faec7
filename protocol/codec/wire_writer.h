/*
 * Writes protobuf fields straight into a buffer, without generated code and without a message in
 * between: leaves are encoded once for each changed row.
 */
#ifndef PROTOCOL_CODEC_WIRE_WRITER_H
#define PROTOCOL_CODEC_WIRE_WRITER_H

#include "../base/arena.h"

/* Appends a base-128 varint. */
void wire_varint(struct buffer *out, uint64_t n);

/* A varint field, omitted when 0; a negative int64 takes ten bytes (state.md 1.1). */
void wire_int64(struct buffer *out, unsigned field, int64_t n);

/* A length-delimited field; wire_text omits an empty one, wire_element never does. */
void wire_text(struct buffer *out, unsigned field, struct bytes text);
void wire_element(struct buffer *out, unsigned field, struct bytes text);

/* The lower-case hex text of raw, omitted when empty. */
void wire_hex(struct buffer *out, unsigned field, struct bytes raw);

#endif
