/* From a block's net writes to leaf changes of the trees and digests of the rows. */
#include "proposal.h"

#include <stdlib.h>

#include "protocol/sha256/sha256.h"
#include "protocol/state/change_digest.h"

static int compare_paths(const void *x, const void *y)
{
    const struct smt_change *a = x;
    const struct smt_change *b = y;

    return memcmp(a->path.b, b->path.b, sizeof a->path.b);
}

/* The writes of one tree, encoded once for both uses. */
static enum tm_err tree_writes(struct arena *a, enum tree_id tree,
                               const struct ledger_write *writes, size_t count,
                               struct tree_changes *out, struct hash32 *digest, struct tm_error *e)
{
    struct change_entry *entries = arena_array(a, struct change_entry, count);
    struct smt_change *changes = arena_array(a, struct smt_change, count);
    struct hash32 *paths = arena_array(a, struct hash32, count);

    for (size_t i = 0; i < count; i++) {
        const struct ledger_write *w = &writes[i];
        const struct record *r = w->after != NULL ? w->after : w->before;

        if (r == NULL)
            return tm_fail(e, TM_ERR_MISMATCH, "a write of tree %s that changes nothing",
                           tree_name(tree));
        paths[i] = record_path(r);
        changes[i] = (struct smt_change){.path = paths[i], .present = w->after != NULL};
        entries[i].key = tree == TREE_IBC ? bytes_hash(&paths[i]) : r->key;
        entries[i].present = w->after != NULL;
        if (w->after == NULL)
            continue;
        if (tree == TREE_TRANSACTIONS || tree == TREE_IBC) {
            entries[i].leaf = r->value;
        } else {
            struct buffer leaf;

            buffer_init(&leaf, a, 256);
            record_leaf(r, &leaf);
            entries[i].leaf = buffer_bytes(&leaf);
        }
        changes[i].value_hash = sha256(entries[i].leaf);
    }
    qsort(changes, count, sizeof *changes, compare_paths);
    *out = (struct tree_changes){.changes = changes, .count = count};
    if (!change_digest(entries, count, digest))
        return tm_fail(e, TM_ERR_MISMATCH, "tree %s: a key is written twice in one block",
                       tree_name(tree));
    return TM_OK;
}

enum tm_err write_set_changes(struct arena *a, const struct ledger_write *writes, size_t count,
                              struct tree_changes changes[TREES], struct hash32 digests[TREES],
                              struct tm_error *e)
{
    memset(changes, 0, TREES * sizeof *changes);
    memset(digests, 0, TREES * sizeof *digests);
    for (size_t first = 0; first < count;) {
        enum tree_id tree = writes[first].tree;
        size_t n = 1;
        enum tm_err err;

        while (first + n < count && writes[first + n].tree == tree)
            n++;
        err = tree_writes(a, tree, writes + first, n, &changes[tree], &digests[tree], e);
        if (err != TM_OK)
            return err;
        first += n;
    }
    return TM_OK;
}

enum tm_err node_changes_digest(struct arena *a, const struct store_block *b, struct hash32 *out,
                                struct tm_error *e)
{
    size_t count = 0;
    struct node_entry *entries;

    for (int i = 0; i < TREES; i++)
        count += b->node_count[i];
    entries = arena_array(a, struct node_entry, count);
    count = 0;
    for (int i = 0; i < TREES; i++)
        for (size_t k = 0; k < b->node_count[i]; k++) {
            const struct smt_node_change *c = &b->nodes[i][k];

            entries[count++] = (struct node_entry){.tree = (uint8_t)i,
                                                   .depth = c->row.depth,
                                                   .prefix = c->row.prefix,
                                                   .present = c->present,
                                                   .digest = c->row.digest};
        }
    if (!node_digest(entries, count, out))
        return tm_fail(e, TM_ERR_MISMATCH, "a tree node is written twice in one block");
    return TM_OK;
}
