/* Decoding of the Any inside a transaction to one of the eight messages (utility.md 1.1, 2.2). */
#ifndef PROTOCOL_TRANSACTION_MESSAGE_H
#define PROTOCOL_TRANSACTION_MESSAGE_H

#include "transaction.h"

/* False for an empty URL, an unknown type, bytes that are no such message, and more than
 * MESSAGE_CHAINS_MAX chains. Any prefix of the URL is accepted. */
bool message_decode(struct arena *a, struct bytes type_url, struct bytes raw, struct message *out);

/* "type.googleapis.com/" + full name, in the arena. */
struct bytes message_type_url(struct arena *a, enum message_kind kind);

#endif
