/*
 * What a key has signed, so that it never signs two different things for one (height, round, step)
 * (network.md 2.3). Pure: where records are kept is the shell's business.
 */
#ifndef NODE_CONSENSUS_GUARD_H
#define NODE_CONSENSUS_GUARD_H

#include "protocol/base/error.h"
#include "protocol/certificate/certificate.h"

enum { GUARD_CHAIN_ID_MAX = NETWORK_ID_MAX };

/* The last thing one key was allowed to sign. */
struct guard_record {
    struct address address;
    uint64_t height, round;
    enum hotstuff_step step; /* STEP_UNKNOWN: nothing yet */
    struct hash32 header_hash;
    uint64_t sequence;      /* grows with every record */
    uint64_t highest_round; /* of all it ever signed, at any height */
    /* Heights up to past_height may have been signed in rounds up to past_round: set where the
     * operator accepted a database older than the guard. */
    uint64_t past_height, past_round;
};

/* The database a record was made beside. */
struct guard_place {
    char chain_id[GUARD_CHAIN_ID_MAX + 1];
    uint64_t system_identifier;
    uint32_t timeline;
};

/* <0, 0, >0 by (height, round, step). */
int guard_compare(const struct guard_record *x, const struct guard_record *y);

/*
 * True iff a key with this record may sign (height, round, step) over header_hash: greater than all
 * it signed, or exactly what it signed last.
 */
bool guard_may_sign(const struct guard_record *last, uint64_t height, uint64_t round,
                    enum hotstuff_step step, const struct hash32 *header_hash);

/* The least round in which the record lets `height` be signed anew. */
uint64_t guard_next_round(const struct guard_record *last, uint64_t height);

/* The record of file and database that counts: the greater one, with what either knows of the past.
 * Either may be NULL. */
struct guard_record guard_merge(const struct guard_record *file, const struct guard_record *row);

/* The record after the operator accepted a database whose tip is `tip`: no height that the key may
 * have signed is signed in an old round again. */
struct guard_record guard_accept_older(const struct guard_record *last, uint64_t tip);

#endif
