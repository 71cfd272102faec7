#include "params.h"

#include "../amount/amount.h"

#define INTEGER(name, default_value, minimum, maximum)                                             \
    {                                                                                              \
        name, PARAM_INTEGER, name "_owner", default_value, minimum, maximum                        \
    }
#define POSITIVE(name, default_value) INTEGER(name, default_value, 1, INT32_MAX)
#define COUNT(name, default_value)    INTEGER(name, default_value, 0, INT32_MAX)
#define PERCENT(name, default_value)  INTEGER(name, default_value, 0, 100)
/* The four whose owner is not "<name>_owner" (state.md 5.3). */
#define MAX_PAUSE(actor)                                                                           \
    {                                                                                              \
        actor "_max_pause_blocks", PARAM_INTEGER, actor "_max_paused_blocks_owner", "672", 1,      \
            INT32_MAX                                                                              \
    }
#define AMOUNT(name, default_value)                                                                \
    {                                                                                              \
        name, PARAM_AMOUNT, name "_owner", default_value, 0, 0                                     \
    }
#define FEE(name) AMOUNT(name, "10000")
#define OWNER(name)                                                                                \
    {                                                                                              \
        name, PARAM_ADDRESS, "acl_owner", "da034209758b78eaea06dd99c07909ab54c99b45", 0, 0         \
    }

const struct param_info PARAMS[PARAMS_COUNT] = {
    POSITIVE("blocks_per_session", "1"),
    AMOUNT("app_minimum_stake", "15000000000"),
    POSITIVE("app_max_chains", "15"),
    COUNT("app_session_tokens_multiplier", "100"),
    POSITIVE("app_unstaking_blocks", "2016"),
    COUNT("app_minimum_pause_blocks", "4"),
    MAX_PAUSE("app"),
    AMOUNT("servicer_minimum_stake", "15000000000"),
    POSITIVE("servicer_max_chains", "15"),
    POSITIVE("servicer_unstaking_blocks", "2016"),
    COUNT("servicer_minimum_pause_blocks", "4"),
    MAX_PAUSE("servicer"),
    COUNT("servicers_per_session", "24"),
    AMOUNT("fisherman_minimum_stake", "15000000000"),
    POSITIVE("fisherman_max_chains", "15"),
    POSITIVE("fisherman_unstaking_blocks", "2016"),
    COUNT("fisherman_minimum_pause_blocks", "4"),
    MAX_PAUSE("fisherman"),
    COUNT("fisherman_per_session", "1"),
    AMOUNT("validator_minimum_stake", "15000000000"),
    POSITIVE("validator_unstaking_blocks", "2016"),
    COUNT("validator_minimum_pause_blocks", "4"),
    MAX_PAUSE("validator"),
    POSITIVE("validator_maximum_missed_blocks", "5"),
    POSITIVE("validator_max_evidence_age_in_blocks", "8"),
    PERCENT("proposer_percentage_of_fees", "10"),
    PERCENT("missed_blocks_burn_percentage", "1"),
    PERCENT("double_sign_burn_percentage", "5"),
    FEE("message_double_sign_fee"),
    FEE("message_send_fee"),
    FEE("message_stake_fisherman_fee"),
    FEE("message_edit_stake_fisherman_fee"),
    FEE("message_unstake_fisherman_fee"),
    FEE("message_pause_fisherman_fee"),
    FEE("message_unpause_fisherman_fee"),
    FEE("message_fisherman_pause_servicer_fee"),
    FEE("message_test_score_fee"),
    FEE("message_prove_test_score_fee"),
    FEE("message_stake_app_fee"),
    FEE("message_edit_stake_app_fee"),
    FEE("message_unstake_app_fee"),
    FEE("message_pause_app_fee"),
    FEE("message_unpause_app_fee"),
    FEE("message_stake_validator_fee"),
    FEE("message_edit_stake_validator_fee"),
    FEE("message_unstake_validator_fee"),
    FEE("message_pause_validator_fee"),
    FEE("message_unpause_validator_fee"),
    FEE("message_stake_servicer_fee"),
    FEE("message_edit_stake_servicer_fee"),
    FEE("message_unstake_servicer_fee"),
    FEE("message_pause_servicer_fee"),
    FEE("message_unpause_servicer_fee"),
    FEE("message_change_parameter_fee"),
    OWNER("acl_owner"),
    OWNER("blocks_per_session_owner"),
    OWNER("app_minimum_stake_owner"),
    OWNER("app_max_chains_owner"),
    OWNER("app_session_tokens_multiplier_owner"),
    OWNER("app_unstaking_blocks_owner"),
    OWNER("app_minimum_pause_blocks_owner"),
    OWNER("app_max_paused_blocks_owner"),
    OWNER("servicer_minimum_stake_owner"),
    OWNER("servicer_max_chains_owner"),
    OWNER("servicer_unstaking_blocks_owner"),
    OWNER("servicer_minimum_pause_blocks_owner"),
    OWNER("servicer_max_paused_blocks_owner"),
    OWNER("servicers_per_session_owner"),
    OWNER("fisherman_minimum_stake_owner"),
    OWNER("fisherman_max_chains_owner"),
    OWNER("fisherman_unstaking_blocks_owner"),
    OWNER("fisherman_minimum_pause_blocks_owner"),
    OWNER("fisherman_max_paused_blocks_owner"),
    OWNER("fisherman_per_session_owner"),
    OWNER("validator_minimum_stake_owner"),
    OWNER("validator_unstaking_blocks_owner"),
    OWNER("validator_minimum_pause_blocks_owner"),
    OWNER("validator_max_paused_blocks_owner"),
    OWNER("validator_maximum_missed_blocks_owner"),
    OWNER("validator_max_evidence_age_in_blocks_owner"),
    OWNER("proposer_percentage_of_fees_owner"),
    OWNER("missed_blocks_burn_percentage_owner"),
    OWNER("double_sign_burn_percentage_owner"),
    OWNER("message_double_sign_fee_owner"),
    OWNER("message_send_fee_owner"),
    OWNER("message_stake_fisherman_fee_owner"),
    OWNER("message_edit_stake_fisherman_fee_owner"),
    OWNER("message_unstake_fisherman_fee_owner"),
    OWNER("message_pause_fisherman_fee_owner"),
    OWNER("message_unpause_fisherman_fee_owner"),
    OWNER("message_fisherman_pause_servicer_fee_owner"),
    OWNER("message_test_score_fee_owner"),
    OWNER("message_prove_test_score_fee_owner"),
    OWNER("message_stake_app_fee_owner"),
    OWNER("message_edit_stake_app_fee_owner"),
    OWNER("message_unstake_app_fee_owner"),
    OWNER("message_pause_app_fee_owner"),
    OWNER("message_unpause_app_fee_owner"),
    OWNER("message_stake_validator_fee_owner"),
    OWNER("message_edit_stake_validator_fee_owner"),
    OWNER("message_unstake_validator_fee_owner"),
    OWNER("message_pause_validator_fee_owner"),
    OWNER("message_unpause_validator_fee_owner"),
    OWNER("message_stake_servicer_fee_owner"),
    OWNER("message_edit_stake_servicer_fee_owner"),
    OWNER("message_unstake_servicer_fee_owner"),
    OWNER("message_pause_servicer_fee_owner"),
    OWNER("message_unpause_servicer_fee_owner"),
    OWNER("message_change_parameter_fee_owner"),
};

