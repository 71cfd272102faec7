#include "proof.h"

#include "../sha256/sha256.h"
#include "seal.h"
#include "walk.h"

enum {
    ITEM_ABSENT = 0,
    ITEM_PRESENT = 1,
    ITEM_SIZE_MIN = 5 /* bytes: the mark, and the length of an empty key */
};

struct bytes proof_encode(struct arena *a, const struct proof *p)
{
    struct buffer out;
    size_t size = 64 + p->steps.size + p->digests.size;

    for (size_t i = 0; i < p->item_count; i++)
        size += 16 + p->items[i].key.size + p->items[i].value.size;
    buffer_init(&out, a, size);
    *buffer_extend(&out, 1) = PROOF_VERSION;
    seal_number(&out, p->item_count);
    for (size_t i = 0; i < p->item_count; i++) {
        *buffer_extend(&out, 1) = p->items[i].present ? ITEM_PRESENT : ITEM_ABSENT;
        seal_part(&out, p->items[i].key);
        if (p->items[i].present)
            seal_part(&out, p->items[i].value);
    }
    seal_number(&out, p->step_count);
    buffer_append(&out, p->steps.data, p->steps.size);
    buffer_append(&out, p->digests.data, p->digests.size);
    seal_close(&out);
    return buffer_bytes(&out);
}

static enum tm_err cut_short(struct tm_error *e)
{
    return tm_fail(e, TM_ERR_MALFORMED, "the proof is cut short");
}

static enum tm_err take_item(struct bytes *rest, struct proof_item *item, struct tm_error *e)
{
    struct bytes mark;

    if (!seal_take(rest, 1, &mark))
        return cut_short(e);
    if (mark.data[0] != ITEM_ABSENT && mark.data[0] != ITEM_PRESENT)
        return tm_fail(e, TM_ERR_MALFORMED, "the proof has a key of kind %d", mark.data[0]);
    item->present = mark.data[0] == ITEM_PRESENT;
    if (!seal_take_part(rest, PROOF_KEY_MAX, &item->key))
        return tm_fail(e, TM_ERR_MALFORMED,
                       "the proof is cut short, or a key has more than %d bytes", PROOF_KEY_MAX);
    if (item->present && !seal_take_part(rest, PROOF_VALUE_MAX, &item->value))
        return tm_fail(e, TM_ERR_MALFORMED,
                       "the proof is cut short, or a value has more than %d bytes",
                       PROOF_VALUE_MAX);
    item->path = sha256(item->key);
    return TM_OK;
}

static enum tm_err take_items(struct arena *a, struct bytes *rest, struct proof *p,
                              struct tm_error *e)
{
    if (!seal_take_number(rest, &p->item_count))
        return cut_short(e);
    if (p->item_count > PROOF_ITEMS_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "the proof has %zu keys, at most %d are read",
                       p->item_count, PROOF_ITEMS_MAX);
    if (p->item_count == 0 || p->item_count > rest->size / ITEM_SIZE_MIN)
        return tm_fail(e, TM_ERR_MALFORMED, "the proof has no key, or not all it counts");
    p->items = arena_array(a, struct proof_item, p->item_count);
    for (size_t i = 0; i < p->item_count; i++) {
        enum tm_err err = take_item(rest, &p->items[i], e);

        if (err != TM_OK)
            return err;
        if (i > 0 && memcmp(p->items[i - 1].path.b, p->items[i].path.b, 32) >= 0)
            return tm_fail(e, TM_ERR_MALFORMED, "the proof's keys are not in the tree's order");
    }
    return TM_OK;
}

static enum tm_err take_steps(struct bytes *rest, struct proof *p, struct tm_error *e)
{
    size_t unused;

    if (!seal_take_number(rest, &p->step_count) ||
        !seal_take(rest, (p->step_count + WALK_STEPS_PER_BYTE - 1) / WALK_STEPS_PER_BYTE,
                   &p->steps))
        return cut_short(e);
    unused = p->steps.size * WALK_STEPS_PER_BYTE - p->step_count;
    if (unused > 0 && (p->steps.data[p->steps.size - 1] & ((1u << 2 * unused) - 1)) != 0)
        return tm_fail(e, TM_ERR_MALFORMED, "the proof has bits after its last step");
    if (rest->size % sizeof(struct hash32) != 0)
        return tm_fail(e, TM_ERR_MALFORMED, "the proof ends within a digest");
    p->digests = *rest;
    return TM_OK;
}

enum tm_err proof_decode(struct arena *a, struct bytes raw, struct proof *out, struct tm_error *e)
{
    struct bytes rest = raw, version;
    enum tm_err err;

    memset(out, 0, sizeof *out);
    if (raw.size > PROOF_BYTES_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "the proof has %zu bytes, at most %d are read", raw.size,
                       PROOF_BYTES_MAX);
    if (raw.size > 0 && raw.data[0] != PROOF_VERSION)
        return tm_fail(e, TM_ERR_MALFORMED, "this is no proof: it begins with %d instead of %d",
                       raw.data[0], PROOF_VERSION);
    if (!seal_open(&rest))
        return tm_fail(e, TM_ERR_MALFORMED,
                       "the proof is damaged: its checksum is not that of its bytes");
    if (!seal_take(&rest, 1, &version))
        return cut_short(e);
    err = take_items(a, &rest, out, e);
    if (err == TM_OK)
        err = take_steps(&rest, out, e);
    return err == TM_OK ? walk_root(out, &out->root, e) : err;
}

bool proof_verify(const struct proof *p, const struct hash32 *root)
{
    return hash32_equal(&p->root, root);
}

const struct proof_item *proof_find(const struct proof *p, struct bytes key)
{
    for (size_t i = 0; i < p->item_count; i++)
        if (bytes_equal(p->items[i].key, key))
            return &p->items[i];
    return NULL;
}
