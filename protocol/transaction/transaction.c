#include "transaction.h"

#include "../base/hex.h"
#include "../codec/codec.h"
#include "../codec/wire.h"
#include "../sha3/sha3.h"
#include "../codec/wire_writer.h"
#include "../state/record.h"
#include "message.h"
#include "protocol/proto/transaction.pb-c.h"

/* Spec's codes (utility.md 9). */
enum {
    CODE_MESSAGE = 4,
    CODE_PUBLIC_KEY = 8,
    CODE_SIGNATURE_INVALID = 10,
    CODE_UNMARSHAL = 26,
    CODE_NONCE = 30,
    CODE_NO_PUBLIC_KEY = 31,
    CODE_NO_SIGNATURE = 32,
    CODE_NO_SIGNATURE_MESSAGE = 136
};

enum { FIELD_SIGNATURE = 3 };

/* The canonical encoding without field 3. */
static struct bytes without_signature(struct arena *a, struct bytes encoded)
{
    struct bytes rest = encoded, before;
    struct wire_field f;
    struct buffer out;

    do {
        before = bytes_make(encoded.data, encoded.size - rest.size);
        if (rest.size == 0 || wire_next(&rest, &f, NULL) != TM_OK)
            return encoded;
    } while (f.number != FIELD_SIGNATURE || f.type != WIRE_LENGTH);
    if (rest.size == 0)
        return before;
    buffer_init(&out, a, before.size + rest.size);
    buffer_append(&out, before.data, before.size);
    buffer_append(&out, rest.data, rest.size);
    return buffer_bytes(&out);
}

enum tm_err transaction_decode(struct arena *a, struct bytes raw, struct transaction *out,
                               struct tm_error *e)
{
    struct canonical c;
    struct tm_error cause;
    const Pocket__Transaction *tx;

    if (raw.size > TRANSACTION_MAX)
        return tm_refuse(e, CODE_UNMARSHAL, "the transaction has %zu bytes, at most %d are decoded",
                         raw.size, TRANSACTION_MAX);
    if (codec_canonicalise(a, &pocket__transaction__descriptor, raw, 0, &c, &cause) != TM_OK)
        return tm_refuse(e, CODE_UNMARSHAL, "the bytes are no transaction: %s", cause.text);
    tx = codec_unpack(a, &c);
    *out = (struct transaction){.canonical = c.was_canonical};
    out->encoded = c.was_canonical ? arena_copy(a, raw) : c.encoded;
    out->sign_bytes = without_signature(a, out->encoded);
    out->hash = sha3_256(out->encoded);
    out->nonce = codec_bytes(tx->nonce);
    out->has_message = tx->msg != NULL;
    if (out->has_message) {
        out->type_url = codec_bytes(tx->msg->type_url);
        out->message_raw = codec_bytes(tx->msg->value);
        out->message_decodes = message_decode(a, out->type_url, out->message_raw, &out->message);
    }
    out->has_signature = tx->signature != NULL;
    if (out->has_signature) {
        out->public_key = codec_bytes(tx->signature->public_key);
        out->signature = codec_bytes(tx->signature->signature);
    }
    if (out->public_key.size == sizeof(struct public_key)) {
        struct public_key key;

        memcpy(key.b, out->public_key.data, sizeof key.b);
        out->signer = address_of_key(&key);
    }
    return TM_OK;
}

enum tm_err transaction_check(const struct transaction *tx, const struct rules *rules,
                              struct tm_error *e)
{
    if (rules->canonical_transactions) {
        if (!tx->canonical)
            return tm_refuse(e, CODE_UNMARSHAL, "the transaction is not its own re-encoding");
        if (tx->encoded.size > STANDARD_TRANSACTION_MAX)
            return tm_refuse(e, CODE_UNMARSHAL, "the transaction has %zu bytes, at most %d may be",
                             tx->encoded.size, STANDARD_TRANSACTION_MAX);
    }
    if (tx->nonce.size == 0)
        return tm_refuse(e, CODE_NONCE, "the nonce is empty");
    if (rules->canonical_transactions && tx->nonce.size > STANDARD_NONCE_MAX)
        return tm_refuse(e, CODE_NONCE, "the nonce has %zu bytes, at most %d may be",
                         tx->nonce.size, STANDARD_NONCE_MAX);
    if (!tx->has_signature)
        return tm_refuse(e, CODE_NO_SIGNATURE_MESSAGE, "the signature structure is absent");
    if (tx->signature.size == 0)
        return tm_refuse(e, CODE_NO_SIGNATURE, "the signature is empty");
    if (tx->public_key.size == 0)
        return tm_refuse(e, CODE_NO_PUBLIC_KEY, "the public key is empty");
    if (tx->public_key.size != sizeof(struct public_key))
        return tm_refuse(e, CODE_PUBLIC_KEY, "the public key has %zu bytes instead of %zu",
                         tx->public_key.size, sizeof(struct public_key));
    if (!tx->message_decodes)
        return tm_refuse(e, CODE_MESSAGE, "the message cannot be decoded or its type is unknown");
    return TM_OK;
}

