#include "fold.h"

#include <stdlib.h>

enum {
    SLOTS = 1 << SMT_PAGE_BITS, /* rows a page can have */
    LOCKSTEP = 16               /* walks kept going side by side */
};

static struct smt_page_id page_of(const struct smt_stub *s)
{
    return (struct smt_page_id){s->depth, s->depth == 0 ? 0 : s->prefix >> (64 - s->depth)};
}

static uint64_t left_aligned(uint64_t prefix, unsigned depth)
{
    return depth == 0 ? 0 : prefix << (64 - depth);
}

/* --- what is missing -----------------------------------------------------------------------------
 */

/* One step from *ref towards a path. False where the walk ends; then *ref is the stub that the path
 * goes below, or empty. */
static bool step(const struct smt *t, const struct hash32 *path, uint32_t *ref)
{
    switch (smt_kind(*ref)) {
    case SMT_EMPTY:
    case SMT_LEAF:
        *ref = 0;
        return false;
    case SMT_BRANCH: {
        const struct smt_branch *b = smt_branch_at(t, *ref);

        if (smt_passes_by(b, smt_word(path->b, 0)))
            *ref = 0;
        else
            *ref = b->child[smt_bit(path->b, b->bit)];
        smt_prefetch(t, *ref);
        return true;
    }
    case SMT_STUB: {
        const struct smt_stub *s = smt_stub_at(t, *ref);

        if (smt_first_bits(smt_word(path->b, 0) ^ s->prefix, s->depth) != 0)
            *ref = 0;
        return false;
    }
    }
    return false;
}

size_t smt_want(const struct smt_version *v, const struct hash32 *paths, size_t count,
                struct smt_page_id *out, size_t room)
{
    struct smt *t = v->tree;
    size_t found = 0;

    if (t->pool[SMT_STUB].in_use == 0)
        return 0;
    t->wants++;
    for (size_t done = 0; done < count && found < room; done += LOCKSTEP) {
        size_t n = count - done < LOCKSTEP ? count - done : LOCKSTEP;
        uint32_t ref[LOCKSTEP];
        uint32_t walking = (1u << n) - 1;

        for (size_t i = 0; i < n; i++)
            ref[i] = v->root.child[0];
        while (walking != 0)
            for (size_t i = 0; i < n; i++)
                if ((walking >> i & 1) != 0 && !step(t, &paths[done + i], &ref[i]))
                    walking &= ~(1u << i);
        for (size_t i = 0; i < n && found < room; i++) {
            struct smt_stub *s;

            if (ref[i] == 0)
                continue;
            s = smt_stub_at(t, ref[i]);
            if (s->wanted != t->wants)
                out[found++] = page_of(s);
            s->wanted = t->wants;
        }
    }
    return found;
}

/* --- what is brought -----------------------------------------------------------------------------
 */

/* Where a version refers to the node at a page's place: the walk along the prefix ends at the first
 * node that hangs at or below the page's depth, or that is on another way. */
static uint32_t *place_of(struct smt_version *v, struct smt_page_id page)
{
    uint64_t prefix = left_aligned(page.prefix, page.depth);
    uint32_t *at = &v->root.child[0];

    while (smt_kind(*at) == SMT_BRANCH) {
        struct smt_branch *b = smt_branch_at(v->tree, *at);

        if (b->bit >= page.depth || smt_passes_by(b, prefix))
            break;
        at = &b->child[prefix >> (63 - b->bit) & 1];
    }
    return at;
}

static bool is_stub_of(const struct smt *t, uint32_t ref, struct smt_page_id page)
{
    const struct smt_stub *s;

    if (smt_kind(ref) != SMT_STUB)
        return false;
    s = smt_stub_at(t, ref);
    return s->depth == page.depth && s->prefix == left_aligned(page.prefix, page.depth);
}

static void replace_everywhere(struct smt_version *v, struct smt_page_id page, uint32_t stub,
                               uint32_t ref)
{
    uint32_t *at = place_of(v, page);

    if (*at == stub)
        *at = ref;
    for (struct smt_version *child = v->children; child != NULL; child = child->next)
        replace_everywhere(child, page, stub, ref);
}

static int by_path(const void *a, const void *b)
{
    return memcmp(((const struct smt_part *)a)->path.b, ((const struct smt_part *)b)->path.b,
                  sizeof(struct hash32));
}

static struct smt_part part_of_row(struct smt *t, const struct smt_node_row *row)
{
    struct smt_part part = {.digest = row->digest, .depth = row->depth};
    struct smt_stub *stub;

