/*
 * A proof that needs no database and trusts nothing but a validator set (block.md, "Light proof"):
 * signed header + certificate + validator set -> the ten tree roots -> the proof's root.
 */
#ifndef PROTOCOL_PROOF_BUNDLE_H
#define PROTOCOL_PROOF_BUNDLE_H

#include "../block/block.h"
#include "proof.h"

enum {
    BUNDLE_VERSION = 1,
    /* Under `reference` a certificate holds all transactions of its block: they are what is
     * signed. */
    BUNDLE_BYTES_MAX = BLOCK_MAX
};

struct proof_bundle {
    enum tree_id tree;
    struct block_header header; /* field 6 holds the certificate */
    struct proof proof;
};

struct bytes bundle_encode(struct arena *a, enum tree_id tree, const struct block_header *header,
                           const struct proof *proof);

/* Borrows from raw. TM_ERR_MALFORMED and TM_ERR_LIMIT say what is wrong; nothing is verified yet.
 */
enum tm_err bundle_decode(struct arena *a, struct bytes raw, struct proof_bundle *out,
                          struct tm_error *e);

/*
 * Is this the header of a block that the set decided? Its tree roots lead to its state hash, its
 * certificate is of it and signed by the set, whose hash is in field 9. The rule set follows from
 * what the validators signed, never from what else the sender says; *rules may be NULL.
 * TM_ERR_MISMATCH says what does not hold.
 */
enum tm_err bundle_check_header(struct arena *a, const struct block_header *header,
                                const struct validator_set *set, const struct rules **rules,
                                struct tm_error *e);

/* bundle_check_header, and the proof leads to the header's root of the tree. */
enum tm_err bundle_verify(struct arena *a, const struct proof_bundle *b,
                          const struct validator_set *set, struct tm_error *e);

#endif
