/* The end of a block (utility.md 3.3, rules.md "End of block"). */
#ifndef PROTOCOL_LEDGER_BLOCK_END_H
#define PROTOCOL_LEDGER_BLOCK_END_H

#include "ledger_parts.h"

/* Rule 1: fees to proposer and DAO. Code 84 for a percentage outside 0..100. */
enum tm_err end_rewards(struct ledger *l, struct tm_error *e);

/* Rule 2: stakes of actors whose time has come go to their output accounts. */
enum tm_err end_unbonding(struct ledger *l, struct tm_error *e);

/* Rule 3: actors paused too long begin to unstake. */
enum tm_err end_long_pauses(struct ledger *l, struct tm_error *e);

/* Actors of a kind that rule 2 finds, newest state as the rules see it, ascending by key. */
enum tm_err find_unbonding(struct ledger *l, enum actor_kind kind, const struct record ***out,
                           size_t *count, struct tm_error *e);

#endif
