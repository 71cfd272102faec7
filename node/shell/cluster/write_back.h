/*
 * What a cluster's files grow by, on its way to the disk a little at a time.
 *
 * PostgreSQL grows a file by pages that stay in the kernel's memory until the kernel writes the
 * whole file, half a minute later (vm.dirty_expire_centisecs). Blocks of 1,000 sends grow some
 * fifty files by 100 to 150 MB meanwhile; the kernel writes them at once, and a commit that flushes
 * the log just then waits behind them for 0.3 s.
 */
#ifndef NODE_SHELL_CLUSTER_WRITE_BACK_H
#define NODE_SHELL_CLUSTER_WRITE_BACK_H

#include "protocol/base/arena.h"

#include <sys/types.h>

/* Most bytes of one step, so that the caller is soon back. The rest is for the steps after it. */
#define WRITE_BACK_STEP_MAX ((off_t)(64 * 1024 * 1024))

struct write_back_files {
    struct arena arena;
    struct buffer list; /* of struct write_back_file, in order of their numbers (inodes) */
};

struct write_back {
    const char *directory;           /* the caller's; one directory for each database is in it */
    struct write_back_files seen[2]; /* as the last step left them, and room for the next */
    int last;                        /* of the two */
    bool begun;
};

/* `directory` is the cluster's base/ and stays the caller's. */
void write_back_init(struct write_back *w, const char *directory);

/*
 * Begins to write what relations' files have grown by since the step before, without waiting for
 * it; the first step only looks. Gives the bytes begun. Files that cannot be read are left to the
 * kernel: nothing depends on a step. Temporary tables, links and what is not a file are passed
 * over.
 */
off_t write_back_step(struct write_back *w);

void write_back_free(struct write_back *w);

#endif
