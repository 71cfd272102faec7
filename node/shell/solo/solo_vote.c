#include "solo_state.h"

#include <stdio.h>
#include <stdlib.h>

#include "node/shell/keys/keystore.h"

static enum tm_err load_keys(struct solo_vote *v, struct solo_node *n, struct tm_error *e)
{
    struct passphrase passphrase = {.file_option = "--passphrase-file",
                                    .variable = "TIDEMARK_PASSPHRASE",
                                    .prompt = "Passphrase of the keys: "};
    enum tm_err err =
        keystore_load(&n->arena, n->options->keys, &passphrase, &v->keys, &v->count, e);

    passphrase_forget(&passphrase);
    if (err != TM_OK)
        return err;
    if (v->count == 0)
        return tm_fail(e, TM_ERR_CONFIG, "there is no key in %s", n->options->keys);
    if (v->count > SOLO_KEYS_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "more than %d keys in %s", SOLO_KEYS_MAX, n->options->keys);
    v->solo_keys = arena_array(&n->arena, struct solo_key, v->count);
    for (size_t i = 0; i < v->count; i++) {
        struct public_key public = ed25519_public(&v->keys[i]);

        v->solo_keys[i].guard.address = address_of_key(&public);
    }
    return TM_OK;
}

static const struct guard_record *find(const struct guard_content *c, const struct address *address)
{
    for (size_t i = 0; i < c->count; i++)
        if (memcmp(c->records[i].address.b, address->b, sizeof address->b) == 0)
            return &c->records[i];
    return NULL;
}

/* Own keys first, then what the file says of others, which is kept. */
static enum tm_err gather(struct solo_vote *v, struct solo_node *n,
                          const struct guard_content *file, const struct guard_content *rows,
                          struct tm_error *e)
{
    size_t count = v->count;

    v->all.records = arena_array(&n->arena, struct guard_record, v->count + file->count);
    v->marked = arena_array(&n->arena, bool, v->count + file->count);
    v->rows = arena_array(&n->arena, uint64_t, v->count + file->count);
    for (size_t i = 0; i < v->count; i++) {
        struct guard_record *guard = &v->solo_keys[i].guard;
        struct address address = guard->address;
        const struct guard_record *row = find(rows, &address);

        *guard = guard_merge(find(file, &address), row);
        guard->address = address;
        v->rows[i] = row != NULL ? row->sequence : 0;
        v->all.records[i] = *guard;
    }
    for (size_t i = 0; i < file->count; i++)
        if (find(&(struct guard_content){.records = v->all.records, .count = v->count},
                 &file->records[i].address) == NULL)
            v->all.records[count++] = file->records[i];
    v->all.count = count;
    if (count > GUARD_FILE_RECORDS_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "more than %d keys in the vote guard",
                       GUARD_FILE_RECORDS_MAX);
    return TM_OK;
}

static bool same_place(const struct guard_place *x, const struct guard_place *y)
{
    return x->system_identifier == y->system_identifier && x->timeline == y->timeline;
}

static enum tm_err check_place(struct solo_vote *v, struct solo_node *n, bool file_found,
                               const struct guard_content *file, const struct guard_content *rows,
                               struct tm_error *e)
{
    const struct guard_content *known = file_found ? file : rows;
    bool signed_before = false;

    for (size_t i = 0; i < v->count; i++)
        signed_before = signed_before || find(rows, &v->solo_keys[i].guard.address) != NULL;
    if (file_found && strcmp(file->place.chain_id, v->all.place.chain_id) != 0)
        return tm_fail(e, TM_ERR_CONFIG,
                       "the vote guard in %s is that of chain %s, this chain is %s; use another "
                       "directory for it",
                       n->options->guard, file->place.chain_id, v->all.place.chain_id);
    if (!file_found && signed_before && !n->options->accept_older)
        return tm_fail(
            e, TM_ERR_CONFIG,
            "the vote guard file is missing in %s, but these keys have signed blocks of "
            "this chain; bring it back, or, if no other node signs with these keys, start "
            "once with --accept-older-state",
            n->options->guard);
    v->place_changed =
        (file_found || signed_before) && (!file_found || !same_place(&known->place, &v->all.place));
    return TM_OK;
}

/*
 * A signed block whose row and body are written together, and whose body goes with the block's own
 * transaction: the row without the body means that the next block was decided here before and
 * rolled back.
 */
