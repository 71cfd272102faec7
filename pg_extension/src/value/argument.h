/* SQL values as values of protocol/: detoasted, bounded, checked. Everything raises. */
#ifndef PG_EXTENSION_ARGUMENT_H
#define PG_EXTENSION_ARGUMENT_H

#include "value/compat.h"

#include "protocol/amount/amount.h"
#include "protocol/base/arena.h"
#include "protocol/transaction/transaction.h"

enum {
    /* A key comes out of a transaction or of a genesis file's field, which is kept as short. */
    KEY_BYTES_MAX = TRANSACTION_MAX,
    /* A leaf holds what one transaction carried, hexadecimal text at most doubling it. */
    LEAF_BYTES_MAX = 4 * TRANSACTION_MAX,
    /* Longest text argument: a value that a transaction carried. */
    TEXT_BYTES_MAX = TRANSACTION_MAX,
    /* Names of parameters and flags: the reference's column is VARCHAR(64). */
    NAME_BYTES_MAX = 1024
};

/* The bytes of a bytea, borrowed from the datum or its detoasted copy in the current context. */
struct bytes argument_bytes(Datum value, size_t limit, const char *what);

/* The same for text; the database must be in UTF-8, as leaves are. */
struct bytes argument_text(Datum value, size_t limit, const char *what);

/* Exactly 32 bytes. */
struct hash32 argument_hash(Datum value, const char *what);

/* Canonical decimal text of a numeric that is a whole number. */
struct bytes argument_whole_number(Datum value, const char *what);

/* Elements of a one-dimensional text[] or bytea[] without NULLs. */
struct bytes *argument_text_array(Datum value, size_t limit, const char *what, size_t *count);

/* The elements of a bytea[] as they are: NULLs are marked. */
struct argument_array {
    Datum *values;
    bool *nulls;
    int count;
};
struct argument_array argument_bytea_array(Datum value, size_t limit, const char *what);

/* The n-th argument, or an error naming it where it is NULL. */
Datum argument_present(FunctionCallInfo fcinfo, int n, const char *what);

#endif
