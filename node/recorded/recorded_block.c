#include "recorded_block.h"

#include "protocol/base/hex.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

static const char *hash_or_empty(struct arena *a, bool present, const struct hash32 *h)
{
    return present ? hex_text(a, bytes_hash(h)) : "";
}

/* Trees in the order of their names, which is that of the encoded map (state.md 1.1). */
static const enum tree_id BY_NAME[TREES] = {
    TREE_ACCOUNT, TREE_APP,  TREE_FISH,     TREE_FLAGS,        TREE_IBC,
    TREE_PARAMS,  TREE_POOL, TREE_SERVICER, TREE_TRANSACTIONS, TREE_VAL};

/* The decoded header fields, in the order of a recorded line. */
static json_t *fields_of(struct arena *a, const struct block *b)
{
    const struct block_header *h = &b->header;
    json_t *line = json_object();
    json_t *roots = json_object();
    json_t *transactions = json_array();

    json_object_set_new(line, "height", json_integer((json_int_t)h->height));
    json_object_set_new(line, "networkId",
                        json_stringn((const char *)h->network_id.data, h->network_id.size));
    json_object_set_new(line, "stateHash",
                        json_string(hash_or_empty(a, h->has_state_hash, &h->state_hash)));
    json_object_set_new(line, "prevStateHash",
                        json_string(hash_or_empty(a, h->has_previous, &h->previous_state_hash)));
    json_object_set_new(line, "proposerAddress", json_string(hex_text(a, h->proposer)));
    json_object_set_new(line, "quorumCertificate", json_string(hex_text(a, h->certificate)));
    json_object_set_new(line, "timestamp",
                        json_pack("[I,i]", (json_int_t)h->seconds, (int)h->nanos));
    for (int i = 0; i < TREES && h->has_tree_roots; i++)
        json_object_set_new(roots, tree_name(BY_NAME[i]),
                            json_string(hex_text(a, bytes_hash(&h->tree_roots[BY_NAME[i]]))));
    json_object_set_new(line, "state_tree_hashes", roots);
    json_object_set_new(
        line, "val_set_hash",
        json_string(hash_or_empty(a, h->has_validator_set, &h->validator_set_hash)));
    json_object_set_new(
        line, "next_val_set_hash",
        json_string(hash_or_empty(a, h->has_next_validator_set, &h->next_validator_set_hash)));
    if (h->has_transactions_hash)
        json_object_set_new(line, "transactions_hash",
                            json_string(hex_text(a, bytes_hash(&h->transactions_hash))));
    for (size_t i = 0; i < b->transaction_count; i++)
        json_array_append_new(transactions, json_string(hex_text(a, b->transactions[i])));
    json_object_set_new(line, "transactions", transactions);
    return line;
}

static enum tm_err parse(struct arena *a, json_t *line, struct recorded_block *out,
                         struct tm_error *e)
{
    json_t *height = json_object_get(line, "height");
    json_t *raw = json_object_get(line, "raw");
    json_t *fields, *value;
    const char *name;
    uint8_t *bytes;
    bool canonical;
    enum tm_err err;

    if (!json_is_integer(height) || json_integer_value(height) < 0)
        return tm_fail(e, TM_ERR_MALFORMED, "\"height\" is missing or no height");
    out->height = json_integer_value(height);
    if (!json_is_string(raw))
        return tm_fail(e, TM_ERR_MALFORMED, "block %" PRId64 ": \"raw\" is missing or no text",
                       out->height);
    bytes = arena_alloc(a, json_string_length(raw) / 2);
    if (!hex_decode(bytes_make(json_string_value(raw), json_string_length(raw)), bytes))
        return tm_fail(e, TM_ERR_MALFORMED, "block %" PRId64 ": \"raw\" is not hexadecimal",
                       out->height);
    out->raw = bytes_make(bytes, json_string_length(raw) / 2);
    err = block_decode(a, out->raw, &out->block, &canonical, e);
    if (err != TM_OK)
        return err;
    fields = fields_of(a, &out->block);
    json_object_foreach(fields, name, value)
    {
        json_t *given = json_object_get(line, name);

        if (given != NULL && !json_equal(given, value)) {
            err = tm_fail(e, TM_ERR_MISMATCH,
                          "block %" PRId64 ": field \"%s\" is not what \"raw\" holds", out->height,
                          name);
            break;
        }
    }
    json_decref(fields);
    return err;
}

enum tm_err recorded_block_parse(struct arena *a, struct bytes line, struct recorded_block *out,
                                 struct tm_error *e)
{
    json_error_t at;
    json_t *json;
    enum tm_err err;

    *out = (struct recorded_block){0};
    if (line.size > RECORDED_LINE_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "a line of %zu bytes, at most %d are read", line.size,
                       RECORDED_LINE_MAX);
    json = json_loadb((const char *)line.data, line.size, JSON_REJECT_DUPLICATES, &at);
    if (json == NULL)
        return tm_fail(e, TM_ERR_MALFORMED, "not JSON: %s at column %d", at.text, at.column);
    if (!json_is_object(json))
        err = tm_fail(e, TM_ERR_MALFORMED, "a line must be a JSON object");
    else
        err = parse(a, json, out, e);
    json_decref(json);
    return err;
}

char *recorded_block_format(struct arena *a, const struct block *b)
{
    json_t *line = fields_of(a, b);
    char *text, *copy;

    json_object_set_new(line, "raw", json_string(hex_text(a, block_encode(a, b))));
    text = json_dumps(line, 0);
    json_decref(line);
    if (text == NULL)
        return arena_text(a, bytes_of(""));
    copy = arena_text(a, bytes_of(text));
    free(text);
    return copy;
}