enum tm_err transaction_verify(const struct transaction *tx, const struct rules *rules,
                               struct tm_error *e)
{
    struct public_key key;
    struct signature signature;
    bool valid = false;

    if (tx->public_key.size == sizeof key.b && tx->signature.size == sizeof signature.b) {
        memcpy(key.b, tx->public_key.data, sizeof key.b);
        memcpy(signature.b, tx->signature.data, sizeof signature.b);
        valid = ed25519_verify(rules->signatures, &key, tx->sign_bytes, &signature);
    }
    return valid ? TM_OK : tm_refuse(e, CODE_SIGNATURE_INVALID, "the signature does not verify");
}

struct bytes transaction_sign(struct arena *a, const struct message *m, struct bytes nonce,
                              const struct private_key *key)
{
    Pocket__Transaction tx = POCKET__TRANSACTION__INIT;
    Pocket__Any any = POCKET__ANY__INIT;
    Pocket__Signature signature = POCKET__SIGNATURE__INIT;
    struct public_key public = ed25519_public(key);
    struct signature signed_bytes;

    any.type_url = codec_data(message_type_url(a, m->kind));
    any.value = codec_data(message_encode(a, m));
    tx.msg = &any;
    tx.nonce = codec_data(nonce);
    signed_bytes = ed25519_sign(key, codec_pack(a, &tx));
    signature.public_key = (ProtobufCBinaryData){sizeof public.b, public.b};
    signature.signature = (ProtobufCBinaryData){sizeof signed_bytes.b, signed_bytes.b};
    tx.signature = &signature;
    return codec_pack(a, &tx);
}

enum tm_err transaction_resign(struct arena *a, struct bytes raw, const struct private_key *key,
                               struct bytes *out, struct tm_error *e)
{
    Pocket__Signature message = POCKET__SIGNATURE__INIT;
    struct public_key public = ed25519_public(key);
    struct signature signature;
    struct transaction tx;
    struct canonical c;
    struct buffer joined;
    enum tm_err err = transaction_decode(a, raw, &tx, e);

    if (err != TM_OK)
        return err;
    signature = ed25519_sign(key, tx.sign_bytes);
    message.public_key = (ProtobufCBinaryData){sizeof public.b, public.b};
    message.signature = (ProtobufCBinaryData){sizeof signature.b, signature.b};
    buffer_init(&joined, a, tx.sign_bytes.size + 128);
    buffer_append(&joined, tx.sign_bytes.data, tx.sign_bytes.size);
    wire_element(&joined, FIELD_SIGNATURE, codec_pack(a, &message));
    /* Field 3 belongs before unknown fields. */
    err = codec_canonicalise(a, &pocket__transaction__descriptor, buffer_bytes(&joined), 0, &c, e);
    if (err == TM_OK)
        *out = c.encoded;
    return err;
}

struct bytes transaction_recipient(const struct transaction *tx)
{
    if (tx->message_decodes && tx->message.kind == MESSAGE_SEND &&
        tx->message.to.size <= ACCOUNT_ADDRESS_MAX)
        return tx->message.to;
    return (struct bytes){NULL, 0};
}

static ProtobufCBinaryData hex_data(struct arena *a, struct bytes raw)
{
    return codec_data(bytes_make(hex_text(a, raw), 2 * raw.size));
}

struct bytes indexed_transaction_encode(struct arena *a, const struct indexed_transaction *t)
{
    Pocket__IndexedTransaction p = POCKET__INDEXED_TRANSACTION__INIT;

    p.tx = codec_data(t->tx);
    p.height = t->height;
    p.index = t->index;
    p.result_code = t->result_code;
    p.error = codec_data(t->error);
    p.signer_addr = hex_data(a, t->signer);
    p.recipient_addr = hex_data(a, t->recipient);
    p.message_type = codec_data(bytes_of(t->message_type));
    return codec_pack(a, &p);
}
