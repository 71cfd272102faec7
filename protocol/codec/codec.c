#include "codec.h"

#include <assert.h>
#include <stdlib.h>

#include "wire_writer.h"
#include "protocol/proto/block.pb-c.h"
#include "protocol/proto/transaction.pb-c.h"
#include "wire.h"

#define FIELD(n) (1u << (n))

/* The fields that are `string` in the reference's files: bit n = field n. */
static uint32_t text_fields(const ProtobufCMessageDescriptor *type)
{
    static const struct {
        const ProtobufCMessageDescriptor *type;
        uint32_t fields;
    } texts[] = {
        {&pocket__transaction__descriptor, FIELD(2)},
        {&pocket__any__descriptor, FIELD(1)},
        {&pocket__message_send__descriptor, FIELD(3)},
        {&pocket__message_stake__descriptor, FIELD(3) | FIELD(4) | FIELD(5)},
        {&pocket__message_edit_stake__descriptor, FIELD(3) | FIELD(4) | FIELD(5)},
        {&pocket__message_change_parameter__descriptor, FIELD(3)},
        {&pocket__string_value__descriptor, FIELD(1)},
        {&pocket__indexed_transaction__descriptor, FIELD(5) | FIELD(6) | FIELD(7) | FIELD(8)},
        {&pocket__block_header__descriptor,
         FIELD(2) | FIELD(3) | FIELD(4) | FIELD(9) | FIELD(10) | FIELD(11)},
        {&pocket__tree_hash__descriptor, FIELD(1) | FIELD(2)},
        {&pocket__validator_identity__descriptor, FIELD(1) | FIELD(2)},
        {&pocket__partial_signature__descriptor, FIELD(2)},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].type == type)
            return texts[i].fields;
    return 0;
}

static bool is_map_entry(const ProtobufCMessageDescriptor *type)
{
    return type == &pocket__tree_hash__descriptor;
}

static bool is_map(const ProtobufCFieldDescriptor *field)
{
    return is_map_entry(field->descriptor);
}

static enum wire_type type_on_wire(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_UINT64:
        return WIRE_VARINT;
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return WIRE_LENGTH;
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
    case PROTOBUF_C_TYPE_STRING:
        break;
    }
    assert(!"a field type that our .proto files do not use");
    abort();
}

/* The value a decoder keeps of an integer on the wire: int32 takes the low half, sign extended. */
static uint64_t kept_integer(const ProtobufCFieldDescriptor *field, uint64_t n)
{
    if (field->type == PROTOBUF_C_TYPE_INT32)
        return (uint64_t)(int64_t)(int32_t)(uint32_t)n;
    return field->type == PROTOBUF_C_TYPE_UINT32 ? (uint32_t)n : n;
}

static bool is_repeated(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED;
}

