#include "tree_roots.h"

#include "../smt/smt.h"

#include <stdlib.h>

static int by_path(const void *x, const void *y)
{
    const struct smt_leaf *a = x, *b = y;

    return memcmp(a->path.b, b->path.b, sizeof a->path.b);
}

enum tm_err tree_roots(struct arena *scratch, const struct state_map *state,
                       struct hash32 out[TREES], struct tm_error *e)
{
    struct smt_leaf *leaves = arena_array(scratch, struct smt_leaf, state->count);
    struct hash32 *digests = arena_array(scratch, struct hash32, state->count);
    struct buffer leaf;

    buffer_init(&leaf, scratch, 1024);
    for (int tree = 0; tree < TREES; tree++) {
        size_t count = 0;
        enum tm_err err;

        for (size_t i = 0; i < state->count; i++) {
            const struct record *r = state->entries[i].record;

            if (r != NULL && (int)r->tree == tree)
                leaves[count++] = (struct smt_leaf){record_path(r), record_value_hash(r, &leaf)};
        }
        if (count > 0)
            qsort(leaves, count, sizeof *leaves, by_path);
        err = smt_root_of_sorted(leaves, count, digests, &out[tree], e);
        if (err != TM_OK)
            return err;
    }
    return TM_OK;
}
