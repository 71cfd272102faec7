/*
 * Typed access to the members of a JSON object. Every error names the member by its whole path
 * ("validators[2].paused_height: missing").
 */
#ifndef PROTOCOL_GENESIS_FIELD_H
#define PROTOCOL_GENESIS_FIELD_H

#include "../base/arena.h"
#include "../base/error.h"

#include <jansson.h>

/* An object and how it is reached from the top of the file. */
struct field_object {
    json_t *json;
    const char *list; /* "validators", or "params"; NULL at the top */
    long index;       /* in the list, -1 for a plain member */
    /*
     * true: names are matched exactly, null is no value, unknown members are errors (`standard`).
     * false: as Go's encoding/json does (state.md 5.1): any case, null and absent are the zero
     * value.
     */
    bool strict;
};

/* TM_ERR_CONFIG with "<path>.<name>: <text>". */
enum tm_err field_fail(struct tm_error *e, const struct field_object *o, const char *name,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The member or NULL when absent (or null, where that counts as absent). */
json_t *field_find(const struct field_object *o, const char *name);

/* Strict objects only: an error for the first member whose name is not in the NULL-ended list. */
enum tm_err field_known(const struct field_object *o, const char *const *names, struct tm_error *e);

/* Text, copied. Absent: an error when strict, else empty. */
enum tm_err field_text(struct arena *a, const struct field_object *o, const char *name,
                       struct bytes *out, struct tm_error *e);

/* A hex text as bytes, at most max of them; exact = true: neither more nor fewer. */
enum tm_err field_hex(struct arena *a, const struct field_object *o, const char *name, size_t max,
                      bool exact, struct bytes *out, struct tm_error *e);

/* An integer within the range. Absent: an error when strict, else 0. */
enum tm_err field_integer(const struct field_object *o, const char *name, int64_t minimum,
                          int64_t maximum, int64_t *out, struct tm_error *e);

/* An array; NULL when absent. */
enum tm_err field_array(const struct field_object *o, const char *name, json_t **out,
                        struct tm_error *e);

/* Element i of an array member as an object. */
enum tm_err field_element(const struct field_object *o, const char *name, json_t *array, size_t i,
                          struct field_object *out, struct tm_error *e);

/* A member that is an object. Absent: an error when strict, else an empty one. */
enum tm_err field_member(const struct field_object *o, const char *name, struct field_object *out,
                         struct tm_error *e);

#endif
