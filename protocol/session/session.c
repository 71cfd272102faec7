#include "session.h"
#include "../base/hex.h"
#include "../sha3/sha3.h"
#include "go_random.h"

#include <inttypes.h>

/*
 * All indices below `count` come up after about count * ln(count) draws; the chance that one is
 * missing after count * 128 is below count * e^-128. The bound only makes termination certain.
 */
enum { DRAWS_PER_CANDIDATE = 128 };

/* What distinguishes servicers from fishermen, for the selection below. */
struct side {
    const char *word, *plural;
    const struct record *const *actors;
    const struct record *const *chains; /* rows whose chains count; NULL: the actors' own */
    size_t count;
    int64_t wanted;
    bool all_qualify;
};

enum tm_err session_height(height_t q, int64_t blocks_per_session, height_t *s, int64_t *number,
                           struct tm_error *e)
{
    if (q < 0)
        return tm_fail(e, TM_ERR_USAGE, "height %" PRId64 " is negative", q);
    if (blocks_per_session == 0)
        return tm_fail(e, TM_ERR_RULE, "no session: blocks_per_session is %" PRId64,
                       blocks_per_session);
    *s = q - q % blocks_per_session;
    *number = q / blocks_per_session;
    return TM_OK;
}

static bool lists_chain(const struct record *r, struct bytes chain)
{
    if (r == NULL)
        return false;
    for (size_t i = 0; i < r->actor.chain_count; i++)
        if (bytes_equal(r->actor.chains[i], chain))
            return true;
    return false;
}

static bool is_active(const struct record *r)
{
    return r->actor.paused_height == HEIGHT_NONE && r->actor.unstaking_height == HEIGHT_NONE;
}

static const char *inactive_word(const struct record *r)
{
    return r->actor.paused_height != HEIGHT_NONE ? "paused" : "unstaking";
}

/* Those who can be drawn, in the order of the list. */
static enum tm_err find_candidates(struct arena *a, const struct rules *rules,
                                   const struct side *side, struct bytes chain,
                                   const struct record ***out, size_t *count, struct tm_error *e)
{
    const struct record **found = arena_array(a, const struct record *, side->count);
    size_t n = 0;

    for (size_t i = 0; i < side->count; i++) {
        const struct record *actor = side->actors[i];

        if (!is_active(actor)) {
            if (rules->session_filters_candidates)
                continue;
            return tm_fail(e, TM_ERR_RULE, "no session: %s %s is %s", side->word,
                           hex_text(a, actor->key), inactive_word(actor));
        }
        if (lists_chain(side->chains != NULL ? side->chains[i] : actor, chain))
            found[n++] = actor;
    }
    *out = found;
    *count = n;
    return TM_OK;
}

/* First eight bytes of the id, big-endian, as Go reads them. */
static int64_t seed_of(const struct hash32 *id)
{
    uint64_t seed = 0;

    for (int i = 0; i < 8; i++)
        seed = seed << 8 | id->b[i];
    return (int64_t)seed;
}

static enum tm_err select_members(struct arena *a, const struct rules *rules,
                                  const struct side *side, struct bytes chain,
                                  const struct hash32 *id, struct session_member **out,
                                  size_t *out_count, struct tm_error *e)
{
    const struct record *const *candidates = side->actors;
    size_t count = side->count, wanted, taken = 0;
    struct session_member *members;
    struct go_random *random;
    uint64_t draws_left;
    bool *drawn;

    if (!side->all_qualify) {
        const struct record **found = NULL;
        enum tm_err err = find_candidates(a, rules, side, chain, &found, &count, e);

        if (err != TM_OK)
            return err;
        candidates = found;
    }
    if (side->wanted > 0 && (uint64_t)side->wanted > count) {
        members = arena_array(a, struct session_member, count);
        for (size_t i = 0; i < count; i++) {
            members[i].actor = candidates[i];
            members[i].candidate = i;
        }
        *out = members;
        *out_count = count;
        return TM_OK;
    }
    wanted = side->wanted > 0 ? (size_t)side->wanted : 0;
    *out = NULL;
    *out_count = 0;
    if (wanted == 0)
        return TM_OK;
    members = arena_array(a, struct session_member, wanted);
    drawn = arena_array(a, bool, count);
    random = arena_new(a, struct go_random);
    go_random_seed(random, seed_of(id));
    draws_left = (uint64_t)count * DRAWS_PER_CANDIDATE;
    while (taken < wanted) {
        size_t index;

        if (draws_left-- == 0)
            return tm_fail(e, TM_ERR_LIMIT, "drawing %zu of %zu %s does not end", wanted, count,
                           side->plural);
        index = (size_t)((uint64_t)go_random_int63(random) % count);
        if (drawn[index])
            continue;
        drawn[index] = true;
        members[taken].actor = candidates[index];
        members[taken].candidate = index;
        members[taken].draw = (int)taken + 1;
        taken++;
    }
    *out = members;
    *out_count = wanted;
    return TM_OK;
}

