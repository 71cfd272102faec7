/* Transactions and their messages as records (utility.md 1.1 and 2.2). */
#include "value/argument.h"
#include "value/memory.h"
#include "value/raise.h"
#include "value/result.h"

#include "funcapi.h"

#include "protocol/base/hex.h"
#include "protocol/state/record.h"

enum { COLUMNS_MAX = 12 };

PG_FUNCTION_INFO_V1(tidemark_transaction_hash);
PG_FUNCTION_INFO_V1(tidemark_decode_tx);
PG_FUNCTION_INFO_V1(tidemark_decode_message_send);
PG_FUNCTION_INFO_V1(tidemark_decode_message_stake);
PG_FUNCTION_INFO_V1(tidemark_decode_message_edit_stake);
PG_FUNCTION_INFO_V1(tidemark_decode_message_unstake);
PG_FUNCTION_INFO_V1(tidemark_decode_message_unpause);
PG_FUNCTION_INFO_V1(tidemark_decode_message_change_parameter);
PG_FUNCTION_INFO_V1(tidemark_decode_message_update_ibc_store);
PG_FUNCTION_INFO_V1(tidemark_decode_message_prune_ibc_store);

/* A row that is filled from left to right. */
struct row {
    Datum values[COLUMNS_MAX];
    bool nulls[COLUMNS_MAX];
    int count;
};

static void add(struct row *row, Datum value)
{
    row->nulls[row->count] = false;
    row->values[row->count++] = value;
}

static void add_null(struct row *row)
{
    row->nulls[row->count] = true;
    row->values[row->count++] = (Datum)0;
}

static void add_bytes(struct row *row, struct bytes b)
{
    add(row, result_bytes(b));
}

static void add_text(struct row *row, struct bytes text)
{
    add(row, result_text(text));
}

/* The amount as a number where it is one, and as it was sent. */
static void add_amount(struct row *row, struct arena *a, struct bytes text)
{
    struct amount amount;

    if (amount_parse(a, text, &amount) == TM_OK)
        add(row, result_numeric(amount.text));
    else
        add_null(row);
    add_text(row, text);
}

static void add_actor_type(struct row *row, int32_t type)
{
    static const char *const words[] = {"unspecified", "application", "servicer", "fisherman",
                                        "validator"};

    if (type >= 0 && type < (int32_t)lengthof(words))
        add_text(row, bytes_of(words[type]));
    else
        add_text(row, bytes_of(psprintf("%d", type)));
}

static void add_signer(struct row *row, const struct message *m)
{
    if (m->has_signer)
        add_bytes(row, m->signer);
    else
        add_null(row);
}

static void add_parameter_value(struct row *row, struct arena *a, const struct message *m)
{
    const char *type = "";
    struct bytes value = m->text_value;

    switch (m->wrapper) {
    case WRAPPER_NONE:
    case WRAPPER_OTHER:
        add_null(row);
        add_text(row, m->parameter_type_url);
        return;
    case WRAPPER_INT32:
        type = "Int32Value";
        value = bytes_of(psprintf("%d", m->int32_value));
        break;
    case WRAPPER_STRING:
        type = "StringValue";
        break;
    case WRAPPER_BYTES:
        type = "BytesValue";
        value = bytes_of(hex_text(a, m->text_value));
        break;
    }
    if (m->wrapper_decodes)
        add_text(row, value);
    else
        add_null(row);
    add_text(row, bytes_of(type));
}

static void add_message(struct row *row, struct arena *a, const struct message *m)
{
    struct address address;

    switch (m->kind) {
    case MESSAGE_SEND:
        add_bytes(row, m->from);
        add_bytes(row, m->to);
        add_amount(row, a, m->amount);
        break;
    case MESSAGE_STAKE:
        add_actor_type(row, m->actor_type);
        if (m->public_key.size == sizeof(struct public_key)) {
            address = address_of_key((const struct public_key *)m->public_key.data);
            add_bytes(row, bytes_address(&address));
        } else {
            add_null(row);
        }
        add_bytes(row, m->public_key);
        add_bytes(row, m->output);
        add_amount(row, a, m->amount);
        add(row, result_text_array(m->chains, m->chain_count));
        add_text(row, m->service_url);
        add_signer(row, m);
        break;
    case MESSAGE_EDIT_STAKE:
        add_actor_type(row, m->actor_type);
        add_bytes(row, m->address);
        add_amount(row, a, m->amount);
        add(row, result_text_array(m->chains, m->chain_count));
        add_text(row, m->service_url);
        add_signer(row, m);
        break;
    case MESSAGE_UNSTAKE:
    case MESSAGE_UNPAUSE:
        add_actor_type(row, m->actor_type);
        add_bytes(row, m->address);
        add_signer(row, m);
        break;
    case MESSAGE_CHANGE_PARAMETER:
        add_bytes(row, m->signer);
        add_bytes(row, m->owner);
        add_text(row, m->parameter_key);
        add_parameter_value(row, a, m);
        break;
    case MESSAGE_UPDATE_IBC_STORE:
        add_bytes(row, m->signer);
        add_bytes(row, m->key);
        add_bytes(row, m->value);
        break;
    case MESSAGE_PRUNE_IBC_STORE:
        add_bytes(row, m->signer);
        add_bytes(row, m->key);
        break;
    case MESSAGE_KINDS:
        break;
    }
}

