#include "diff/diff_entries.h"

#include "table/row_scan.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"

enum { FIRST_ROOM = 4096, SLOTS_EACH = 2, CONDITIONS = 3, AHEAD = 6 };

static const struct row_scan_key CHANGE_KEY = {4, {"height", "tree", "key", "step"}, 0};

/* The hash stands in the slot, so that another key's entry is hardly ever looked at. */
struct diff_slot {
    uint32 hash;
    uint32 place; /* of the entry, from 1; 0: free */
};

static struct diff_slot *find_slot(const struct diff_entries *d, struct bytes key, uint32 hash)
{
    size_t mask = SLOTS_EACH * d->room - 1;

    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct diff_slot *slot = &d->slots[i];
        const struct bytes *found;

        if (slot->place == 0)
            return slot;
        if (slot->hash != hash)
            continue;
        found = &d->list[slot->place - 1].key;
        if (found->size == key.size && memcmp(found->data, key.data, key.size) == 0)
            return slot;
    }
}

static void make_slots(struct diff_entries *d, const struct diff_slot *old, size_t old_count)
{
    size_t count = SLOTS_EACH * d->room;

    d->slots = MemoryContextAllocHuge(d->context, count * sizeof *d->slots);
    memset(d->slots, 0, count * sizeof *d->slots);
    for (size_t i = 0; i < old_count; i++) {
        size_t place = old[i].hash & (count - 1);

        if (old[i].place == 0)
            continue;
        while (d->slots[place].place != 0)
            place = (place + 1) & (count - 1);
        d->slots[place] = old[i];
    }
}

static void grow(struct diff_entries *d)
{
    struct diff_slot *old = d->slots;
    size_t old_count = SLOTS_EACH * d->room;

    d->room *= 2;
    if (d->room > UINT32_MAX / SLOTS_EACH)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("too many keys changed between these heights"),
                        errhint("Ask for fewer heights at once.")));
    d->list = repalloc_huge(d->list, d->room * sizeof *d->list);
    make_slots(d, old, old_count);
    pfree(old);
}

/* Changes come by height and step. */
static void add(struct diff_entries *d, struct bytes key, int64 height, int32 step)
{
    uint32 hash = hash_bytes(key.data, (int)key.size);
    struct diff_slot *slot = find_slot(d, key, hash);
    struct diff_entry *entry;

    if (slot->place == 0) {
        if (d->count == d->room) {
            grow(d);
            slot = find_slot(d, key, hash);
        }
        d->list[d->count] =
            (struct diff_entry){.key = arena_copy(d->arena, key), .height = height, .step = step};
        *slot = (struct diff_slot){hash, (uint32)++d->count};
        return;
    }
    entry = &d->list[slot->place - 1];
    if (height > entry->height || (height == entry->height && step > entry->step)) {
        entry->height = height;
        entry->step = step;
    }
}

static struct bytes bytes_of_key(Datum key)
{
    struct varlena *v = PG_DETOAST_DATUM_PACKED(key);

    return bytes_make(VARDATA_ANY(v), VARSIZE_ANY_EXHDR(v));
}

void diff_entries_read(struct diff_entries *d, struct arena *a, enum tree_id tree, int64 low,
                       int64 high)
{
    ScanKeyData keys[CONDITIONS];
    struct row_scan s;

    *d = (struct diff_entries){.arena = a, .context = CurrentMemoryContext, .room = FIRST_ROOM};
    d->list = palloc(d->room * sizeof *d->list);
    make_slots(d, NULL, 0);
    row_scan_open(&s, "change", &CHANGE_KEY, lengthof(keys));
    row_scan_want_keys(&s);
    row_scan_range(&s, keys, low, high);
    row_scan_condition(&s, &keys[2], 2, BTEqualStrategyNumber, F_INT2EQ,
                       Int16GetDatum((int16)tree));
    row_scan_start(&s, keys);
    while (row_scan_next_key(&s)) {
        Datum values[4];
        bool nulls[4];

        CHECK_FOR_INTERRUPTS();
        index_deform_tuple(s.scan->xs_itup, s.scan->xs_itupdesc, values, nulls);
        add(d, bytes_of_key(values[2]), DatumGetInt64(values[0]), DatumGetInt32(values[3]));
    }
    row_scan_close(&s);
}

/* What one of several look-ups on their way needs next is asked for while the others go on. */
static void ask(const struct diff_entries *d, const uint32 *hashes, size_t count, size_t i)
{
    size_t mask = SLOTS_EACH * d->room - 1;

    if (i < count)
        __builtin_prefetch(&d->slots[hashes[i] & mask]);
    if (i >= AHEAD && i - AHEAD < count) {
        uint32 place = d->slots[hashes[i - AHEAD] & mask].place;

        if (place > 0)
            __builtin_prefetch(&d->list[place - 1]);
    }
    if (i >= 2 * AHEAD && i - 2 * AHEAD < count) {
        uint32 place = d->slots[hashes[i - 2 * AHEAD] & mask].place;

        if (place > 0)
            __builtin_prefetch(d->list[place - 1].key.data);
    }
}

void diff_entries_find(const struct diff_entries *d, const Datum *keys, size_t count,
                       struct diff_entry **found)
{
    struct bytes *texts = palloc(sizeof *texts * (count + 1));
    uint32 *hashes = palloc(sizeof *hashes * (count + 1));

    for (size_t i = 0; i < count; i++) {
        texts[i] = bytes_of_key(keys[i]);
        hashes[i] = hash_bytes(texts[i].data, (int)texts[i].size);
    }
    for (size_t i = 0; i < count + 3 * AHEAD; i++) {
        ask(d, hashes, count, i);
        if (i >= 3 * AHEAD) {
            size_t n = i - 3 * AHEAD;
            const struct diff_slot *slot = find_slot(d, texts[n], hashes[n]);

            found[n] = slot->place == 0 ? NULL : &d->list[slot->place - 1];
        }
    }
    pfree(hashes);
    pfree(texts);
}
