/* Transactions and their eight messages: decoding, canonical form, stateless checks, signing
 * (utility.md 1 and 2, state.md 1.5). */
#ifndef PROTOCOL_TRANSACTION_TRANSACTION_H
#define PROTOCOL_TRANSACTION_TRANSACTION_H

#include "../amount/amount.h"
#include "../base/arena.h"
#include "../base/error.h"
#include "../rules/rules.h"

/* Decoders' bounds. The reference has none; a block holds many, so a single one is kept small. */
enum {
    TRANSACTION_MAX = 4 * 1024 * 1024, /* bytes, under either rule set */
    MESSAGE_CHAINS_MAX = 65536         /* elements of `chains` */
};

enum message_kind {
    MESSAGE_SEND,
    MESSAGE_STAKE,
    MESSAGE_EDIT_STAKE,
    MESSAGE_UNSTAKE,
    MESSAGE_UNPAUSE,
    MESSAGE_CHANGE_PARAMETER,
    MESSAGE_UPDATE_IBC_STORE,
    MESSAGE_PRUNE_IBC_STORE,
    MESSAGE_KINDS
};

/* "MessageSend", … "PruneIBCStore": the name stored with an indexed transaction. */
const char *message_name(enum message_kind kind);

/* A parameter value as wrapped on the wire. */
enum param_wrapper { WRAPPER_NONE, WRAPPER_INT32, WRAPPER_STRING, WRAPPER_BYTES, WRAPPER_OTHER };

/* Fields that a kind does not have are empty. All bytes are borrowed from the decoder's arena. */
struct message {
    enum message_kind kind;
    struct bytes from, to;   /* send */
    int32_t actor_type;      /* stake, edit, unstake, unpause; 0 otherwise */
    struct bytes public_key; /* stake */
    struct bytes address;    /* edit, unstake, unpause */
    struct bytes amount;     /* send, stake, edit: text as sent */
    struct bytes *chains;
    size_t chain_count;
    struct bytes service_url;
    struct bytes output;               /* stake */
    bool has_signer;                   /* stake, edit, unstake, unpause: optional field present */
    struct bytes signer;               /* the same; change parameter and IBC: plain field */
    struct bytes owner, parameter_key; /* change parameter */
    bool has_parameter_value;
    struct bytes parameter_type_url, parameter_value_raw; /* the Any */
    enum param_wrapper wrapper; /* of parameter_value; WRAPPER_OTHER when it cannot be unpacked */
    bool wrapper_decodes;       /* the Any's bytes decode as that wrapper */
    int32_t int32_value;
    struct bytes text_value; /* StringValue, BytesValue */
    struct bytes key, value; /* IBC */
};

struct transaction {
    struct bytes encoded;    /* canonical re-encoding of the whole transaction */
    struct bytes sign_bytes; /* the same without field 3 */
    struct hash32 hash;      /* SHA3-256 of encoded */
    bool canonical;          /* the bytes given were `encoded` */
    struct bytes nonce;
    bool has_message; /* field 1 present */
    struct bytes type_url, message_raw;
    bool has_signature;                 /* field 3 present */
    struct bytes public_key, signature; /* as sent, any length */
    bool message_decodes;               /* message is valid: known type and well-formed bytes */
    struct message message;
    struct address signer; /* of public_key when it has 32 bytes */
};

/*
 * Decodes the outer message and, when it is well-formed, the inner one. Refuses only bytes that are
 * no core.Transaction: code 26 (TM_ERR_RULE). Unknown fields are kept and re-emitted in `encoded`.
 */
enum tm_err transaction_decode(struct arena *a, struct bytes raw, struct transaction *out,
                               struct tm_error *e);

/* ValidateBasic without the signature check: utility.md 1.5 steps 1 to 7, in that order; under
 * `standard` first canonical and size (26), and nonce length (30). Codes 30 136 32 31 8 4 137. */
enum tm_err transaction_check(const struct transaction *tx, const struct rules *rules,
                              struct tm_error *e);

/* Step 8, apart so that a pool of threads can do it: code 10. Thread-safe. */
enum tm_err transaction_verify(const struct transaction *tx, const struct rules *rules,
                               struct tm_error *e);

/* The message checks of `standard` (utility.md 2.3 with rules.md's "Amounts", "Chains" …), in the
 * spec's order; includes ChangeParameter's checks that need no state (87, 44 for an unknown name).
 */
enum tm_err message_check(const struct message *m, struct tm_error *e);

/* Canonical bytes of the inner message (its Any.value), from the fields of its kind. */
struct bytes message_encode(struct arena *a, const struct message *m);

/* A signed transaction over the message; the result decodes to itself. */
struct bytes transaction_sign(struct arena *a, const struct message *m, struct bytes nonce,
                              const struct private_key *key);

/* Attaches a signature to an unsigned (or replaces it in a signed) encoded transaction: Keys
 * SignTx. */
enum tm_err transaction_resign(struct arena *a, struct bytes raw, const struct private_key *key,
                               struct bytes *out, struct tm_error *e);

/* Recipient as indexed: to_address of sends, else empty; empty too for an address longer than any
 * account's, which nothing can have credited and no index row can hold. Signer as indexed: the
 * signer field the handler sees, i.e. the address of the signing key. */
struct bytes transaction_recipient(const struct transaction *tx);

/* core.IndexedTransaction (state.md 1.2). */
struct indexed_transaction {
    struct bytes tx;
    height_t height;
    int32_t index, result_code;
    struct bytes error;
    struct bytes signer, recipient; /* raw bytes; hex on the wire */
    const char *message_type;
};
struct bytes indexed_transaction_encode(struct arena *a, const struct indexed_transaction *t);

#endif
