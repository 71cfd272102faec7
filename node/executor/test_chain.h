/* Chains for tests: files of the repository, LocalNet's validators, certificates signed by them. */
#ifndef NODE_EXECUTOR_TEST_CHAIN_H
#define NODE_EXECUTOR_TEST_CHAIN_H

#include "executor.h"
#include "node/store/store_memory.h"

enum { TEST_VALIDATORS = 4 };

/* A whole file in the arena; ends the process when it cannot be read. */
struct bytes test_file(struct arena *a, const char *path);

/* The published private keys of LocalNet's validators, ascending by address. */
void test_validators(struct private_key keys[TEST_VALIDATORS]);

/* A memory store with the genesis file under a rule set (NULL: as the file says). */
struct store_memory *test_store(const char *genesis_path, const struct rules *rules);

/* A commit certificate for the proposal, signed by the first `signers` keys. */
struct bytes test_certificate(struct arena *a, const struct executor_proposal *p, uint64_t round,
                              const struct private_key *keys, size_t signers);

/* Address of the proposer of (height, round). */
struct bytes test_proposer(const struct executor *x, uint64_t round);

/* Decodes `count` transactions into the arena as candidates (an array of as many) and prepares a
 * proposal of round 0 with them, at `second` of the proposer's clock. */
enum tm_err test_propose(struct executor *x, struct arena *a, int64_t second,
                         const struct bytes *raw, size_t count,
                         struct executor_candidate *candidates,
                         const struct executor_proposal **out, struct tm_error *e);

#endif
