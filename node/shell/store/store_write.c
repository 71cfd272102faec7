/* One block as statements: fence, rows set-wise with the digest of what was stored, seal. */
#include "store_pg.h"
#include "store_totals.h"

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

/* Changes of one table by all blocks, in order of height. */
static size_t gather(struct arena *a, enum tree_id tree, const struct store_block *const *blocks,
                     size_t count, struct versioned_change **out)
{
    size_t room = 0, n = 0;
    struct versioned_change *list;

    for (size_t i = 0; i < count; i++) {
        room += tree < TREES ? blocks[i]->write_count : 0;
        for (int t = 0; t < TREES; t++)
            room += tree == TREES ? blocks[i]->node_count[t] : 0;
    }
    list = arena_array(a, struct versioned_change, room);
    for (size_t i = 0; i < count; i++) {
        const struct store_block *b = blocks[i];
        height_t height = (height_t)b->header.height;

        for (size_t k = 0; tree < TREES && k < b->write_count; k++)
            if (b->writes[k].tree == tree)
                list[n++] = (struct versioned_change){.height = height, .write = &b->writes[k]};
        for (int t = 0; tree == TREES && t < TREES; t++)
            for (size_t k = 0; k < b->node_count[t]; k++)
                list[n++] = (struct versioned_change){
                    .height = height, .node = &b->nodes[t][k], .node_tree = (enum tree_id)t};
    }
    *out = list;
    return n;
}

/* *sent: there was something to write. */
static enum tm_err send_table(PGconn *conn, struct arena *a, enum tree_id tree,
                              const struct store_block *const *blocks, size_t count, bool *sent,
                              struct tm_error *e)
{
    const struct versioned *v = versioned_of(tree);
    enum statement_kind kind = count > 1 ? STATEMENT_MERGE : STATEMENT_APPLY;
    struct versioned_change *changes;
    size_t n = gather(a, tree, blocks, count, &changes);
    struct pg_params p;
    enum tm_err err;

    *sent = n > 0;
    if (n == 0)
        return TM_OK;
    pg_params_init(&p, a);
    err = versioned_params(&p, v, kind, (height_t)blocks[0]->header.height, changes, n, e);
    return err == TM_OK ? pg_send_prepared(conn, statement_name(a, v, kind), &p, e) : err;
}

static enum tm_err send_transactions(PGconn *conn, struct arena *a,
                                     const struct store_block *const *blocks, size_t count,
                                     bool *sent, struct tm_error *e)
{
    struct pg_params p;
    struct pg_array height, place, hash, tx, code, error, signer, recipient, type;
    struct pg_array repeated_height, repeated_place;

    pg_array_begin(&height, a, PG_INT8);
    pg_array_begin(&place, a, PG_INT4);
    pg_array_begin(&hash, a, PG_BYTEA);
    pg_array_begin(&tx, a, PG_BYTEA);
    pg_array_begin(&code, a, PG_INT4);
    pg_array_begin(&error, a, PG_TEXT);
    pg_array_begin(&signer, a, PG_BYTEA);
    pg_array_begin(&recipient, a, PG_BYTEA);
    pg_array_begin(&type, a, PG_TEXT);
    pg_array_begin(&repeated_height, a, PG_INT8);
    pg_array_begin(&repeated_place, a, PG_INT4);
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < blocks[k]->transaction_count; i++) {
            const struct store_transaction *t = &blocks[k]->transactions[i];

            pg_array_int64(&height, (int64_t)blocks[k]->header.height);
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
            if (!t->is_new) {
                pg_array_int64(&repeated_height, (int64_t)blocks[k]->header.height);
                pg_array_int32(&repeated_place, (int32_t)i);
            }
        }
    *sent = height.count > 0;
    if (!*sent)
        return TM_OK;
    pg_params_init(&p, a);
    pg_param_array(&p, &height);
    pg_param_array(&p, &place);
    pg_param_array(&p, &hash);
    pg_param_array(&p, &tx);
    pg_param_array(&p, &code);
    pg_param_array(&p, &error);
    pg_param_array(&p, &signer);
    pg_param_array(&p, &recipient);
    pg_param_array(&p, &type);
    pg_param_array(&p, &repeated_height);
    pg_param_array(&p, &repeated_place);
    return pg_send_prepared(conn, "apply_transactions", &p, e);
}

static enum tm_err send_changes(PGconn *conn, struct arena *a,
                                const struct store_block *const *blocks, size_t count, bool *sent,
                                struct tm_error *e)
{
    struct pg_params p;
    struct pg_array height, tree, key, step;

