#include "genesis.h"

#include "field.h"
#include "genesis_state.h"
#include "../block/block.h"

enum {
    NANOS_PER_MICRO = 1000, /* the grain of timestamps (block.md) */
    INTERVAL_DEFAULT_MSEC = 1000,
    EMPTY_INTERVAL_DEFAULT_MSEC = 10000,
    INTERVAL_MAX_MSEC =
        24 * 60 * 60 * 1000 /* a network slower than a block a day is a typing error */
};

static const char *const TOP_KEYS[] = {
    "accounts",  "applications", "block_interval_msec", "chain_id", "empty_block_interval_msec",
    "fishermen", "genesis_time", "max_block_bytes",     "params",   "pools",
    "rules",     "servicers",    "validators",          NULL};
static const char *const TIME_KEYS[] = {"nanos", "seconds", NULL};

/* A key given twice is an error under `standard` and the last one counts for Go; which of the two
 * holds is only known once the text is read. */
static enum tm_err parse(struct bytes text, json_t **out, bool *repeated, struct tm_error *first,
                         struct tm_error *e)
{
    json_error_t at;

    *repeated = false;
    if (text.size > GENESIS_FILE_MAX)
        return tm_fail(e, TM_ERR_CONFIG, "the genesis file is longer than %d bytes",
                       GENESIS_FILE_MAX);
    *out = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &at);
    if (*out == NULL && json_error_code(&at) == json_error_duplicate_key) {
        *repeated = true;
        tm_fail(first, TM_ERR_CONFIG, "line %d, column %d: %s", at.line, at.column, at.text);
        *out = json_loadb((const char *)text.data, text.size, 0, &at);
    }
    if (*out == NULL)
        return tm_fail(e, TM_ERR_CONFIG, "line %d, column %d: %s", at.line, at.column, at.text);
    if (!json_is_object(*out))
        return tm_fail(e, TM_ERR_CONFIG, "the genesis file must be a JSON object");
    return TM_OK;
}

static enum tm_err choose_rules(const struct field_object *top, const struct rules *flag,
                                const struct rules **out, struct tm_error *e)
{
    json_t *value = json_object_get(top->json, "rules");
    const struct rules *named;

    *out = flag != NULL ? flag : &RULES_STANDARD;
    if (value == NULL)
        return TM_OK;
    if (!json_is_string(value))
        return field_fail(e, top, "rules", "must be \"standard\" or \"reference\"");
    named = rules_by_name(bytes_make(json_string_value(value), json_string_length(value)));
    if (named == NULL)
        return field_fail(e, top, "rules", "must be \"standard\" or \"reference\"");
    if (flag != NULL && flag != named)
        return field_fail(e, top, "rules", "the file says \"%s\", the command asks for \"%s\"",
                          named->name, flag->name);
    *out = named;
    return TM_OK;
}

static enum tm_err read_time(const struct field_object *top, struct genesis *g, struct tm_error *e)
{
    struct field_object time;
    int64_t nanos;
    enum tm_err err = field_member(top, "genesis_time", &time, e);

    if (err == TM_OK)
        err = field_known(&time, TIME_KEYS, e);
    if (err == TM_OK)
        err = field_integer(&time, "seconds", BLOCK_SECONDS_MIN, BLOCK_SECONDS_MAX, &g->seconds, e);
    if (err == TM_OK)
        err = field_integer(&time, "nanos", 0, 999999999, &nanos, e);
    if (err == TM_OK && top->strict && nanos % NANOS_PER_MICRO != 0)
        err = field_fail(e, &time, "nanos", "must be whole microseconds, a multiple of %d",
                         NANOS_PER_MICRO);
    if (err == TM_OK)
        g->nanos = (int32_t)nanos;
    return err;
}

/* An optional interval, under either rule set. */
static enum tm_err read_interval(const struct field_object *top, const char *name,
                                 uint32_t default_msec, uint32_t *out, struct tm_error *e)
{
    int64_t msec;
    enum tm_err err;

    *out = default_msec;
    if (field_find(top, name) == NULL)
        return TM_OK;
    err = field_integer(top, name, 1, INTERVAL_MAX_MSEC, &msec, e);
    if (err == TM_OK)
        *out = (uint32_t)msec;
    return err;
}

static enum tm_err read_chain(struct arena *a, const struct field_object *top, struct genesis *g,
                              struct tm_error *e)
{
    int64_t bytes;
    enum tm_err err = field_text(a, top, "chain_id", &g->chain_id, e);

    if (err != TM_OK)
        return err;
    if (g->chain_id.size > NETWORK_ID_MAX || (top->strict && g->chain_id.size == 0))
        return field_fail(e, top, "chain_id", "must have 1 to %d bytes", NETWORK_ID_MAX);
    err = field_integer(top, "max_block_bytes", top->strict ? 1 : 0, INT64_MAX, &bytes, e);
    if (err != TM_OK)
        return err;
    g->max_block_bytes = (uint64_t)bytes;
    err = read_time(top, g, e);
    if (err == TM_OK)
        err = read_interval(top, "block_interval_msec", INTERVAL_DEFAULT_MSEC,
                            &g->block_interval_msec, e);
    if (err == TM_OK)
        err = read_interval(top, "empty_block_interval_msec", EMPTY_INTERVAL_DEFAULT_MSEC,
                            &g->empty_block_interval_msec, e);
    return err;
}

enum tm_err genesis_load(struct arena *a, struct bytes json, const struct rules *flag,
                         struct genesis *out, struct tm_error *e)
{
    struct field_object top = {.index = -1};
    struct tm_error repeated_key = {0};
    bool repeated = false;
    enum tm_err err;

    *out = (struct genesis){0};
    err = parse(json, &top.json, &repeated, &repeated_key, e);
    if (err == TM_OK)
        err = choose_rules(&top, flag, &out->rules, e);
    if (err == TM_OK) {
        /* Whatever else differs between the rule sets here follows from whether the values that
         * come later in the chain are checked. */
        top.strict = out->rules->parameter_values_checked;
        if (top.strict && repeated)
            err = tm_fail(e, TM_ERR_CONFIG, "%s", repeated_key.text);
    }
    if (err == TM_OK)
        err = field_known(&top, TOP_KEYS, e);
    if (err == TM_OK)
        err = read_chain(a, &top, out, e);
    if (err == TM_OK)
        err = genesis_state_read(a, &top, out, e);
    json_decref(top.json);
    return err;
}
