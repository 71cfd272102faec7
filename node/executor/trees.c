#include "trees.h"

/* Pages asked for in one call of the store: bounds the answer's memory to some tens of MB. */
enum { PAGES_AT_ONCE = 4096 };

void trees_open(struct trees *t, const struct store *store, const struct hash32 roots[TREES])
{
    t->store = store;
    for (int i = 0; i < TREES; i++) {
        t->tree[i] = smt_new();
        smt_open(t->tree[i], &roots[i]);
    }
}

void trees_free(struct trees *t)
{
    for (int i = 0; i < TREES; i++)
        if (t->tree[i] != NULL)
            smt_free(t->tree[i]);
}

static enum tm_err install(struct trees *t, const struct store_page *pages, size_t count,
                           struct tm_error *e)
{
    for (size_t i = 0; i < count; i++) {
        const struct store_page *p = &pages[i];
        struct tm_error detail = {0};
        enum tm_err err = smt_install(t->tree[p->tree], p->id, p->rows, p->row_count, p->leaves,
                                      p->leaf_count, &detail);

        if (err != TM_OK)
            return tm_fail(e, err, "tree %s, stored page at depth %d, prefix %llx: %s",
                           tree_name(p->tree), p->id.depth, (unsigned long long)p->id.prefix,
                           detail.text);
    }
    return TM_OK;
}

/* Appends the pages a tree still wants for these paths to the list. */
static size_t want(const struct trees *t, enum tree_id tree, const struct hash32 *paths,
                   size_t count, struct smt_page_id *ids, struct store_page *pages, size_t room)
{
    size_t n = smt_want(smt_base(t->tree[tree]), paths, count, ids, room);

    for (size_t i = 0; i < n; i++)
        pages[i] = (struct store_page){.tree = tree, .id = ids[i]};
    return n;
}

/* Loads pages for several trees side by side: as many calls of the store as there are levels. */
static enum tm_err load(struct trees *t, const struct hash32 *const paths[TREES],
                        const size_t counts[TREES], struct tm_error *e)
{
    struct arena scratch;
    enum tm_err err = TM_OK;
    size_t room = 0;

    /* A path waits for one page at a time. */
    for (int i = 0; i < TREES; i++)
        room += counts[i];
    if (room > PAGES_AT_ONCE)
        room = PAGES_AT_ONCE;
    arena_init(&scratch);
    while (err == TM_OK) {
        struct smt_page_id *ids = arena_array(&scratch, struct smt_page_id, room);
        struct store_page *pages = arena_array(&scratch, struct store_page, room);
        size_t n = 0;

        for (int i = 0; i < TREES && n < room; i++)
            if (counts[i] > 0)
                n += want(t, i, paths[i], counts[i], ids, pages + n, room - n);
        if (n == 0)
            break;
        err = t->store->pages(t->store->ctx, &scratch, pages, n, e);
        if (err == TM_OK)
            err = install(t, pages, n, e);
        arena_reset(&scratch);
    }
    arena_free(&scratch);
    return err;
}

enum tm_err trees_load(struct trees *t, enum tree_id tree, const struct hash32 *paths, size_t count,
                       struct tm_error *e)
{
    const struct hash32 *all_paths[TREES] = {0};
    size_t counts[TREES] = {0};

    all_paths[tree] = paths;
    counts[tree] = count;
    return load(t, all_paths, counts, e);
}

enum tm_err trees_update(struct trees *t, const struct tree_changes changes[TREES],
                         struct trees_version *out, struct hash32 roots[TREES], struct tm_error *e)
{
    struct arena scratch;
    const struct hash32 *paths[TREES] = {0};
    size_t counts[TREES] = {0};
    enum tm_err err;

    *out = (struct trees_version){0};
    arena_init(&scratch);
    for (int i = 0; i < TREES; i++) {
        struct hash32 *list = arena_array(&scratch, struct hash32, changes[i].count);

        for (size_t k = 0; k < changes[i].count; k++)
            list[k] = changes[i].changes[k].path;
        paths[i] = list;
        counts[i] = changes[i].count;
    }
    err = load(t, paths, counts, e);
    for (int i = 0; i < TREES && err == TM_OK; i++) {
        struct smt_version *base = smt_base(t->tree[i]);

        if (changes[i].count > 0)
            err = smt_update(base, changes[i].changes, changes[i].count, &out->version[i], e);
        if (err == TM_OK)
            roots[i] = smt_root(out->version[i] != NULL ? out->version[i] : base);
    }
    if (err != TM_OK)
        trees_drop(out);
    arena_free(&scratch);
    return err;
}

void trees_commit(struct trees_version *v)
{
    for (int i = 0; i < TREES; i++)
        if (v->version[i] != NULL)
            smt_commit(v->version[i]);
    *v = (struct trees_version){0};
}

void trees_drop(struct trees_version *v)
{
    for (int i = 0; i < TREES; i++)
        if (v->version[i] != NULL)
            smt_drop(v->version[i]);
    *v = (struct trees_version){0};
}

size_t trees_memory(const struct trees *t)
{
    size_t sum = 0;

    for (int i = 0; i < TREES; i++)
        sum += smt_memory(t->tree[i]);
    return sum;
}

/* The small ones stay whole: all ten together take half of the limit at most. */
void trees_evict(struct trees *t, size_t limit)
{
    size_t small = limit / (2 * TREES), large = 0, left = limit;

    for (int i = 0; i < TREES; i++) {
        size_t own = smt_memory(t->tree[i]);

        if (own <= small)
            left -= own;
        else
            large += own;
    }
    for (int i = 0; i < TREES; i++) {
        size_t own = smt_memory(t->tree[i]);

        if (own > small)
            smt_evict(t->tree[i], (size_t)((double)own * (double)left / (double)large));
    }
}
