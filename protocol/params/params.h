/* The 109 governance parameters as one table (state.md 5.3, utility.md 8). */
#ifndef PROTOCOL_PARAMS_PARAMS_H
#define PROTOCOL_PARAMS_PARAMS_H

#include "../base/arena.h"
#include "../base/error.h"

enum { PARAMS_COUNT = 109 };

enum param_kind { PARAM_INTEGER, PARAM_AMOUNT, PARAM_ADDRESS };

struct param_info {
    const char *name;
    enum param_kind kind;
    const char *owner;         /* name of the owner parameter */
    const char *default_value; /* the shipped genesis' value as text */
    int minimum, maximum;      /* of integers, under `standard` (rules.md, ChangeParameter) */
};

/* In field order of genesis.Params: index i is field i + 1. */
extern const struct param_info PARAMS[PARAMS_COUNT];

/* Index by name, -1 if there is none. */
int param_index(struct bytes name);

/* The integer the reference reads from a stored value (Go's strconv.Atoi): an optional sign,
 * digits, within 64 bits. False for any other text. */
bool param_read_integer(struct bytes text, int64_t *out);

/*
 * `standard`: is text the canonical form of a value of this kind and within its range (rules.md,
 * ChangeParameter and Genesis)? Text that passes is stored as it is. TM_ERR_RULE, code 87.
 */
enum tm_err param_check(const struct param_info *info, struct bytes text, struct tm_error *e);

#endif
