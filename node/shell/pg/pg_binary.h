/* PostgreSQL's binary format: parameters, arrays and numerics going out, columns coming in. */
#ifndef NODE_SHELL_PG_PG_BINARY_H
#define NODE_SHELL_PG_PG_BINARY_H

#include <libpq-fe.h>

#include "protocol/base/arena.h"
#include "protocol/base/error.h"

/* OIDs of pg_type.dat; they never change. */
enum pg_type {
    PG_BOOL = 16,
    PG_BYTEA = 17,
    PG_INT8 = 20,
    PG_INT2 = 21,
    PG_INT4 = 23,
    PG_TEXT = 25,
    PG_NUMERIC = 1700
};

/* As pg_catalog names it. */
const char *pg_type_name(enum pg_type type);

enum { PG_PARAMS_MAX = 20 };

/* Parameters of one statement, all binary; what they point to lives in the arena. */
struct pg_params {
    struct arena *arena;
    int count;
    const char *values[PG_PARAMS_MAX];
    int lengths[PG_PARAMS_MAX];
    int formats[PG_PARAMS_MAX];
};

void pg_params_init(struct pg_params *p, struct arena *a);
void pg_param_null(struct pg_params *p);
void pg_param_bytes(struct pg_params *p, struct bytes b); /* bytea or text; borrowed */
void pg_param_int64(struct pg_params *p, int64_t n);
void pg_param_int32(struct pg_params *p, int32_t n);
void pg_param_int16(struct pg_params *p, int16_t n);
/* Text form, for types whose binary form is not worth the code (numeric, timestamptz). */
void pg_param_text(struct pg_params *p, const char *text);

/* A one-dimensional array that grows element by element. */
struct pg_array {
    struct buffer buffer;
    int32_t count;
    bool has_null;
};

void pg_array_begin(struct pg_array *array, struct arena *a, enum pg_type element_type);
void pg_array_null(struct pg_array *array);
void pg_array_bytes(struct pg_array *array, struct bytes b);
void pg_array_bool(struct pg_array *array, bool v);
void pg_array_int64(struct pg_array *array, int64_t n);
void pg_array_int32(struct pg_array *array, int32_t n);
void pg_array_int16(struct pg_array *array, int16_t n);
/* Canonical decimal text of any length. */
void pg_array_numeric(struct pg_array *array, struct bytes decimal);
/* Ends the array and adds it as a parameter. */
void pg_param_array(struct pg_params *p, struct pg_array *array);

/* Columns of a binary result; borrowed from it. Type and null-ness are the statement's promise. */
bool pg_is_null(const PGresult *r, int row, int column);
struct bytes pg_get_bytes(const PGresult *r, int row, int column);
int64_t pg_get_int64(const PGresult *r, int row, int column);
int32_t pg_get_int32(const PGresult *r, int row, int column);
int16_t pg_get_int16(const PGresult *r, int row, int column);
bool pg_get_bool(const PGresult *r, int row, int column);
/* A digest column; TM_ERR_MISMATCH unless it has 32 bytes. */
enum tm_err pg_get_hash(const PGresult *r, int row, int column, struct hash32 *out,
                        struct tm_error *e);
/* Canonical decimal text of a numeric without fraction, in the arena; TM_ERR_MISMATCH otherwise. */
enum tm_err pg_get_numeric(struct arena *a, const PGresult *r, int row, int column,
                           struct bytes *out, struct tm_error *e);
/* Elements of an array of bytea or text without nulls, in the arena. */
enum tm_err pg_get_bytes_array(struct arena *a, const PGresult *r, int row, int column,
                               struct bytes **out, size_t *count, struct tm_error *e);

#endif
