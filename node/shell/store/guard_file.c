#include "guard_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/sha256/sha256.h"

/*
 * A slot: magic, generation, system identifier, timeline, chain id (length, bytes), number of
 * records, the records, SHA-256 of all before it. Numbers are little-endian, eight bytes each.
 */
static const char MAGIC[8] = "TMGUARD1";

enum {
    RECORD_SIZE = 20 + 32 + 7 * 8,
    SLOT_MAX = 8 + 5 * 8 + GUARD_CHAIN_ID_MAX + GUARD_FILE_RECORDS_MAX * RECORD_SIZE + 32
};

static void put(struct buffer *b, uint64_t n)
{
    uint8_t *to = buffer_extend(b, 8);

    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(n >> 8 * i);
}

static struct bytes encode(struct arena *a, uint64_t generation,
                           const struct guard_content *content)
{
    struct buffer b;
    struct hash32 digest;
    size_t id = strlen(content->place.chain_id);

    buffer_init(&b, a, 512);
    buffer_append(&b, MAGIC, sizeof MAGIC);
    put(&b, generation);
    put(&b, content->place.system_identifier);
    put(&b, content->place.timeline);
    put(&b, id);
    buffer_append(&b, content->place.chain_id, id);
    put(&b, content->count);
    for (size_t i = 0; i < content->count; i++) {
        const struct guard_record *r = &content->records[i];

        buffer_append(&b, r->address.b, sizeof r->address.b);
        buffer_append(&b, r->header_hash.b, sizeof r->header_hash.b);
        put(&b, r->height);
        put(&b, r->round);
        put(&b, r->step);
        put(&b, r->sequence);
        put(&b, r->highest_round);
        put(&b, r->past_height);
        put(&b, r->past_round);
    }
    digest = sha256(buffer_bytes(&b));
    buffer_append(&b, digest.b, sizeof digest.b);
    return buffer_bytes(&b);
}

struct reader {
    struct bytes left;
    bool short_of;
};

static const uint8_t *take(struct reader *r, size_t n)
{
    static const uint8_t nothing[64];
    const uint8_t *from = r->left.data;

    if (r->left.size < n) {
        r->short_of = true;
        return nothing;
    }
    r->left.data += n;
    r->left.size -= n;
    return from;
}

static uint64_t get(struct reader *r)
{
    const uint8_t *from = take(r, 8);
    uint64_t n = 0;

    for (int i = 7; i >= 0; i--)
        n = n << 8 | from[i];
    return n;
}

static void get_record(struct reader *r, struct guard_record *out)
{
    memcpy(out->address.b, take(r, sizeof out->address.b), sizeof out->address.b);
    memcpy(out->header_hash.b, take(r, sizeof out->header_hash.b), sizeof out->header_hash.b);
    out->height = get(r);
    out->round = get(r);
    out->step = (enum hotstuff_step)get(r);
    out->sequence = get(r);
    out->highest_round = get(r);
    out->past_height = get(r);
    out->past_round = get(r);
}

/* True for a whole slot; a torn, empty or foreign one is as if it were not there. */
static bool decode(struct arena *a, struct bytes slot, uint64_t *generation,
                   struct guard_content *out)
{
    struct reader r = {.left = slot};
    struct hash32 digest;
    size_t id;

    *out = (struct guard_content){.count = 0};
    if (slot.size < sizeof MAGIC + sizeof digest.b)
        return false;
    r.left.size -= sizeof digest.b;
    digest = sha256(r.left);
    if (memcmp(digest.b, slot.data + r.left.size, sizeof digest.b) != 0 ||
        memcmp(take(&r, sizeof MAGIC), MAGIC, sizeof MAGIC) != 0)
        return false;
    *generation = get(&r);
    out->place.system_identifier = get(&r);
    out->place.timeline = (uint32_t)get(&r);
    id = get(&r);
    if (id > GUARD_CHAIN_ID_MAX || id > r.left.size)
        return false;
    if (id > 0)
        memcpy(out->place.chain_id, r.left.data, id);
    r.left.data += id;
    r.left.size -= id;
    out->count = get(&r);
    if (out->count > GUARD_FILE_RECORDS_MAX || r.left.size != out->count * RECORD_SIZE)
        return false;
    out->records = arena_array(a, struct guard_record, out->count);
    for (size_t i = 0; i < out->count; i++)
        get_record(&r, &out->records[i]);
    return !r.short_of;
}

/* The bytes of a slot; *size 0 for a file that was just made. */
static enum tm_err read_slot(int descriptor, struct arena *a, struct bytes *out, struct tm_error *e)
{
    struct stat st;
    uint8_t *data;
    size_t size = 0;

