#include "nodes.h"

#include <assert.h>
#include <stdlib.h>

static struct smt_version *new_version(struct smt *t)
{
    struct smt_version *v = smt_grown(NULL, 1, sizeof *v);

    memset(v, 0, sizeof *v);
    v->tree = t;
    return v;
}

struct smt *smt_new(void)
{
    struct smt *t = smt_grown(NULL, 1, sizeof *t);

    memset(t, 0, sizeof *t);
    t->pool[SMT_LEAF].item = sizeof(struct smt_leaf);
    t->pool[SMT_BRANCH].item = sizeof(struct smt_branch);
    t->pool[SMT_STUB].item = sizeof(struct smt_stub);
    t->base = new_version(t);
    return t;
}

static void free_version(struct smt_version *v)
{
    smt_refs_free(&v->made);
    smt_refs_free(&v->replaced);
    free(v);
}

static void free_versions(struct smt_version *v)
{
    while (v->children != NULL) {
        struct smt_version *child = v->children;

        v->children = child->next;
        free_versions(child);
    }
    free_version(v);
}

static void free_pools(struct smt *t)
{
    for (int kind = 0; kind < 4; kind++) {
        struct smt_pool *p = &t->pool[kind];

        for (uint32_t i = 0; i < p->chunk_count; i++)
            free(p->chunks[i]);
        free(p->chunks);
        free(p->spare);
        *p = (struct smt_pool){.item = p->item};
    }
}

void smt_free(struct smt *t)
{
    if (t == NULL)
        return;
    free_versions(t->base);
    free_pools(t);
    smt_scratch_free(t->scratch);
    free(t);
}

void smt_clear(struct smt *t)
{
    free_versions(t->base);
    free_pools(t);
    t->base = new_version(t);
}

void smt_open(struct smt *t, const struct hash32 *root)
{
    struct smt_stub *stub;

    smt_clear(t);
    if (hash32_equal(root, &smt_zero))
        return;
    t->base->root.child[0] = smt_make(t, SMT_STUB);
    t->base->root.digest[0] = *root;
    stub = smt_stub_at(t, t->base->root.child[0]);
    *stub = (struct smt_stub){.digest = *root};
}

struct smt_version *smt_base(struct smt *t)
{
    return t->base;
}

struct hash32 smt_root(const struct smt_version *v)
{
    return v->root.digest[0];
}

static void unlink_child(struct smt_version *v)
{
    struct smt_version **at = &v->parent->children;

    while (*at != v)
        at = &(*at)->next;
    *at = v->next;
}

/* v is no longer among its parent's children. */
static void drop_unlinked(struct smt_version *v)
{
    while (v->children != NULL) {
        struct smt_version *child = v->children;

        v->children = child->next;
        drop_unlinked(child);
    }
    for (size_t i = 0; i < v->made.count; i++)
        smt_release(v->tree, v->made.ref[i]);
    free_version(v);
}

void smt_drop(struct smt_version *v)
{
    assert(v->parent != NULL);
    unlink_child(v);
    drop_unlinked(v);
}

void smt_commit(struct smt_version *v)
{
    struct smt_version *old = v->parent;

    assert(old != NULL && old == v->tree->base);
    unlink_child(v);
    while (old->children != NULL) {
        struct smt_version *other = old->children;

        old->children = other->next;
        drop_unlinked(other);
    }
    /* Backwards: what is made next takes these places in the order of the paths, so that the nodes
     * of a subtree stay close to each other, on few pages of memory. */
    for (size_t i = v->replaced.count; i-- > 0;)
        smt_release(v->tree, v->replaced.ref[i]);
    smt_refs_free(&v->made);
    smt_refs_free(&v->replaced);
    v->parent = v->next = NULL;
    v->tree->base = v;
    free_version(old);
}

enum tm_err smt_get(const struct smt_version *v, const struct hash32 *path, struct hash32 *out)
{
    uint32_t ref = v->root.child[0];

    for (;;) {
        switch (smt_kind(ref)) {
        case SMT_EMPTY:
            return TM_ERR_NOT_FOUND;
        case SMT_LEAF: {
            const struct smt_leaf *leaf = smt_leaf_at(v->tree, ref);

            if (!hash32_equal(&leaf->path, path))
                return TM_ERR_NOT_FOUND;
            *out = leaf->value_hash;
            return TM_OK;
        }
        case SMT_BRANCH: {
            const struct smt_branch *b = smt_branch_at(v->tree, ref);

            if (smt_passes_by(b, smt_word(path->b, 0)))
                return TM_ERR_NOT_FOUND;
            ref = b->child[smt_bit(path->b, b->bit)];
            break;
        }
        case SMT_STUB: {
            const struct smt_stub *stub = smt_stub_at(v->tree, ref);

            return smt_first_bits(smt_word(path->b, 0) ^ stub->prefix, stub->depth) != 0
                       ? TM_ERR_NOT_FOUND
                       : TM_ERR_AGAIN;
        }
        }
    }
}

static size_t version_memory(const struct smt_version *v)
{
    size_t n = sizeof *v + (v->made.room + v->replaced.room) * sizeof(uint32_t);

    for (const struct smt_version *child = v->children; child != NULL; child = child->next)
        n += version_memory(child);
    return n;
}

size_t smt_memory(const struct smt *t)
{
    size_t n = sizeof *t + version_memory(t->base);

    for (int kind = 0; kind < 4; kind++)
        n += t->pool[kind].in_use * t->pool[kind].item;
    return n;
}
