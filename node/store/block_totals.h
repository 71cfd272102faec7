/*
 * Sums over what one block changed, from which the reports are made (ledger.block_total and its
 * companions). Derived: no hash covers them, and report.check() makes them anew from the rows.
 */
#ifndef NODE_STORE_BLOCK_TOTALS_H
#define NODE_STORE_BLOCK_TOTALS_H

#include "protocol/ledger/ledger.h"
#include "protocol/state/pool.h"

/* Net effect on the actors of one kind. */
struct stake_total {
    int64_t staked;    /* there now, not before */
    int64_t edited;    /* stake, chains or URL changed */
    int64_t unstaking; /* began to unstake */
    int64_t returned;  /* stake given back */
    /* Stake of those; of edited ones the difference. */
    struct amount staked_upokt, edited_upokt, unstaking_upokt, returned_upokt;
};

struct message_total {
    int64_t transactions, failed;
    struct amount fees;
};

/* Servicers that can be drawn for a relay chain since this block, and those that cannot any more.
 */
struct chain_total {
    struct bytes chain;
    int64_t joined, gone;
};

/* A balance that changed; no text: there was, or is, no account. */
struct balance_move {
    struct bytes address;
    struct amount before, after;
};

struct block_totals {
    int64_t accounts;                   /* how many more there are */
    struct amount account;              /* difference of the sum of their balances */
    struct amount pools[POOL_LAST + 1]; /* of each pool's balance; [0]: of pools without a name */
    struct amount fees, reward;         /* shared out at the end, the proposer's part of it */
    struct stake_total stakes[ACTOR_VAL + 1];     /* by enum actor_kind */
    struct message_total messages[MESSAGE_KINDS]; /* by enum message_kind */
    struct chain_total *chains;                   /* ascending by chain */
    size_t chain_count;
    struct balance_move *moves; /* every changed account */
    size_t move_count;
};

/* Zero everywhere. */
void block_totals_init(struct block_totals *t);

/* Counts a transaction that is in the block. */
void block_totals_add(struct block_totals *t, struct arena *a, const struct transaction *tx,
                      const struct ledger_result *result);

/*
 * Adds the net writes (sorted, as ledger_writes gives them) and the sums of the block's end, NULL
 * for genesis. Balances before are copied: the writes' own need not outlive the call.
 */
void block_totals_finish(struct block_totals *t, struct arena *a, const struct ledger_write *writes,
                         size_t count, const struct ledger_end_sums *end);

#endif
