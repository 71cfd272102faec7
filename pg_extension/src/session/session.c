/* session_at(height, application, relay_chain, geo_zone): who serves whom (state.md 7). */
#include "value/argument.h"
#include "height/height.h"
#include "value/memory.h"
#include "value/raise.h"
#include "table/reader.h"
#include "value/result.h"
#include "session/session_input.h"

#include "protocol/params/params.h"

#include "funcapi.h"
#include "utils/tuplestore.h"

enum { COLUMNS = 7 };

PG_FUNCTION_INFO_V1(tidemark_session_at);

static int64 integer_param(struct arena *a, const char *name, height_t height)
{
    struct bytes text = reader_param_at(a, name, height);
    int64_t n;

    if (text.size == 0)
        ereport(ERROR, (errcode(ERRCODE_TIDEMARK_REFUSED),
                        errmsg("no session: parameter %s is not set at height " INT64_FORMAT, name,
                               height)));
    if (!param_read_integer(text, &n))
        ereport(ERROR, (errcode(ERRCODE_TIDEMARK_REFUSED),
                        errmsg("no session: parameter %s is no integer at height " INT64_FORMAT,
                               name, height)));
    return n;
}

static bool read_previous_hash(struct arena *a, height_t s, struct bytes *out)
{
    static struct query q = {
        "SELECT state_hash FROM ledger.block WHERE height" OP_EQ "$1", 1, {INT8OID}, NULL};
    Datum value = Int64GetDatum(Max(s - 1, 0));

    query_run(&q, &value);
    if (SPI_processed == 0)
        return false;
    *out = query_bytes(SPI_tuptable->vals[0], 1, BYTEAOID, a);
    return true;
}

/* D9: the chains of all actors are those as of the row height of the list's last actor. Where that
 * height is pruned, rows that were there already then are known all the same. */
static const struct record *const *chains_of(struct arena *a, const struct tip *tip,
                                             enum tree_id tree, const struct record **actors,
                                             size_t count)
{
    const struct record **rows, **out = arena_array(a, const struct record *, count);
    size_t found, next = 0;

    if (count == 0)
        return out;
    for (size_t i = 0; i < count; i++)
        if (actors[i]->valid_from > actors[count - 1]->valid_from)
            height_require(tip, actors[count - 1]->valid_from);
    rows = reader_all_at(a, tree, actors[count - 1]->valid_from, &found);
    for (size_t i = 0; i < count; i++) {
        while (next < found && bytes_compare(rows[next]->key, actors[i]->key) < 0)
            next++;
        if (next < found && bytes_equal(rows[next]->key, actors[i]->key))
            out[i] = rows[next];
    }
    return out;
}

height_t session_read_state(struct arena *a, const struct tip *tip, const struct rules *rules,
                            struct session_input *in)
{
    struct tm_error e = {0};
    const struct record **found;
    height_t s;
    int64_t number;

    in->blocks_per_session = integer_param(a, "blocks_per_session", in->height);
    if (session_height(in->height, in->blocks_per_session, &s, &number, &e) != TM_OK)
        raise_failure(&e);
    if (s <= tip->height)
        height_require(tip, s);
    in->servicers_per_session = integer_param(a, "servicers_per_session", s);
    in->fishermen_per_session = integer_param(a, "fisherman_per_session", s);
    in->has_previous_hash = read_previous_hash(a, s, &in->previous_hash);
    found = reader_all_at(a, TREE_SERVICER, s, &in->servicer_count);
    in->servicers = found;
    if (!rules->session_filters_candidates)
        in->servicer_chains = chains_of(a, tip, TREE_SERVICER, found, in->servicer_count);
    found = reader_all_at(a, TREE_FISH, s, &in->fisherman_count);
    in->fishermen = found;
    if (!rules->session_filters_candidates)
        in->fisherman_chains = chains_of(a, tip, TREE_FISH, found, in->fisherman_count);
    return s;
}

static void read_application(struct arena *a, height_t s, struct bytes application,
                             struct session_input *in)
{
    const struct record **found;
    size_t count;

    found = reader_rows_at(a, TREE_APP, s, &application, 1, &count);
    in->application = count == 0 ? NULL : found[0];
}

static void emit(FunctionCallInfo fcinfo, const struct session *session, const char *kind,
                 const struct session_member *member)
{
    ReturnSetInfo *set = (ReturnSetInfo *)fcinfo->resultinfo;
    Datum values[COLUMNS] = {result_hash(&session->id), Int64GetDatum(session->number),
                             Int64GetDatum(session->height), Int64GetDatum(session->blocks)};
    bool nulls[COLUMNS] = {false,
                           false,
                           false,
                           false,
                           kind == NULL,
                           member == NULL,
                           member == NULL || member->draw == 0};

    if (kind != NULL)
        values[4] = result_text(bytes_of(kind));
    if (member != NULL) {
        values[5] = result_bytes(member->actor->key);
        values[6] = Int32GetDatum(member->draw);
    }
    tuplestore_putvalues(set->setResult, set->setDesc, values, nulls);
}

Datum tidemark_session_at(PG_FUNCTION_ARGS)
{
    struct session_input in = {.height = PG_GETARG_INT64(0)};
    struct bytes application = argument_bytes(PG_GETARG_DATUM(1), KEY_BYTES_MAX, "application");
    const struct rules *rules;
    struct tm_error e = {0};
    struct session session;
    struct arena a;
    struct tip tip;

    in.relay_chain = argument_text(PG_GETARG_DATUM(2), SESSION_TEXT_MAX, "relay_chain");
    in.geo_zone = argument_text(PG_GETARG_DATUM(3), SESSION_TEXT_MAX, "geo_zone");
    InitMaterializedSRF(fcinfo, 0);
    memory_arena(&a, CurrentMemoryContext);
    query_begin();
    tip = height_tip();
    /* The session of the next block is known already: it depends on committed blocks alone. */
    if (in.height != tip.height + 1)
        height_require(&tip, in.height);
    rules = reader_rules();
    read_application(&a, session_read_state(&a, &tip, rules, &in), application, &in);
    query_end();
    if (session_select(&a, rules, &in, &session, &e) != TM_OK)
        raise_failure(&e);
    for (size_t i = 0; i < session.servicer_count; i++)
        emit(fcinfo, &session, "servicer", &session.servicers[i]);
    for (size_t i = 0; i < session.fisherman_count; i++)
        emit(fcinfo, &session, "fisherman", &session.fishermen[i]);
    if (session.servicer_count + session.fisherman_count == 0)
        emit(fcinfo, &session, NULL, NULL);
    PG_RETURN_VOID();
}
