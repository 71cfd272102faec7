#include "solo.h"

#include <stdio.h>

void solo_init(struct solo *s, const struct solo_config *config, struct solo_key *keys,
               size_t key_count)
{
    *s = (struct solo){.config = *config, .keys = keys, .key_count = key_count};
}

static struct solo_action stop(struct solo *s, const char *text)
{
    struct solo_action action = {.kind = SOLO_STOP};

    snprintf(action.text, sizeof action.text, "%s", text);
    s->phase = SOLO_STOPPED;
    return action;
}

static bool in_set(const struct solo *s, const struct solo_key *key)
{
    return validator_set_find(s->set, bytes_address(&key->guard.address)) >= 0;
}

static bool holds(const struct solo *s, struct bytes address)
{
    for (size_t i = 0; i < s->key_count; i++)
        if (bytes_equal(bytes_address(&s->keys[i].guard.address), address))
            return true;
    return false;
}

static struct solo_action check_quorum(struct solo *s)
{
    char text[TM_ERROR_TEXT_MAX];
    size_t own = 0;

    for (size_t i = 0; i < s->key_count; i++)
        own += in_set(s, &s->keys[i]);
    if (is_quorum(own, s->set->count))
        return (struct solo_action){.kind = SOLO_WAIT};
    snprintf(text, sizeof text,
             "this node holds the keys of %zu of the %zu validators that sign block %llu; alone it "
             "needs more than two thirds",
             own, s->set->count, (unsigned long long)s->height);
    return stop(s, text);
}

static struct solo_action rest(struct solo *s, uint32_t msec)
{
    s->phase = SOLO_RESTING;
    s->rested = s->retrying = false;
    return (struct solo_action){.kind = SOLO_SET_TIMER, .msec = msec};
}

/* The first round, from the one every key is still free in, whose leader is one of ours. */
static struct solo_action build(struct solo *s)
{
    for (size_t i = 0; i < s->set->count; i++) {
        const struct validator *leader = validator_set_proposer(s->set, s->height, s->round);

        if (holds(s, leader->address)) {
            s->phase = SOLO_BUILDING;
            return (struct solo_action){.kind = SOLO_BUILD,
                                        .height = s->height,
                                        .round = s->round,
                                        .proposer = leader->address};
        }
        s->round++;
    }
    return stop(s, "this node holds the key of no leader of the next rounds");
}

static void free_round(struct solo *s)
{
    s->round = 0;
    for (size_t i = 0; i < s->key_count; i++) {
        uint64_t round = guard_next_round(&s->keys[i].guard, s->height);

        if (in_set(s, &s->keys[i]) && round > s->round)
            s->round = round;
    }
}

/* The greatest record of the keys that count now. */
static const struct guard_record *greatest(const struct solo *s)
{
    const struct guard_record *g = NULL;

    for (size_t i = 0; i < s->key_count; i++)
        if (in_set(s, &s->keys[i]) && (g == NULL || guard_compare(&s->keys[i].guard, g) > 0))
            g = &s->keys[i].guard;
    return g;
}

static struct solo_action refuse_older(struct solo *s, const struct guard_record *g, uint64_t tip,
                                       bool place_changed)
{
    char text[TM_ERROR_TEXT_MAX];

    if (place_changed)
        snprintf(
            text, sizeof text,
            "the vote guard was written beside another database (another cluster or "
            "timeline) and has signed block %llu round %llu, the tip is %llu; if no other node "
            "signs with these keys, start once with --accept-older-state",
            (unsigned long long)g->height, (unsigned long long)g->round, (unsigned long long)tip);
    else
        snprintf(text, sizeof text,
                 "the database is older than what was signed: its tip is %llu, the vote guard has "
                 "signed block %llu; restore the newer database, or, if it is lost and no other "
                 "node signs with these keys, start once with --accept-older-state",
                 (unsigned long long)tip, (unsigned long long)g->height);
    return stop(s, text);
}

static struct solo_action start(struct solo *s, const struct solo_event *event)
{
    const struct guard_record *g;
    struct solo_action action;
    bool older;

    s->set = event->set;
    s->height = event->tip + 1;
    action = check_quorum(s);
    if (action.kind == SOLO_STOP)
        return action;
    g = greatest(s);
    older = g->step != STEP_UNKNOWN &&
            (g->height > s->height || (event->taken_back && g->height == s->height));
    if (g->step != STEP_UNKNOWN && (older || event->place_changed) && !s->config.accept_older)
        return refuse_older(s, g, event->tip, event->place_changed);
    if (older || event->place_changed)
        for (size_t i = 0; i < s->key_count; i++)
            s->keys[i].guard = guard_accept_older(&s->keys[i].guard, event->tip);
    free_round(s);
    if (g->step == STEP_COMMIT && g->height == s->height) {
        /* Signed and not decided: the same block again, or another round. */
        s->phase = SOLO_REPEATING;
        s->header_hash = g->header_hash;
        return (struct solo_action){.kind = SOLO_EXECUTE,
                                    .height = s->height,
                                    .round = g->round,
                                    .header_hash = g->header_hash};
    }
    return rest(s, s->config.interval_msec);
}

