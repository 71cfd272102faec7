/*
 * Checks a stored chain from its raw rows, one height after the other, against block headers and
 * certificates: every versioned row, tree node, transaction and block. It keeps the state in
 * memory, executes each block again and compares; nothing the database computed is believed. A pure
 * decider: the shell hands in the rows of each height, findings come back as sentences.
 */
#ifndef NODE_VERIFY_VERIFY_H
#define NODE_VERIFY_VERIFY_H

#include "findings.h"
#include "protocol/block/block.h"
#include "protocol/genesis/genesis.h"
#include "protocol/ledger/ledger.h"
#include "protocol/smt/smt.h"

/* A version that begins at this height. */
struct verify_birth {
    struct record record;      /* valid_from is this height */
    struct bytes row_key;      /* primary key as stored: ibc: the path; else record.key */
    struct bytes stake_number; /* actors: the numeric column as text; record has the hashed text */
};

/* A version that ended at this height: its row in history. */
struct verify_end {
    struct verify_birth row; /* record.valid_from is the height it began at */
    int class;
};

struct verify_node_birth {
    enum tree_id tree;
    struct smt_node_row row;
};

struct verify_node_end {
    enum tree_id tree;
    struct smt_node_row row; /* digest as stored in history */
    height_t valid_from;
    int class;
};

struct verify_transaction {
    int32_t index, result_code;
    struct bytes hash, tx, error, signer, recipient, message_type; /* recipient NULL: empty */
    bool pruned; /* it has a value_hash, which only rows without bytes may have */
};

struct verify_touch {
    enum tree_id tree;
    struct bytes row_key;
    int32_t step;
};

/* All rows of one height. Order within a list does not matter. */
struct verify_height {
    height_t height;
    bool has_block;
    struct block_header header; /* of the typed columns of ledger.block */
    int64_t block_time_usec;    /* its timestamptz as microseconds since 1970 */
    int64_t round, transactions;
    bool has_header_hash;
    struct hash32 header_hash;
    struct verify_birth *births;
    size_t birth_count;
    struct verify_end *ends;
    size_t end_count;
    struct verify_node_birth *node_births;
    size_t node_birth_count;
    struct verify_node_end *node_ends;
    size_t node_end_count;
    struct verify_transaction *transaction_rows;
    size_t transaction_count;
    struct verify_touch *touches;
    size_t touch_count;
};

struct verifier;

/* genesis: loaded from the file kept with the chain; borrowed until verifier_free. */
struct verifier *verifier_new(const struct genesis *genesis, verify_report *report, void *ctx);
void verifier_free(struct verifier *v);

/* The stored state as of a height, to begin with another height than 0. */
struct verify_resume {
    struct block_header header;   /* of that height */
    const struct record *records; /* every live version but transactions */
    size_t record_count;
    const struct smt_leaf
        *transactions; /* leaves of the transactions tree, any order, repeats allowed */
    size_t transaction_count;
    const struct verify_node_end *nodes; /* live tree nodes; class is not looked at */
    size_t node_count;
};

/* Takes the state over after checking that its ten roots are those of the header, and that its tree
 * nodes are those of the trees. Returns the number of findings, as verifier_step does. */
size_t verifier_resume(struct verifier *v, struct verify_resume *from);

/*
 * Checks the next height, from 0 (or the one after verifier_resume) without a gap. Returns the
 * number of findings; after a height with findings the state is not known any more and the verifier
 * must not go on.
 */
size_t verifier_step(struct verifier *v, const struct verify_height *rows);

/*
 * Checks what is left of the next pruned height, from 0 without a gap: its header alone, which must
 * be made of its own roots and name the one before. Transactions, sets and certificate are not
 * looked at. Before verifier_resume, which it does not replace; returns the number of findings.
 */
size_t verifier_link(struct verifier *v, const struct verify_height *rows);

/* What was checked so far, for the closing line. */
struct verify_totals {
    uint64_t blocks, transactions, versions, nodes;
};
struct verify_totals verifier_totals(const struct verifier *v);

/* State hash of the last checked height. */
struct hash32 verifier_state_hash(const struct verifier *v);

/* Lifetime class of a version that lived `heights` (storage.md): c with 8^c <= n < 8^(c+1), at
 * most 5. */
int lifetime_class(height_t heights);

#endif
