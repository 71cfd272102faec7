#include "message.h"

#include <stdlib.h>

#include "../codec/codec.h"
#include "protocol/proto/transaction.pb-c.h"

static const struct {
    const char *name;
    const char *full_name;
    const ProtobufCMessageDescriptor *type;
} KINDS[MESSAGE_KINDS] = {
    [MESSAGE_SEND] = {"MessageSend", "utility.MessageSend", &pocket__message_send__descriptor},
    [MESSAGE_STAKE] = {"MessageStake", "utility.MessageStake", &pocket__message_stake__descriptor},
    [MESSAGE_EDIT_STAKE] = {"MessageEditStake", "utility.MessageEditStake",
                            &pocket__message_edit_stake__descriptor},
    [MESSAGE_UNSTAKE] = {"MessageUnstake", "utility.MessageUnstake",
                         &pocket__message_unstake__descriptor},
    [MESSAGE_UNPAUSE] = {"MessageUnpause", "utility.MessageUnpause",
                         &pocket__message_unpause__descriptor},
    [MESSAGE_CHANGE_PARAMETER] = {"MessageChangeParameter", "utility.MessageChangeParameter",
                                  &pocket__message_change_parameter__descriptor},
    [MESSAGE_UPDATE_IBC_STORE] = {"UpdateIBCStore", "types.UpdateIBCStore",
                                  &pocket__update_ibcstore__descriptor},
    [MESSAGE_PRUNE_IBC_STORE] = {"PruneIBCStore", "types.PruneIBCStore",
                                 &pocket__prune_ibcstore__descriptor},
};

static const struct {
    const char *full_name;
    enum param_wrapper wrapper;
    const ProtobufCMessageDescriptor *type;
} WRAPPERS[] = {
    {"google.protobuf.StringValue", WRAPPER_STRING, &pocket__string_value__descriptor},
    {"google.protobuf.Int32Value", WRAPPER_INT32, &pocket__int32_value__descriptor},
    {"google.protobuf.BytesValue", WRAPPER_BYTES, &pocket__bytes_value__descriptor},
};

enum { WRAPPER_COUNT = sizeof WRAPPERS / sizeof WRAPPERS[0] };

const char *message_name(enum message_kind kind)
{
    return KINDS[kind].name;
}

struct bytes message_type_url(struct arena *a, enum message_kind kind)
{
    return bytes_of(arena_format(a, "type.googleapis.com/%s", KINDS[kind].full_name));
}

/* What follows the last '/', or all of it. */
static struct bytes name_in_url(struct bytes url)
{
    const uint8_t *slash = url.size > 0 ? memrchr(url.data, '/', url.size) : NULL;

    if (slash == NULL)
        return url;
    return bytes_make(slash + 1, (size_t)(url.data + url.size - (slash + 1)));
}

/* NULL when raw is not of the type. */
static const void *decode_as(struct arena *a, const ProtobufCMessageDescriptor *type,
                             struct bytes raw)
{
    struct canonical c;

    if (codec_canonicalise(a, type, raw, MESSAGE_CHAINS_MAX, &c, NULL) != TM_OK)
        return NULL;
    return codec_unpack(a, &c);
}

static void decode_wrapper(struct arena *a, struct message *m)
{
    struct bytes name = name_in_url(m->parameter_type_url);
    const void *decoded;
    size_t i = 0;

    m->wrapper = WRAPPER_OTHER;
    while (i < WRAPPER_COUNT && !bytes_equal(name, bytes_of(WRAPPERS[i].full_name)))
        i++;
    if (i == WRAPPER_COUNT)
        return;
    m->wrapper = WRAPPERS[i].wrapper;
    decoded = decode_as(a, WRAPPERS[i].type, m->parameter_value_raw);
    m->wrapper_decodes = decoded != NULL;
    if (decoded == NULL)
        return;
    switch (m->wrapper) {
    case WRAPPER_INT32:
        m->int32_value = ((const Pocket__Int32Value *)decoded)->value;
        break;
    case WRAPPER_STRING:
        m->text_value = codec_bytes(((const Pocket__StringValue *)decoded)->value);
        break;
    case WRAPPER_BYTES:
        m->text_value = codec_bytes(((const Pocket__BytesValue *)decoded)->value);
        break;
    case WRAPPER_NONE:
    case WRAPPER_OTHER:
        break;
    }
}

