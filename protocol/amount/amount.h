/*
 * Amounts of upokt: unbounded signed integers, kept as decimal text because text is what is hashed.
 * A canonical amount is "0" or an optional '-' and digits without leading zero.
 */
#ifndef PROTOCOL_AMOUNT_AMOUNT_H
#define PROTOCOL_AMOUNT_AMOUNT_H

#include "../base/arena.h"
#include "../base/error.h"

/* Longest text accepted anywhere; a numeric of PostgreSQL holds it. */
enum { AMOUNT_DIGITS_MAX = 100000 };
/* `standard`: amounts are below 10^78 (rules.md). */
enum { AMOUNT_STANDARD_DIGITS_MAX = 78 };

/* Canonical text in memory of the arena it came from; always well-formed. */
struct amount {
    struct bytes text;
};

extern const struct amount AMOUNT_ZERO;

/*
 * Go's base-10 rule (utility.md 3.5): optional sign, leading zeros, nothing else; the result is
 * canonical. TM_ERR_MALFORMED for any other text, TM_ERR_LIMIT over AMOUNT_DIGITS_MAX.
 */
enum tm_err amount_parse(struct arena *a, struct bytes text, struct amount *out);

/* True iff text is `(0|[1-9][0-9]*)` and below 10^78, the one form of `standard`. */
bool amount_is_standard(struct bytes text);

/* An amount over canonical text that the caller vouches for (a database row, a literal). */
struct amount amount_of_canonical(struct bytes text);
struct amount amount_of_int(struct arena *a, int64_t n);

struct amount amount_add(struct arena *a, struct amount x, struct amount y);
struct amount amount_subtract(struct arena *a, struct amount x, struct amount y);
int amount_compare(struct amount x, struct amount y);
bool amount_is_negative(struct amount x);

/* floor(x * percent / 100) in integers (rules.md, written balances); x >= 0, 0 <= percent <= 100.
 */
struct amount amount_percent(struct arena *a, struct amount x, int percent);

/*
 * The reference's proposer share: binary floats of max(64, bit length of x) bits, both steps
 * rounded to nearest even, then truncated toward zero (utility.md 3.5). Any sign of x.
 */
struct amount amount_percent_float(struct arena *a, struct amount x, int percent);

#endif
