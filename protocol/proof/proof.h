/*
 * Proofs that keys of one tree hold these values, or nothing, under its root (state.md 2). One key
 * or many: the digests that several keys share stand in a proof once. No I/O, no tree needed.
 *
 * A proof names neither tree nor height: the root says both. It proves what its items say under
 * `root`, and nothing more: who checks one compares the root with a trusted one, and reads the
 * items.
 */
#ifndef PROTOCOL_PROOF_PROOF_H
#define PROTOCOL_PROOF_PROOF_H

#include "../smt/proof.h"
#include "../transaction/transaction.h"

enum {
    PROOF_VERSION = 1,
    PROOF_KEY_MAX = TRANSACTION_MAX,       /* a key came in a transaction or in a genesis file */
    PROOF_VALUE_MAX = 4 * TRANSACTION_MAX, /* a leaf is such a value, hexadecimal at most doubling
                                              its parts */
    PROOF_ITEMS_MAX = 65536,               /* keys of one proof: some 60 MB in a tree of 10^9 */
    PROOF_BYTES_MAX = 64 * 1024 * 1024,    /* an encoded proof; hashing all of it takes seconds */
    PROOF_SIDES_MAX = 1024 * 1024          /* digests of all single proofs that one is taken into */
};

struct proof_item {
    struct bytes key; /* as given to the tree: for params and flags the SHA3-256 of the name */
    bool present;
    struct bytes value; /* the leaf's bytes, where present */
    struct hash32 path; /* SHA-256 of the key */
};

struct proof {
    struct proof_item *items; /* ascending by path, each once, at least one */
    size_t item_count;
    struct bytes steps; /* the walk over the tree, two bits a step, first one on top */
    size_t step_count;
    struct bytes digests; /* 32 bytes each, in the order of the walk */
    struct hash32 root;   /* where all of it leads */
};

/*
 * Puts single proofs of one root together: paths[i] proves items[i], whose path need not be set.
 * Items may come in any order; of several with the same key one is kept. Borrows keys and values.
 * TM_ERR_MISMATCH when the proofs contradict each other; TM_ERR_USAGE without items.
 */
enum tm_err proof_make(struct arena *a, const struct proof_item *items,
                       const struct smt_proof *paths, size_t count, struct proof *out,
                       struct tm_error *e);

/* The proof's one encoding. */
struct bytes proof_encode(struct arena *a, const struct proof *p);

/*
 * Borrows keys, values and digests from raw. Whatever is decoded has a root and is its own
 * re-encoding; TM_ERR_MALFORMED and TM_ERR_LIMIT say what is wrong with anything else. The encoding
 * ends with a checksum, so a proof that was damaged on its way is told from one that was forged.
 */
enum tm_err proof_decode(struct arena *a, struct bytes raw, struct proof *out, struct tm_error *e);

/* True iff every item is so under the root. */
bool proof_verify(const struct proof *p, const struct hash32 *root);

/* The item with this key, or NULL. */
const struct proof_item *proof_find(const struct proof *p, struct bytes key);

/*
 * The single proof of every item (state.md 2.4), in the arena; `out` has room for item_count of
 * them. TM_ERR_LIMIT when they have more than PROOF_SIDES_MAX digests together.
 */
enum tm_err proof_expand(struct arena *a, const struct proof *p, struct smt_proof *out,
                         struct tm_error *e);

/* A JSON object: root, and for each item key, value (null: absent) and its single proof; bytes as
 * hexadecimal text. Errors of proof_expand. */
enum tm_err proof_json(struct arena *a, const struct proof *p, char **out, struct tm_error *e);

/*
 * The reference's ICS-23 form of a proof of one key that is present: CommitmentProof{exist}, with
 * prehash_value SHA256 (state.md 1.6 and 2.4, D17). TM_ERR_USAGE for other proofs.
 */
enum tm_err proof_ics23(struct arena *a, const struct proof *p, struct bytes *out,
                        struct tm_error *e);

#endif
