#include "query_block.h"

#include "protocol/base/hex.h"
#include "protocol/certificate/certificate.h"
#include "protocol/transaction/transaction.h"

#include <sodium.h>

static json_t *hex_json(struct arena *a, struct bytes b)
{
    return json_string(hex_text(a, b));
}

/* Decoded text is UTF-8, and U+0000 is part of it. */
static json_t *text_json(struct bytes b)
{
    return json_stringn(b.size > 0 ? (const char *)b.data : "", b.size);
}

static json_t *base64_json(struct arena *a, struct bytes b)
{
    size_t size = sodium_base64_encoded_len(b.size, sodium_base64_VARIANT_ORIGINAL);

    return json_string(sodium_bin2base64(arena_alloc(a, size), size, b.data, b.size,
                                         sodium_base64_VARIANT_ORIGINAL));
}

static json_t *coin_json(struct bytes amount)
{
    return json_pack("{s:o, s:s}", "amount", text_json(amount), "denom", "upokt");
}

/* The bytes of a member in hexadecimal. */
static enum tm_err member_bytes(struct arena *a, const json_t *object, const char *key,
                                struct bytes *out, struct tm_error *e)
{
    const char *text = json_string_value(json_object_get(object, key));
    uint8_t *data;

    if (text == NULL)
        return tm_fail(e, TM_ERR_MALFORMED, "the database's answer has no %s", key);
    data = arena_alloc(a, strlen(text) / 2);
    if (!hex_decode(bytes_of(text), data))
        return tm_fail(e, TM_ERR_MALFORMED, "the database's %s is not hexadecimal", key);
    *out = bytes_make(data, strlen(text) / 2);
    return TM_OK;
}

/* --- transactions ------------------------------------------------------------------------------
 */

static json_t *actor_type_json(struct arena *a, int32_t type)
{
    static const char *const words[] = {"unspecified", "application", "servicer", "fisherman",
                                        "validator"};

    if (type >= 0 && (size_t)type < sizeof words / sizeof words[0])
        return json_string(words[type]);
    return json_string(arena_format(a, "%d", type));
}

static json_t *parameter_json(struct arena *a, const struct message *m)
{
    json_t *value = NULL;

    switch (m->wrapper) {
    case WRAPPER_INT32:
        value = json_string(arena_format(a, "%d", m->int32_value));
        break;
    case WRAPPER_STRING:
        value = text_json(m->text_value);
        break;
    case WRAPPER_BYTES:
        value = hex_json(a, m->text_value);
        break;
    case WRAPPER_NONE:
    case WRAPPER_OTHER:
        value = json_string("");
        break;
    }
    return json_pack("{s:o, s:o}", "parameter_name", text_json(m->parameter_key), "parameter_value",
                     value);
}

/* Of a message that stakes, or stakes anew: those members that both have. */
static json_t *stake_json(struct arena *a, const struct message *m)
{
    json_t *out = coin_json(m->amount), *chains = m->chain_count > 0 ? json_array() : json_null();

    for (size_t i = 0; i < m->chain_count; i++)
        json_array_append_new(chains, text_json(m->chains[i]));
    json_object_set_new(out, "chains", chains);
    json_object_set_new(out, "actor_type", actor_type_json(a, m->actor_type));
    json_object_set_new(out, "service_url", text_json(m->service_url));
    json_object_set_new(out, "signer", hex_json(a, m->signer));
    return out;
}

static json_t *message_json(struct arena *a, const struct message *m)
{
    json_t *out = NULL;

    switch (m->kind) {
    case MESSAGE_SEND:
        out = coin_json(m->amount);
        json_object_set_new(out, "from_addr", hex_json(a, m->from));
        json_object_set_new(out, "to_addr", hex_json(a, m->to));
        break;
    case MESSAGE_STAKE:
        out = stake_json(a, m);
        json_object_set_new(out, "public_key", hex_json(a, m->public_key));
        json_object_set_new(out, "output_address", hex_json(a, m->output));
        break;
    case MESSAGE_EDIT_STAKE:
        out = stake_json(a, m);
        json_object_set_new(out, "address", hex_json(a, m->address));
        break;
    case MESSAGE_UNSTAKE:
    case MESSAGE_UNPAUSE:
        out = json_pack("{s:o, s:o, s:o}", "actor_type", actor_type_json(a, m->actor_type),
                        "address", hex_json(a, m->address), "signer", hex_json(a, m->signer));
        break;
    case MESSAGE_CHANGE_PARAMETER:
        out = json_pack("{s:o, s:o, s:o}", "signer", hex_json(a, m->signer), "owner",
                        hex_json(a, m->owner), "parameter", parameter_json(a, m));
        break;
    case MESSAGE_UPDATE_IBC_STORE:
        out = json_pack("{s:o, s:o, s:o}", "signer", hex_json(a, m->signer), "key",
                        hex_json(a, m->key), "value", hex_json(a, m->value));
        break;
    case MESSAGE_PRUNE_IBC_STORE:
        out = json_pack("{s:o, s:o}", "signer", hex_json(a, m->signer), "key", hex_json(a, m->key));
        break;
    case MESSAGE_KINDS:
        break;
    }
    return out;
}

