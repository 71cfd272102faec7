/* Lower-case hexadecimal text of bytes. */
#ifndef PROTOCOL_BASE_HEX_H
#define PROTOCOL_BASE_HEX_H

#include "arena.h"

/* Writes 2 * in.size characters, no NUL. */
void hex_encode(struct bytes in, char *out);

/* The same as NUL-terminated text in the arena. */
char *hex_text(struct arena *a, struct bytes in);

/* Reads text.size / 2 bytes, either case; false for an odd length or another character. */
bool hex_decode(struct bytes text, uint8_t *out);

#endif
