/* Session selection (state.md 7, utility.md 6.2, rules.md "Sessions"). */
#ifndef PROTOCOL_SESSION_SESSION_H
#define PROTOCOL_SESSION_SESSION_H

#include "../base/arena.h"
#include "../base/error.h"
#include "../rules/rules.h"
#include "../state/record.h"

/* Longest relay chain and geo zone taken: a chain id has 4 bytes, a zone is a short word. */
enum { SESSION_TEXT_MAX = 1024 };

/* Everything a session depends on, read as of its session height s (see session_height). */
struct session_input {
    height_t height;            /* q, the height asked */
    int64_t blocks_per_session; /* as of q */
    struct bytes relay_chain, geo_zone;
    const struct record *application; /* as of s; NULL: there is none */
    bool has_previous_hash;
    struct bytes previous_hash; /* state hash of block max(s - 1, 0), raw */
    int64_t servicers_per_session, fishermen_per_session; /* as of s */
    const struct record *const *servicers; /* all of them as of s, ascending by address */
    size_t servicer_count;
    const struct record *const *fishermen;
    size_t fisherman_count;
    /* Both lists hold none but those that qualify for the relay chain: a caller that asks for many
     * sessions on it sorts them out once. */
    bool all_qualify;
    /* `reference` (D9): chains each actor had in its newest row with height <= L, where L = row
     * height of the last actor of the list; parallel to the lists; NULL: use the records' chains.
     */
    const struct record *const *servicer_chains;
    const struct record *const *fisherman_chains;
};

struct session_member {
    const struct record *actor;
    size_t candidate; /* place among those that qualify, from 0 */
    int draw;         /* place in draw order from 1; 0 when all candidates were taken */
};

struct session {
    struct hash32 id;
    int64_t number, height, blocks;
    struct session_member *servicers, *fishermen; /* draw order, or ascending when all were taken */
    size_t servicer_count, fisherman_count;
};

/* q - q % B and q / B, which are heights and numbers for a negative B too. TM_ERR_RULE when B = 0
 * (D34). */
enum tm_err session_height(height_t q, int64_t blocks_per_session, height_t *s, int64_t *number,
                           struct tm_error *e);

/* TM_ERR_NOT_FOUND: no such application or block; TM_ERR_RULE: no session for it, with the reason.
 */
enum tm_err session_select(struct arena *a, const struct rules *rules,
                           const struct session_input *in, struct session *out, struct tm_error *e);

#endif
