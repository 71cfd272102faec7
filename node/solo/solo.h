/*
 * Solo mode: one process holds the keys of more than two thirds of the validators and makes the
 * chain alone. Decides only: events in, one action out; keys, clock and database are the shell's.
 *
 * Each block goes BUILD (or EXECUTE a stored body) -> PERSIST -> DECIDE; nothing is signed that was
 * not persisted before (network.md 2.3).
 */
#ifndef NODE_SOLO_SOLO_H
#define NODE_SOLO_SOLO_H

#include "node/consensus/guard.h"

enum { SOLO_RETRY_MSEC = 1000, SOLO_KEYS_MAX = 1024 };

struct solo_config {
    uint32_t interval_msec;       /* from one commit to the next block */
    uint32_t empty_interval_msec; /* the same while no transaction waits */
    bool accept_older;            /* go on where the database is older than what was signed */
};

enum solo_event_kind {
    SOLO_STARTED,      /* tip, set, place_changed, has_stored */
    SOLO_TIMER,        /* pool_empty */
    SOLO_TRANSACTIONS, /* the pool got its first transaction */
    SOLO_EXECUTED,     /* header_hash of what was built or executed */
    SOLO_INVALID,      /* what was to be built or executed cannot be; text */
    SOLO_PERSISTED,
    SOLO_COMMITTED,  /* tip, set */
    SOLO_UNAVAILABLE /* the last action could not be done now; try again later */
};

struct solo_event {
    enum solo_event_kind kind;
    uint64_t tip;
    const struct validator_set *set; /* after the tip; borrowed until the next event with a set */
    bool place_changed;              /* guard and database are of different places */
    bool taken_back;                 /* the block the guard signed last was decided, then undone */
    bool pool_empty;
    struct hash32 header_hash;
    const char *text;
};

enum solo_action_kind {
    SOLO_WAIT,      /* for the next event */
    SOLO_SET_TIMER, /* msec */
    SOLO_BUILD,     /* a proposal for (height, round) by proposer */
    SOLO_EXECUTE,   /* the stored body of (height, header_hash) */
    SOLO_PERSIST,   /* records of the keys that sign, and the body of header_hash */
    SOLO_DECIDE,    /* sign with those keys and commit header_hash */
    SOLO_WRITE,     /* try again to write the decided block */
    SOLO_STOP       /* text says why */
};

struct solo_action {
    enum solo_action_kind kind;
    uint32_t msec;
    uint64_t height, round;
    struct bytes proposer;
    struct hash32 header_hash;
    char text[TM_ERROR_TEXT_MAX];
};

enum solo_phase {
    SOLO_RESTING, /* until the interval is over */
    SOLO_BUILDING,
    SOLO_REPEATING, /* executing the stored body */
    SOLO_PERSISTING,
    SOLO_DECIDING,
    SOLO_STOPPED
};

struct solo_key {
    struct guard_record guard; /* its address in it */
    bool signs;                /* in the current PERSIST or DECIDE */
};

struct solo {
    struct solo_config config;
    struct solo_key *keys; /* the caller's */
    size_t key_count;
    const struct validator_set *set;
    enum solo_phase phase;
    bool retrying; /* the timer repeats the last action */
    bool rested;   /* the interval is over, the empty one is not */
    struct solo_action last;
    uint64_t height, round;
    struct hash32 header_hash;
};

/* keys: address and last guard of each, ascending by address, for the life of the decider. */
void solo_init(struct solo *s, const struct solo_config *config, struct solo_key *keys,
               size_t key_count);

/* The one step. After SOLO_PERSIST the keys' `guard` are the records to persist, where `signs`. */
struct solo_action solo_step(struct solo *s, const struct solo_event *event);

#endif