static enum tm_err check_taken_back(struct solo_vote *v, struct solo_node *n,
                                    const struct guard_content *rows, struct tm_error *e)
{
    uint64_t next = (uint64_t)executor_height(n->executor) + 1;
    enum tm_err err = TM_OK;

    for (size_t i = 0; i < v->count && err == TM_OK; i++) {
        const struct guard_record *row = find(rows, &v->solo_keys[i].guard.address);
        struct bytes body;

        if (row == NULL || row->height != next || row->step != STEP_COMMIT)
            continue;
        err = store_guard_body(n->pg, &n->arena, next, &row->header_hash, &body, e);
        if (err == TM_ERR_NOT_FOUND) {
            v->taken_back = true;
            err = TM_OK;
        }
    }
    return err;
}

/*
 * The tip was read before the rows. A block that came in between, of another node or of a session
 * that outlived its killed node, would look like one that was taken back; a later start sees it
 * whole.
 */
static enum tm_err check_tip(struct solo_node *n, struct tm_error *e)
{
    struct hash32 state_hash;
    height_t tip;
    enum tm_err err = n->store.tip(n->store.ctx, &tip, &state_hash, e);

    if (err == TM_OK && tip != executor_height(n->executor))
        err = tm_fail(e, TM_ERR_AGAIN,
                      "block %lld came while this node started: another node may be running",
                      (long long)tip);
    return err;
}

enum tm_err solo_vote_open(struct solo_vote *v, struct solo_node *n, struct tm_error *e)
{
    struct guard_content file, rows;
    struct bytes chain_id = executor_chain(n->executor)->chain_id;
    bool found = false;
    enum tm_err err = load_keys(v, n, e);

    if (err == TM_OK)
        err = signature_log_open(&v->log, n->options->signature_log, e);
    if (err == TM_OK)
        err = guard_file_open(&v->file, n->options->guard, &n->arena, &found, &file, e);
    if (err == TM_OK)
        err = store_guard_read(n->pg, &n->arena, &rows, e);
    if (err == TM_OK)
        err = store_guard_place(n->pg, &v->all.place, e);
    if (err != TM_OK)
        return err;
    memcpy(v->all.place.chain_id, chain_id.data,
           chain_id.size < GUARD_CHAIN_ID_MAX ? chain_id.size : GUARD_CHAIN_ID_MAX);
    err = check_place(v, n, found, &file, &rows, e);
    if (err == TM_OK)
        err = check_taken_back(v, n, &rows, e);
    if (err == TM_OK)
        err = check_tip(n, e);
    if (err == TM_OK)
        err = gather(v, n, &file, &rows, e);
    return err;
}

void solo_vote_close(struct solo_vote *v)
{
    guard_file_close(&v->file);
    signature_log_close(&v->log);
    for (size_t i = 0; i < v->count; i++)
        explicit_bzero(&v->keys[i], sizeof v->keys[i]);
}

enum tm_err solo_vote_persist(struct solo_vote *v, struct store_pg *pg,
                              const struct solo_action *action, struct bytes body,
                              struct tm_error *e)
{
    for (size_t i = 0; i < v->count; i++) {
        v->all.records[i] = v->solo_keys[i].guard;
        v->marked[i] = v->solo_keys[i].signs;
    }
    return store_guard_persist(pg, &v->file, &v->all, v->marked, v->rows, action->height,
                               action->round, &action->header_hash, body, e);
}

enum tm_err solo_vote_sign(struct solo_vote *v, struct arena *a, const struct executor_proposal *p,
                           uint64_t round, struct bytes *certificate, struct tm_error *e)
{
    struct certificate c = {.height = p->header.height, .round = round, .step = STEP_COMMIT};
    struct bytes message;

    c.block.header = p->header;
    c.block_raw = block_encode(a, &c.block);
    message = vote_bytes(a, c.height, c.step, c.round, c.block_raw);
    c.signatures = arena_array(a, struct partial_signature, v->count);
    for (size_t i = 0; i < v->count; i++) {
        struct signature s;

        if (!v->solo_keys[i].signs)
            continue;
        s = ed25519_sign(&v->keys[i], message);
        c.signatures[c.signature_count].address =
            arena_copy(a, bytes_address(&v->solo_keys[i].guard.address));
        c.signatures[c.signature_count++].signature = arena_copy(a, bytes_make(s.b, sizeof s.b));
    }
    *certificate = certificate_encode(a, &c);
    return signature_log_append(&v->log, &c, &p->key, e);
}
