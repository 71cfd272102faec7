#include "follow.h"

#include <inttypes.h>
#include <jansson.h>

#include "../base/hex.h"

static enum tm_err load(struct bytes line, json_t **out, struct tm_error *e)
{
    json_error_t at;

    if (line.size > FOLLOW_LINE_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "a line of %zu bytes, at most %d are read", line.size,
                       FOLLOW_LINE_MAX);
    *out = json_loadb((const char *)line.data, line.size, JSON_REJECT_DUPLICATES, &at);
    if (*out == NULL)
        return tm_fail(e, TM_ERR_MALFORMED, "not JSON: %s at column %d", at.text, at.column);
    if (json_is_object(*out))
        return TM_OK;
    json_decref(*out);
    return tm_fail(e, TM_ERR_MALFORMED, "a line must be a JSON object");
}

static bool read_hex(struct arena *a, const json_t *text, struct bytes *out)
{
    uint8_t *bytes;

    if (!json_is_string(text))
        return false;
    bytes = arena_alloc(a, json_string_length(text) / 2);
    *out = bytes_make(bytes, json_string_length(text) / 2);
    return hex_decode(bytes_make(json_string_value(text), json_string_length(text)), bytes);
}

static enum tm_err read_members(struct arena *a, const json_t *line, struct validator_set *out,
                                struct tm_error *e)
{
    const json_t *list = json_object_get(line, "validators"), *hash;
    struct hash32 computed;
    struct bytes given;

    if (!json_is_array(list) || json_array_size(list) == 0)
        return tm_fail(e, TM_ERR_MALFORMED, "\"validators\" is missing or no list");
    out->count = json_array_size(list);
    if (out->count > FOLLOW_MEMBERS_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "a set of %zu validators, at most %d are read", out->count,
                       FOLLOW_MEMBERS_MAX);
    out->members = arena_array(a, struct validator, out->count);
    for (size_t i = 0; i < out->count; i++) {
        const json_t *member = json_array_get(list, i);

        if (!read_hex(a, json_object_get(member, "address"), &out->members[i].address) ||
            !read_hex(a, json_object_get(member, "public_key"), &out->members[i].public_key))
            return tm_fail(e, TM_ERR_MALFORMED,
                           "validator %zu has no hexadecimal \"address\" and \"public_key\"", i);
        if (i > 0 && bytes_compare(out->members[i - 1].address, out->members[i].address) >= 0)
            return tm_fail(e, TM_ERR_MALFORMED, "the validators are not ascending by address");
    }
    hash = json_object_get(line, "hash");
    computed = validator_set_hash(out);
    if (hash != NULL && (!read_hex(a, hash, &given) || !bytes_equal(given, bytes_hash(&computed))))
        return tm_fail(e, TM_ERR_MISMATCH, "\"hash\" is not that of the validators, %s",
                       hex_text(a, bytes_hash(&computed)));
    return TM_OK;
}

enum tm_err follow_read_set(struct arena *a, struct bytes line, struct validator_set *out,
                            int64_t *height, struct tm_error *e)
{
    const json_t *number;
    json_t *json;
    enum tm_err err = load(line, &json, e);

    if (err != TM_OK)
        return err;
    number = json_object_get(json, "height");
    *height = json_is_integer(number) ? json_integer_value(number) : -1;
    err = read_members(a, json, out, e);
    json_decref(json);
    return err;
}

/* The next line that is not empty. */
static bool next_line(struct bytes *rest, struct bytes *line)
{
    while (rest->size > 0) {
        const uint8_t *end = memchr(rest->data, '\n', rest->size);
        size_t size = end != NULL ? (size_t)(end - rest->data) : rest->size;
        size_t taken = end != NULL ? size + 1 : size;

        *line = bytes_make(rest->data, size);
        *rest = bytes_make(rest->data + taken, rest->size - taken);
        while (line->size > 0 && line->data[line->size - 1] <= ' ')
            line->size--;
        if (line->size > 0)
            return true;
    }
    return false;
}

enum tm_err follow_find_set(struct arena *a, struct bytes file, uint64_t height,
                            struct validator_set *out, struct tm_error *e)
{
    struct bytes rest = file, line;
    size_t lines = 0;
    int64_t after;
    enum tm_err err;

