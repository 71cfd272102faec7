#include "ledger_parts.h"

#include "../base/hex.h"

static enum tm_err handle_send(struct ledger *l, const struct message *m, struct tm_error *e)
{
    struct amount amount, balance = AMOUNT_ZERO, rest;
    enum tm_err err = message_amount(l, m, &amount, e);

    if (err == TM_OK)
        err = balance_read(l, TREE_ACCOUNT, m->from, &balance, e);
    if (err != TM_OK)
        return err;
    rest = amount_subtract(l->arena, balance, amount);
    if (amount_is_negative(rest))
        return tm_refuse(e, 41, "insufficient amount: %s", hex_text(l->arena, m->from));
    if (l->rules->self_send_keeps_amount && bytes_equal(m->from, m->to))
        return TM_OK;
    err = check_account_key(m->to, e);
    if (err == TM_OK)
        err = balance_add(l, TREE_ACCOUNT, m->to, amount, e);
    if (err == TM_OK)
        err = balance_set(l, TREE_ACCOUNT, m->from, rest, e);
    return err;
}

/* What unpacks to another type is invalid (the reference ends its process: D31); what is of no type
 * it knows cannot be unpacked. */
static enum tm_err refuse_wrapper(const struct message *m, struct tm_error *e)
{
    static const char *const KNOWN[] = {
        "Any",       "BoolValue",   "DoubleValue", "Duration",  "Empty",
        "FieldMask", "FloatValue",  "Int64Value",  "ListValue", "Struct",
        "Timestamp", "UInt32Value", "UInt64Value", "Value",
    };
    static const char PACKAGE[] = "google.protobuf.";
    struct bytes name = m->parameter_type_url;
    size_t start = name.size;

    while (start > 0 && name.data[start - 1] != '/')
        start--;
    name = bytes_make(name.data + start, name.size - start);
    for (size_t i = 0; i < sizeof KNOWN / sizeof KNOWN[0]; i++)
        if (name.size == strlen(PACKAGE) + strlen(KNOWN[i]) &&
            memcmp(name.data, PACKAGE, strlen(PACKAGE)) == 0 &&
            memcmp(name.data + strlen(PACKAGE), KNOWN[i], strlen(KNOWN[i])) == 0)
            return tm_refuse(e, 87, "invalid parameter value: %s%s is not supported", PACKAGE,
                             KNOWN[i]);
    return tm_refuse(e, 28, "cannot unpack the parameter value");
}

static enum tm_err parameter_text(struct ledger *l, const struct message *m, struct bytes *out,
                                  struct tm_error *e)
{
    switch (m->wrapper) {
    case WRAPPER_INT32:
        *out = bytes_of(arena_format(l->arena, "%d", (int)m->int32_value));
        return TM_OK;
    case WRAPPER_STRING:
        *out = m->text_value;
        return TM_OK;
    case WRAPPER_BYTES:
        *out = bytes_make(hex_text(l->arena, m->text_value), 2 * m->text_value.size);
        return TM_OK;
    case WRAPPER_NONE:
        return tm_refuse(e, 28, "cannot unpack the parameter value: there is none");
    case WRAPPER_OTHER:
        break;
    }
    return refuse_wrapper(m, e);
}

static enum tm_err handle_change_parameter(struct ledger *l, const struct message *m,
                                           struct tm_error *e)
{
    struct bytes text = {0};
    enum tm_err err;

    if (m->wrapper != WRAPPER_NONE && m->wrapper != WRAPPER_OTHER && !m->wrapper_decodes)
        return tm_refuse(e, 28, "cannot unpack the parameter value");
    err = parameter_text(l, m, &text, e);
    if (err != TM_OK)
        return err;
    if (text.size > 0 && memchr(text.data, 0, text.size) != NULL)
        return tm_refuse(e, 88, "cannot store the parameter: a text with a NUL");
    return value_put(l, TREE_PARAMS, m->parameter_key, text, e);
}

static enum tm_err handle_prune(struct ledger *l, const struct message *m, struct tm_error *e)
{
    const struct record *r;
    enum tm_err err;

    if (!l->rules->ibc_prune_removes)
        return value_put(l, TREE_IBC, m->key, bytes_make(NULL, 0), e);
    err = state_read(l, TREE_IBC, m->key, &r, e);
    if (err != TM_OK || r == NULL)
        return err;
    return layer_remove(&l->layer, TREE_IBC, m->key, e);
}

enum tm_err handle_message(struct ledger *l, const struct transaction *tx, struct tm_error *e)
{
    const struct message *m = &tx->message;

    switch (m->kind) {
    case MESSAGE_SEND:
        return handle_send(l, m, e);
    case MESSAGE_STAKE:
        return handle_stake(l, tx, e);
    case MESSAGE_EDIT_STAKE:
        return handle_edit_stake(l, tx, e);
    case MESSAGE_UNSTAKE:
        return handle_unstake(l, tx, e);
    case MESSAGE_UNPAUSE:
        return handle_unpause(l, tx, e);
    case MESSAGE_CHANGE_PARAMETER:
        return handle_change_parameter(l, m, e);
    case MESSAGE_UPDATE_IBC_STORE:
        return value_put(l, TREE_IBC, m->key, m->value, e);
    case MESSAGE_PRUNE_IBC_STORE:
        return handle_prune(l, m, e);
    case MESSAGE_KINDS:
        break;
    }
    return tm_refuse(e, 6, "message type unknown to this step");
}
