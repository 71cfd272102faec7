#include "header.h"

#include "../base/hex.h"
#include "../sha3/sha3.h"
#include "protocol/proto/block.pb-c.h"

enum { HASH_TEXT = 2 * sizeof(struct hash32), NANOS_PER_SECOND = 1000000000 };

/* The trees in the byte order of their names, the order of map entries on the wire. */
static const enum tree_id BY_NAME[TREES] = {
    TREE_ACCOUNT, TREE_APP,  TREE_FISH,     TREE_FLAGS,        TREE_IBC,
    TREE_PARAMS,  TREE_POOL, TREE_SERVICER, TREE_TRANSACTIONS, TREE_VAL,
};

/* Empty text is an absent hash. */
static enum tm_err read_hash(ProtobufCBinaryData data, const char *field, bool *present,
                             struct hash32 *out, struct tm_error *e)
{
    struct bytes text = codec_bytes(data);
    char again[HASH_TEXT];

    *present = text.size > 0;
    if (text.size == 0)
        return TM_OK;
    if (text.size == HASH_TEXT && hex_decode(text, out->b)) {
        hex_encode(bytes_hash(out), again);
        if (memcmp(again, text.data, HASH_TEXT) == 0)
            return TM_OK;
    }
    return tm_fail(e, TM_ERR_MALFORMED, "BlockHeader: %s is not %d lower-case hex digits", field,
                   (int)HASH_TEXT);
}

static enum tm_err read_tree_roots(const Pocket__BlockHeader *p, struct block_header *out,
                                   struct tm_error *e)
{
    out->has_tree_roots = p->n_state_tree_hashes > 0;
    if (!out->has_tree_roots)
        return TM_OK;
    if (p->n_state_tree_hashes != TREES)
        return tm_fail(e, TM_ERR_MALFORMED, "BlockHeader: %zu tree hashes instead of %d",
                       p->n_state_tree_hashes, TREES);
    for (size_t i = 0; i < TREES; i++) {
        const Pocket__TreeHash *entry = p->state_tree_hashes[i];
        const char *name = tree_name(BY_NAME[i]);
        enum tm_err err;
        bool present;

        if (!bytes_equal(codec_bytes(entry->key), bytes_of(name)))
            return tm_fail(e, TM_ERR_MALFORMED, "BlockHeader: no hash of the tree %s", name);
        err = read_hash(entry->value, name, &present, &out->tree_roots[BY_NAME[i]], e);
        if (err != TM_OK)
            return err;
        if (!present)
            return tm_fail(e, TM_ERR_MALFORMED, "BlockHeader: the hash of tree %s is empty", name);
    }
    return TM_OK;
}

static enum tm_err read_hashes(const Pocket__BlockHeader *p, struct block_header *out,
                               struct tm_error *e)
{
    enum tm_err err =
        read_hash(p->state_hash, "stateHash", &out->has_state_hash, &out->state_hash, e);

    if (err == TM_OK)
        err = read_hash(p->prev_state_hash, "prevStateHash", &out->has_previous,
                        &out->previous_state_hash, e);
    if (err == TM_OK)
        err = read_tree_roots(p, out, e);
    if (err == TM_OK)
        err = read_hash(p->val_set_hash, "val_set_hash", &out->has_validator_set,
                        &out->validator_set_hash, e);
    if (err == TM_OK)
        err = read_hash(p->next_val_set_hash, "next_val_set_hash", &out->has_next_validator_set,
                        &out->next_validator_set_hash, e);
    if (err == TM_OK)
        err = read_hash(p->transactions_hash, "transactions_hash", &out->has_transactions_hash,
                        &out->transactions_hash, e);
    return err;
}

enum tm_err header_decode(struct arena *a, const struct canonical *c, struct block_header *out,
                          struct tm_error *e)
{
    const Pocket__BlockHeader *p = codec_unpack(a, c);