    pg_array_begin(&height, a, PG_INT8);
    pg_array_begin(&tree, a, PG_INT2);
    pg_array_begin(&key, a, PG_BYTEA);
    pg_array_begin(&step, a, PG_INT4);
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < blocks[k]->touch_count; i++) {
            const struct ledger_touch *t = &blocks[k]->touches[i];
            struct hash32 path;

            pg_array_int64(&height, (int64_t)blocks[k]->header.height);
            pg_array_int16(&tree, (int16_t)t->tree);
            if (t->tree == TREE_IBC) {
                path = sha256(t->key);
                pg_array_bytes(&key, bytes_hash(&path));
            } else {
                pg_array_bytes(&key, t->key);
            }
            pg_array_int32(&step, t->step);
        }
    *sent = height.count > 0;
    if (!*sent)
        return TM_OK;
    pg_params_init(&p, a);
    pg_param_array(&p, &height);
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

enum tm_err batch_send(PGconn *conn, struct arena *a, const struct store_block *const *blocks,
                       size_t count, const struct large_floor *floor, struct batch_writing *w,
                       struct tm_error *e)
{
    enum tm_err err = send_fence(conn, a, blocks[0], e);

    *w = (struct batch_writing){.count = count};
    w->blocks = arena_array(a, struct block_writing, count);
    for (int table = 0; table <= TREES && err == TM_OK; table++)
        if (table == TREE_TRANSACTIONS)
            err = send_transactions(conn, a, blocks, count, &w->has_table[table], e);
        else
            err = send_table(conn, a, (enum tree_id)table, blocks, count, &w->has_table[table], e);
    if (err == TM_OK)
        err = send_changes(conn, a, blocks, count, &w->has_changes, e);
    for (size_t i = 0; i < count && err == TM_OK; i++) {
        w->blocks[i].block = blocks[i];
        err = send_block_row(conn, a, blocks[i], e);
    }
    if (err == TM_OK)
        err = totals_send(conn, a, blocks, count, *floor, &w->totals_sent, e);
    return err;
}

/* Rows of (height, digest) to the blocks they belong to. */
static enum tm_err receive_digests(PGconn *conn, struct batch_writing *w, enum tree_id tree,
                                   struct tm_error *e)
{
    height_t first = (height_t)w->blocks[0].block->header.height;
    PGresult *r;
    enum tm_err err =
        pg_receive(conn, tree < TREES ? tree_name(tree) : "writing tree nodes", &r, e);

    for (int i = 0; err == TM_OK && i < PQntuples(r); i++) {
        height_t place = pg_get_int64(r, i, 0) - first;

        if (place < 0 || place >= (height_t)w->count)
            err = tm_fail(e, TM_ERR_MISMATCH, "a row was stored under height %lld",
                          (long long)(place + first));
        else
            err = pg_get_hash(
                r, i, 1,
                tree < TREES ? &w->blocks[place].stored[tree] : &w->blocks[place].stored_nodes, e);
    }
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

enum tm_err batch_receive(PGconn *conn, struct batch_writing *w, struct tm_error *e)
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
                       (unsigned long long)w->blocks[0].block->header.height);
    for (int table = 0; table <= TREES && err == TM_OK; table++)
        if (w->has_table[table])
            err = receive_digests(conn, w, (enum tree_id)table, e);
    if (err == TM_OK && w->has_changes)
        err = receive_done(conn, "ledger.change", e);
    for (size_t i = 0; i < w->count && err == TM_OK; i++)
        err = receive_done(conn, "ledger.block", e);
    if (err == TM_OK)
        err = totals_receive(conn, w->totals_sent, &w->large_rows, e);
    return err;
}

static enum tm_err send_seal(PGconn *conn, struct arena *a, const struct block_writing *w,
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

enum tm_err batch_send_seals(PGconn *conn, struct arena *a, const struct batch_writing *w,
                             struct tm_error *e)
{
    enum tm_err err = TM_OK;

    for (size_t i = 0; i < w->count && err == TM_OK; i++) {
        if (i > 0)
            err = send_fence(conn, a, w->blocks[i].block, e);
        if (err == TM_OK)
            err = send_seal(conn, a, &w->blocks[i], e);
    }
    return err;
}

enum tm_err batch_receive_seals(PGconn *conn, const struct batch_writing *w, struct tm_error *e)
{
    enum tm_err err = TM_OK;

    for (size_t i = 0; i < w->count && err == TM_OK; i++) {
        if (i > 0)
            err = receive_done(conn, "moving the tip", e);
        if (err == TM_OK)
            err = receive_done(conn, "sealing the block", e);
    }
    return err;
}
