/*
 * The vote guard outside the database: two slots in two files, written in turn, each with SHA-256
 * over itself; the newest whole one counts, a torn one was never acted on (network.md 2.3).
 */
#ifndef NODE_SHELL_STORE_GUARD_FILE_H
#define NODE_SHELL_STORE_GUARD_FILE_H

#include "node/consensus/guard.h"

enum { GUARD_FILE_RECORDS_MAX = 1024, GUARD_FILE_PATH_MAX = 4096 };

struct guard_file {
    int descriptors[2];
    uint64_t generation; /* of the last slot written or read */
    bool failed;         /* a write or sync failed: nothing may be signed any more */
};

/* What a slot holds. */
struct guard_content {
    struct guard_place place;
    struct guard_record *records;
    size_t count;
};

/*
 * Opens (and makes) the directory and its two files, locked against a second node. *found: a whole
 * slot was there, whose content is then in *out, in the arena. TM_ERR_CONFIG: another node holds
 * the lock, or both slots are damaged. TM_ERR_IO.
 */
enum tm_err guard_file_open(struct guard_file *f, const char *directory, struct arena *a,
                            bool *found, struct guard_content *out, struct tm_error *e);

/*
 * Writes the older slot and waits until it is on disk. TM_ERR_IO: no room, try again later. After
 * any other failure what is on disk is not known, and every later call fails with TM_ERR_CONFIG.
 */
enum tm_err guard_file_write(struct guard_file *f, const struct guard_content *content,
                             struct tm_error *e);

void guard_file_close(struct guard_file *f);

#endif
