/* A proof for others to read: JSON, and the reference's ICS-23 message. */
#include "proof.h"

#include "../base/hex.h"
#include "../codec/wire_writer.h"
#include "walk.h"

static void add(struct buffer *out, const char *text)
{
    buffer_append(out, text, strlen(text));
}

static void add_hex(struct buffer *out, struct bytes b)
{
    add(out, "\"");
    hex_encode(b, (char *)buffer_extend(out, 2 * b.size));
    add(out, "\"");
}

static void add_hash(struct buffer *out, const char *name, const struct hash32 *h)
{
    add(out, name);
    add_hex(out, bytes_hash(h));
}

static void add_item(struct buffer *out, const struct proof_item *item,
                     const struct smt_proof *single)
{
    add(out, "{\"key\": ");
    add_hex(out, item->key);
    add(out, ", \"value\": ");
    if (item->present)
        add_hex(out, item->value);
    else
        add(out, "null");
    add(out, ", \"side_nodes\": [");
    for (unsigned i = 0; i < single->side_count; i++)
        add_hash(out, i == 0 ? "" : ", ", &single->sides[i]);
    add(out, "], \"other_leaf\": ");
    if (single->has_other_leaf) {
        add_hash(out, "{\"path\": ", &single->other_leaf.path);
        add_hash(out, ", \"value_hash\": ", &single->other_leaf.value_hash);
        add(out, "}}");
    } else {
        add(out, "null}");
    }
}

enum tm_err proof_json(struct arena *a, const struct proof *p, char **out, struct tm_error *e)
{
    struct smt_proof *single = arena_array(a, struct smt_proof, p->item_count);
    enum tm_err err = proof_expand(a, p, single, e);
    struct buffer json;

    if (err != TM_OK)
        return err;
    buffer_init(&json, a, 4096);
    add_hash(&json, "{\"root\": ", &p->root);
    add(&json, ", \"items\": [");
    for (size_t i = 0; i < p->item_count; i++) {
        add(&json, i == 0 ? "" : ", ");
        add_item(&json, &p->items[i], &single[i]);
    }
    add(&json, "]}");
    *buffer_extend(&json, 1) = '\0';
    *out = (char *)json.data;
    return TM_OK;
}

/* Field numbers and values of state.md 1.6. */
enum {
    COMMITMENT_EXIST = 1,
    EXISTENCE_KEY = 1,
    EXISTENCE_VALUE = 2,
    EXISTENCE_LEAF = 3,
    EXISTENCE_PATH = 4,
    LEAF_HASH = 1,
    LEAF_PREHASH_KEY = 2,
    LEAF_PREHASH_VALUE = 3,
    LEAF_PREFIX = 5,
    INNER_HASH = 1,
    INNER_PREFIX = 2,
    INNER_SUFFIX = 3,
    HASH_SHA256 = 1
};

static void add_inner(struct buffer *out, struct buffer *scratch, const struct hash32 *side,
                      bool side_is_left)
{
    uint8_t prefix[1 + sizeof *side] = {1};

    scratch->size = 0;
    memcpy(prefix + 1, side, sizeof *side);
    wire_int64(scratch, INNER_HASH, HASH_SHA256);
    wire_text(scratch, INNER_PREFIX, bytes_make(prefix, side_is_left ? sizeof prefix : 1));
    if (!side_is_left)
        wire_text(scratch, INNER_SUFFIX, bytes_hash(side));
    wire_element(out, EXISTENCE_PATH, buffer_bytes(scratch));
}

enum tm_err proof_ics23(struct arena *a, const struct proof *p, struct bytes *out,
                        struct tm_error *e)
{
    static const uint8_t leaf_prefix[1] = {0};
    const struct proof_item *item = p->items;
    struct smt_proof single;
    struct buffer message, existence, part;
    enum tm_err err;

    if (p->item_count != 1 || !item->present)
        return tm_fail(e, TM_ERR_USAGE, "the ICS-23 form is for a proof of one key that is there");
    err = proof_expand(a, p, &single, e);
    if (err != TM_OK)
        return err;
    buffer_init(&part, a, 128);
    buffer_init(&existence, a, 1024 + item->value.size);
    wire_text(&existence, EXISTENCE_KEY, item->key);
    wire_text(&existence, EXISTENCE_VALUE, item->value);
    wire_int64(&part, LEAF_HASH, HASH_SHA256);
    wire_int64(&part, LEAF_PREHASH_KEY, HASH_SHA256);
    wire_int64(&part, LEAF_PREHASH_VALUE, HASH_SHA256);
    wire_text(&part, LEAF_PREFIX, bytes_make(leaf_prefix, sizeof leaf_prefix));
    wire_element(&existence, EXISTENCE_LEAF, buffer_bytes(&part));
    for (unsigned i = 0; i < single.side_count; i++)
        add_inner(&existence, &part, &single.sides[i],
                  walk_bit(&item->path, single.side_count - 1u - i));
    buffer_init(&message, a, existence.size + 16);
    wire_element(&message, COMMITMENT_EXIST, buffer_bytes(&existence));
    *out = buffer_bytes(&message);
    return TM_OK;
}