/* Records of (height, round, COMMIT) for the keys that may sign it; the round is left if they are
 * too few. */
static struct solo_action persist(struct solo *s, const struct hash32 *header_hash)
{
    size_t signers = 0;

    s->header_hash = *header_hash;
    for (size_t i = 0; i < s->key_count; i++) {
        struct solo_key *key = &s->keys[i];

        key->signs = in_set(s, key) &&
                     guard_may_sign(&key->guard, s->height, s->round, STEP_COMMIT, header_hash);
        signers += key->signs;
    }
    if (!is_quorum(signers, s->set->count)) {
        free_round(s);
        return build(s);
    }
    for (size_t i = 0; i < s->key_count; i++) {
        struct guard_record *g = &s->keys[i].guard;

        if (!s->keys[i].signs)
            continue;
        g->height = s->height;
        g->round = s->round;
        g->step = STEP_COMMIT;
        g->header_hash = *header_hash;
        g->sequence++;
        if (s->round > g->highest_round)
            g->highest_round = s->round;
    }
    s->phase = SOLO_PERSISTING;
    return (struct solo_action){
        .kind = SOLO_PERSIST, .height = s->height, .round = s->round, .header_hash = *header_hash};
}

static struct solo_action executed(struct solo *s, const struct hash32 *header_hash)
{
    if (s->phase == SOLO_REPEATING) {
        if (!hash32_equal(header_hash, &s->header_hash))
            return build(s);
        s->round = greatest(s)->round;
    }
    return persist(s, header_hash);
}

static struct solo_action timer(struct solo *s, bool pool_empty)
{
    if (s->retrying) {
        s->retrying = false;
        return s->last;
    }
    if (s->phase != SOLO_RESTING)
        return (struct solo_action){.kind = SOLO_WAIT};
    if (pool_empty && !s->rested && s->config.empty_interval_msec > s->config.interval_msec) {
        s->rested = true;
        return (struct solo_action){.kind = SOLO_SET_TIMER,
                                    .msec =
                                        s->config.empty_interval_msec - s->config.interval_msec};
    }
    return build(s);
}

static struct solo_action committed(struct solo *s, const struct solo_event *event)
{
    struct solo_action action;

    s->set = event->set;
    s->height = event->tip + 1;
    free_round(s);
    action = check_quorum(s);
    return action.kind == SOLO_STOP ? action : rest(s, s->config.interval_msec);
}

static struct solo_action decide(struct solo *s)
{
    s->phase = SOLO_DECIDING;
    return (struct solo_action){
        .kind = SOLO_DECIDE, .height = s->height, .round = s->round, .header_hash = s->header_hash};
}

/* The same again after a pause; a block that is decided is only written again. */
static struct solo_action retry(struct solo *s)
{
    s->retrying = true;
    if (s->last.kind == SOLO_DECIDE)
        s->last.kind = SOLO_WRITE;
    return (struct solo_action){.kind = SOLO_SET_TIMER, .msec = SOLO_RETRY_MSEC};
}

static struct solo_action step(struct solo *s, const struct solo_event *event)
{
    switch (event->kind) {
    case SOLO_STARTED:
        return start(s, event);
    case SOLO_TIMER:
        return timer(s, event->pool_empty);
    case SOLO_TRANSACTIONS:
        if (s->phase == SOLO_RESTING && s->rested && !s->retrying)
            return build(s);
        return (struct solo_action){.kind = SOLO_WAIT};
    case SOLO_EXECUTED:
        return executed(s, &event->header_hash);
    case SOLO_INVALID:
        /* A stored body that does not execute is left for another round; one of our own making
         * means that this program is broken. */
        return s->phase == SOLO_REPEATING ? build(s) : stop(s, event->text);
    case SOLO_PERSISTED:
        return decide(s);
    case SOLO_COMMITTED:
        return committed(s, event);
    case SOLO_UNAVAILABLE:
        return retry(s);
    }
    return (struct solo_action){.kind = SOLO_WAIT};
}

struct solo_action solo_step(struct solo *s, const struct solo_event *event)
{
    struct solo_action action;

    if (s->phase == SOLO_STOPPED)
        return (struct solo_action){.kind = SOLO_WAIT};
    action = step(s, event);
    if (action.kind != SOLO_WAIT && action.kind != SOLO_SET_TIMER)
        s->last = action;
    return action;
}
