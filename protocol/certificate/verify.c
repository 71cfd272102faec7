#include "certificate.h"

#include <inttypes.h>

#include "../base/hex.h"
#include "../transaction/transaction.h"

bool is_quorum(size_t count, size_t members)
{
    return 3 * count > 2 * members;
}

bool partial_signature_holds(const struct partial_signature *s, const struct validator *member,
                             struct bytes vote, enum ed25519_rule rule)
{
    struct public_key key;
    struct signature signature;

    if (member->public_key.size != sizeof key.b || s->signature.size != sizeof signature.b)
        return false;
    memcpy(key.b, member->public_key.data, sizeof key.b);
    memcpy(signature.b, s->signature.data, sizeof signature.b);
    return ed25519_verify(rule, &key, vote, &signature);
}

static enum tm_err no_quorum(size_t count, size_t members, struct tm_error *e)
{
    return tm_fail(e, TM_ERR_MISMATCH,
                   "the certificate has %zu valid signatures of %zu validators, more than two "
                   "thirds are needed",
                   count, members);
}

static bool same_hash(bool has_x, const struct hash32 *x, bool has_y, const struct hash32 *y)
{
    return has_x == has_y && (!has_x || hash32_equal(x, y));
}

/* The certificate's block is Block{signed header} and nothing else, byte for byte. */
static enum tm_err check_signed_header(struct arena *a, const struct certificate *c,
                                       const struct block *block, struct tm_error *e)
{
    struct block signed_block = {.header = block->header};

    signed_block.header.certificate = (struct bytes){NULL, 0};
    if (!bytes_equal(block_encode(a, &signed_block), c->block_raw))
        return tm_fail(e, TM_ERR_MISMATCH, "the certificate's header is not the block's");
    return TM_OK;
}

/* What the reference's recorded certificates cover: fields 1, 3, 4, 5 and the transactions. */
static enum tm_err check_proposal(struct arena *a, const struct certificate *c,
                                  const struct block *block, struct tm_error *e)
{
    const struct block_header *x = &c->block.header, *y = &block->header;
    const char *field = NULL;

    if (x->height != y->height)
        field = "height";
    else if (!same_hash(x->has_state_hash, &x->state_hash, y->has_state_hash, &y->state_hash))
        field = "stateHash";
    else if (!same_hash(x->has_previous, &x->previous_state_hash, y->has_previous,
                        &y->previous_state_hash))
        field = "prevStateHash";
    else if (!bytes_equal(x->proposer, y->proposer))
        field = "proposerAddress";
    if (field != NULL)
        return tm_fail(e, TM_ERR_MISMATCH, "the certificate's %s is not the block's", field);
    if (c->block.transaction_count != block->transaction_count)
        return tm_fail(e, TM_ERR_MISMATCH,
                       "the certificate's block has %zu transactions, the block has %zu",
                       c->block.transaction_count, block->transaction_count);
    for (size_t i = 0; i < block->transaction_count; i++) {
        struct transaction voted, stored;

        if (bytes_equal(c->block.transactions[i], block->transactions[i]))
            continue;
        /* The vote covers the bytes as received, the block holds their re-encoding. */
        if (transaction_decode(a, c->block.transactions[i], &voted, NULL) != TM_OK ||
            transaction_decode(a, block->transactions[i], &stored, NULL) != TM_OK ||
            !bytes_equal(voted.encoded, stored.encoded))
            return tm_fail(e, TM_ERR_MISMATCH,
                           "transaction %zu of the certificate's block is not the block's", i);
    }
    return TM_OK;
}

/* Every entry must hold. */
static enum tm_err check_all_signatures(struct arena *a, const struct certificate *c,
                                        struct bytes vote, const struct validator_set *set,
                                        enum ed25519_rule rule, struct tm_error *e)
{
    for (size_t i = 0; i < c->signature_count; i++) {
        const struct partial_signature *s = &c->signatures[i];
        long index = validator_set_find(set, s->address);

        if (i > 0 && bytes_compare(c->signatures[i - 1].address, s->address) >= 0)
            return tm_fail(e, TM_ERR_MISMATCH,
                           "the certificate's signatures are not ascending by address");
        if (index < 0)
            return tm_fail(e, TM_ERR_MISMATCH, "the certificate is signed by %s, no validator",
                           s->address.size == sizeof(struct address) ? hex_text(a, s->address)
                                                                     : "an odd address");
        if (!partial_signature_holds(s, &set->members[index], vote, rule))
            return tm_fail(e, TM_ERR_MISMATCH, "the certificate's signature of %s does not verify",
                           hex_text(a, s->address));
    }
    return is_quorum(c->signature_count, set->count) ? TM_OK
                                                     : no_quorum(c->signature_count, set->count, e);
}

/* Distinct members are counted, other entries are passed over. */
static enum tm_err count_signatures(struct arena *a, const struct certificate *c, struct bytes vote,
                                    const struct validator_set *set, enum ed25519_rule rule,
                                    struct tm_error *e)
{
    bool *counted = arena_array(a, bool, set->count);
    size_t count = 0;

    for (size_t i = 0; i < c->signature_count; i++) {
        long index = validator_set_find(set, c->signatures[i].address);

        if (index < 0 || counted[index] ||
            !partial_signature_holds(&c->signatures[i], &set->members[index], vote, rule))
            continue;
        counted[index] = true;
        count++;
    }
    return is_quorum(count, set->count) ? TM_OK : no_quorum(count, set->count, e);
}

enum tm_err certificate_verify(struct arena *a, const struct certificate *c,
                               const struct block *block, const struct validator_set *set,
                               const struct rules *rules, struct tm_error *e)
{
    struct bytes vote = vote_bytes(a, c->height, c->step, c->round, c->block_raw);
    enum tm_err err;

    if (c->step != STEP_COMMIT)
        return tm_fail(e, TM_ERR_MISMATCH, "the certificate is of step %d instead of %d",
                       (int)c->step, (int)STEP_COMMIT);
    if (c->height != block->header.height)
        return tm_fail(e, TM_ERR_MISMATCH,
                       "the certificate is of height %" PRIu64 ", the block of %" PRIu64, c->height,
                       block->header.height);
    if (rules->signed_header) {
        err = check_signed_header(a, c, block, e);
        return err == TM_OK ? check_all_signatures(a, c, vote, set, rules->signatures, e) : err;
    }
    err = check_proposal(a, c, block, e);
    return err == TM_OK ? count_signatures(a, c, vote, set, rules->signatures, e) : err;
}
