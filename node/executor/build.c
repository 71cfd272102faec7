/* Making proposals: from candidates, from a body, and the header both end in. */
#include "executor_state.h"

#include "header_difference.h"

/* Microseconds, the grain of timestamps (block.md). */
enum { NANOS_PER_MICRO = 1000, NANOS_PER_SECOND = 1000000000 };

static int compare_times(int64_t seconds, int32_t nanos, const struct block_header *h)
{
    if (seconds != h->seconds)
        return seconds > h->seconds ? 1 : -1;
    return (nanos > h->nanos) - (nanos < h->nanos);
}

/* max(clock cut to 1 us, previous + 1 us). */
static void set_time(struct block_header *h, const struct block_header *previous, int64_t seconds,
                     int32_t nanos)
{
    nanos -= nanos % NANOS_PER_MICRO;
    if (compare_times(seconds, nanos, previous) <= 0) {
        seconds = previous->seconds;
        nanos = previous->nanos - previous->nanos % NANOS_PER_MICRO + NANOS_PER_MICRO;
        if (nanos >= NANOS_PER_SECOND) {
            seconds++;
            nanos -= NANOS_PER_SECOND;
        }
    }
    h->has_timestamp = true;
    h->seconds = seconds;
    h->nanos = nanos;
}

void fill_header(struct executor *x, struct proposal *p)
{
    struct block_header *h = &p->block.header;

    h->height = x->tip->height + 1;
    h->network_id = x->chain.chain_id;
    h->has_state_hash = h->has_previous = h->has_tree_roots = true;
    h->state_hash = state_hash_of_roots(h->tree_roots);
    h->previous_state_hash = x->tip->state_hash;
    h->has_validator_set = h->has_next_validator_set = true;
    h->validator_set_hash = x->set_hash;
    h->next_validator_set_hash = p->set_changed ? validator_set_hash(&p->next_set) : x->set_hash;
    h->has_transactions_hash = x->chain.rules->signed_header;
    if (h->has_transactions_hash)
        h->transactions_hash = transactions_hash(p->block.transactions, p->block.transaction_count);
}

static bool writes_validators(const struct store_block *b)
{
    for (size_t i = 0; i < b->write_count; i++)
        if (b->writes[i].tree == TREE_VAL)
            return true;
    return false;
}

/* End of block, trees, next set: what follows the last transaction. */
static enum tm_err end_block(struct executor *x, struct proposal *p, struct ledger *l,
                             struct tm_error *e)
{
    struct hash32 roots[TREES];
    enum tm_err err = ledger_end(l, e);

    if (err == TM_OK)
        err = proposal_finish(p, l, &x->trees, roots, e);
    if (err != TM_OK)
        return err;
    memcpy(p->block.header.tree_roots, roots, sizeof roots);
    p->set_changed = writes_validators(&p->result);
    if (p->set_changed)
        p->next_set = state_cache_validators(&x->cache, x->chain.rules, p->result.writes,
                                             p->result.write_count, &p->arena);
    fill_header(x, p);
    return TM_OK;
}

/* Key, body and public face of a proposal whose header is complete. */
static void publish(struct proposal *p)
{
    p->public = (struct executor_proposal){
        .key = header_hash(&p->block.header),
        .header = p->block.header,
        .body = block_encode(&p->arena, &p->block),
        .transactions = p->result.transactions,
        .transaction_count = p->result.transaction_count,
    };
}

/* Rows and pages the listed transactions are known to need, in two calls of the store. */
static enum tm_err prefetch(struct executor *x, struct proposal *p, struct bytes proposer,
                            const struct transaction *const *transactions, size_t count,
                            struct tm_error *e)
{
    struct cache_keys keys;
    struct hash32 *paths = arena_array(&p->arena, struct hash32, count);
    enum tm_err err;

    cache_keys_init(&keys, &x->cache);
    cache_keys_want(&keys, TREE_ACCOUNT, proposer);
    cache_keys_want_due(&keys, executor_height(x) + 1);
    for (size_t i = 0; i < count; i++) {
        const struct record r = {.tree = TREE_TRANSACTIONS,
                                 .key = bytes_hash(&transactions[i]->hash)};

        ledger_keys(transactions[i], cache_keys_want, &keys);
        paths[i] = record_path(&r);
    }
    err = cache_keys_fetch(&keys, e);
    if (err == TM_OK)
        err = trees_load(&x->trees, TREE_TRANSACTIONS, paths, count, e);
    return err;
}

static struct cache_view view_of(struct executor *x, struct arena *a)
{
    return (struct cache_view){
        .cache = &x->cache, .arena = a, .transactions = smt_base(x->trees.tree[TREE_TRANSACTIONS])};
}

