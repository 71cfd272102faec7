#include "verify_walk.h"

#include <inttypes.h>
#include <stdio.h>

bool verify_walk_same_chain(const struct verify_chain *chain, const struct genesis *g,
                            struct tm_error *e)
{
    char limit[24];

    snprintf(limit, sizeof limit, "%" PRIu64, g->max_block_bytes);
    if (bytes_equal(chain->chain_id, g->chain_id) &&
        bytes_equal(chain->max_block_bytes, bytes_of(limit)) &&
        chain->genesis_seconds == g->seconds && chain->genesis_nanos == g->nanos &&
        chain->block_interval_msec == (int32_t)g->block_interval_msec &&
        chain->empty_block_interval_msec == (int32_t)g->empty_block_interval_msec)
        return true;
    tm_fail(e, TM_ERR_MISMATCH, "ledger.chain differs from the genesis file kept in it");
    return false;
}

enum tm_err verify_walk_genesis(struct verify_source *source, struct arena *a,
                                struct verify_chain *chain, struct genesis *g, struct tm_error *e)
{
    const struct rules *rules;
    enum tm_err err = verify_source_chain(source, chain, e);

    if (err != TM_OK)
        return err;
    rules = rules_by_name(chain->rules);
    if (rules == NULL)
        return tm_fail(e, TM_ERR_MISMATCH, "ledger.chain.rules is \"%.*s\"", (int)chain->rules.size,
                       (const char *)chain->rules.data);
    return genesis_load(a, chain->genesis_file, rules, g, e);
}

enum tm_err verify_walk_resume(struct verify_source *source, struct verifier *v, height_t height,
                               size_t *findings, struct tm_error *e)
{
    struct verify_resume state;
    struct arena a;
    enum tm_err err;

    *findings = 0;
    arena_init(&a);
    err = verify_source_state(source, &a, height, &state, e);
    if (err == TM_OK)
        *findings = verifier_resume(v, &state);
    arena_free(&a);
    return err;
}

enum tm_err verify_walk_one(struct verify_source *source, struct verifier *v, height_t height,
                            size_t *findings, struct tm_error *e)
{
    struct verify_height rows;
    struct arena a;
    enum tm_err err = TM_OK;

    *findings = 0;
    if (height > 0)
        err = verify_walk_resume(source, v, height - 1, findings, e);
    if (err != TM_OK || *findings > 0)
        return err;
    arena_init(&a);
    err = verify_source_begin(source, height, height, e);
    if (err == TM_OK)
        err = verify_source_next(source, &a, height, &rows, e);
    if (err == TM_OK)
        *findings = verifier_step(v, &rows);
    arena_free(&a);
    return err;
}