/* Indexes into PARAMS in byte order of the names. */
static const uint8_t BY_NAME[PARAMS_COUNT] = {
    54, 2,  57, 6,  61,  5,  60,  1,  56,  3,  58, 4,  59,  0,  55,  27, 82,  14, 69, 17, 72, 16,
    71, 13, 68, 18, 73,  15, 70,  53, 108, 28, 83, 39, 94,  31, 86,  49, 104, 44, 99, 35, 90, 41,
    96, 33, 88, 51, 106, 46, 101, 37, 92,  29, 84, 38, 93,  30, 85,  48, 103, 43, 98, 36, 91, 42,
    97, 34, 89, 52, 107, 47, 102, 40, 95,  32, 87, 50, 105, 45, 100, 26, 81,  25, 80, 8,  63, 11,
    66, 10, 65, 7,  62,  9,  64,  12, 67,  24, 79, 22, 77,  23, 78,  21, 76,  19, 74, 20, 75,
};

int param_index(struct bytes name)
{
    size_t low = 0, high = PARAMS_COUNT;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int c = bytes_compare(name, bytes_of(PARAMS[BY_NAME[middle]].name));

        if (c == 0)
            return BY_NAME[middle];
        if (c < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}

bool param_read_integer(struct bytes text, int64_t *out)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    size_t i = text.size > 0 && (negative || text.data[0] == '+') ? 1 : 0;
    uint64_t limit = negative ? UINT64_C(1) << 63 : INT64_MAX, n = 0;

    if (i == text.size)
        return false;
    for (; i < text.size; i++) {
        unsigned digit = (unsigned)text.data[i] - '0';

        if (digit > 9 || n > (limit - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - n) : (int64_t)n;
    return true;
}

/* `(0|[1-9][0-9]*)` up to 2^31 - 1. */
static bool read_standard_integer(struct bytes text, int *out)
{
    int64_t n = 0;

    if (text.size == 0 || text.size > 10 || (text.size > 1 && text.data[0] == '0'))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        n = n * 10 + (text.data[i] - '0');
    }
    if (n > INT32_MAX)
        return false;
    *out = (int)n;
    return true;
}

static bool is_address_text(struct bytes text)
{
    if (text.size != 2 * sizeof(struct address))
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (!(text.data[i] >= '0' && text.data[i] <= '9') &&
            !(text.data[i] >= 'a' && text.data[i] <= 'f'))
            return false;
    return true;
}

enum tm_err param_check(const struct param_info *info, struct bytes text, struct tm_error *e)
{
    int n;

    switch (info->kind) {
    case PARAM_INTEGER:
        if (!read_standard_integer(text, &n) || n < info->minimum || n > info->maximum)
            return tm_refuse(e, 87, "invalid parameter value: %s is an integer from %d to %d",
                             info->name, info->minimum, info->maximum);
        return TM_OK;
    case PARAM_AMOUNT:
        if (!amount_is_standard(text))
            return tm_refuse(e, 87,
                             "invalid parameter value: %s is an amount: decimal digits without "
                             "leading zeros, below 10^78",
                             info->name);
        return TM_OK;
    case PARAM_ADDRESS:
        if (!is_address_text(text))
            return tm_refuse(e, 87,
                             "invalid parameter value: %s is an address: 40 lower-case hex digits",
                             info->name);
        return TM_OK;
    }
    return tm_refuse(e, 87, "invalid parameter value: %s", info->name);
}
