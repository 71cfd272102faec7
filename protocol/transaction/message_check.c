/* What `standard` demands of a message before any state is looked at (utility.md 2.3, rules.md). */
#include "transaction.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../base/hex.h"
#include "../params/params.h"
#include "../state/record.h"
#include "service_url.h"

/* Spec's codes (utility.md 9). */
enum {
    CODE_ADDRESS_EMPTY = 20,
    CODE_ADDRESS_LENGTH = 21,
    CODE_UNPACK = 28,
    CODE_PUBLIC_KEY_EMPTY = 31,
    CODE_AMOUNT = 40,
    CODE_PARAMETER_UNKNOWN = 44,
    CODE_CHAIN_EMPTY = 46,
    CODE_NO_CHAINS = 47,
    CODE_CHAIN = 48,
    CODE_NO_OUTPUT = 49,
    CODE_PUBLIC_KEY_LENGTH = 50,
    CODE_AMOUNT_EMPTY = 51,
    CODE_SERVICE_URL = 70,
    CODE_PARAMETER_VALUE = 87,
    CODE_NO_PARAMETER_KEY = 92,
    CODE_NO_PARAMETER_VALUE = 93,
    CODE_AMOUNT_NEGATIVE = 118,
    CODE_ACTOR_TYPE = 130,
    CODE_IBC_FIELD = 144
};

enum { CHAIN_SIZE = 4, IBC_KEY_MAX = 512, INT32_TEXT_MAX = 12, PARAMETER_NAME_SHOWN = 80 };

static enum tm_err check_address(struct bytes address, const char *what, int empty_code,
                                 struct tm_error *e)
{
    if (address.size == 0)
        return tm_refuse(e, empty_code, "the %s address is empty", what);
    if (address.size != sizeof(struct address))
        return tm_refuse(e, CODE_ADDRESS_LENGTH, "the %s address has %zu bytes instead of %zu",
                         what, address.size, sizeof(struct address));
    return TM_OK;
}

static enum tm_err check_public_key(struct bytes key, struct tm_error *e)
{
    if (key.size == 0)
        return tm_refuse(e, CODE_PUBLIC_KEY_EMPTY, "the public key is empty");
    if (key.size != sizeof(struct public_key))
        return tm_refuse(e, CODE_PUBLIC_KEY_LENGTH, "the public key has %zu bytes instead of %zu",
                         key.size, sizeof(struct public_key));
    return TM_OK;
}

static enum tm_err check_amount(struct bytes amount, struct tm_error *e)
{
    if (amount.size == 0)
        return tm_refuse(e, CODE_AMOUNT_EMPTY, "the amount is empty");
    if (amount.data[0] == '-')
        return tm_refuse(e, CODE_AMOUNT_NEGATIVE, "the amount is negative");
    if (!amount_is_standard(amount))
        return tm_refuse(e, CODE_AMOUNT,
                         "the amount is not a plain decimal number of at most %d digits",
                         AMOUNT_STANDARD_DIGITS_MAX);
    return TM_OK;
}

static bool is_printable(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < 0x21 || text.data[i] > 0x7e)
            return false;
    return true;
}

static int compare_chains(const void *x, const void *y)
{
    return memcmp(x, y, CHAIN_SIZE);
}

/* All chains have their four bytes. */
static bool has_repeated_chain(const struct message *m)
{
    char sorted[MESSAGE_CHAINS_MAX][CHAIN_SIZE];

    for (size_t i = 0; i < m->chain_count; i++)
        memcpy(sorted[i], m->chains[i].data, CHAIN_SIZE);
    qsort(sorted, m->chain_count, CHAIN_SIZE, compare_chains);
    for (size_t i = 1; i < m->chain_count; i++)
        if (memcmp(sorted[i - 1], sorted[i], CHAIN_SIZE) == 0)
            return true;
    return false;
}

static enum tm_err check_chains(const struct message *m, struct tm_error *e)
{
    if (m->actor_type == ACTOR_VAL)
        return TM_OK;
    if (m->chain_count == 0)
        return tm_refuse(e, CODE_NO_CHAINS, "the list of relay chains is empty");
    if (m->chain_count > MESSAGE_CHAINS_MAX)
        return tm_refuse(e, CODE_CHAIN, "more than %d relay chains", MESSAGE_CHAINS_MAX);
    for (size_t i = 0; i < m->chain_count; i++) {
        if (m->chains[i].size == 0)
            return tm_refuse(e, CODE_CHAIN_EMPTY, "relay chain %zu is empty", i + 1);
        if (m->chains[i].size != CHAIN_SIZE || !is_printable(m->chains[i]))
            return tm_refuse(e, CODE_CHAIN, "relay chain %zu is not %d printable characters", i + 1,
                             CHAIN_SIZE);
    }
    if (m->chain_count > 1 && has_repeated_chain(m))
        return tm_refuse(e, CODE_CHAIN, "a relay chain is listed twice");
    return TM_OK;
}

static enum tm_err check_service_url(const struct message *m, struct tm_error *e)
{
    if (m->actor_type == ACTOR_APP)
        return TM_OK;
    if (m->service_url.size > SERVICE_URL_MAX)
        return tm_refuse(e, CODE_SERVICE_URL, "the service URL has %zu bytes, at most %d may be",
                         m->service_url.size, SERVICE_URL_MAX);
    if (!service_url_is_valid(m->service_url))
        return tm_refuse(e, CODE_SERVICE_URL,
                         "the service URL is not http(s)://host:port with a dot in the host");
    return TM_OK;
}

