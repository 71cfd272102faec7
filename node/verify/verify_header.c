/* A stored header against the chain before it, the sets, its transactions and its certificate. */
#include "verifier.h"

#include "protocol/base/hex.h"
#include "protocol/certificate/certificate.h"

#include <inttypes.h>

static void expect_hash(struct verifier *v, struct arena *a, height_t h, const char *column,
                        bool present, const struct hash32 *stored, bool wanted,
                        const struct hash32 *computed)
{
    if (present != wanted)
        verify_find(&v->found, h, "ledger.block.%s %s", column,
                    wanted ? "is missing" : "must be empty here");
    else if (present && !hash32_equal(stored, computed))
        verify_find(&v->found, h, "ledger.block.%s is %s, computed %s", column,
                    hex_text(a, bytes_hash(stored)), hex_text(a, bytes_hash(computed)));
}

static void check_certificate(struct verifier *v, struct arena *a, const struct verify_height *rows,
                              const struct block *block)
{
    struct certificate c;
    bool canonical;
    struct tm_error e;

    if (certificate_decode(a, rows->header.certificate, &c, &canonical, &e) != TM_OK) {
        verify_find(&v->found, rows->height, "ledger.block.certificate: %s", e.text);
        return;
    }
    if (certificate_verify(a, &c, block, &v->validators, v->genesis->rules, &e) != TM_OK)
        verify_find(&v->found, rows->height, "ledger.block.certificate: %s", e.text);
    if ((int64_t)c.round != rows->round)
        verify_find(&v->found, rows->height,
                    "ledger.block.round is %" PRId64 ", the certificate's %" PRIu64, rows->round,
                    c.round);
    if (v->genesis->rules->signed_header && !canonical)
        verify_find(&v->found, rows->height, "ledger.block.certificate is not its own re-encoding");
}

static void check_time(struct verifier *v, const struct verify_height *rows)
{
    const struct block_header *h = &rows->header;
    bool later = h->seconds != v->previous.seconds ? h->seconds > v->previous.seconds
                                                   : h->nanos > v->previous.nanos;

    if (!header_time_valid(h) || rows->block_time_usec != h->seconds * 1000000 + h->nanos / 1000)
        verify_find(&v->found, rows->height, "ledger.block.block_time is not seconds and nanos");
    if (!v->genesis->rules->signed_header)
        return;
    if (h->nanos % 1000 != 0)
        verify_find(&v->found, rows->height, "ledger.block.nanos %d is no whole microsecond",
                    h->nanos);
    if (rows->height > 0 && !later)
        verify_find(&v->found, rows->height,
                    "the timestamp is not later than that of the block before");
    if (rows->height == 0 && (h->seconds != v->genesis->seconds || h->nanos != v->genesis->nanos))
        verify_find(&v->found, 0, "the timestamp is not genesis_time");
}

static void check_proposer(struct verifier *v, struct arena *a, const struct verify_height *rows)
{
    long index;
    uint64_t n = v->validators.count, r0;

    if (rows->height == 0) {
        if (rows->header.proposer.size != 0)
            verify_find(&v->found, 0, "ledger.block.proposer must be empty here");
        return;
    }
    if (!v->genesis->rules->signed_header)
        return;
    index = validator_set_find(&v->validators, rows->header.proposer);
    if (index < 0) {
        verify_find(&v->found, rows->height, "proposer %s is not in the validator set",
                    hex_text(a, rows->header.proposer));
        return;
    }
    r0 = ((uint64_t)index + n - (uint64_t)rows->height % n) % n;
    if ((int64_t)r0 > rows->round)
        verify_find(&v->found, rows->height,
                    "proposer %s leads round %" PRIu64 ", after round %" PRId64,
                    hex_text(a, rows->header.proposer), r0, rows->round);
}