    if (fstat(descriptor, &st) != 0)
        return tm_fail(e, TM_ERR_IO, "vote guard file: %s", strerror(errno));
    *out = bytes_make(NULL, 0);
    if (st.st_size > SLOT_MAX)
        return TM_OK;
    data = arena_alloc(a, (size_t)st.st_size);
    while (size < (size_t)st.st_size) {
        ssize_t n = pread(descriptor, data + size, (size_t)st.st_size - size, (off_t)size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return tm_fail(e, TM_ERR_IO, "vote guard file: %s", strerror(errno));
        if (n == 0)
            break;
        size += (size_t)n;
    }
    *out = bytes_make(data, size);
    return TM_OK;
}

static enum tm_err sync_directory(const char *directory, struct tm_error *e)
{
    int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = descriptor >= 0 && fsync(descriptor) == 0;

    if (!ok)
        tm_fail(e, TM_ERR_IO, "%s: %s", directory, strerror(errno));
    if (descriptor >= 0)
        close(descriptor);
    return ok ? TM_OK : TM_ERR_IO;
}

static enum tm_err open_slots(struct guard_file *f, const char *directory, struct tm_error *e)
{
    char path[GUARD_FILE_PATH_MAX];

    if (mkdir(directory, 0700) != 0 && errno != EEXIST)
        return tm_fail(e, TM_ERR_IO, "vote guard: cannot make directory %s: %s", directory,
                       strerror(errno));
    for (int i = 0; i < 2; i++) {
        if (snprintf(path, sizeof path, "%s/vote_guard.%d", directory, i) >= (int)sizeof path)
            return tm_fail(e, TM_ERR_LIMIT, "vote guard: the directory's path is too long");
        f->descriptors[i] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (f->descriptors[i] < 0)
            return tm_fail(e, TM_ERR_IO, "vote guard: cannot open %s: %s", path, strerror(errno));
    }
    if (flock(f->descriptors[0], LOCK_EX | LOCK_NB) != 0)
        return tm_fail(
            e, TM_ERR_CONFIG,
            "vote guard: another node runs with %s; two nodes must not sign with the same "
            "keys",
            directory);
    return sync_directory(directory, e);
}

enum tm_err guard_file_open(struct guard_file *f, const char *directory, struct arena *a,
                            bool *found, struct guard_content *out, struct tm_error *e)
{
    bool written = false;
    enum tm_err err;

    *f = (struct guard_file){.descriptors = {-1, -1}};
    *found = false;
    *out = (struct guard_content){.count = 0};
    err = open_slots(f, directory, e);
    for (int i = 0; i < 2 && err == TM_OK; i++) {
        struct bytes slot;
        struct guard_content content;
        uint64_t generation;

        err = read_slot(f->descriptors[i], a, &slot, e);
        if (err != TM_OK)
            break;
        written = written || slot.size > 0;
        if (!decode(a, slot, &generation, &content))
            continue;
        if (!*found || generation > f->generation) {
            f->generation = generation;
            *out = content;
        }
        *found = true;
    }
    /* One torn slot is a crash while writing; two are damage. */
    if (err == TM_OK && written && !*found && f->generation == 0) {
        struct stat first, second;

        if (fstat(f->descriptors[0], &first) == 0 && fstat(f->descriptors[1], &second) == 0 &&
            first.st_size > 0 && second.st_size > 0)
            err =
                tm_fail(e, TM_ERR_CONFIG,
                        "vote guard: both files in %s are damaged, so what was signed is not known "
                        "from them; remove them and start once with --accept-older-state if no "
                        "other node signs with these keys",
                        directory);
    }
    if (err != TM_OK)
        guard_file_close(f);
    return err;
}

static bool write_all(int descriptor, struct bytes b)
{
    size_t done = 0;

    while (done < b.size) {
        ssize_t n = pwrite(descriptor, b.data + done, b.size - done, (off_t)done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return ftruncate(descriptor, (off_t)b.size) == 0;
}

enum tm_err guard_file_write(struct guard_file *f, const struct guard_content *content,
                             struct tm_error *e)
{
    struct arena a;
    uint64_t generation = f->generation + 1;
    int descriptor = f->descriptors[generation % 2];
    bool written;

    if (f->failed)
        return tm_fail(e, TM_ERR_CONFIG,
                       "the vote guard file could not be written before; what is on disk is not "
                       "known, so nothing is signed until a restart");
    arena_init(&a);
    written = write_all(descriptor, encode(&a, generation, content));
    arena_free(&a);
    /* The other slot is whole and nothing was signed yet: this one can be written again. */
    if (!written && (errno == ENOSPC || errno == EDQUOT))
        return tm_fail(e, TM_ERR_IO, "the vote guard file cannot be written: %s", strerror(errno));
    f->failed = !written || fdatasync(descriptor) != 0;
    if (f->failed)
        return tm_fail(
            e, TM_ERR_CONFIG,
            "the vote guard file cannot be written (%s); nothing is signed until that is "
            "repaired and the node is started again",
            strerror(errno));
    f->generation = generation;
    return TM_OK;
}

void guard_file_close(struct guard_file *f)
{
    for (int i = 0; i < 2; i++) {
        if (f->descriptors[i] >= 0)
            close(f->descriptors[i]);
        f->descriptors[i] = -1;
    }
}
