/* From a trusted validator set to a later one, header by header (block.md, field 10). */
#ifndef PROTOCOL_PROOF_FOLLOW_H
#define PROTOCOL_PROOF_FOLLOW_H

#include "bundle.h"

enum {
    FOLLOW_MEMBERS_MAX = 10000, /* members of a set, as many as may sign */
    /* A line holds a block as hexadecimal text, and a set of 200 bytes a member. */
    FOLLOW_LINE_MAX = 1024 * 1024 * 1024
};

/*
 * A validator set out of a line of JSON: {"height": h, "validators": [{"address", "public_key"},
 * …], "hash"}, with the members ascending by address. height (-1 where absent) is the block after
 * which the set is so; a hash must be that of the members. In the arena.
 */
enum tm_err follow_read_set(struct arena *a, struct bytes line, struct validator_set *out,
                            int64_t *height, struct tm_error *e);

/*
 * The set that signs block `height` out of a file of such lines: the only one, or that of height
 * - 1. TM_ERR_NOT_FOUND when there are several and none is it.
 */
enum tm_err follow_find_set(struct arena *a, struct bytes file, uint64_t height,
                            struct validator_set *out, struct tm_error *e);

/* A header out of a line of JSON: {"raw": the block in hexadecimal, "validators": the set after
 * it}, the set only where it is not the one before. */
struct follow_line {
    struct block_header header;
    bool has_next;
    struct validator_set next;
};
enum tm_err follow_read_line(struct arena *a, struct bytes line, struct follow_line *out,
                             struct tm_error *e);

/* How far a client has come. */
struct follow {
    struct arena a;           /* what outlives a line */
    struct validator_set set; /* signs the next block */
    bool begun;
    uint64_t height; /* of the last header */
    struct hash32 state_hash;
    struct bytes network_id;
};

/* Copies the trusted set. Free with follow_free. */
void follow_begin(struct follow *f, const struct validator_set *set);
void follow_free(struct follow *f);

/*
 * Takes the next header: signed by the set, one above the last and linked to it; the set moves on
 * to the one that field 10 names. TM_ERR_MISMATCH says what does not hold. Headers of `reference`
 * do not sign their field 10, so they cannot be followed.
 */
enum tm_err follow_add(struct follow *f, struct arena *scratch, const struct follow_line *line,
                       struct tm_error *e);

/* Is this header the one that comes next? Always, before the first header. */
enum tm_err follow_link(const struct follow *f, const struct block_header *header,
                        struct tm_error *e);

#endif