/* Written whenever set, even when it is the default. */
static bool has_presence(const ProtobufCFieldDescriptor *field)
{
    return is_repeated(field) || field->type == PROTOBUF_C_TYPE_MESSAGE ||
           (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

static bool is_default(const ProtobufCFieldDescriptor *field, const struct wire_field *f)
{
    return field->type == PROTOBUF_C_TYPE_BYTES ? f->content.size == 0
                                                : kept_integer(field, f->integer) == 0;
}

static bool same_oneof(const ProtobufCFieldDescriptor *x, const ProtobufCFieldDescriptor *y)
{
    return (x->flags & y->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
           x->quantifier_offset == y->quantifier_offset;
}

/* The field's descriptor; NULL when it is unknown, which another wire type makes it too. */
static const ProtobufCFieldDescriptor *known_field(const ProtobufCMessageDescriptor *type,
                                                   const struct wire_field *f)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(type, f->number);

    return field != NULL && type_on_wire(field) == f->type ? field : NULL;
}

/* The next field of bytes that have been checked. */
static bool next_checked(struct bytes *rest, struct wire_field *f)
{
    return rest->size > 0 && wire_next(rest, f, NULL) == TM_OK;
}

struct map_entry {
    struct bytes key, value;
    size_t arrival;
};

/* Last key and last value of an entry; *strict: it holds both, in this order, and nothing else. */
static struct map_entry map_entry_of(struct bytes raw, bool *strict)
{
    struct map_entry entry = {0};
    struct wire_field f;
    uint32_t count = 0;

    *strict = true;
    while (next_checked(&raw, &f)) {
        *strict = *strict && f.number == ++count && f.type == WIRE_LENGTH;
        if (f.type != WIRE_LENGTH)
            continue;
        if (f.number == 1)
            entry.key = f.content;
        else if (f.number == 2)
            entry.value = f.content;
    }
    *strict = *strict && count == 2;
    return entry;
}

struct check {
    size_t repeats_max;
    bool canonical, has_unknown;
    struct tm_error *e;
};

/* Where a message's check stands between two of its fields. */
struct progress {
    const ProtobufCFieldDescriptor *last;
    bool past_known;
    size_t repeats;
    struct bytes last_key;
    bool has_key;
};

static bool in_order(const struct progress *p, const ProtobufCFieldDescriptor *field)
{
    if (p->past_known)
        return false;
    if (p->last == NULL || field->id > p->last->id)
        return p->last == NULL || !same_oneof(p->last, field);
    return field->id == p->last->id && is_repeated(field);
}

static bool map_in_order(struct progress *p, struct bytes content)
{
    bool strict;
    struct map_entry entry = map_entry_of(content, &strict);
    bool ascending = !p->has_key || bytes_compare(p->last_key, entry.key) < 0;

    p->last_key = entry.key;
    p->has_key = true;
    return strict && ascending;
}

static enum tm_err check_message(struct check *c, const ProtobufCMessageDescriptor *type,
                                 struct bytes raw)
{
    uint32_t texts = text_fields(type);
    struct progress p = {0};
    struct tm_error inner;
    struct wire_field f;

    while (raw.size > 0) {
        enum tm_err err = wire_next(&raw, &f, &inner);
        const ProtobufCFieldDescriptor *field;

        if (err != TM_OK)
            return tm_fail(c->e, err, "%s: %s", type->short_name, inner.text);
        field = known_field(type, &f);
        c->canonical = c->canonical && f.short_tag;
        if (field == NULL) {
            p.past_known = true;
            /* Map entries lose theirs. */
            c->has_unknown = c->has_unknown || !is_map_entry(type);
            continue;
        }
        c->canonical = c->canonical && f.short_integer && in_order(&p, field) &&
                       (has_presence(field) || !is_default(field, &f)) &&
                       (f.type != WIRE_VARINT || kept_integer(field, f.integer) == f.integer);
        p.last = field;
        if (is_repeated(field) && ++p.repeats > (is_map(field) ? CODEC_MAP_MAX : c->repeats_max))
            return tm_fail(c->e, TM_ERR_LIMIT, "%s: more than %zu repeated elements",
                           type->short_name, p.repeats - 1);
        if (field->id < 32 && (texts & FIELD(field->id)) != 0 && !wire_is_text(f.content))
            return tm_fail(c->e, TM_ERR_MALFORMED, "%s: %s is not UTF-8", type->short_name,
                           field->name);
        if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
            err = check_message(c, field->descriptor, f.content);
            if (err != TM_OK)
                return err;
            if (is_map(field))
                c->canonical = map_in_order(&p, f.content) && c->canonical;
        }
    }
    return TM_OK;
}

/* One message being written anew. */
struct rebuild {
    struct arena *arena;
    bool keep_unknown;
};

static struct bytes rebuild_message(const struct rebuild *r, const ProtobufCMessageDescriptor *type,
                                    struct bytes raw);

static int compare_keys(const void *x, const void *y)
{
    const struct map_entry *a = x, *b = y;
    int c = bytes_compare(a->key, b->key);

    return c != 0 ? c : (a->arrival > b->arrival) - (a->arrival < b->arrival);
}

static void rebuild_map(const struct rebuild *r, const ProtobufCMessageDescriptor *type,
                        const ProtobufCFieldDescriptor *field, struct bytes raw, struct buffer *out)
{
    struct map_entry entries[CODEC_MAP_MAX];
    struct wire_field f;
    size_t count = 0;
    bool strict;

    while (next_checked(&raw, &f)) {
        if (known_field(type, &f) != field)
            continue;
        entries[count] = map_entry_of(f.content, &strict);
        entries[count].arrival = count;
        count++;
    }
    qsort(entries, count, sizeof entries[0], compare_keys);
    for (size_t i = 0; i < count; i++) {
        struct buffer entry;

        if (i + 1 < count && bytes_equal(entries[i].key, entries[i + 1].key))
            continue;
        buffer_init(&entry, r->arena, entries[i].key.size + entries[i].value.size + 16);
        wire_element(&entry, 1, entries[i].key);
        wire_element(&entry, 2, entries[i].value);
        wire_element(out, field->id, buffer_bytes(&entry));
    }
}

static void rebuild_repeated(const struct rebuild *r, const ProtobufCMessageDescriptor *type,
                             const ProtobufCFieldDescriptor *field, struct bytes raw,
                             struct buffer *out)
{
    struct wire_field f;

    while (next_checked(&raw, &f)) {
        if (known_field(type, &f) != field)
            continue;
        wire_element(out, field->id,
                     field->type == PROTOBUF_C_TYPE_MESSAGE
                         ? rebuild_message(r, field->descriptor, f.content)
                         : f.content);
    }
}

/* The last scalar wins; messages merge, which is what their encodings joined decode to. */
static void rebuild_singular(const struct rebuild *r, const ProtobufCMessageDescriptor *type,
                             const ProtobufCFieldDescriptor *field, struct bytes raw,
                             struct buffer *out)
{
    bool is_message = field->type == PROTOBUF_C_TYPE_MESSAGE, present = false;
    struct wire_field f, last = {0};
    struct buffer joined;

    buffer_init(&joined, r->arena, 0);
    while (next_checked(&raw, &f)) {
        const ProtobufCFieldDescriptor *found = known_field(type, &f);

        if (found == field) {
            present = true;
            last = f;
            if (is_message)
                buffer_append(&joined, f.content.data, f.content.size);
        } else if (found != NULL && same_oneof(found, field)) {
            present = false;
            joined.size = 0;
        }
    }
    if (!present || (!has_presence(field) && is_default(field, &last)))
        return;
    if (is_message) {
        wire_element(out, field->id, rebuild_message(r, field->descriptor, buffer_bytes(&joined)));
    } else if (last.type == WIRE_LENGTH) {
        wire_element(out, field->id, last.content);
    } else {
        wire_varint(out, (uint64_t)field->id << 3 | WIRE_VARINT);
        wire_varint(out, kept_integer(field, last.integer));
    }
}

static struct bytes rebuild_message(const struct rebuild *r, const ProtobufCMessageDescriptor *type,
                                    struct bytes raw)
{
    struct bytes rest = raw;
    struct wire_field f;
    struct buffer out;

    buffer_init(&out, r->arena, raw.size);
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];

        if (is_repeated(field) && is_map(field))
            rebuild_map(r, type, field, raw, &out);
        else if (is_repeated(field))
            rebuild_repeated(r, type, field, raw, &out);
        else
            rebuild_singular(r, type, field, raw, &out);
    }
    while (r->keep_unknown && next_checked(&rest, &f)) {
        if (known_field(type, &f) != NULL)
            continue;
        wire_varint(&out, (uint64_t)f.number << 3 | f.type);
        buffer_append(&out, f.value.data, f.value.size);
    }
    return buffer_bytes(&out);
}

