#include "query_certificate.h"

#include "protocol/base/hex.h"
#include "protocol/certificate/certificate.h"

#include <sodium.h>

static json_t *hex_json(struct arena *a, struct bytes b)
{
    return json_string(hex_text(a, b));
}

static json_t *base64_json(struct arena *a, struct bytes b)
{
    size_t size = sodium_base64_encoded_len(b.size, sodium_base64_VARIANT_ORIGINAL);
    char *text = arena_alloc(a, size);

    return json_string(
        sodium_bin2base64(text, size, b.data, b.size, sodium_base64_VARIANT_ORIGINAL));
}

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
    return json_pack("{s:o, s:I, s:I, s:s, s:{s:o}, s:o}", "block", base64_json(a, c->block_raw),
                     "height", (json_int_t)c->height, "round", (json_int_t)c->round, "step",
                     step_name(c->step), "threshold_sig", "signatures", signatures, "transactions",
                     transactions);
}

static enum tm_err expand(struct arena *a, json_t *header, struct tm_error *e)
{
    struct bytes text = bytes_of(json_string_value(json_object_get(header, "quorum_cert")));
    uint8_t *raw = arena_alloc(a, text.size / 2);
    struct certificate c = {0};
    enum tm_err err = TM_OK;
    bool canonical;

    if (!hex_decode(text, raw))
        return tm_fail(e, TM_ERR_MALFORMED, "the certificate of this block is no hexadecimal text");
    if (text.size > 0)
        err = certificate_decode(a, bytes_make(raw, text.size / 2), &c, &canonical, e);
    if (err == TM_OK)
        json_object_set_new(header, "quorum_cert", certificate_json(a, &c));
    return err;
}

enum tm_err query_certificate_expand(json_t *block, struct tm_error *e)
{
    struct arena a;
    enum tm_err err;

    arena_init(&a);
    err = expand(&a, json_object_get(block, "block_header"), e);
    arena_free(&a);
    return err;
}
