/* Genesis files: loading, checking, and the state they make (state.md 5, rules.md "Genesis"). */
#ifndef PROTOCOL_GENESIS_GENESIS_H
#define PROTOCOL_GENESIS_GENESIS_H

#include "../base/error.h"
#include "../rules/rules.h"
#include "../state/record.h"

enum { GENESIS_FILE_MAX = 256 * 1024 * 1024 };

struct genesis {
    struct bytes chain_id;
    int64_t seconds; /* genesis_time */
    int32_t nanos;
    uint64_t max_block_bytes;
    uint32_t block_interval_msec, empty_block_interval_msec;
    const struct rules *rules;
    struct record *records; /* the state after block 0, each (tree, key) once, in file order */
    size_t record_count;
};

/*
 * Reads the JSON text. `flag` is the rule set asked for on the command line or NULL; no flag and no
 * "rules" key = `standard`; a flag that contradicts the key is an error. Every error names the
 * field
 * ("accounts[3].amount: …"). TM_ERR_CONFIG.
 */
enum tm_err genesis_load(struct arena *a, struct bytes json, const struct rules *flag,
                         struct genesis *out, struct tm_error *e);

#endif
