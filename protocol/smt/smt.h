/*
 * The sparse Merkle tree of state.md 2 as a partial, persistent binary trie.
 *
 * The root is a pure function of the set of (path, value hash). Runs of one-sided inner nodes are
 * hashed, never stored. Nodes are immutable: an update copies the nodes on its paths, so any number
 * of versions (proposals) share one tree; commit frees what the new version replaced, drop frees
 * what it made. What lies under a *stub* (a digest at a depth that is a multiple of SMT_PAGE_BITS)
 * is not in memory: smt_want names the pages an update needs, the caller fetches them, smt_install
 * checks them against the stub's digest. No I/O, no clock, no globals; one owner, one thread.
 */
#ifndef PROTOCOL_SMT_SMT_H
#define PROTOCOL_SMT_SMT_H

#include "../base/arena.h"
#include "../base/error.h"

enum {
    SMT_PAGE_BITS = 6,
    SMT_STORED_LEVELS = 10, /* rows exist at depths 6, 12, … 60 (storage.md) */
    SMT_DEPTH = 256
};

struct smt_leaf {
    struct hash32 path, value_hash;
};

/* A change to one leaf; lists of them are sorted by path, each path once. */
struct smt_change {
    struct hash32 path, value_hash;
    bool present; /* false: the leaf goes; removing a missing leaf changes nothing */
};

/* A page: the part of the tree from `depth` (0, 6, … 60) downwards whose paths start with `prefix`
 * (the first `depth` bits, right-aligned). */
struct smt_page_id {
    uint8_t depth;
    uint64_t prefix;
};

/* A row of ledger.tree_node: the digest at depth 6k of a subtree with two leaves or more. */
struct smt_node_row {
    uint8_t depth;
    uint64_t prefix;
    struct hash32 digest;
};

/* A change to such a row: present false = no such row any more. */
struct smt_node_change {
    struct smt_node_row row;
    bool present;
};

struct smt;         /* the owner of all nodes of one tree */
struct smt_version; /* one root over them */

/* An empty tree; the root of smt_base is 32 zero bytes. Free with smt_free (frees all versions). */
struct smt *smt_new(void);
void smt_free(struct smt *t);

/* Makes the (empty) base the tree with this root, nothing loaded. Zero root = empty tree. */
void smt_open(struct smt *t, const struct hash32 *root);

/* Makes the base the tree of these leaves, sorted by path, each once: TM_ERR_MALFORMED otherwise.
 */
enum tm_err smt_build(struct smt *t, const struct smt_leaf *leaves, size_t count,
                      struct tm_error *e);

/* The committed version; owned by the tree, valid until the next commit. */
struct smt_version *smt_base(struct smt *t);

struct hash32 smt_root(const struct smt_version *v);

/*
 * Pages that must be installed before the paths can be updated or proven in v, at most `room` of
 * them, each once; 0 = none. Call again after installing: a page can uncover further ones.
 */
size_t smt_want(const struct smt_version *v, const struct hash32 *paths, size_t count,
                struct smt_page_id *out, size_t room);

/*
 * Gives the content of a page: the stored rows at depth + 6 below it and the leaves that no such
 * row covers (for a page at depth 60: all leaves below). TM_ERR_MISMATCH when it does not hash to
 * the stub's digest: the rows are not what the tree says. Visible in every version that has the
 * stub. Installing a page that is already there changes nothing.
 */
enum tm_err smt_install(struct smt *t, struct smt_page_id page, const struct smt_node_row *rows,
                        size_t row_count, const struct smt_leaf *leaves, size_t leaf_count,
                        struct tm_error *e);

/*
 * A new version = v with the changes (sorted by path, each once), all digests computed. v stays.
 * TM_ERR_AGAIN if a page is missing (smt_want says which); then nothing was made.
 */
enum tm_err smt_update(struct smt_version *v, const struct smt_change *changes, size_t count,
                       struct smt_version **out, struct tm_error *e);

/* Rows of depths 6, 12, … 60 that differ between `v` and the version it was made from, ascending by
 * (depth, prefix), in the arena. A pure function of the two leaf sets. */
size_t smt_node_changes(const struct smt_version *v, struct arena *a, struct smt_node_change **out);

/* Makes v the base; what only the old base used is freed, other versions made from the old base are
 * dropped. v must have been made from the base. */
void smt_commit(struct smt_version *v);

/* Frees a version that will not be committed (and versions made from it). */
void smt_drop(struct smt_version *v);

/* The leaf's value hash in v. TM_ERR_NOT_FOUND, TM_ERR_AGAIN. */
enum tm_err smt_get(const struct smt_version *v, const struct hash32 *path, struct hash32 *out);

/* Bytes of the nodes and versions in use; what is freed is used again before more is taken.
 * smt_evict does something only above `limit` and while no proposal is alive (proposals share
 * nearly all of the base): it turns committed subtrees back into stubs, the recently made ones
 * last, until the limit is reached or nothing is left to evict. Each call goes on where the one
 * before stopped, so called after every block it takes time for what the block added, not for all
 * of the tree. Returns the bytes in use afterwards. */
size_t smt_memory(const struct smt *t);
size_t smt_evict(struct smt *t, size_t limit);

/* Root over leaves sorted by path (each once), without building a tree. digests: scratch of `count`
 * hashes. */
enum tm_err smt_root_of_sorted(const struct smt_leaf *leaves, size_t count, struct hash32 *scratch,
                               struct hash32 *out, struct tm_error *e);

/* Puts each leaf's own digest, which does not depend on where in the tree it stands, in the place
 * of its value hash. */
void smt_hash_leaves(struct smt_leaf *leaves, size_t count);

/* A subtree with one leaf or more: its digest stands at `depth`, or anywhere where a single leaf is
 * all there is (SMT_DEPTH). */
struct smt_subtree {
    struct hash32 path, digest; /* path: of some leaf in it */
    uint16_t depth;
};

/* The subtree of leaves hashed by smt_hash_leaves, sorted by path, each once (TM_ERR_MALFORMED), at
 * least one, which all share the first `depth` bits (at most 56) of their paths. */
enum tm_err smt_subtree_of_hashed(const struct smt_leaf *const *leaves, size_t count,
                                  unsigned depth, struct smt_subtree *out, struct tm_error *e);

/* The root over subtrees at the same depth, sorted by path: the end of smt_root_of_sorted where its
 * parts were hashed apart from each other. */
enum tm_err smt_root_of_subtrees(const struct smt_subtree *subtrees, size_t count,
                                 struct hash32 *out, struct tm_error *e);

#endif
