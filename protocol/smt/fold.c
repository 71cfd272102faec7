#include "fold.h"

static void climb(struct smt_part *p, unsigned top)
{
    if (p->depth == SMT_DEPTH || p->depth <= top)
        return;
    smt_chain(&p->digest, p->path.b, p->depth, top);
    p->depth = (uint16_t)top;
}

static void join_last(struct smt_fold *f)
{
    struct smt_part *right = &f->part[f->count - 1], *left = right - 1;
    unsigned bit = right->apart;

    climb(left, bit + 1);
    climb(right, bit + 1);
    if (f->tree != NULL) {
        uint32_t ref = smt_make(f->tree, SMT_BRANCH);
        struct smt_branch *b = smt_branch_at(f->tree, ref);

        *b = (struct smt_branch){
            .digest = {left->digest, right->digest},
            .child = {left->ref, right->ref},
            .stem = smt_stem(left->path.b, bit),
            .bit = (uint8_t)bit,
            .epoch = f->tree->epoch,
        };
        left->ref = ref;
    }
    left->digest = smt_hash_branch(&left->digest, &right->digest);
    left->depth = (uint16_t)bit;
    f->count--;
}

bool smt_fold_add(struct smt_fold *f, struct smt_part part)
{
    if (f->count > 0) {
        const struct hash32 *before = &f->part[f->count - 1].path;

        if (memcmp(before->b, part.path.b, sizeof part.path.b) >= 0)
            return false;
        part.apart = (uint16_t)smt_common(before->b, part.path.b);
        while (f->count > 1 && f->part[f->count - 1].apart > part.apart)
            join_last(f);
    }
    f->part[f->count++] = part;
    return true;
}

struct smt_part smt_fold_end(struct smt_fold *f, unsigned top)
{
    if (f->count == 0)
        return (struct smt_part){.ref = 0};
    while (f->count > 1)
        join_last(f);
    climb(&f->part[0], top);
    return f->part[0];
}

void smt_fold_drop(struct smt_fold *f)
{
    for (unsigned i = 0; i < f->count; i++)
        smt_release_subtree(f->tree, f->part[i].ref);
    f->count = 0;
}