    *out = (struct block_header){
        .height = p->height,
        .network_id = codec_bytes(p->network_id),
        .proposer = codec_bytes(p->proposer_address),
        .certificate = codec_bytes(p->quorum_certificate),
        .has_timestamp = p->timestamp != NULL,
    };
    if (out->network_id.size > NETWORK_ID_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "BlockHeader: networkId has %zu bytes, at most %d may be",
                       out->network_id.size, NETWORK_ID_MAX);
    if (out->proposer.size != 0 && out->proposer.size != sizeof(struct address))
        return tm_fail(e, TM_ERR_MALFORMED, "BlockHeader: proposerAddress has %zu bytes",
                       out->proposer.size);
    if (p->timestamp != NULL) {
        out->seconds = p->timestamp->seconds;
        out->nanos = p->timestamp->nanos;
    }
    return read_hashes(p, out, e);
}

static ProtobufCBinaryData hash_text(struct arena *a, bool present, const struct hash32 *hash)
{
    if (!present)
        return (ProtobufCBinaryData){0, NULL};
    return codec_data(bytes_make(hex_text(a, bytes_hash(hash)), HASH_TEXT));
}

static Pocket__TreeHash **tree_hashes(struct arena *a, const struct hash32 roots[TREES])
{
    Pocket__TreeHash *entries = arena_array(a, Pocket__TreeHash, TREES);
    Pocket__TreeHash **list = arena_array(a, Pocket__TreeHash *, TREES);

    for (size_t i = 0; i < TREES; i++) {
        pocket__tree_hash__init(&entries[i]);
        entries[i].written_key_case = POCKET__TREE_HASH__WRITTEN_KEY_KEY;
        entries[i].key = codec_data(bytes_of(tree_name(BY_NAME[i])));
        entries[i].written_value_case = POCKET__TREE_HASH__WRITTEN_VALUE_VALUE;
        entries[i].value = hash_text(a, true, &roots[BY_NAME[i]]);
        list[i] = &entries[i];
    }
    return list;
}

struct bytes header_encode(struct arena *a, const struct block_header *h)
{
    Pocket__BlockHeader p = POCKET__BLOCK_HEADER__INIT;
    Pocket__Timestamp timestamp = POCKET__TIMESTAMP__INIT;

    p.height = h->height;
    p.network_id = codec_data(h->network_id);
    p.state_hash = hash_text(a, h->has_state_hash, &h->state_hash);
    p.prev_state_hash = hash_text(a, h->has_previous, &h->previous_state_hash);
    p.proposer_address = codec_data(h->proposer);
    p.quorum_certificate = codec_data(h->certificate);
    if (h->has_timestamp) {
        timestamp.seconds = h->seconds;
        timestamp.nanos = h->nanos;
        p.timestamp = &timestamp;
    }
    if (h->has_tree_roots) {
        p.n_state_tree_hashes = TREES;
        p.state_tree_hashes = tree_hashes(a, h->tree_roots);
    }
    p.val_set_hash = hash_text(a, h->has_validator_set, &h->validator_set_hash);
    p.next_val_set_hash = hash_text(a, h->has_next_validator_set, &h->next_validator_set_hash);
    p.transactions_hash = hash_text(a, h->has_transactions_hash, &h->transactions_hash);
    return codec_pack(a, &p);
}

bool header_time_valid(const struct block_header *h)
{
    return h->seconds >= BLOCK_SECONDS_MIN && h->seconds <= BLOCK_SECONDS_MAX && h->nanos >= 0 &&
           h->nanos < NANOS_PER_SECOND;
}

struct hash32 header_hash(const struct block_header *h)
{
    struct block_header signed_header = *h;
    struct hash32 hash;
    struct arena a;

    signed_header.certificate = (struct bytes){NULL, 0};
    arena_init(&a);
    hash = sha3_256(header_encode(&a, &signed_header));
    arena_free(&a);
    return hash;
}