static void take_chains(struct arena *a, struct message *m, const ProtobufCBinaryData *chains,
                        size_t count)
{
    m->chains = arena_array(a, struct bytes, count);
    m->chain_count = count;
    for (size_t i = 0; i < count; i++)
        m->chains[i] = codec_bytes(chains[i]);
}

static void take_signer(struct message *m, bool present, ProtobufCBinaryData signer)
{
    m->has_signer = present;
    if (present)
        m->signer = codec_bytes(signer);
}

static void take_send(struct message *m, const Pocket__MessageSend *p)
{
    m->from = codec_bytes(p->from_address);
    m->to = codec_bytes(p->to_address);
    m->amount = codec_bytes(p->amount);
}

static void take_stake(struct arena *a, struct message *m, const Pocket__MessageStake *p)
{
    m->actor_type = p->actor_type;
    m->public_key = codec_bytes(p->public_key);
    take_chains(a, m, p->chains, p->n_chains);
    m->amount = codec_bytes(p->amount);
    m->service_url = codec_bytes(p->service_url);
    m->output = codec_bytes(p->output_address);
    take_signer(m, p->optional_signer_case != 0, p->signer);
}

static void take_edit_stake(struct arena *a, struct message *m, const Pocket__MessageEditStake *p)
{
    m->actor_type = p->actor_type;
    m->address = codec_bytes(p->address);
    take_chains(a, m, p->chains, p->n_chains);
    m->amount = codec_bytes(p->amount);
    m->service_url = codec_bytes(p->service_url);
    take_signer(m, p->optional_signer_case != 0, p->signer);
}

static void take_unstake(struct message *m, const Pocket__MessageUnstake *p)
{
    m->actor_type = p->actor_type;
    m->address = codec_bytes(p->address);
    take_signer(m, p->optional_signer_case != 0, p->signer);
}

static void take_unpause(struct message *m, const Pocket__MessageUnpause *p)
{
    m->actor_type = p->actor_type;
    m->address = codec_bytes(p->address);
    take_signer(m, p->optional_signer_case != 0, p->signer);
}

static void take_change_parameter(struct arena *a, struct message *m,
                                  const Pocket__MessageChangeParameter *p)
{
    m->signer = codec_bytes(p->signer);
    m->owner = codec_bytes(p->owner);
    m->parameter_key = codec_bytes(p->parameter_key);
    m->has_parameter_value = p->parameter_value != NULL;
    if (!m->has_parameter_value)
        return;
    m->parameter_type_url = codec_bytes(p->parameter_value->type_url);
    m->parameter_value_raw = codec_bytes(p->parameter_value->value);
    decode_wrapper(a, m);
}

static void take_update_ibc_store(struct message *m, const Pocket__UpdateIBCStore *p)
{
    m->signer = codec_bytes(p->signer);
    m->key = codec_bytes(p->key);
    m->value = codec_bytes(p->value);
}

static void take_prune_ibc_store(struct message *m, const Pocket__PruneIBCStore *p)
{
    m->signer = codec_bytes(p->signer);
    m->key = codec_bytes(p->key);
}