static void decode(FunctionCallInfo fcinfo, struct arena *a, struct transaction *tx)
{
    struct bytes raw = argument_bytes(PG_GETARG_DATUM(0), TRANSACTION_MAX, "tx");
    struct tm_error e = {0};

    memory_arena(a, CurrentMemoryContext);
    if (transaction_decode(a, raw, tx, &e) != TM_OK)
        raise_failure(&e);
}

static Datum form(FunctionCallInfo fcinfo, struct row *row)
{
    TupleDesc desc;

    if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE ||
        desc->natts != row->count)
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("the function is declared with other columns"),
                        errhint("ALTER EXTENSION tidemark UPDATE.")));
    return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), row->values, row->nulls));
}

static Datum decode_message(FunctionCallInfo fcinfo, enum message_kind kind)
{
    struct row row = {.count = 0};
    struct transaction tx;
    struct arena a;

    decode(fcinfo, &a, &tx);
    if (!tx.message_decodes || tx.message.kind != kind)
        PG_RETURN_NULL();
    add_message(&row, &a, &tx.message);
    return form(fcinfo, &row);
}

Datum tidemark_transaction_hash(PG_FUNCTION_ARGS)
{
    struct transaction tx;
    struct arena a;

    decode(fcinfo, &a, &tx);
    return result_hash(&tx.hash);
}

Datum tidemark_decode_tx(PG_FUNCTION_ARGS)
{
    struct row row = {.count = 0};
    struct transaction tx;
    struct bytes recipient;
    struct arena a;

    decode(fcinfo, &a, &tx);
    add(&row, result_hash(&tx.hash));
    add(&row, BoolGetDatum(tx.canonical));
    if (tx.message_decodes)
        add_text(&row, bytes_of(message_name(tx.message.kind)));
    else
        add_null(&row);
    add_text(&row, tx.type_url);
    add_bytes(&row, tx.message_raw);
    add_text(&row, tx.nonce);
    if (tx.has_signature && tx.public_key.size == sizeof(struct public_key))
        add_bytes(&row, bytes_address(&tx.signer));
    else
        add_null(&row);
    recipient = tx.message_decodes ? transaction_recipient(&tx) : (struct bytes){NULL, 0};
    if (recipient.size > 0)
        add_bytes(&row, recipient);
    else
        add_null(&row);
    if (tx.has_signature) {
        add_bytes(&row, tx.public_key);
        add_bytes(&row, tx.signature);
    } else {
        add_null(&row);
        add_null(&row);
    }
    return form(fcinfo, &row);
}

Datum tidemark_decode_message_send(PG_FUNCTION_ARGS)
{
    return decode_message(fcinfo, MESSAGE_SEND);
}

Datum tidemark_decode_message_stake(PG_FUNCTION_ARGS)
{
    return decode_message(fcinfo, MESSAGE_STAKE);
}

Datum tidemark_decode_message_edit_stake(PG_FUNCTION_ARGS)
{
    return decode_message(fcinfo, MESSAGE_EDIT_STAKE);
}

Datum tidemark_decode_message_unstake(PG_FUNCTION_ARGS)
{
    return decode_message(fcinfo, MESSAGE_UNSTAKE);
}

Datum tidemark_decode_message_unpause(PG_FUNCTION_ARGS)
{
    return decode_message(fcinfo, MESSAGE_UNPAUSE);
}

Datum tidemark_decode_message_change_parameter(PG_FUNCTION_ARGS)
{
    return decode_message(fcinfo, MESSAGE_CHANGE_PARAMETER);
}

Datum tidemark_decode_message_update_ibc_store(PG_FUNCTION_ARGS)
{
    return decode_message(fcinfo, MESSAGE_UPDATE_IBC_STORE);
}

Datum tidemark_decode_message_prune_ibc_store(PG_FUNCTION_ARGS)
{
    return decode_message(fcinfo, MESSAGE_PRUNE_IBC_STORE);
}
