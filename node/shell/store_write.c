/* One block as statements: fence, rows set-wise with the digest of what was stored, seal. */
#include "store_pg.h"

#include "protocol/sha256/sha256.h"

static enum tm_err send_fence(PGconn *conn, struct arena *a, const struct store_block *b,
                              struct tm_error *e)
{
    struct pg_params p;

    pg_params_init(&p, a);
    pg_param_int64(&p, (int64_t)b->header.height);
    pg_param_bytes(&p, bytes_hash(&b->header.state_hash));
    if (b->header.height == 0)
        return pg_send_prepared(conn, "first_tip", &p, e);
    pg_param_bytes(&p, bytes_hash(&b->header.previous_state_hash));
    return pg_send_prepared(conn, "fence", &p, e);
}

static enum tm_err send_tree(PGconn *conn, struct arena *a, const struct versioned *v,
                             height_t height, const struct ledger_write *writes, size_t count,
                             struct tm_error *e)
{
    struct pg_params p;
    enum tm_err err;

    pg_params_init(&p, a);
    err = versioned_params(&p, v, height, writes, count, e);
    if (err == TM_OK)
        err = pg_send_prepared(conn, statement_name(a, v, STATEMENT_APPLY), &p, e);
    return err;
}

static enum tm_err send_transactions(PGconn *conn, struct arena *a, const struct store_block *b,
                                     struct tm_error *e)
{
    struct pg_params p;
    struct pg_array place, hash, tx, code, error, signer, recipient, type, repeated;

    pg_array_begin(&place, a, PG_INT4);
    pg_array_begin(&hash, a, PG_BYTEA);
    pg_array_begin(&tx, a, PG_BYTEA);
    pg_array_begin(&code, a, PG_INT4);
    pg_array_begin(&error, a, PG_TEXT);
    pg_array_begin(&signer, a, PG_BYTEA);
    pg_array_begin(&recipient, a, PG_BYTEA);
    pg_array_begin(&type, a, PG_TEXT);
    pg_array_begin(&repeated, a, PG_INT4);
    for (size_t i = 0; i < b->transaction_count; i++) {
        const struct store_transaction *t = &b->transactions[i];

        pg_array_int32(&place, (int32_t)i);
        pg_array_bytes(&hash, bytes_hash(&t->hash));
        pg_array_bytes(&tx, t->tx);
        pg_array_int32(&code, t->code);
        pg_array_bytes(&error, t->error);
        pg_array_bytes(&signer, bytes_address(&t->signer));
        if (t->recipient.size > 0)
            pg_array_bytes(&recipient, t->recipient);
        else
            pg_array_null(&recipient);
        pg_array_bytes(&type, bytes_of(t->message_type));
        if (!t->is_new)
            pg_array_int32(&repeated, (int32_t)i);
    }
    pg_params_init(&p, a);
    pg_param_int64(&p, (int64_t)b->header.height);
    pg_param_array(&p, &place);
    pg_param_array(&p, &hash);
    pg_param_array(&p, &tx);
    pg_param_array(&p, &code);
    pg_param_array(&p, &error);
    pg_param_array(&p, &signer);
    pg_param_array(&p, &recipient);
    pg_param_array(&p, &type);
    pg_param_array(&p, &repeated);
    return pg_send_prepared(conn, "apply_transactions", &p, e);
}

static enum tm_err send_nodes(PGconn *conn, struct arena *a, const struct store_block *b,
                              struct tm_error *e)
{
    struct pg_params p;
    struct pg_array tree, depth, prefix, digest;

    pg_array_begin(&tree, a, PG_INT2);
    pg_array_begin(&depth, a, PG_INT2);
    pg_array_begin(&prefix, a, PG_INT8);
    pg_array_begin(&digest, a, PG_BYTEA);
    for (int i = 0; i < TREES; i++)
        for (size_t k = 0; k < b->node_count[i]; k++) {
            const struct smt_node_change *c = &b->nodes[i][k];

            pg_array_int16(&tree, (int16_t)i);
            pg_array_int16(&depth, c->row.depth);
            pg_array_int64(&prefix, (int64_t)c->row.prefix);
            if (c->present)
                pg_array_bytes(&digest, bytes_hash(&c->row.digest));
            else
                pg_array_null(&digest);
        }
    pg_params_init(&p, a);
    pg_param_int64(&p, (int64_t)b->header.height);
    pg_param_array(&p, &tree);
    pg_param_array(&p, &depth);
    pg_param_array(&p, &prefix);
    pg_param_array(&p, &digest);
    return pg_send_prepared(conn, "apply_nodes", &p, e);
}

static enum tm_err send_changes(PGconn *conn, struct arena *a, const struct store_block *b,
                                struct tm_error *e)
{
    struct pg_params p;
    struct pg_array tree, key, step;

    pg_array_begin(&tree, a, PG_INT2);
    pg_array_begin(&key, a, PG_BYTEA);
    pg_array_begin(&step, a, PG_INT4);
    for (size_t i = 0; i < b->touch_count; i++) {
        const struct ledger_touch *t = &b->touches[i];
        struct hash32 path;

        pg_array_int16(&tree, (int16_t)t->tree);
        if (t->tree == TREE_IBC) {
            path = sha256(t->key);
            pg_array_bytes(&key, bytes_hash(&path));
        } else {
            pg_array_bytes(&key, t->key);
        }
        pg_array_int32(&step, t->step);
    }
    pg_params_init(&p, a);
    pg_param_int64(&p, (int64_t)b->header.height);
    pg_param_array(&p, &tree);
    pg_param_array(&p, &key);
    pg_param_array(&p, &step);
    return pg_send_prepared(conn, "apply_changes", &p, e);
}