static void take(struct arena *a, struct message *m, const void *decoded)
{
    switch (m->kind) {
    case MESSAGE_SEND:
        take_send(m, decoded);
        break;
    case MESSAGE_STAKE:
        take_stake(a, m, decoded);
        break;
    case MESSAGE_EDIT_STAKE:
        take_edit_stake(a, m, decoded);
        break;
    case MESSAGE_UNSTAKE:
        take_unstake(m, decoded);
        break;
    case MESSAGE_UNPAUSE:
        take_unpause(m, decoded);
        break;
    case MESSAGE_CHANGE_PARAMETER:
        take_change_parameter(a, m, decoded);
        break;
    case MESSAGE_UPDATE_IBC_STORE:
        take_update_ibc_store(m, decoded);
        break;
    case MESSAGE_PRUNE_IBC_STORE:
        take_prune_ibc_store(m, decoded);
        break;
    case MESSAGE_KINDS:
        abort();
    }
}

bool message_decode(struct arena *a, struct bytes type_url, struct bytes raw, struct message *out)
{
    struct bytes name = name_in_url(type_url);
    const void *decoded;
    int kind = 0;

    while (kind < MESSAGE_KINDS && !bytes_equal(name, bytes_of(KINDS[kind].full_name)))
        kind++;
    if (kind == MESSAGE_KINDS)
        return false;
    decoded = decode_as(a, KINDS[kind].type, raw);
    if (decoded == NULL)
        return false;
    *out = (struct message){.kind = (enum message_kind)kind};
    take(a, out, decoded);
    return true;
}

static ProtobufCBinaryData *pack_chains(struct arena *a, const struct message *m)
{
    ProtobufCBinaryData *chains = arena_array(a, ProtobufCBinaryData, m->chain_count);

    for (size_t i = 0; i < m->chain_count; i++)
        chains[i] = codec_data(m->chains[i]);
    return chains;
}

static struct bytes encode_stake(struct arena *a, const struct message *m)
{
    Pocket__MessageStake p;

    pocket__message_stake__init(&p);
    p.actor_type = m->actor_type;
    p.public_key = codec_data(m->public_key);
    p.n_chains = m->chain_count;
    p.chains = pack_chains(a, m);
    p.amount = codec_data(m->amount);
    p.service_url = codec_data(m->service_url);
    p.output_address = codec_data(m->output);
    if (m->has_signer)
        p.optional_signer_case = POCKET__MESSAGE_STAKE__OPTIONAL_SIGNER_SIGNER;
    p.signer = codec_data(m->signer);
    return codec_pack(a, &p);
}

static struct bytes encode_edit_stake(struct arena *a, const struct message *m)
{
    Pocket__MessageEditStake p;

    pocket__message_edit_stake__init(&p);
    p.actor_type = m->actor_type;
    p.address = codec_data(m->address);
    p.n_chains = m->chain_count;
    p.chains = pack_chains(a, m);
    p.amount = codec_data(m->amount);
    p.service_url = codec_data(m->service_url);
    if (m->has_signer)
        p.optional_signer_case = POCKET__MESSAGE_EDIT_STAKE__OPTIONAL_SIGNER_SIGNER;
    p.signer = codec_data(m->signer);
    return codec_pack(a, &p);
}

static struct bytes encode_unstake(struct arena *a, const struct message *m)
{
    Pocket__MessageUnstake p;

    pocket__message_unstake__init(&p);
    p.actor_type = m->actor_type;
    p.address = codec_data(m->address);
    if (m->has_signer)
        p.optional_signer_case = POCKET__MESSAGE_UNSTAKE__OPTIONAL_SIGNER_SIGNER;
    p.signer = codec_data(m->signer);
    return codec_pack(a, &p);
}

static struct bytes encode_unpause(struct arena *a, const struct message *m)
{
    Pocket__MessageUnpause p;

    pocket__message_unpause__init(&p);
    p.actor_type = m->actor_type;
    p.address = codec_data(m->address);
    if (m->has_signer)
        p.optional_signer_case = POCKET__MESSAGE_UNPAUSE__OPTIONAL_SIGNER_SIGNER;
    p.signer = codec_data(m->signer);
    return codec_pack(a, &p);
}

