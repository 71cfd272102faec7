/* Replaying recorded blocks and telling exactly where one differs. */
#include "executor_state.h"

#include <stdio.h>

#include "header_difference.h"
#include "protocol/base/hex.h"

static void write_hash(char out[160], bool has, const struct hash32 *h)
{
    out[0] = '\0';
    if (has) {
        hex_encode(bytes_hash(h), out);
        out[64] = '\0';
    }
}

/* Text of the hash field named by header_difference; other fields were compared before. */
static void write_field(char out[160], const struct block_header *h, const char *field, int tree)
{
    if (tree >= 0)
        write_hash(out, true, &h->tree_roots[tree]);
    else if (strcmp(field, "stateHash") == 0)
        write_hash(out, h->has_state_hash, &h->state_hash);
    else if (strcmp(field, "prevStateHash") == 0)
        write_hash(out, h->has_previous, &h->previous_state_hash);
    else if (strcmp(field, "val_set_hash") == 0)
        write_hash(out, h->has_validator_set, &h->validator_set_hash);
    else if (strcmp(field, "next_val_set_hash") == 0)
        write_hash(out, h->has_next_validator_set, &h->next_validator_set_hash);
    else if (strcmp(field, "transactions_hash") == 0)
        write_hash(out, h->has_transactions_hash, &h->transactions_hash);
    else
        snprintf(out, 160, "%s", h->has_tree_roots ? "present" : "absent");
}

/* Copies the writes of one tree so that they outlive the proposal. */
static void copy_writes(struct arena *a, const struct store_block *b, int tree,
                        struct executor_difference *d)
{
    struct ledger_write *list = arena_array(a, struct ledger_write, b->write_count);

    for (size_t i = 0; i < b->write_count; i++) {
        const struct ledger_write *w = &b->writes[i];

        if ((int)w->tree != tree)
            continue;
        list[d->write_count++] = (struct ledger_write){
            .tree = w->tree,
            .key = arena_copy(a, w->key),
            .before = w->before != NULL ? record_copy(a, w->before) : NULL,
            .after = w->after != NULL ? record_copy(a, w->after) : NULL,
        };
    }
    d->writes = list;
}

static enum tm_err differ(struct executor_difference *d, const char *field, struct tm_error *e,
                          enum tm_err err, const char *why)
{
    char text[TM_ERROR_TEXT_MAX];

    d->field = field;
    snprintf(text, sizeof text, "%s", why);
    return tm_fail(e, err, "block %lld, %s: %s", (long long)d->height, field, text);
}

/* What certificate_verify is given, and its answer. */
struct certificate_job {
    struct arena arena;
    const struct certificate *certificate;
    const struct block *block;
    const struct validator_set *set;
    const struct rules *rules;
    struct tm_error why;
};

static void verify_certificate(void *arg)
{
    struct certificate_job *j = arg;

    j->why.err = certificate_verify(&j->arena, j->certificate, j->block, j->set, j->rules, &j->why);
}

/* Fields that need no execution, then the certificate, while the transactions are checked. */
static enum tm_err check_recorded(struct executor *x, struct arena *a, const struct block *b,
                                  struct certificate *c, struct transaction_checks *checks,
                                  struct executor_difference *d, struct tm_error *e)
{
    const struct rules *rules = x->chain.rules;
    const struct block_header *h = &b->header;
    struct tm_error why = {0};
    bool canonical;
    enum tm_err err;

    if (h->height != x->tip->height + 1) {
        snprintf(d->expected, sizeof d->expected, "%llu", (unsigned long long)x->tip->height + 1);
        snprintf(d->found, sizeof d->found, "%llu", (unsigned long long)h->height);
        return differ(d, "height", e, TM_ERR_MISMATCH, "not the next height");
    }
    if (!h->has_previous || !hash32_equal(&h->previous_state_hash, &x->tip->state_hash)) {
        write_hash(d->expected, true, &x->tip->state_hash);
        write_hash(d->found, h->has_previous, &h->previous_state_hash);
        return differ(d, "prevStateHash", e, TM_ERR_MISMATCH,
                      "not the state hash of the block before");
    }
    if (rules->signed_header && !bytes_equal(h->network_id, x->chain.chain_id)) {
        snprintf(d->expected, sizeof d->expected, "%.*s", (int)x->chain.chain_id.size,
                 (const char *)x->chain.chain_id.data);
        snprintf(d->found, sizeof d->found, "%.*s", (int)h->network_id.size,
                 (const char *)h->network_id.data);
        return differ(d, "networkId", e, TM_ERR_MISMATCH, "another chain");
    }
    if (!header_time_valid(h)) {
        snprintf(d->expected, sizeof d->expected, "%lld to %lld seconds, 0 to 999999999 nanos",
                 (long long)BLOCK_SECONDS_MIN, (long long)BLOCK_SECONDS_MAX);
        snprintf(d->found, sizeof d->found, "%lld seconds, %d nanos", (long long)h->seconds,
                 h->nanos);
        return differ(d, "timestamp", e, TM_ERR_MALFORMED, "not in the years 1 to 9999");
    }
    err = certificate_decode(a, h->certificate, c, &canonical, &why);
    if (err == TM_OK && !canonical)
        err = tm_fail(&why, TM_ERR_NOT_CANONICAL, "not its own re-encoding");
    if (err == TM_OK) {
        struct certificate_job job = {.certificate = c, .block = b, .set = x->set, .rules = rules};
        const struct side_job beside = {verify_certificate, &job};

        arena_init(&job.arena);
        *checks = check_transactions(x, a, b->transactions, b->transaction_count, &beside);
        arena_free(&job.arena);
        why = job.why;
        err = why.err;
    }
    if (err != TM_OK)
        return differ(d, "quorumCertificate", e, err, why.text);
    return TM_OK;
}

