/* The daemon in solo mode: a libuv loop around the solo decider, the executor and the store. */
#ifndef NODE_SHELL_SOLO_SOLO_NODE_H
#define NODE_SHELL_SOLO_SOLO_NODE_H

#include "node/watchdog/watchdog.h"
#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

struct solo_node_options {
    const char *db;            /* libpq URL */
    const char *keys;          /* directory of private keys */
    const char *guard;         /* directory of the guard file */
    const char *signature_log; /* file; NULL: none */
    double interval;           /* seconds between blocks; < 0: the chain's own */
    uint64_t blocks;           /* end after so many; 0: never */
    size_t tree_memory;        /* bytes; 0: the default */
    bool accept_older;
    struct watchdog_limits readers; /* which sessions of analysts are ended */
};

/*
 * Runs until told to end. TM_OK: a signal, or all blocks are made. TM_ERR_AGAIN: it could not
 * begin, because the database cannot be reached or has no room now. Any other error would come
 * again.
 */
enum tm_err solo_node_run(const struct solo_node_options *options, struct tm_error *e);

#endif
