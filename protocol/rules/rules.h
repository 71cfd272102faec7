/*
 * The two rule sets of a network as data: one bool per repaired defect, read where the behaviour
 * differs and nowhere else (rules.md). true = the `standard` behaviour.
 */
#ifndef PROTOCOL_RULES_RULES_H
#define PROTOCOL_RULES_RULES_H

#include "../base/bytes.h"
#include "../ed25519/ed25519.h"

struct rules {
    const char *name; /* "standard" or "reference", as in the genesis file */
    enum ed25519_rule signatures;
    bool reads_own_writes;           /* D24, U3: a handler sees the block's own writes */
    bool failed_handler_rolls_back;  /* utility 2.4: nothing but the fee of a failed transaction
                                        stays */
    bool message_checks;             /* D33, U1 */
    bool edit_stake;                 /* U2 */
    bool self_send_keeps_amount;     /* U4 */
    bool own_stake_pools;            /* D23, U5 */
    bool short_pool_addresses;       /* D22, U6: 20-byte pool keys everywhere */
    bool unbonded_actors_leave;      /* U7 */
    bool long_pause_unstakes_once;   /* U8 */
    bool chains_survive_updates;     /* D10, U9 */
    bool restake_same_block_refused; /* D26 */
    bool ibc_prune_removes;          /* D15 */
    bool canonical_stake_text;       /* U11 */
    bool parameter_values_checked;   /* U12 */
    bool canonical_transactions;     /* D14, U15: non-canonical bytes and duplicates refused */
    bool block_size_limited;         /* D32, U16 */
    bool signed_header;              /* block.md: all header fields filled and signed */
    bool validator_set_filtered;     /* staked, unpaused, not unstaking only */
    bool session_filters_candidates; /* D9, D12, D13 */
    bool standard_amounts;           /* (0|[1-9][0-9]*) and < 10^78; never negative */
    bool float_proposer_share;       /* true under `reference`: Go's big.Float (utility 3.5) */
};

extern const struct rules RULES_STANDARD;
extern const struct rules RULES_REFERENCE;

/* NULL for another name. */
const struct rules *rules_by_name(struct bytes name);

/* `standard`: a canonical transaction may be this long (rules.md, includable). */
enum { STANDARD_TRANSACTION_MAX = 65536, STANDARD_NONCE_MAX = 128 };

#endif