static enum tm_err check_staker(const struct message *m, struct tm_error *e)
{
    enum tm_err err;

    if (m->actor_type < ACTOR_APP || m->actor_type > ACTOR_VAL)
        return tm_refuse(e, CODE_ACTOR_TYPE, "%" PRId32 " is no actor type", m->actor_type);
    err = check_amount(m->amount, e);
    if (err == TM_OK)
        err = check_chains(m, e);
    if (err == TM_OK)
        err = check_service_url(m, e);
    return err;
}

static enum tm_err check_send(const struct message *m, struct tm_error *e)
{
    enum tm_err err = check_address(m->from, "sender's", CODE_ADDRESS_EMPTY, e);

    if (err == TM_OK)
        err = check_address(m->to, "recipient's", CODE_ADDRESS_EMPTY, e);
    return err == TM_OK ? check_amount(m->amount, e) : err;
}

static enum tm_err check_stake(const struct message *m, struct tm_error *e)
{
    enum tm_err err = check_public_key(m->public_key, e);

    if (err == TM_OK)
        err = check_address(m->output, "output", CODE_NO_OUTPUT, e);
    return err == TM_OK ? check_staker(m, e) : err;
}

/* The value as text of the parameter's kind: integers from an Int32Value or text, amounts from
 * text, addresses from text or 20 bytes (rules.md, ChangeParameter). */
static enum tm_err check_parameter_value(const struct message *m, const struct param_info *info,
                                         struct tm_error *e)
{
    char text[2 * sizeof(struct address)];
    int size;

    switch (m->wrapper) {
    case WRAPPER_STRING:
        return param_check(info, m->text_value, e);
    case WRAPPER_INT32:
        if (info->kind != PARAM_INTEGER)
            break;
        size = snprintf(text, INT32_TEXT_MAX, "%" PRId32, m->int32_value);
        return param_check(info, bytes_make(text, (size_t)size), e);
    case WRAPPER_BYTES:
        if (info->kind != PARAM_ADDRESS || m->text_value.size != sizeof(struct address))
            break;
        hex_encode(m->text_value, text);
        return param_check(info, bytes_make(text, sizeof text), e);
    case WRAPPER_NONE:
    case WRAPPER_OTHER:
        break;
    }
    return tm_refuse(e, CODE_PARAMETER_VALUE, "the value's type does not suit the parameter %s",
                     info->name);
}

/* Names the parameter only when that is safe to print. */
static enum tm_err refuse_parameter(struct bytes key, struct tm_error *e)
{
    if (key.size > PARAMETER_NAME_SHOWN || !is_printable(key))
        return tm_refuse(e, CODE_PARAMETER_UNKNOWN, "there is no parameter of this name");
    return tm_refuse(e, CODE_PARAMETER_UNKNOWN, "there is no parameter %.*s", (int)key.size,
                     (const char *)key.data);
}

static enum tm_err check_change_parameter(const struct message *m, struct tm_error *e)
{
    enum tm_err err;
    int index;

    if (m->parameter_key.size == 0)
        return tm_refuse(e, CODE_NO_PARAMETER_KEY, "the parameter's name is empty");
    if (!m->has_parameter_value)
        return tm_refuse(e, CODE_NO_PARAMETER_VALUE, "the parameter's value is absent");
    err = check_address(m->owner, "owner's", CODE_ADDRESS_EMPTY, e);
    if (err != TM_OK)
        return err;
    index = param_index(m->parameter_key);
    if (index < 0)
        return refuse_parameter(m->parameter_key, e);
    if (m->wrapper != WRAPPER_OTHER && !m->wrapper_decodes)
        return tm_refuse(e, CODE_UNPACK, "the parameter's value cannot be unpacked");
    return check_parameter_value(m, &PARAMS[index], e);
}

static enum tm_err check_ibc_key(const struct message *m, struct tm_error *e)
{
    if (m->key.size == 0 || m->key.size > IBC_KEY_MAX)
        return tm_refuse(e, CODE_IBC_FIELD, "the key has %zu bytes, not 1 to %d", m->key.size,
                         IBC_KEY_MAX);
    return TM_OK;
}

static enum tm_err check_update_ibc_store(const struct message *m, struct tm_error *e)
{
    enum tm_err err = check_ibc_key(m, e);

    if (err == TM_OK && m->value.size == 0)
        return tm_refuse(e, CODE_IBC_FIELD, "the value is empty");
    return err;
}

enum tm_err message_check(const struct message *m, struct tm_error *e)
{
    enum tm_err err;

    switch (m->kind) {
    case MESSAGE_SEND:
        return check_send(m, e);
    case MESSAGE_STAKE:
        return check_stake(m, e);
    case MESSAGE_EDIT_STAKE:
        err = check_address(m->address, "actor's", CODE_ADDRESS_EMPTY, e);
        return err == TM_OK ? check_staker(m, e) : err;
    case MESSAGE_UNSTAKE:
    case MESSAGE_UNPAUSE:
        return check_address(m->address, "actor's", CODE_ADDRESS_EMPTY, e);
    case MESSAGE_CHANGE_PARAMETER:
        return check_change_parameter(m, e);
    case MESSAGE_UPDATE_IBC_STORE:
        return check_update_ibc_store(m, e);
    case MESSAGE_PRUNE_IBC_STORE:
        return check_ibc_key(m, e);
    case MESSAGE_KINDS:
        break;
    }
    abort();
}
