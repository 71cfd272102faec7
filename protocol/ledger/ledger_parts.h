/* Inside of the ledger: what its files share. */
#ifndef PROTOCOL_LEDGER_LEDGER_PARTS_H
#define PROTOCOL_LEDGER_LEDGER_PARTS_H

#include "ledger.h"
#include "write_layer.h"
#include "../state/pool.h"

struct ledger {
    struct arena *arena;
    const struct rules *rules;
    const struct ledger_view *view;
    height_t height;
    struct bytes proposer;
    struct write_layer layer;
    int32_t transactions; /* included so far */
    struct ledger_end_sums end;
    bool validators_known;
    size_t committed_validators;       /* active ones before the block */
    const struct ledger_write *writes; /* after ledger_writes */
    size_t write_count;
    bool sorted;
};

/* --- reading: state_access.c --------------------------------------------------------------------
 * What a handler sees: the block's own writes where the rules let it, else the state before. */
enum tm_err state_read(struct ledger *l, enum tree_id tree, struct bytes key,
                       const struct record **out, struct tm_error *e);

/* Balance of an account (TREE_ACCOUNT) or pool; absent = "0". */
enum tm_err balance_read(struct ledger *l, enum tree_id tree, struct bytes key, struct amount *out,
                         struct tm_error *e);

/* Parameters by name; code 44 (40 for an amount) when the stored text is not of the kind. */
enum tm_err param_text(struct ledger *l, const char *name, struct bytes *out, struct tm_error *e);
enum tm_err param_integer(struct ledger *l, const char *name, int64_t *out, struct tm_error *e);
enum tm_err param_amount(struct ledger *l, const char *name, struct amount *out,
                         struct tm_error *e);
/* "<word of the kind><suffix>", e.g. "validator" "_minimum_stake". */
enum tm_err actor_param_integer(struct ledger *l, enum actor_kind kind, const char *suffix,
                                int64_t *out, struct tm_error *e);
enum tm_err actor_param_amount(struct ledger *l, enum actor_kind kind, const char *suffix,
                               struct amount *out, struct tm_error *e);

/* The amount of a message; code 40. */
enum tm_err message_amount(struct ledger *l, const struct message *m, struct amount *out,
                           struct tm_error *e);

/* Actor type of a message as a kind; code 130 unless 1 to 4. */
enum tm_err kind_of_message(const struct message *m, enum actor_kind *out, struct tm_error *e);

/* Active validators, the block's own writes included. */
enum tm_err active_validators(struct ledger *l, size_t *out, struct tm_error *e);

/* Height arithmetic wraps as the reference's does; parameters are unchecked there. */
height_t height_add(height_t h, int64_t blocks);

/* --- writing: state_access.c ------------------------------------------------------------------ */
enum tm_err balance_set(struct ledger *l, enum tree_id tree, struct bytes key, struct amount n,
                        struct tm_error *e);
/* Relative to the value in the write layer, under either rule set (state.md 8.1). */
enum tm_err balance_add(struct ledger *l, enum tree_id tree, struct bytes key, struct amount n,
                        struct tm_error *e);
enum tm_err balance_subtract(struct ledger *l, enum tree_id tree, struct bytes key, struct amount n,
                             struct tm_error *e);

/* Code 42 for an address longer than an account's key may be. */
enum tm_err check_account_key(struct bytes address, struct tm_error *e);

/* A copy of an actor as the version of this block, for one change; without its chains where the
 * rules lose them (state.md 4.3). `from` is the newest version, the block's own writes included. */
struct record *actor_successor(struct ledger *l, const struct record *from);
enum tm_err value_put(struct ledger *l, enum tree_id tree, struct bytes key, struct bytes value,
                      struct tm_error *e);

/* --- before the handler: includable.c ----------------------------------------------------------
 * Signer among the candidates, fee affordable; *fee and *rest (balance after it) on TM_OK. */
enum tm_err check_includable(struct ledger *l, const struct transaction *tx, struct amount *fee,
                             struct amount *rest, struct tm_error *e);

/* --- handlers.c, stake_handlers.c: TM_ERR_RULE = the handler's code ------------------------------
 */
enum tm_err handle_message(struct ledger *l, const struct transaction *tx, struct tm_error *e);
enum tm_err handle_stake(struct ledger *l, const struct transaction *tx, struct tm_error *e);
enum tm_err handle_edit_stake(struct ledger *l, const struct transaction *tx, struct tm_error *e);
enum tm_err handle_unstake(struct ledger *l, const struct transaction *tx, struct tm_error *e);
enum tm_err handle_unpause(struct ledger *l, const struct transaction *tx, struct tm_error *e);

#endif
