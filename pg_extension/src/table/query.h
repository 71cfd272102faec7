/*
 * Reading the tables of schema `ledger` through SPI, always in the snapshot of the calling query.
 * Statements are constants of ours, prepared once per session; values travel as parameters.
 */
#ifndef PG_EXTENSION_QUERY_H
#define PG_EXTENSION_QUERY_H

#include "value/compat.h"

#include "executor/spi.h"
#include "tcop/dest.h"

#include "protocol/base/arena.h"

enum { QUERY_ARGUMENTS_MAX = 6 };

/* Operators by their full names: a search_path must not change what a statement means. */
#define OP_EQ    " OPERATOR(pg_catalog.=) "
#define OP_NE    " OPERATOR(pg_catalog.<>) "
#define OP_LE    " OPERATOR(pg_catalog.<=) "
#define OP_LT    " OPERATOR(pg_catalog.<) "
#define OP_GE    " OPERATOR(pg_catalog.>=) "
#define OP_GT    " OPERATOR(pg_catalog.>) "
#define OP_PLUS  " OPERATOR(pg_catalog.+) "
#define OP_SHIFT " OPERATOR(pg_catalog.>>) "

struct query {
    const char *sql;
    int argument_count;
    Oid arguments[QUERY_ARGUMENTS_MAX];
    SPIPlanPtr plan; /* kept until the session ends */
};

/* Schema `ledger`; raises with a hint where it is not there. */
Oid query_ledger(void);

/* SPI_connect and SPI_finish. Raises with a hint where schema `ledger` is not there. */
void query_begin(void);
void query_end(void);

/* Runs the statement; the rows are in SPI_tuptable, their number in SPI_processed. */
void query_run(struct query *q, const Datum *values);

/* The same with one plan for all values; always call it for this statement, or never. */
void query_run_generic(struct query *q, const Datum *values);

/* The same with one plan, giving each row to `to` instead of keeping it. */
void query_run_into(struct query *q, const Datum *values, DestReceiver *to);

/* The same seeing what this transaction wrote before (a new snapshot): for seal alone. */
void query_run_fresh(struct query *q, const Datum *values);

/* Raises unless column n (from 1) has this type, or a domain over it. */
void query_check_type(TupleDesc desc, int n, Oid type);

/* Column n (from 1) of a row. The declared type, or the base type of its domain, must be `type`. */
Datum query_value(HeapTuple row, int n, Oid type, bool *is_null);

/* Copies in the arena; a NULL gives empty bytes. */
struct bytes query_bytes(HeapTuple row, int n, Oid type, struct arena *a);

/* Raises where the column is NULL. */
int64 query_int64(HeapTuple row, int n);

#endif