    while (next_line(&rest, &line)) {
        err = follow_read_set(a, line, out, &after, e);
        if (err != TM_OK)
            return err;
        if (after >= 0 && (uint64_t)after + 1 == height)
            return TM_OK;
        lines++;
    }
    if (lines == 1)
        return TM_OK;
    if (lines == 0)
        return tm_fail(e, TM_ERR_NOT_FOUND, "the file holds no validator set");
    return tm_fail(e, TM_ERR_NOT_FOUND,
                   "none of the %zu validator sets is that after height %" PRId64, lines,
                   (int64_t)height - 1);
}

enum tm_err follow_read_line(struct arena *a, struct bytes line, struct follow_line *out,
                             struct tm_error *e)
{
    struct bytes raw;
    struct block block;
    json_t *json;
    bool canonical;
    enum tm_err err = load(line, &json, e);

    memset(out, 0, sizeof *out);
    if (err != TM_OK)
        return err;
    if (!read_hex(a, json_object_get(json, "raw"), &raw))
        err = tm_fail(e, TM_ERR_MALFORMED, "\"raw\" is missing or not hexadecimal");
    else
        err = block_decode(a, raw, &block, &canonical, e);
    if (err == TM_OK) {
        out->header = block.header;
        out->has_next = json_object_get(json, "validators") != NULL;
        if (out->has_next)
            err = read_members(a, json, &out->next, e);
    }
    json_decref(json);
    return err;
}

static struct validator_set copy_set(struct arena *a, const struct validator_set *set)
{
    struct validator_set copy = {arena_array(a, struct validator, set->count), set->count};

    for (size_t i = 0; i < set->count; i++)
        copy.members[i] = (struct validator){arena_copy(a, set->members[i].address),
                                             arena_copy(a, set->members[i].public_key)};
    return copy;
}

void follow_begin(struct follow *f, const struct validator_set *set)
{
    memset(f, 0, sizeof *f);
    arena_init(&f->a);
    f->set = copy_set(&f->a, set);
}

void follow_free(struct follow *f)
{
    arena_free(&f->a);
}

enum tm_err follow_link(const struct follow *f, const struct block_header *header,
                        struct tm_error *e)
{
    if (!f->begun)
        return TM_OK;
    if (header->height != f->height + 1)
        return tm_fail(e, TM_ERR_MISMATCH, "block %" PRIu64 " does not come after block %" PRIu64,
                       header->height, f->height);
    if (!header->has_previous || !hash32_equal(&header->previous_state_hash, &f->state_hash))
        return tm_fail(e, TM_ERR_MISMATCH, "block %" PRIu64 " is not built upon block %" PRIu64,
                       header->height, f->height);
    if (!bytes_equal(header->network_id, f->network_id))
        return tm_fail(e, TM_ERR_MISMATCH, "block %" PRIu64 " is of another network",
                       header->height);
    return TM_OK;
}

/* The set that the header's field 10 names. */
static enum tm_err move_on(struct follow *f, const struct follow_line *line, struct tm_error *e)
{
    const struct block_header *header = &line->header;
    const struct validator_set *next = line->has_next ? &line->next : &f->set;
    struct hash32 hash = validator_set_hash(next);

    if (!header->has_next_validator_set || !hash32_equal(&hash, &header->next_validator_set_hash))
        return tm_fail(e, TM_ERR_MISMATCH,
                       line->has_next ? "the set given after block %" PRIu64
                                        " is not the one that the block names"
                                      : "the set changes after block %" PRIu64
                                        ": its line must hold the new one in \"validators\"",
                       header->height);
    if (line->has_next)
        f->set = copy_set(&f->a, next);
    return TM_OK;
}

enum tm_err follow_add(struct follow *f, struct arena *scratch, const struct follow_line *line,
                       struct tm_error *e)
{
    const struct rules *rules;
    enum tm_err err = follow_link(f, &line->header, e);

    if (err == TM_OK)
        err = bundle_check_header(scratch, &line->header, &f->set, &rules, e);
    if (err != TM_OK)
        return err;
    if (!rules->signed_header)
        return tm_fail(e, TM_ERR_MISMATCH,
                       "the certificate of block %" PRIu64 " does not cover the next validator "
                       "set, as the rules `reference` have it: trust the set that signed the block",
                       line->header.height);
    err = move_on(f, line, e);
    if (err != TM_OK)
        return err;
    if (!f->begun)
        f->network_id = arena_copy(&f->a, line->header.network_id);
    f->begun = true;
    f->height = line->header.height;
    f->state_hash = line->header.state_hash;
    return TM_OK;
}