enum tm_err execute_block(struct executor *x, struct proposal *p, struct bytes proposer,
                          const struct transaction_checks *checks, size_t *failed,
                          struct tm_error *e)
{
    const struct transaction **list =
        arena_array(&p->arena, const struct transaction *, checks->count);
    struct cache_view view = view_of(x, &p->arena);
    struct ledger_view ledger_view = cache_view_ledger(&view);
    struct ledger *ledger;
    enum tm_err err;

    for (size_t i = 0; i < checks->count; i++) {
        *failed = i;
        if (checks->errors[i].err != TM_OK) {
            *e = checks->errors[i];
            return e->err;
        }
        list[i] = &checks->transactions[i];
    }
    proposal_reserve(p, checks->count);
    err = prefetch(x, p, proposer, list, checks->count, e);
    if (err == TM_OK)
        err = ledger_begin(&p->arena, x->chain.rules, &ledger_view, executor_height(x) + 1,
                           proposer, &ledger, e);
    for (size_t i = 0; i < checks->count && err == TM_OK; i++) {
        struct ledger_result result;

        *failed = i;
        err = ledger_apply(ledger, list[i], &result, e);
        if (err == TM_OK)
            proposal_add(p, list[i], &result);
    }
    if (err == TM_OK)
        err = end_block(x, p, ledger, e);
    return err;
}

static size_t varint_size(size_t n)
{
    size_t size = 1;

    for (; n >= 0x80; n >>= 7)
        size++;
    return size;
}

/* What a transaction adds to an encoded block: a one-byte tag, its length, itself. */
static size_t encoded_size(const struct transaction *tx)
{
    return 1 + varint_size(tx->encoded.size) + tx->encoded.size;
}

/* Size of the body without transactions: a header of that shape with any hashes. */
static size_t empty_body_size(struct executor *x, const struct proposal *p)
{
    struct arena scratch;
    struct proposal empty = {.block.header = p->block.header};
    size_t size;

    arena_init(&scratch);
    fill_header(x, &empty);
    size = block_encode(&scratch, &empty.block).size;
    arena_free(&scratch);
    return size;
}

/* Offers the candidates to the ledger in turn until the block is full or time is up. */
static enum tm_err take_candidates(struct executor *x, struct proposal *p, struct ledger *ledger,
                                   const struct executor_prepare_input *in, struct tm_error *e)
{
    size_t size = empty_body_size(x, p);

    for (size_t i = 0; i < in->count; i++) {
        struct executor_candidate *c = &in->candidates[i];
        struct ledger_result result;
        struct tm_error refusal;
        enum tm_err err;

        if (!c->verified) {
            c->tried = true;
            continue;
        }
        if (size + encoded_size(c->tx) > x->chain.max_block_bytes)
            continue;
        if (in->stop != NULL && in->stop(in->stop_ctx))
            break;
        c->tried = true;
        err = ledger_apply(ledger, c->tx, &result, &refusal);
        if (err == TM_ERR_RULE) {
            c->code = refusal.code;
            c->error = arena_text(&p->arena, bytes_of(refusal.text));
            continue;
        }
        if (err != TM_OK) {
            *e = refusal;
            return err;
        }
        c->included = true;
        size += encoded_size(c->tx);
        proposal_add(p, c->tx, &result);
    }
    return TM_OK;
}

static enum tm_err prepare(struct executor *x, struct proposal *p,
                           const struct executor_prepare_input *in, struct tm_error *e)
{
    const struct transaction **list = arena_array(&p->arena, const struct transaction *, in->count);
    struct cache_view view = view_of(x, &p->arena);
    struct ledger_view ledger_view = cache_view_ledger(&view);
    struct ledger *ledger;
    size_t count = 0;
    enum tm_err err;

    p->block.header.proposer = arena_copy(&p->arena, in->proposer);
    set_time(&p->block.header, x->tip, in->seconds, in->nanos);
    if (!header_time_valid(&p->block.header))
        return tm_fail(
            e, TM_ERR_LIMIT,
            "no block after the year 9999: %lld s is the time of the block before, or of "
            "this machine's clock",
            (long long)p->block.header.seconds);
    check_candidates(x, &p->arena, in->candidates, in->count);
    for (size_t i = 0; i < in->count; i++) {
        in->candidates[i].included = in->candidates[i].tried = false;
        if (in->candidates[i].verified)
            list[count++] = in->candidates[i].tx;
    }
    proposal_reserve(p, in->count);
    err = prefetch(x, p, p->block.header.proposer, list, count, e);
    if (err == TM_OK)
        err = ledger_begin(&p->arena, x->chain.rules, &ledger_view, executor_height(x) + 1,
                           p->block.header.proposer, &ledger, e);
    if (err == TM_OK)
        err = take_candidates(x, p, ledger, in, e);
    if (err == TM_OK)
        err = end_block(x, p, ledger, e);
    return err;
}