static json_t *transaction_json(struct arena *a, const struct transaction *tx,
                                const json_t *indexed)
{
    json_t *message = tx->message_decodes ? message_json(a, &tx->message) : json_null();
    json_t *signature = json_pack("{s:o, s:o}", "public_key", hex_json(a, tx->public_key),
                                  "signature", hex_json(a, tx->signature));
    json_t *fee =
        json_pack("{s:O, s:s}", "amount", json_object_get(indexed, "fee"), "denom", "upokt");

    return json_pack("{s:O, s:O, s:O, s:{s:o, s:o, s:o, s:o}}", "hash",
                     json_object_get(indexed, "hash"), "height", json_object_get(indexed, "height"),
                     "index", json_object_get(indexed, "index"), "txMsg", "nonce",
                     text_json(tx->nonce), "fee", fee, "message", message, "signature", signature);
}

enum tm_err query_transaction_complete(json_t *object, struct tm_error *e)
{
    struct transaction tx;
    struct bytes raw;
    struct arena a;
    enum tm_err err;

    /* Of a pruned one the hash is what there is. */
    if (json_is_null(json_object_get(object, "tx"))) {
        json_object_del(object, "fee");
        json_object_del(object, "id");
        return TM_OK;
    }
    arena_init(&a);
    err = member_bytes(&a, object, "tx", &raw, e);
    if (err == TM_OK)
        err = transaction_decode(&a, raw, &tx, e);
    if (err == TM_OK)
        json_object_set_new(object, "tx", transaction_json(&a, &tx, object));
    json_object_del(object, "hash");
    json_object_del(object, "fee");
    json_object_del(object, "id");
    arena_free(&a);
    return err;
}

/* --- certificates ------------------------------------------------------------------------------
 */

static const char *step_name(enum hotstuff_step step)
{
    switch (step) {
    case STEP_UNKNOWN:
        break;
    case STEP_NEWROUND:
        return "HOTSTUFF_STEP_NEWROUND";
    case STEP_PREPARE:
        return "HOTSTUFF_STEP_PREPARE";
    case STEP_PRECOMMIT:
        return "HOTSTUFF_STEP_PRECOMMIT";
    case STEP_COMMIT:
        return "HOTSTUFF_STEP_COMMIT";
    case STEP_DECIDE:
        return "HOTSTUFF_STEP_DECIDE";
    }
    return "HOTSTUFF_STEP_UNKNOWN";
}

static json_t *certificate_json(struct arena *a, const struct certificate *c)
{
    json_t *signatures = json_array(), *transactions = json_array();

    for (size_t i = 0; i < c->signature_count; i++)
        json_array_append_new(
            signatures, json_pack("{s:o, s:o}", "address", hex_json(a, c->signatures[i].address),
                                  "signature", hex_json(a, c->signatures[i].signature)));
    for (size_t i = 0; i < c->block.transaction_count; i++)
        json_array_append_new(transactions, base64_json(a, c->block.transactions[i]));
    return json_pack("{s:I, s:I, s:s, s:o, s:{s:o}, s:o}", "height", (json_int_t)c->height, "round",
                     (json_int_t)c->round, "step", step_name(c->step), "block",
                     base64_json(a, c->block_raw), "threshold_sig", "signatures", signatures,
                     "transactions", transactions);
}

static enum tm_err complete_certificate(json_t *header, struct tm_error *e)
{
    struct certificate c = {0};
    struct bytes raw;
    struct arena a;
    enum tm_err err;
    bool canonical;

    arena_init(&a);
    err = member_bytes(&a, header, "quorum_cert", &raw, e);
    if (err == TM_OK && raw.size > 0)
        err = certificate_decode(&a, raw, &c, &canonical, e);
    if (err == TM_OK)
        json_object_set_new(header, "quorum_cert", certificate_json(&a, &c));
    arena_free(&a);
    return err;
}

enum tm_err query_block_complete(json_t *object, struct tm_error *e)
{
    enum tm_err err = complete_certificate(json_object_get(object, "block_header"), e);
    json_t *transaction;
    size_t i;

    json_array_foreach(json_object_get(object, "transactions"), i, transaction) if (err == TM_OK)
        err = query_transaction_complete(transaction, e);
    return err;
}
