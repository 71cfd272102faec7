#include "field.h"

#include "../base/hex.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

enum tm_err field_fail(struct tm_error *e, const struct field_object *o, const char *name,
                       const char *format, ...)
{
    char text[TM_ERROR_TEXT_MAX / 2];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (o->list == NULL)
        return tm_fail(e, TM_ERR_CONFIG, "%.200s: %s", name, text);
    if (o->index < 0)
        return tm_fail(e, TM_ERR_CONFIG, "%s.%.200s: %s", o->list, name, text);
    if (name[0] == '\0')
        return tm_fail(e, TM_ERR_CONFIG, "%s[%ld]: %s", o->list, o->index, text);
    return tm_fail(e, TM_ERR_CONFIG, "%s[%ld].%.200s: %s", o->list, o->index, name, text);
}

json_t *field_find(const struct field_object *o, const char *name)
{
    json_t *found = NULL, *value;
    const char *key;

    if (o->json == NULL)
        return NULL;
    if (o->strict)
        return json_object_get(o->json, name);
    json_object_foreach(o->json, key, value)
    {
        if (strcasecmp(key, name) == 0 && !json_is_null(value))
            found = value;
    }
    return found;
}

enum tm_err field_known(const struct field_object *o, const char *const *names, struct tm_error *e)
{
    const char *key;
    json_t *value;

    if (!o->strict)
        return TM_OK;
    json_object_foreach(o->json, key, value)
    {
        const char *const *n = names;

        while (*n != NULL && strcmp(*n, key) != 0)
            n++;
        if (*n == NULL)
            return field_fail(e, o, key, "unknown key");
    }
    return TM_OK;
}

enum tm_err field_text(struct arena *a, const struct field_object *o, const char *name,
                       struct bytes *out, struct tm_error *e)
{
    json_t *value = field_find(o, name);

    *out = bytes_make(NULL, 0);
    if (value == NULL)
        return o->strict ? field_fail(e, o, name, "missing") : TM_OK;
    if (!json_is_string(value))
        return field_fail(e, o, name, "must be a string");
    *out = arena_copy(a, bytes_make(json_string_value(value), json_string_length(value)));
    return TM_OK;
}

enum tm_err field_hex(struct arena *a, const struct field_object *o, const char *name, size_t max,
                      bool exact, struct bytes *out, struct tm_error *e)
{
    struct bytes text;
    enum tm_err err = field_text(a, o, name, &text, e);
    uint8_t *raw;

    if (err != TM_OK)
        return err;
    if (exact && text.size != 2 * max)
        return field_fail(e, o, name, "must be %zu hex digits", 2 * max);
    if (text.size > 2 * max)
        return field_fail(e, o, name, "longer than %zu hex digits", 2 * max);
    raw = arena_alloc(a, text.size / 2);
    if (!hex_decode(text, raw))
        return field_fail(e, o, name, "is not hex");
    *out = bytes_make(raw, text.size / 2);
    return TM_OK;
}

enum tm_err field_integer(const struct field_object *o, const char *name, int64_t minimum,
                          int64_t maximum, int64_t *out, struct tm_error *e)
{
    json_t *value = field_find(o, name);

    *out = 0;
    if (value == NULL)
        return o->strict ? field_fail(e, o, name, "missing") : TM_OK;
    if (!json_is_integer(value))
        return field_fail(e, o, name, "must be an integer");
    *out = json_integer_value(value);
    if (*out < minimum || *out > maximum)
        return field_fail(e, o, name, "must be from %lld to %lld", (long long)minimum,
                          (long long)maximum);
    return TM_OK;
}

enum tm_err field_array(const struct field_object *o, const char *name, json_t **out,
                        struct tm_error *e)
{
    *out = field_find(o, name);
    if (*out != NULL && !json_is_array(*out))
        return field_fail(e, o, name, "must be a list");
    return TM_OK;
}

enum tm_err field_element(const struct field_object *o, const char *name, json_t *array, size_t i,
                          struct field_object *out, struct tm_error *e)
{
    *out = (struct field_object){json_array_get(array, i), name, (long)i, o->strict};
    if (!json_is_object(out->json))
        return field_fail(e, out, "", "must be an object");
    return TM_OK;
}

enum tm_err field_member(const struct field_object *o, const char *name, struct field_object *out,
                         struct tm_error *e)
{
    *out = (struct field_object){field_find(o, name), name, -1, o->strict};
    if (out->json == NULL)
        return o->strict ? field_fail(e, o, name, "missing") : TM_OK;
    if (!json_is_object(out->json))
        return field_fail(e, o, name, "must be an object");
    return TM_OK;
}
