/* Merkle proofs of state.md 2.4: made from a version, checked with nothing but SHA-256. */
#ifndef PROTOCOL_SMT_PROOF_H
#define PROTOCOL_SMT_PROOF_H

#include "smt.h"

struct smt_proof {
    uint16_t side_count;  /* 0 … 256 */
    struct hash32 *sides; /* deepest first; zero digests included */
    bool has_other_leaf;  /* NonMembershipLeafData: another leaf sits there */
    struct smt_leaf other_leaf;
};

/* Proof for a path, in membership or absence. TM_ERR_AGAIN when pages are missing. */
enum tm_err smt_prove(const struct smt_version *v, const struct hash32 *path, struct arena *a,
                      struct smt_proof *out);

/* True iff the proof shows that `path` holds value_hash (membership) under `root`. */
bool smt_verify_member(const struct smt_proof *p, const struct hash32 *root,
                       const struct hash32 *path, const struct hash32 *value_hash);

/* True iff the proof shows that `path` holds nothing under `root`. */
bool smt_verify_absent(const struct smt_proof *p, const struct hash32 *root,
                       const struct hash32 *path);

#endif
