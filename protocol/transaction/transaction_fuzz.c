/* Whatever decodes has one canonical form, which decodes to the same transaction. */
#include "transaction.h"

#include <stdlib.h>

#include "../../tests/fuzz/driver.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_message(struct arena *a, const struct transaction *tx)
{
    struct message m = tx->message;
    struct private_key key = {{0}};
    struct bytes signed_again;
    struct transaction again;

    (void)message_check(&m, NULL);
    signed_again = transaction_sign(a, &m, bytes_of("1"), &key);
    require(transaction_decode(a, signed_again, &again, NULL) == TM_OK);
    require(again.canonical && again.message_decodes && again.message.kind == m.kind);
    require(bytes_equal(message_encode(a, &again.message), again.message_raw));
    require(again.message.wrapper == m.wrapper && again.message.chain_count == m.chain_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct transaction tx, again;
    struct private_key key = {{0}};
    struct tm_error e;
    struct bytes raw = bytes_make(data, size), resigned;
    struct arena a;

    arena_init(&a);
    if (transaction_decode(&a, raw, &tx, &e) == TM_OK) {
        require(tx.canonical == bytes_equal(tx.encoded, raw));
        require(transaction_decode(&a, tx.encoded, &again, NULL) == TM_OK);
        require(again.canonical && hash32_equal(&again.hash, &tx.hash));
        require(bytes_equal(again.sign_bytes, tx.sign_bytes));
        require(bytes_equal(again.nonce, tx.nonce));
        require(again.message_decodes == tx.message_decodes);
        (void)transaction_check(&tx, &RULES_STANDARD, &e);
        (void)transaction_check(&tx, &RULES_REFERENCE, &e);
        (void)transaction_recipient(&tx);
        require(transaction_resign(&a, raw, &key, &resigned, NULL) == TM_OK);
        require(transaction_decode(&a, resigned, &again, NULL) == TM_OK);
        require(again.canonical && bytes_equal(again.sign_bytes, tx.sign_bytes));
        if (tx.message_decodes)
            check_message(&a, &tx);
    } else {
        require(e.err == TM_ERR_RULE && e.code == 26);
    }
    arena_free(&a);
    return 0;
}

/* One transaction of each kind, made once. */
size_t fuzz_seeds(const struct fuzz_seed **out)
{
    static struct fuzz_seed seeds[MESSAGE_KINDS + 2];
    static const uint8_t unknown[] = {0x28, 0x01, 0x1a, 0x02, 0x0a, 0x00, 0x12, 0x01, 0x31, 0x0a,
                                      0x03, 0x0a, 0x01, 0x61, 0x0a, 0x03, 0x12, 0x01, 0x62};
    static struct arena a;
    static const uint8_t twenty[20], thirty_two[32];
    struct bytes chains[] = {bytes_of("0001"), bytes_of("0002")};
    struct private_key key = ed25519_from_seed(thirty_two);
    struct message m = {
        .from = bytes_make(twenty, 20),
        .to = bytes_make(twenty, 20),
        .actor_type = 2,
        .public_key = bytes_make(thirty_two, 32),
        .address = bytes_make(twenty, 20),
        .amount = bytes_of("1000"),
        .chains = chains,
        .chain_count = 2,
        .service_url = bytes_of("https://foo.bar:443"),
        .output = bytes_make(twenty, 20),
        .has_signer = true,
        .signer = bytes_make(twenty, 20),
        .owner = bytes_make(twenty, 20),
        .parameter_key = bytes_of("blocks_per_session"),
        .has_parameter_value = true,
        .wrapper = WRAPPER_INT32,
        .wrapper_decodes = true,
        .int32_value = -5,
        .key = bytes_of("key"),
        .value = bytes_of("value"),
    };

    if (seeds[0].data == NULL) {
        arena_init(&a);
        for (int i = 0; i <= MESSAGE_KINDS; i++) {
            struct bytes raw;

            m.kind = i < MESSAGE_KINDS ? (enum message_kind)i : MESSAGE_CHANGE_PARAMETER;
            if (i == MESSAGE_KINDS) {
                m.wrapper = WRAPPER_STRING;
                m.text_value = bytes_of("5");
            }
            raw = transaction_sign(&a, &m, bytes_of("42"), &key);
            seeds[i] = (struct fuzz_seed){raw.data, raw.size};
        }
        seeds[MESSAGE_KINDS + 1] = (struct fuzz_seed){unknown, sizeof unknown};
    }
    *out = seeds;
    return sizeof seeds / sizeof seeds[0];
}
