#include "bundle.h"

#include "../base/hex.h"
#include "../certificate/certificate.h"
#include "seal.h"

enum { MARK_SIZE = 4, HEAD_SIZE = 2 }; /* HEAD: version, tree */

static const uint8_t MARK[MARK_SIZE] = {'T', 'M', 'P', 'B'};

struct bytes bundle_encode(struct arena *a, enum tree_id tree, const struct block_header *header,
                           const struct proof *proof)
{
    struct block block = {.header = *header};
    struct bytes encoded = block_encode(a, &block), inner = proof_encode(a, proof);
    uint8_t head[HEAD_SIZE] = {BUNDLE_VERSION, (uint8_t)tree};
    struct buffer out;

    buffer_init(&out, a, encoded.size + inner.size + 64);
    buffer_append(&out, MARK, sizeof MARK);
    buffer_append(&out, head, sizeof head);
    seal_part(&out, encoded);
    seal_part(&out, inner);
    seal_close(&out);
    return buffer_bytes(&out);
}

static enum tm_err take_header(struct arena *a, struct bytes encoded, struct block_header *out,
                               struct tm_error *e)
{
    struct block block;
    bool canonical;
    enum tm_err err = block_decode(a, encoded, &block, &canonical, e);

    if (err != TM_OK)
        return err;
    if (!canonical || block.transaction_count > 0)
        return tm_fail(e, TM_ERR_MALFORMED, "the bundle's header is not in its one encoding");
    *out = block.header;
    return TM_OK;
}

enum tm_err bundle_decode(struct arena *a, struct bytes raw, struct proof_bundle *out,
                          struct tm_error *e)
{
    struct bytes rest = raw, mark, head, header, proof;
    enum tm_err err;

    memset(out, 0, sizeof *out);
    if (raw.size > BUNDLE_BYTES_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "the bundle has %zu bytes, at most %d are read", raw.size,
                       BUNDLE_BYTES_MAX);
    if (raw.size < MARK_SIZE || memcmp(raw.data, MARK, MARK_SIZE) != 0)
        return tm_fail(e, TM_ERR_MALFORMED, "this is no proof bundle");
    if (!seal_open(&rest))
        return tm_fail(e, TM_ERR_MALFORMED,
                       "the bundle is damaged: its checksum is not that of its bytes");
    if (!seal_take(&rest, MARK_SIZE, &mark) || !seal_take(&rest, HEAD_SIZE, &head))
        return tm_fail(e, TM_ERR_MALFORMED, "the bundle is cut short");
    if (head.data[0] != BUNDLE_VERSION || head.data[1] >= TREES)
        return tm_fail(e, TM_ERR_MALFORMED, "the bundle is of version %d and tree %d", head.data[0],
                       head.data[1]);
    out->tree = (enum tree_id)head.data[1];
    if (!seal_take_part(&rest, BLOCK_MAX, &header) ||
        !seal_take_part(&rest, PROOF_BYTES_MAX, &proof) || rest.size > 0)
        return tm_fail(e, TM_ERR_MALFORMED, "the bundle is not a header and a proof");
    err = take_header(a, header, &out->header, e);
    return err == TM_OK ? proof_decode(a, proof, &out->proof, e) : err;
}

static enum tm_err check_set(struct arena *a, const struct block_header *header,
                             const struct validator_set *set, const struct rules *rules,
                             struct tm_error *e)
{
    struct hash32 hash = validator_set_hash(set);

    if (!header->has_validator_set && !rules->signed_header)
        return TM_OK;
    if (!header->has_validator_set || !hash32_equal(&hash, &header->validator_set_hash))
        return tm_fail(e, TM_ERR_MISMATCH,
                       "block %llu was not signed by the validator set %s that is trusted",
                       (unsigned long long)header->height, hex_text(a, bytes_hash(&hash)));
    return TM_OK;
}

enum tm_err bundle_check_header(struct arena *a, const struct block_header *header,
                                const struct validator_set *set, const struct rules **rules,
                                struct tm_error *e)
{
    struct block block = {.header = *header};
    const struct rules *signed_under;
    struct certificate c;
    struct hash32 state_hash;
    bool canonical;
    enum tm_err err;

    if (header->certificate.size == 0)
        return tm_fail(e, TM_ERR_MISMATCH, "block %llu has no certificate: nobody signed it",
                       (unsigned long long)header->height);
    if (!header->has_state_hash || !header->has_tree_roots)
        return tm_fail(e, TM_ERR_MISMATCH, "the header has no state hash or no tree roots");
    state_hash = state_hash_of_roots(header->tree_roots);
    if (!hash32_equal(&state_hash, &header->state_hash))
        return tm_fail(e, TM_ERR_MISMATCH, "the header's tree roots give another state hash");
    err = certificate_decode(a, header->certificate, &c, &canonical, e);
    if (err != TM_OK)
        return err;
    /* Only `standard` signs a transactions_hash; the header around the certificate, whose field
     * anybody can leave out, does not decide. */
    signed_under = c.block.header.has_transactions_hash ? &RULES_STANDARD : &RULES_REFERENCE;
    if (signed_under->signed_header && !canonical)
        return tm_fail(e, TM_ERR_MISMATCH, "the certificate is not in its one encoding");
    err = check_set(a, header, set, signed_under, e);
    if (err != TM_OK)
        return err;
    /* What `reference` signs holds the transactions, of which the state hash is the outcome. */
    block.transactions = c.block.transactions;
    block.transaction_count = c.block.transaction_count;
    if (rules != NULL)
        *rules = signed_under;
    return certificate_verify(a, &c, &block, set, signed_under, e);
}

enum tm_err bundle_verify(struct arena *a, const struct proof_bundle *b,
                          const struct validator_set *set, struct tm_error *e)
{
    enum tm_err err = bundle_check_header(a, &b->header, set, NULL, e);

    if (err == TM_OK && !proof_verify(&b->proof, &b->header.tree_roots[b->tree]))
        return tm_fail(e, TM_ERR_MISMATCH,
                       "the proof leads to %s, the header's root of tree %s is %s",
                       hex_text(a, bytes_hash(&b->proof.root)), tree_name(b->tree),
                       hex_text(a, bytes_hash(&b->header.tree_roots[b->tree])));
    return err;
}