enum tm_err executor_prepare(struct executor *x, const struct executor_prepare_input *in,
                             const struct executor_proposal **out, struct tm_error *e)
{
    struct proposal *p;
    enum tm_err err;

    *out = NULL;
    if (!x->chain.rules->signed_header)
        return tm_fail(e, TM_ERR_USAGE, "a chain with `%s` rules is only replayed, not extended",
                       x->chain.rules->name);
    if (validator_set_find(x->set, in->proposer) < 0)
        return tm_fail(e, TM_ERR_USAGE, "the proposer is not in the validator set");
    p = proposal_new();
    err = prepare(x, p, in, e);
    if (err == TM_OK) {
        publish(p);
        err = keep_proposal(x, p, e);
    }
    if (err != TM_OK) {
        proposal_free(p);
        return err;
    }
    *out = &p->public;
    return TM_OK;
}

/* Fields of a proposed header that can be checked before execution (block.md, "valid iff"). */
static enum tm_err check_header(struct executor *x, const struct block *b, struct tm_error *e)
{
    const struct block_header *h = &b->header;

    if (h->certificate.size > 0)
        return tm_fail(e, TM_ERR_MALFORMED, "a proposal with a certificate");
    if (h->height != x->tip->height + 1)
        return tm_fail(e, TM_ERR_MISMATCH, "height %llu, expected %llu",
                       (unsigned long long)h->height, (unsigned long long)(x->tip->height + 1));
    if (!bytes_equal(h->network_id, x->chain.chain_id))
        return tm_fail(e, TM_ERR_MISMATCH, "networkId is not that of this chain");
    if (!h->has_previous || !hash32_equal(&h->previous_state_hash, &x->tip->state_hash))
        return tm_fail(e, TM_ERR_MISMATCH, "prevStateHash is not the tip's state hash");
    if (validator_set_find(x->set, h->proposer) < 0)
        return tm_fail(e, TM_ERR_MISMATCH, "proposerAddress is not in the validator set");
    if (!header_time_valid(h))
        return tm_fail(e, TM_ERR_MALFORMED, "timestamp is not in the years 1 to 9999");
    if (!h->has_timestamp || h->nanos % NANOS_PER_MICRO != 0)
        return tm_fail(e, TM_ERR_MALFORMED, "timestamp is not in whole microseconds");
    if (compare_times(h->seconds, h->nanos, x->tip) <= 0)
        return tm_fail(e, TM_ERR_MISMATCH, "timestamp is not later than the previous block's");
    return TM_OK;
}

static enum tm_err apply(struct executor *x, struct proposal *p, struct bytes body,
                         struct tm_error *e)
{
    struct block proposed;
    struct transaction_checks checks;
    bool canonical;
    size_t failed = 0;
    enum tm_err err = block_decode(&p->arena, body, &proposed, &canonical, e);

    if (err == TM_OK && !canonical)
        err = tm_fail(e, TM_ERR_NOT_CANONICAL, "the block is not its own re-encoding");
    if (err == TM_OK)
        err = check_header(x, &proposed, e);
    if (err != TM_OK)
        return err;
    p->block.header = proposed.header;
    checks =
        check_transactions(x, &p->arena, proposed.transactions, proposed.transaction_count, NULL);
    err = execute_block(x, p, proposed.header.proposer, &checks, &failed, e);
    if (err != TM_OK)
        return err;
    publish(p);
    if (!bytes_equal(p->public.body, body))
        return tm_fail(e, TM_ERR_MISMATCH, "the header is not what execution gives: field %s",
                       header_difference(&proposed.header, &p->block.header));
    return TM_OK;
}

enum tm_err executor_apply(struct executor *x, struct bytes body,
                           const struct executor_proposal **out, struct tm_error *e)
{
    struct proposal *p;
    enum tm_err err;

    *out = NULL;
    if (x->chain.rules->block_size_limited && body.size > x->chain.max_block_bytes)
        return tm_fail(e, TM_ERR_LIMIT, "a block of %zu bytes; max_block_bytes is %llu", body.size,
                       (unsigned long long)x->chain.max_block_bytes);
    p = proposal_new();
    err = apply(x, p, arena_copy(&p->arena, body), e);
    if (err == TM_OK && executor_find(x, &p->public.key) != NULL) {
        *out = executor_find(x, &p->public.key);
        proposal_free(p);
        return TM_OK;
    }
    if (err == TM_OK)
        err = keep_proposal(x, p, e);
    if (err != TM_OK) {
        proposal_free(p);
        return err;
    }
    *out = &p->public;
    return TM_OK;
}