static void add_hash(struct pg_params *p, bool has, const struct hash32 *h)
{
    if (has)
        pg_param_bytes(p, bytes_hash(h));
    else
        pg_param_null(p);
}

static void add_hashes(struct pg_params *p, const struct hash32 hashes[TREES])
{
    struct pg_array array;

    pg_array_begin(&array, p->arena, PG_BYTEA);
    for (int i = 0; i < TREES; i++)
        pg_array_bytes(&array, bytes_hash(&hashes[i]));
    pg_param_array(p, &array);
}

static enum tm_err send_block_row(PGconn *conn, struct arena *a, const struct store_block *b,
                                  struct tm_error *e)
{
    const struct block_header *h = &b->header;
    struct pg_params p;

    pg_params_init(&p, a);
    pg_param_int64(&p, (int64_t)h->height);
    pg_param_bytes(&p, h->network_id);
    add_hash(&p, h->has_state_hash, &h->state_hash);
    add_hash(&p, h->has_previous, &h->previous_state_hash);
    pg_param_bytes(&p, h->proposer);
    pg_param_bytes(&p, h->certificate);
    pg_param_int64(&p, h->seconds);
    pg_param_int32(&p, h->nanos);
    add_hashes(&p, h->tree_roots);
    add_hash(&p, h->has_validator_set, &h->validator_set_hash);
    add_hash(&p, h->has_next_validator_set, &h->next_validator_set_hash);
    add_hash(&p, h->has_transactions_hash, &h->transactions_hash);
    pg_param_int64(&p, (int64_t)b->round);
    pg_param_int32(&p, (int32_t)b->transaction_count);
    pg_param_bytes(&p, bytes_hash(&b->header_hash));
    return pg_send_prepared(conn, "apply_block", &p, e);
}

/* The run of writes of one tree; they are sorted by tree. */
static size_t run_of_tree(const struct store_block *b, enum tree_id tree, size_t *first)
{
    size_t count = 0;

    for (*first = 0; *first < b->write_count && b->writes[*first].tree != tree; (*first)++)
        ;
    while (*first + count < b->write_count && b->writes[*first + count].tree == tree)
        count++;
    return count;
}

enum tm_err block_send(PGconn *conn, struct arena *a, const struct store_block *b,
                       struct block_writing *w, struct tm_error *e)
{
    enum tm_err err = send_fence(conn, a, b, e);

    *w = (struct block_writing){.block = b};
    for (int tree = 0; tree < TREES && err == TM_OK; tree++) {
        const struct versioned *v = versioned_of((enum tree_id)tree);
        size_t first;
        size_t count = run_of_tree(b, (enum tree_id)tree, &first);

        if (v == NULL) {
            w->has_tree[tree] = b->transaction_count > 0;
            if (w->has_tree[tree])
                err = send_transactions(conn, a, b, e);
        } else if (count > 0) {
            w->has_tree[tree] = true;
            err = send_tree(conn, a, v, (height_t)b->header.height, b->writes + first, count, e);
        }
        w->has_nodes = w->has_nodes || b->node_count[tree] > 0;
    }
    if (err == TM_OK && w->has_nodes)
        err = send_nodes(conn, a, b, e);
    if (err == TM_OK && b->touch_count > 0)
        err = send_changes(conn, a, b, e);
    if (err == TM_OK)
        err = send_block_row(conn, a, b, e);
    return err;
}

static enum tm_err receive_digest(PGconn *conn, const char *doing, struct hash32 *out,
                                  struct tm_error *e)
{
    PGresult *r;
    enum tm_err err = pg_receive(conn, doing, &r, e);

    if (err == TM_OK)
        err = pg_get_hash(r, 0, 0, out, e);
    PQclear(r);
    return err;
}

static enum tm_err receive_done(PGconn *conn, const char *doing, struct tm_error *e)
{
    PGresult *r;
    enum tm_err err = pg_receive(conn, doing, &r, e);

    PQclear(r);
    return err;
}

enum tm_err block_receive(PGconn *conn, struct block_writing *w, struct tm_error *e)
{
    PGresult *r;
    enum tm_err err = pg_receive(conn, "moving the tip", &r, e);

    if (err != TM_OK)
        return err;
    w->fence_held = strcmp(PQcmdTuples(r), "1") == 0;
    PQclear(r);
    if (!w->fence_held)
        return tm_fail(e, TM_ERR_MISMATCH,
                       "ledger.tip is not the block that block %llu was built upon",
                       (unsigned long long)w->block->header.height);
    for (int tree = 0; tree < TREES && err == TM_OK; tree++)
        if (w->has_tree[tree])
            err = receive_digest(conn, tree_name((enum tree_id)tree), &w->stored[tree], e);
    if (err == TM_OK && w->has_nodes)
        err = receive_digest(conn, "tree nodes", &w->stored_nodes, e);
    if (err == TM_OK && w->block->touch_count > 0)
        err = receive_done(conn, "ledger.change", e);
    if (err == TM_OK)
        err = receive_done(conn, "ledger.block", e);
    return err;
}

enum tm_err block_send_seal(PGconn *conn, struct arena *a, const struct block_writing *w,
                            struct tm_error *e)
{
    struct pg_params p;

    pg_params_init(&p, a);
    pg_param_int64(&p, (int64_t)w->block->header.height);
    add_hashes(&p, w->stored);
    add_hashes(&p, w->block->tree_digests);
    pg_param_bytes(&p, bytes_hash(&w->stored_nodes));
    pg_param_bytes(&p, bytes_hash(&w->block->node_digest));
    add_hashes(&p, w->block->header.tree_roots);
    return pg_send_prepared(conn, "seal", &p, e);
}