    part.ref = smt_make(t, SMT_STUB);
    stub = smt_stub_at(t, part.ref);
    *stub = (struct smt_stub){.digest = row->digest,
                              .prefix = left_aligned(row->prefix, row->depth),
                              .depth = row->depth};
    part.path = smt_some_path(t, part.ref);
    return part;
}

static struct smt_part part_of_leaf(struct smt *t, const struct smt_leaf *leaf)
{
    struct smt_part part = {.path = leaf->path, .depth = SMT_DEPTH};

    part.ref = smt_make(t, SMT_LEAF);
    *smt_leaf_at(t, part.ref) = *leaf;
    part.digest = smt_hash_leaf(leaf);
    return part;
}

/* Rows and leaves lie where the page is, and no leaf below a row. The parts are sorted by path. */
static bool in_place(struct smt_page_id page, const struct smt_part *parts, size_t count)
{
    uint64_t prefix = left_aligned(page.prefix, page.depth);

    for (size_t i = 0; i < count; i++) {
        uint64_t here = smt_word(parts[i].path.b, 0);

        if (smt_first_bits(here ^ prefix, page.depth) != 0)
            return false;
        if (i > 0 && parts[i - 1].depth != SMT_DEPTH &&
            smt_first_bits(here ^ smt_word(parts[i - 1].path.b, 0), parts[i - 1].depth) == 0)
            return false;
        if (i > 0 && parts[i].depth != SMT_DEPTH &&
            smt_first_bits(here ^ smt_word(parts[i - 1].path.b, 0), parts[i].depth) == 0)
            return false;
    }
    return true;
}

static bool rows_fit(struct smt_page_id page, const struct smt_node_row *rows, size_t count)
{
    if (count > SLOTS || (count > 0 && page.depth >= SMT_PAGE_BITS * SMT_STORED_LEVELS))
        return false;
    for (size_t i = 0; i < count; i++)
        if (rows[i].depth != page.depth + SMT_PAGE_BITS ||
            rows[i].prefix >> SMT_PAGE_BITS != page.prefix)
            return false;
    return true;
}

/* The tree of the parts, or 0 with nothing left behind if they are not what the digest says. */
static uint32_t assemble(struct smt *t, struct smt_page_id page, const struct smt_part *parts,
                         size_t count, const struct hash32 *digest)
{
    struct smt_fold fold;
    struct smt_part whole;
    size_t i = 0;

    smt_fold_begin(&fold, t);
    if (in_place(page, parts, count))
        while (i < count && smt_fold_add(&fold, parts[i]))
            i++;
    if (i == count && count > 0) {
        whole = smt_fold_end(&fold, page.depth);
        /* Below the root a stub stands for two leaves or more. */
        if (hash32_equal(&whole.digest, digest) &&
            (page.depth == 0 || smt_kind(whole.ref) != SMT_LEAF))
            return whole.ref;
    }
    smt_fold_drop(&fold);
    for (; i < count; i++)
        smt_release(t, parts[i].ref);
    return 0;
}

enum tm_err smt_install(struct smt *t, struct smt_page_id page, const struct smt_node_row *rows,
                        size_t row_count, const struct smt_leaf *leaves, size_t leaf_count,
                        struct tm_error *e)
{
    uint32_t stub, ref = 0;

    if (page.depth % SMT_PAGE_BITS != 0 || page.depth > SMT_PAGE_BITS * SMT_STORED_LEVELS)
        return tm_fail(e, TM_ERR_USAGE, "there are no pages at depth %d", page.depth);
    stub = *place_of(t->base, page);
    /* Every stub that a proposal has, the base has too: proposals make none, and share the rest. */
    if (!is_stub_of(t, stub, page))
        return TM_OK;
    if (rows_fit(page, rows, row_count)) {
        struct smt_part *parts = smt_grown(NULL, row_count + leaf_count + 1, sizeof *parts);
        const struct smt_stub *s = smt_stub_at(t, stub);
        struct hash32 digest = s->digest;

        for (size_t i = 0; i < row_count; i++)
            parts[i] = part_of_row(t, &rows[i]);
        for (size_t i = 0; i < leaf_count; i++)
            parts[row_count + i] = part_of_leaf(t, &leaves[i]);
        qsort(parts, row_count + leaf_count, sizeof *parts, by_path);
        ref = assemble(t, page, parts, row_count + leaf_count, &digest);
        free(parts);
    }
    if (ref == 0)
        return tm_fail(e, TM_ERR_MISMATCH,
                       "page %llx at depth %d does not hash to what the tree above it says",
                       (unsigned long long)page.prefix, page.depth);
    replace_everywhere(t->base, page, stub, ref);
    smt_release(t, stub);
    return TM_OK;
}