enum tm_err codec_canonicalise(struct arena *a, const ProtobufCMessageDescriptor *type,
                               struct bytes raw, size_t repeats_max, struct canonical *out,
                               struct tm_error *e)
{
    struct check c = {.repeats_max = repeats_max, .canonical = true, .e = e};
    enum tm_err err = check_message(&c, type, raw);

    if (err != TM_OK)
        return err;
    *out = (struct canonical){type, raw, c.canonical, c.has_unknown};
    if (!c.canonical)
        out->encoded = rebuild_message(&(struct rebuild){a, true}, type, raw);
    return TM_OK;
}

static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void release(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer;
}

const void *codec_unpack(struct arena *a, const struct canonical *c)
{
    ProtobufCAllocator allocator = {allocate, release, a};
    struct bytes known = c->encoded;
    void *message;

    if (c->has_unknown)
        known = rebuild_message(&(struct rebuild){a, false}, c->type, known);
    message = protobuf_c_message_unpack(c->type, &allocator, known.size, known.data);
    /* Canonical bytes without unknown fields are what the library itself writes. */
    assert(message != NULL);
    return message;
}

struct bytes codec_pack(struct arena *a, const void *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *data = arena_alloc(a, size);

    protobuf_c_message_pack(message, data);
    return bytes_make(data, size);
}