/* block.md, "valid iff": what only `standard` asks of proposer, time and size. */
static enum tm_err check_standard(struct executor *x, struct arena *a, const struct block *b,
                                  const struct certificate *c, struct executor_difference *d,
                                  struct tm_error *e)
{
    const struct block_header *h = &b->header;
    struct block body = *b;

    if (!x->chain.rules->signed_header)
        return TM_OK;
    if (!validator_set_has_led(x->set, h->proposer, h->height, c->round))
        return differ(d, "proposerAddress", e, TM_ERR_MISMATCH,
                      "not the proposer of any round up to the certificate's");
    if (!h->has_timestamp || h->nanos % 1000 != 0 || h->seconds < x->tip->seconds ||
        (h->seconds == x->tip->seconds && h->nanos <= x->tip->nanos))
        return differ(d, "timestamp", e, TM_ERR_MISMATCH,
                      "not in whole microseconds later than the block before");
    body.header.certificate = (struct bytes){NULL, 0};
    if (block_encode(a, &body).size > x->chain.max_block_bytes)
        return differ(d, "transactions", e, TM_ERR_LIMIT, "longer than max_block_bytes");
    return TM_OK;
}

/* Executes the recorded block into p and compares what follows from execution. */
static enum tm_err execute_recorded(struct executor *x, struct proposal *p, const struct block *b,
                                    const struct transaction_checks *checks, struct arena *a,
                                    struct executor_difference *d, struct tm_error *e)
{
    struct tm_error why = {0};
    const char *field;
    size_t failed = 0;
    enum tm_err err;

    for (size_t i = 0; i < checks->count; i++)
        if (checks->errors[i].err == TM_OK && !checks->transactions[i].canonical)
            checks->errors[i].err = tm_fail(&checks->errors[i], TM_ERR_NOT_CANONICAL,
                                            "the transaction is not its own re-encoding");
    p->block.header = b->header;
    p->block.header.certificate = (struct bytes){NULL, 0};
    err = execute_block(x, p, b->header.proposer, checks, &failed, &why);
    if (err == TM_ERR_IO) {
        *e = why;
        return err;
    }
    if (err != TM_OK) {
        d->field = "transactions";
        return tm_fail(e, err, "block %lld, transaction %zu: code %d, %s", (long long)d->height,
                       failed, why.code, why.text);
    }
    if (!x->chain.rules->signed_header)
        p->block.header.network_id = b->header.network_id;
    field = header_difference(&b->header, &p->block.header);
    if (field == NULL)
        return TM_OK;
    d->tree = header_tree_difference(&b->header, &p->block.header);
    write_field(d->expected, &b->header, field, d->tree);
    write_field(d->found, &p->block.header, field, d->tree);
    if (d->tree >= 0) {
        copy_writes(a, &p->result, d->tree, d);
        d->field = "tree";
        return tm_fail(e, TM_ERR_MISMATCH, "block %lld, tree %s: expected %s, found %s",
                       (long long)d->height, tree_name(d->tree), d->expected, d->found);
    }
    d->field = field;
    return tm_fail(e, TM_ERR_MISMATCH, "block %lld, %s: expected %s, found %s",
                   (long long)d->height, field, d->expected, d->found);
}

enum tm_err executor_replay(struct executor *x, struct bytes raw, struct arena *a,
                            struct executor_difference *difference, struct tm_error *e)
{
    struct proposal *p = proposal_new();
    struct executor_difference *d = difference;
    struct tm_error why = {0};
    struct transaction_checks checks;
    struct certificate c;
    struct block b;
    bool canonical;
    enum tm_err err;

    *d = (struct executor_difference){.height = executor_height(x) + 1, .tree = -1};
    if (x->queued >= x->options.batch) {
        err = executor_flush(x, e);
        if (err != TM_OK)
            goto out;
    }
    err = block_decode(&p->arena, arena_copy(&p->arena, raw), &b, &canonical, &why);
    if (err == TM_OK && !canonical)
        err = tm_fail(&why, TM_ERR_NOT_CANONICAL, "it is not its own re-encoding");
    if (err != TM_OK) {
        differ(d, "raw", e, err, why.text);
        goto out;
    }
    err = check_recorded(x, &p->arena, &b, &c, &checks, d, e);
    if (err == TM_OK)
        err = check_standard(x, &p->arena, &b, &c, d, e);
    if (err == TM_OK)
        err = execute_recorded(x, p, &b, &checks, a, d, e);
    if (err != TM_OK)
        goto out;
    p->public = (struct executor_proposal){.key = header_hash(&p->block.header),
                                           .header = p->block.header,
                                           .transactions = p->result.transactions,
                                           .transaction_count = p->result.transaction_count};
    return adopt_proposal(x, p, b.header.certificate, c.round, e);
out:
    proposal_free(p);
    return err;
}