static struct bytes encode_send(struct arena *a, const struct message *m)
{
    Pocket__MessageSend p = POCKET__MESSAGE_SEND__INIT;

    p.from_address = codec_data(m->from);
    p.to_address = codec_data(m->to);
    p.amount = codec_data(m->amount);
    return codec_pack(a, &p);
}

/* The typed value when there is one, else the Any as it is. */
static struct bytes encode_wrapper(struct arena *a, const struct message *m)
{
    Pocket__Int32Value integer = POCKET__INT32_VALUE__INIT;
    Pocket__StringValue text = POCKET__STRING_VALUE__INIT;
    Pocket__BytesValue raw = POCKET__BYTES_VALUE__INIT;

    if (!m->wrapper_decodes)
        return m->parameter_value_raw;
    switch (m->wrapper) {
    case WRAPPER_INT32:
        integer.value = m->int32_value;
        return codec_pack(a, &integer);
    case WRAPPER_STRING:
        text.value = codec_data(m->text_value);
        return codec_pack(a, &text);
    case WRAPPER_BYTES:
        raw.value = codec_data(m->text_value);
        return codec_pack(a, &raw);
    case WRAPPER_NONE:
    case WRAPPER_OTHER:
        break;
    }
    return m->parameter_value_raw;
}

static struct bytes wrapper_type_url(struct arena *a, const struct message *m)
{
    if (m->parameter_type_url.size > 0)
        return m->parameter_type_url;
    for (size_t i = 0; i < WRAPPER_COUNT; i++)
        if (WRAPPERS[i].wrapper == m->wrapper)
            return bytes_of(arena_format(a, "type.googleapis.com/%s", WRAPPERS[i].full_name));
    return m->parameter_type_url;
}

static struct bytes encode_change_parameter(struct arena *a, const struct message *m)
{
    Pocket__MessageChangeParameter p = POCKET__MESSAGE_CHANGE_PARAMETER__INIT;
    Pocket__Any value = POCKET__ANY__INIT;

    p.signer = codec_data(m->signer);
    p.owner = codec_data(m->owner);
    p.parameter_key = codec_data(m->parameter_key);
    if (m->has_parameter_value) {
        value.type_url = codec_data(wrapper_type_url(a, m));
        value.value = codec_data(encode_wrapper(a, m));
        p.parameter_value = &value;
    }
    return codec_pack(a, &p);
}

static struct bytes encode_update_ibc_store(struct arena *a, const struct message *m)
{
    Pocket__UpdateIBCStore p = POCKET__UPDATE_IBCSTORE__INIT;

    p.signer = codec_data(m->signer);
    p.key = codec_data(m->key);
    p.value = codec_data(m->value);
    return codec_pack(a, &p);
}

static struct bytes encode_prune_ibc_store(struct arena *a, const struct message *m)
{
    Pocket__PruneIBCStore p = POCKET__PRUNE_IBCSTORE__INIT;

    p.signer = codec_data(m->signer);
    p.key = codec_data(m->key);
    return codec_pack(a, &p);
}

struct bytes message_encode(struct arena *a, const struct message *m)
{
    switch (m->kind) {
    case MESSAGE_SEND:
        return encode_send(a, m);
    case MESSAGE_STAKE:
        return encode_stake(a, m);
    case MESSAGE_EDIT_STAKE:
        return encode_edit_stake(a, m);
    case MESSAGE_UNSTAKE:
        return encode_unstake(a, m);
    case MESSAGE_UNPAUSE:
        return encode_unpause(a, m);
    case MESSAGE_CHANGE_PARAMETER:
        return encode_change_parameter(a, m);
    case MESSAGE_UPDATE_IBC_STORE:
        return encode_update_ibc_store(a, m);
    case MESSAGE_PRUNE_IBC_STORE:
        return encode_prune_ibc_store(a, m);
    case MESSAGE_KINDS:
        break;
    }
    abort();
}
