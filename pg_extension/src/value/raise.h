/* Errors of protocol/ as errors of the server. */
#ifndef PG_EXTENSION_RAISE_H
#define PG_EXTENSION_RAISE_H

#include "value/compat.h"

#include "protocol/base/error.h"

/* SQLSTATE of a transaction that a rule of the protocol refuses: `CODE: n, ERROR: …`. */
#define ERRCODE_TIDEMARK_REFUSED MAKE_SQLSTATE('T', 'M', '0', '0', '1')

/* Raises what `e` says. */
void raise_failure(const struct tm_error *e) pg_attribute_noreturn();

#endif
