#include "mempool.h"

#include <stdio.h>
#include <stdlib.h>

/* An entry in its own memory, in two lists: all by arrival, and those of one signer. */
struct item {
    struct mempool_entry entry;
    struct arena arena;
    struct item *older, *newer;
    struct item *signer_older, *signer_newer;
    struct item *bucket; /* next with the same slot */
    size_t turn;         /* place among its signer's, from 0; set by reaping */
};

enum { SLOTS = 16384 }; /* about two per entry of a full pool; hashes are even */

/* A signer's entries. Signers are found through a table of their own, keyed by address. */
struct signer {
    struct address address;
    struct item *oldest, *newest;
    struct signer *bucket;
};

struct mempool {
    struct mempool_limits limits;
    struct item *slots[SLOTS];
    struct signer *signers[SLOTS];
    struct item *oldest, *newest;
    size_t count, bytes;
};

static void *allocate(size_t size)
{
    void *p = calloc(1, size);

    if (p == NULL) {
        fprintf(stderr, "out of memory\n");
        abort();
    }
    return p;
}

struct mempool *mempool_new(const struct mempool_limits *limits)
{
    struct mempool *m = allocate(sizeof *m);

    m->limits = limits != NULL
                    ? *limits
                    : (struct mempool_limits){MEMPOOL_TRANSACTIONS_MAX, MEMPOOL_BYTES_MAX};
    return m;
}

size_t mempool_count(const struct mempool *m)
{
    return m->count;
}

size_t mempool_bytes(const struct mempool *m)
{
    return m->bytes;
}

static size_t slot_of(const uint8_t *b)
{
    return ((size_t)b[0] << 8 | b[1]) % SLOTS;
}

static struct item *find(const struct mempool *m, const struct hash32 *hash)
{
    struct item *i = m->slots[slot_of(hash->b)];

    while (i != NULL && !hash32_equal(&i->entry.tx.hash, hash))
        i = i->bucket;
    return i;
}

static struct signer *find_signer(const struct mempool *m, const struct address *address)
{
    struct signer *s = m->signers[slot_of(address->b)];

    while (s != NULL && memcmp(s->address.b, address->b, sizeof address->b) != 0)
        s = s->bucket;
    return s;
}

const struct mempool_entry *mempool_find(const struct mempool *m, const struct hash32 *hash)
{
    struct item *i = find(m, hash);

    return i != NULL ? &i->entry : NULL;
}

static void append(struct mempool *m, struct item *i)
{
    struct signer *s = find_signer(m, &i->entry.tx.signer);

    if (s == NULL) {
        s = allocate(sizeof *s);
        s->address = i->entry.tx.signer;
        s->bucket = m->signers[slot_of(s->address.b)];
        m->signers[slot_of(s->address.b)] = s;
    }
    i->older = m->newest;
    i->newer = NULL;
    *(m->newest != NULL ? &m->newest->newer : &m->oldest) = i;
    m->newest = i;
    i->signer_older = s->newest;
    i->signer_newer = NULL;
    *(s->newest != NULL ? &s->newest->signer_newer : &s->oldest) = i;
    s->newest = i;
    i->bucket = m->slots[slot_of(i->entry.tx.hash.b)];
    m->slots[slot_of(i->entry.tx.hash.b)] = i;
    m->count++;
    m->bytes += i->entry.tx.encoded.size;
}

static void forget_signer(struct mempool *m, struct signer *s)
{
    struct signer **link = &m->signers[slot_of(s->address.b)];

    while (*link != s)
        link = &(*link)->bucket;
    *link = s->bucket;
    free(s);
}

