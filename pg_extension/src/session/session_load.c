/* session_load_at(height, relay_chain): how many sessions each servicer is in. */
#include "value/argument.h"
#include "height/height.h"
#include "value/memory.h"
#include "value/raise.h"
#include "table/reader.h"
#include "value/result.h"
#include "session/session_input.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/tuplestore.h"

enum { COLUMNS = 5 };

PG_FUNCTION_INFO_V1(tidemark_session_load_at);

/* A place of an actor's list: the actor asks for, or serves, the chain. */
struct place {
    struct bytes chain;
    uint32 actor;
    int64 sessions;
};

struct places {
    struct place *list;
    size_t count;
};

static int by_chain(const void *x, const void *y)
{
    const struct place *a = x, *b = y;
    int c = bytes_compare(a->chain, b->chain);

    return c != 0 ? c : (a->actor > b->actor) - (a->actor < b->actor);
}

static bool takes_part(const struct record *r)
{
    return r->actor.paused_height == HEIGHT_NONE && r->actor.unstaking_height == HEIGHT_NONE;
}

/* Active actors by chain, in the order of the list; each chain of an actor once. */
static struct places places_of(struct arena *a, const struct record *const *actors,
                               const struct record *const *chains, size_t count,
                               const struct bytes *wanted)
{
    struct places p = {NULL, 0};
    size_t room = 0, kept = 0;

    for (size_t i = 0; i < count; i++)
        room += chains[i] != NULL ? chains[i]->actor.chain_count : 0;
    p.list = arena_array(a, struct place, room);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0;
             chains[i] != NULL && takes_part(actors[i]) && k < chains[i]->actor.chain_count; k++)
            if (wanted == NULL || bytes_equal(chains[i]->actor.chains[k], *wanted))
                p.list[p.count++] =
                    (struct place){.chain = chains[i]->actor.chains[k], .actor = (uint32)i};
    if (p.count > 1)
        qsort(p.list, p.count, sizeof *p.list, by_chain);
    for (size_t i = 0; i < p.count; i++)
        if (kept == 0 || by_chain(&p.list[kept - 1], &p.list[i]) != 0)
            p.list[kept++] = p.list[i];
    p.count = kept;
    return p;
}

static size_t run_length(const struct places *p, size_t first)
{
    size_t n = 1;

    while (first + n < p->count && bytes_equal(p->list[first].chain, p->list[first + n].chain))
        n++;
    return n;
}

/* Counts the sessions of a chain's applications at its servicers. */
static void count_sessions(struct session_input *in, const struct rules *rules,
                           const struct record *const *applications, const struct place *asking,
                           size_t asking_count, struct place *serving, size_t serving_count)
{
    MemoryContext context =
        AllocSetContextCreate(CurrentMemoryContext, "session load", ALLOCSET_DEFAULT_SIZES);
    const struct record *const *servicers = in->servicers;
    const struct record **candidates = palloc(sizeof *candidates * (serving_count + 1));
    struct session_input one = *in;

    for (size_t i = 0; i < serving_count; i++)
        candidates[i] = servicers[serving[i].actor];
    one.servicers = candidates;
    one.servicer_count = serving_count;
    one.servicer_chains = NULL;
    one.fisherman_count = 0;
    one.fishermen_per_session = 0;
    one.all_qualify = true;
    for (size_t i = 0; i < asking_count; i++) {
        struct session session;
        struct tm_error e = {0};
        struct arena a;

        CHECK_FOR_INTERRUPTS();
        memory_arena(&a, context);
        one.relay_chain = asking[i].chain;
        one.application = applications[asking[i].actor];
        if (session_select(&a, rules, &one, &session, &e) != TM_OK)
            raise_failure(&e);
        for (size_t k = 0; k < session.servicer_count; k++)
            serving[session.servicers[k].candidate].sessions++;
        MemoryContextReset(context);
    }
    MemoryContextDelete(context);
    pfree(candidates);
}

/* Under `reference` one actor that does not qualify leaves a network without sessions. */
static void require_all_active(const struct session_input *in)
{
    for (size_t i = 0; i < in->servicer_count; i++)
        if (!takes_part(in->servicers[i]))
            ereport(ERROR, (errcode(ERRCODE_TIDEMARK_REFUSED),
                            errmsg("no session: a servicer is paused or unstaking")));
    for (size_t i = 0; i < in->fisherman_count; i++)
        if (!takes_part(in->fishermen[i]))
            ereport(ERROR, (errcode(ERRCODE_TIDEMARK_REFUSED),
                            errmsg("no session: a fisherman is paused or unstaking")));
}

static void emit_chain(ReturnSetInfo *set, const struct session_input *in, height_t s,
                       const struct place *serving, size_t count, size_t sessions)
{
    for (size_t i = 0; i < count; i++) {
        Datum values[COLUMNS] = {
            result_text(serving[i].chain), result_bytes(in->servicers[serving[i].actor]->key),
            Int64GetDatum(serving[i].sessions), Int64GetDatum((int64)sessions), Int64GetDatum(s)};
        bool nulls[COLUMNS] = {false};

        tuplestore_putvalues(set->setResult, set->setDesc, values, nulls);
    }
}

Datum tidemark_session_load_at(PG_FUNCTION_ARGS)
{
    struct session_input in = {.height = DatumGetInt64(argument_present(fcinfo, 0, "the height"))};
    struct bytes chain;
    const struct record **applications;
    struct places asking, serving;
    const struct rules *rules;
    size_t count, next = 0;
    struct arena a;
    struct tip tip;
    height_t s;

    if (!PG_ARGISNULL(1))
        chain = argument_text(PG_GETARG_DATUM(1), SESSION_TEXT_MAX, "relay_chain");
    in.geo_zone =
        argument_text(argument_present(fcinfo, 2, "the geo zone"), SESSION_TEXT_MAX, "geo_zone");
    InitMaterializedSRF(fcinfo, 0);
    memory_arena(&a, CurrentMemoryContext);
    query_begin();
    tip = height_tip();
    height_require(&tip, in.height);
    rules = reader_rules();
    s = session_read_state(&a, &tip, rules, &in);
    applications = reader_all_at(&a, TREE_APP, s, &count);
    query_end();
    if (!rules->session_filters_candidates)
        require_all_active(&in);
    asking = places_of(&a, applications, applications, count, PG_ARGISNULL(1) ? NULL : &chain);
    serving =
        places_of(&a, in.servicers, in.servicer_chains != NULL ? in.servicer_chains : in.servicers,
                  in.servicer_count, PG_ARGISNULL(1) ? NULL : &chain);
    for (size_t i = 0; i < serving.count;) {
        size_t servicers = run_length(&serving, i), sessions = 0;

        while (next < asking.count &&
               bytes_compare(asking.list[next].chain, serving.list[i].chain) < 0)
            next++;
        if (next < asking.count && bytes_equal(asking.list[next].chain, serving.list[i].chain)) {
            sessions = run_length(&asking, next);
            count_sessions(&in, rules, applications, asking.list + next, sessions, serving.list + i,
                           servicers);
        }
        emit_chain((ReturnSetInfo *)fcinfo->resultinfo, &in, s, serving.list + i, servicers,
                   sessions);
        i += servicers;
    }
    PG_RETURN_VOID();
}
