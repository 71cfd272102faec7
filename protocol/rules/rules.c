#include "rules.h"

const struct rules RULES_STANDARD = {
    .name = "standard",
    .signatures = ED25519_STRICT,
    .reads_own_writes = true,
    .failed_handler_rolls_back = true,
    .message_checks = true,
    .edit_stake = true,
    .self_send_keeps_amount = true,
    .own_stake_pools = true,
    .short_pool_addresses = true,
    .unbonded_actors_leave = true,
    .long_pause_unstakes_once = true,
    .chains_survive_updates = true,
    .restake_same_block_refused = true,
    .ibc_prune_removes = true,
    .canonical_stake_text = true,
    .parameter_values_checked = true,
    .canonical_transactions = true,
    .block_size_limited = true,
    .signed_header = true,
    .validator_set_filtered = true,
    .session_filters_candidates = true,
    .standard_amounts = true,
    .float_proposer_share = false,
};

const struct rules RULES_REFERENCE = {
    .name = "reference",
    .signatures = ED25519_REFERENCE,
    .float_proposer_share = true,
};

const struct rules *rules_by_name(struct bytes name)
{
    if (bytes_equal(name, bytes_of(RULES_STANDARD.name)))
        return &RULES_STANDARD;
    if (bytes_equal(name, bytes_of(RULES_REFERENCE.name)))
        return &RULES_REFERENCE;
    return NULL;
}