void verify_header(struct verifier *v, struct arena *a, const struct verify_height *rows,
                   const struct validator_set *after)
{
    const struct block_header *h = &rows->header;
    const struct rules *rules = v->genesis->rules;
    bool first = rows->height == 0, signs = rules->signed_header;
    struct block block = {.header = *h, .transaction_count = rows->transaction_count};
    struct hash32 before_hash = validator_set_hash(&v->validators);
    struct hash32 after_hash = validator_set_hash(after), hash;

    block.transactions = arena_array(a, struct bytes, rows->transaction_count + 1);
    for (size_t i = 0; i < rows->transaction_count; i++)
        block.transactions[i] = rows->transaction_rows[i].tx;
    if ((height_t)h->height != rows->height)
        verify_find(&v->found, rows->height, "ledger.block.height is %" PRIu64, h->height);
    if (rows->transactions != (int64_t)rows->transaction_count)
        verify_find(&v->found, rows->height,
                    "ledger.block.transactions is %" PRId64 ", there are %zu", rows->transactions,
                    rows->transaction_count);
    expect_hash(v, a, rows->height, "previous_state_hash", h->has_previous, &h->previous_state_hash,
                !first, &v->previous.state_hash);
    expect_hash(v, a, rows->height, "validator_set_hash", h->has_validator_set,
                &h->validator_set_hash, !first, &before_hash);
    expect_hash(v, a, rows->height, "next_validator_set_hash", h->has_next_validator_set,
                &h->next_validator_set_hash, true, &after_hash);
    hash = transactions_hash(block.transactions, block.transaction_count);
    expect_hash(v, a, rows->height, "transactions_hash", h->has_transactions_hash,
                &h->transactions_hash, signs, &hash);
    if (rows->has_header_hash) {
        hash = header_hash(h);
        expect_hash(v, a, rows->height, "header_hash", true, &rows->header_hash, true, &hash);
    }
    if (signs && !bytes_equal(h->network_id, v->genesis->chain_id))
        verify_find(&v->found, rows->height,
                    "ledger.block.network_id is \"%.*s\", the chain is \"%.*s\"",
                    (int)h->network_id.size, (const char *)h->network_id.data,
                    (int)v->genesis->chain_id.size, (const char *)v->genesis->chain_id.data);
    check_time(v, rows);
    check_proposer(v, a, rows);
    if (first) {
        if (h->certificate.size != 0 || rows->round != 0)
            verify_find(&v->found, 0, "genesis has a certificate or a round");
    } else {
        check_certificate(v, a, rows, &block);
    }
}

void verify_link(struct verifier *v, struct arena *a, const struct verify_height *rows)
{
    const struct block_header *h = &rows->header;
    bool first = rows->height == 0, signs = v->genesis->rules->signed_header;
    struct hash32 hash;

    if (!rows->has_block) {
        verify_find(&v->found, rows->height, "there is no row in ledger.block");
        return;
    }
    hash = state_hash_of_roots(h->tree_roots);
    expect_hash(v, a, rows->height, "state_hash", h->has_state_hash, &h->state_hash, true, &hash);
    expect_hash(v, a, rows->height, "previous_state_hash", h->has_previous, &h->previous_state_hash,
                !first, &v->previous.state_hash);
    expect_hash(v, a, rows->height, "validator_set_hash", h->has_validator_set,
                &h->validator_set_hash, !first, &v->previous.next_validator_set_hash);
    if (rows->has_header_hash) {
        hash = header_hash(h);
        expect_hash(v, a, rows->height, "header_hash", true, &rows->header_hash, true, &hash);
    }
    if (signs && !bytes_equal(h->network_id, v->genesis->chain_id))
        verify_find(&v->found, rows->height,
                    "ledger.block.network_id is \"%.*s\", the chain is \"%.*s\"",
                    (int)h->network_id.size, (const char *)h->network_id.data,
                    (int)v->genesis->chain_id.size, (const char *)v->genesis->chain_id.data);
    check_time(v, rows);
}
