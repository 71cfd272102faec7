#include "certificate.h"

#include "../base/hex.h"
#include "../codec/codec.h"
#include "../codec/wire.h"
#include "../codec/wire_writer.h"
#include "protocol/proto/block.pb-c.h"

/* Field numbers (state.md 1.4). */
enum {
    VOTE_HEIGHT = 2,
    VOTE_STEP = 3,
    VOTE_ROUND = 4,
    VOTE_BLOCK = 5,
    CERTIFICATE_HEIGHT = 1,
    CERTIFICATE_ROUND = 2,
    CERTIFICATE_STEP = 3,
    CERTIFICATE_BLOCK = 4,
    CERTIFICATE_THRESHOLD = 5,
    THRESHOLD_SIGNATURE = 1,
    PARTIAL_SIGNATURE = 1,
    PARTIAL_ADDRESS = 2
};

enum { CERTIFICATE_OVERHEAD = 64, SIGNATURE_SIZE = 128 };

/* The bytes of lower-case hex text. */
static bool read_address(struct arena *a, struct bytes text, struct bytes *out)
{
    uint8_t *address = arena_alloc(a, text.size / 2);

    if (!hex_decode(text, address))
        return false;
    *out = bytes_make(address, text.size / 2);
    return bytes_equal(bytes_of(hex_text(a, *out)), text);
}

/* The sub-message of a field in canonical bytes; data is NULL when the field is absent. */
static struct bytes part_of(struct bytes encoded, uint32_t number)
{
    struct wire_field f;

    while (encoded.size > 0 && wire_next(&encoded, &f, NULL) == TM_OK && f.number <= number)
        if (f.number == number && f.type == WIRE_LENGTH)
            return f.content;
    return (struct bytes){NULL, 0};
}

static enum tm_err take_signatures(struct arena *a, const Pocket__ThresholdSignature *p,
                                   struct certificate *out, struct tm_error *e)
{
    if (p->n_signatures > CERTIFICATE_SIGNATURES_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "ThresholdSignature: more than %d signatures",
                       CERTIFICATE_SIGNATURES_MAX);
    out->signatures = arena_array(a, struct partial_signature, p->n_signatures);
    out->signature_count = p->n_signatures;
    for (size_t i = 0; i < p->n_signatures; i++) {
        struct bytes text = codec_bytes(p->signatures[i]->address);

        if (!read_address(a, text, &out->signatures[i].address))
            return tm_fail(e, TM_ERR_MALFORMED, "PartialSignature: address is not lower-case hex");
        out->signatures[i].signature = codec_bytes(p->signatures[i]->signature);
    }
    return TM_OK;
}

static enum tm_err take_threshold(struct arena *a, struct bytes encoded, bool has_unknown,
                                  struct certificate *out, struct tm_error *e)
{
    struct canonical c = {
        .type = &pocket__threshold_signature__descriptor,
        .encoded = encoded,
        .has_unknown = has_unknown,
    };

    return take_signatures(a, codec_unpack(a, &c), out, e);
}

static enum tm_err take_numbers(struct bytes encoded, struct certificate *out, struct tm_error *e)
{
    struct wire_field f;
    uint64_t step = 0;

    while (encoded.size > 0 && wire_next(&encoded, &f, NULL) == TM_OK &&
           f.number < CERTIFICATE_BLOCK) {
        if (f.type != WIRE_VARINT)
            break;
        if (f.number == CERTIFICATE_HEIGHT)
            out->height = f.integer;
        else if (f.number == CERTIFICATE_ROUND)
            out->round = f.integer;
        else
            step = f.integer;
    }
    if (step > STEP_DECIDE)
        return tm_fail(e, TM_ERR_MALFORMED, "QuorumCertificate: %lld is no step", (long long)step);
    out->step = (enum hotstuff_step)step;
    return TM_OK;
}

enum tm_err certificate_decode(struct arena *a, struct bytes raw, struct certificate *out,
                               bool *canonical, struct tm_error *e)
{
    struct bytes threshold;
    struct canonical c;
    bool block_canonical;
    enum tm_err err;

    if (raw.size > BLOCK_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "the certificate has %zu bytes, at most %d are decoded",
                       raw.size, BLOCK_MAX);
    err = codec_canonicalise(a, &pocket__quorum_certificate__descriptor, raw,
                             BLOCK_TRANSACTIONS_MAX, &c, e);
    if (err != TM_OK)
        return err;
    *out = (struct certificate){0};
    err = take_numbers(c.encoded, out, e);
    if (err != TM_OK)
        return err;
    out->block_raw = part_of(c.encoded, CERTIFICATE_BLOCK);
    if (out->block_raw.data == NULL)
        return tm_fail(e, TM_ERR_MALFORMED, "QuorumCertificate: block is absent");
    err = block_decode(a, out->block_raw, &out->block, &block_canonical, e);
    if (err != TM_OK)
        return err;
    threshold = part_of(c.encoded, CERTIFICATE_THRESHOLD);
    if (threshold.data != NULL)
        err = take_threshold(a, threshold, c.has_unknown, out, e);
    if (err == TM_OK)
        *canonical = bytes_equal(certificate_encode(a, out), raw);
    return err;
}

struct bytes certificate_encode(struct arena *a, const struct certificate *c)
{
    struct bytes block = c->block_raw;
    struct buffer out, threshold, partial;

    if (block.size == 0)
        block = block_encode(a, &c->block);
    buffer_init(&threshold, a, c->signature_count * SIGNATURE_SIZE);
    buffer_init(&partial, a, SIGNATURE_SIZE);
    for (size_t i = 0; i < c->signature_count; i++) {
        partial.size = 0;
        wire_text(&partial, PARTIAL_SIGNATURE, c->signatures[i].signature);
        wire_hex(&partial, PARTIAL_ADDRESS, c->signatures[i].address);
        wire_element(&threshold, THRESHOLD_SIGNATURE, buffer_bytes(&partial));
    }
    buffer_init(&out, a, block.size + threshold.size + CERTIFICATE_OVERHEAD);
    wire_int64(&out, CERTIFICATE_HEIGHT, (int64_t)c->height);
    wire_int64(&out, CERTIFICATE_ROUND, (int64_t)c->round);
    wire_int64(&out, CERTIFICATE_STEP, c->step);
    wire_element(&out, CERTIFICATE_BLOCK, block);
    if (c->signature_count > 0)
        wire_element(&out, CERTIFICATE_THRESHOLD, buffer_bytes(&threshold));
    return buffer_bytes(&out);
}

struct bytes vote_bytes(struct arena *a, uint64_t height, enum hotstuff_step step, uint64_t round,
                        struct bytes block_encoded)
{
    struct buffer out;

    buffer_init(&out, a, block_encoded.size + CERTIFICATE_OVERHEAD);
    wire_int64(&out, VOTE_HEIGHT, (int64_t)height);
    wire_int64(&out, VOTE_STEP, step);
    wire_int64(&out, VOTE_ROUND, (int64_t)round);
    wire_element(&out, VOTE_BLOCK, block_encoded);
    return buffer_bytes(&out);
}