/* The public key enters as hexadecimal text, and nothing separates the parts (state.md 7.4). */
static struct hash32 session_id(struct arena *a, const struct session_input *in, height_t s)
{
    uint8_t height[8];
    struct bytes parts[5];

    for (int i = 0; i < 8; i++)
        height[i] = (uint8_t)((uint64_t)s >> 8 * i);
    parts[0] = bytes_make(height, sizeof height);
    parts[1] = in->previous_hash;
    parts[2] = in->geo_zone;
    parts[3] = in->relay_chain;
    parts[4] = bytes_of(hex_text(a, in->application->actor.public_key));
    return sha3_256_parts(parts, 5);
}

static enum tm_err check_application(struct arena *a, const struct session_input *in, height_t s,
                                     struct tm_error *e)
{
    const struct record *app = in->application;

    if (app == NULL)
        return tm_fail(e, TM_ERR_NOT_FOUND,
                       "no session: the application does not exist at height %" PRId64, s);
    if (!lists_chain(app, in->relay_chain))
        return tm_fail(e, TM_ERR_RULE, "no session: application %s is not staked for chain '%.*s'",
                       hex_text(a, app->key), (int)in->relay_chain.size,
                       (const char *)in->relay_chain.data);
    if (!is_active(app))
        return tm_fail(e, TM_ERR_RULE, "no session: application %s is %s", hex_text(a, app->key),
                       inactive_word(app));
    if (!in->has_previous_hash)
        return tm_fail(e, TM_ERR_NOT_FOUND,
                       "no session yet: block %" PRId64 " does not exist, and sessions reach to "
                       "the height after the latest block",
                       s > 0 ? s - 1 : 0);
    return TM_OK;
}

enum tm_err session_select(struct arena *a, const struct rules *rules,
                           const struct session_input *in, struct session *out, struct tm_error *e)
{
    const struct side servicers = {
        .word = "servicer",
        .plural = "servicers",
        .actors = in->servicers,
        .chains = rules->session_filters_candidates ? NULL : in->servicer_chains,
        .count = in->servicer_count,
        .wanted = in->servicers_per_session,
        .all_qualify = in->all_qualify,
    };
    const struct side fishermen = {
        .word = "fisherman",
        .plural = "fishermen",
        .actors = in->fishermen,
        .chains = rules->session_filters_candidates ? NULL : in->fisherman_chains,
        .count = in->fisherman_count,
        .wanted = in->fishermen_per_session,
        .all_qualify = in->all_qualify,
    };
    struct session made = {.blocks = in->blocks_per_session};
    enum tm_err err;

    if (in->relay_chain.size > SESSION_TEXT_MAX || in->geo_zone.size > SESSION_TEXT_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "%s is longer than %d bytes",
                       in->relay_chain.size > SESSION_TEXT_MAX ? "relay_chain" : "geo_zone",
                       SESSION_TEXT_MAX);
    err = session_height(in->height, in->blocks_per_session, &made.height, &made.number, e);
    if (err == TM_OK)
        err = check_application(a, in, made.height, e);
    if (err != TM_OK)
        return err;
    made.id = session_id(a, in, made.height);
    err = select_members(a, rules, &servicers, in->relay_chain, &made.id, &made.servicers,
                         &made.servicer_count, e);
    if (err == TM_OK)
        err = select_members(a, rules, &fishermen, in->relay_chain, &made.id, &made.fishermen,
                             &made.fisherman_count, e);
    if (err == TM_OK)
        *out = made;
    return err;
}