static void unlink_item(struct mempool *m, struct item *i)
{
    struct signer *s = find_signer(m, &i->entry.tx.signer);
    struct item **link = &m->slots[slot_of(i->entry.tx.hash.b)];

    while (*link != i)
        link = &(*link)->bucket;
    *link = i->bucket;
    *(i->older != NULL ? &i->older->newer : &m->oldest) = i->newer;
    *(i->newer != NULL ? &i->newer->older : &m->newest) = i->older;
    *(i->signer_older != NULL ? &i->signer_older->signer_newer : &s->oldest) = i->signer_newer;
    *(i->signer_newer != NULL ? &i->signer_newer->signer_older : &s->newest) = i->signer_older;
    if (s->oldest == NULL)
        forget_signer(m, s);
    m->count--;
    m->bytes -= i->entry.tx.encoded.size;
}

static void free_item(struct item *i)
{
    arena_free(&i->arena);
    free(i);
}

void mempool_free(struct mempool *m)
{
    if (m == NULL)
        return;
    while (m->oldest != NULL) {
        struct item *i = m->oldest;

        unlink_item(m, i);
        free_item(i);
    }
    free(m);
}

enum tm_err mempool_add(struct mempool *m, struct bytes raw,
                        void (*evicted)(void *ctx, const struct mempool_entry *entry), void *ctx,
                        struct tm_error *e)
{
    struct item *i;
    enum tm_err err;

    if (raw.size > m->limits.bytes)
        return tm_fail(e, TM_ERR_LIMIT, "a transaction of %zu bytes; the pool holds %zu", raw.size,
                       m->limits.bytes);
    i = allocate(sizeof *i);
    arena_init(&i->arena);
    err = transaction_decode(&i->arena, arena_copy(&i->arena, raw), &i->entry.tx, e);
    if (err == TM_OK && find(m, &i->entry.tx.hash) != NULL)
        err = tm_refuse(e, 35, "duplicate transaction: it waits for a block already");
    if (err != TM_OK) {
        free_item(i);
        return err;
    }
    append(m, i);
    while (m->count > m->limits.transactions || m->bytes > m->limits.bytes) {
        struct item *oldest = m->oldest;

        unlink_item(m, oldest);
        if (evicted != NULL)
            evicted(ctx, &oldest->entry);
        free_item(oldest);
    }
    return TM_OK;
}

size_t mempool_reap(struct mempool *m, const struct mempool_entry **out, size_t room)
{
    size_t *first = allocate((m->count + 1) * sizeof *first);
    size_t n = m->count < room ? m->count : room;

    /* Counting sort by turn; arrival order, in which a signer's entries stand too, within a turn.
     */
    for (struct item *i = m->oldest; i != NULL; i = i->newer) {
        i->turn = i->signer_older != NULL ? i->signer_older->turn + 1 : 0;
        first[i->turn + 1]++;
    }
    for (size_t turn = 1; turn <= m->count; turn++)
        first[turn] += first[turn - 1];
    for (struct item *i = m->oldest; i != NULL; i = i->newer) {
        size_t place = first[i->turn]++;

        if (place < room)
            out[place] = &i->entry;
    }
    free(first);
    return n;
}

bool mempool_remove(struct mempool *m, const struct hash32 *hash)
{
    struct item *i = find(m, hash);

    if (i == NULL)
        return false;
    unlink_item(m, i);
    free_item(i);
    return true;
}

bool mempool_defer(struct mempool *m, const struct hash32 *hash)
{
    struct item *i = find(m, hash);

    if (i == NULL)
        return false;
    unlink_item(m, i);
    if (++i->entry.deferrals > MEMPOOL_DEFERRALS_MAX) {
        free_item(i);
        return true;
    }
    append(m, i);
    return false;
}

size_t mempool_of_signer(const struct mempool *m, struct bytes signer,
                         const struct mempool_entry **out, size_t room)
{
    struct address address;
    struct signer *s;
    size_t n = 0;

    if (signer.size != sizeof address.b)
        return 0;
    memcpy(address.b, signer.data, sizeof address.b);
    s = find_signer(m, &address);
    for (struct item *i = s != NULL ? s->oldest : NULL; i != NULL && n < room; i = i->signer_newer)
        out[n++] = &i->entry;
    return n;
}
