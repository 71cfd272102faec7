/* From the words of `tidemark tx` to a message: pure, no key and no database. */
#ifndef NODE_CLI_TX_MESSAGE_H
#define NODE_CLI_TX_MESSAGE_H

#include "protocol/transaction/transaction.h"

enum { TX_WORDS_MAX = 6 };

/* Options that shape a message; NULL: not given. */
struct tx_choices {
    const char *signer; /* address whose key signs, where another than the usual may */
    const char *output; /* stake: where rewards and the returned stake go */
};

/* What is to be signed, and by whom. */
struct tx_plan {
    struct message message;
    struct address signer;
    struct address actor;  /* the actor of the four staking messages */
    bool needs_public_key; /* stake: message.public_key is still empty, it is the actor's */
};

/*
 * words: "send FROM TO AMOUNT", "stake app FROM AMOUNT CHAINS", … as the help of `tidemark tx`
 * lists them. TM_ERR_USAGE says what is off. The result lives in the arena.
 */
enum tm_err tx_plan(struct arena *a, const char *const *words, size_t count,
                    const struct tx_choices *choices, struct tx_plan *out, struct tm_error *e);

#endif
