/*
 * Every signature a node makes over a block, one line each, for tests that look for two different
 * ones: height round step header_hash address signature. Off unless asked for.
 */
#ifndef NODE_SHELL_SOLO_SIGNATURE_LOG_H
#define NODE_SHELL_SOLO_SIGNATURE_LOG_H

#include "protocol/certificate/certificate.h"

struct signature_log {
    int descriptor; /* -1: off */
};

/* Opens the file to append to; with NULL for its path the log is off. TM_ERR_CONFIG. */
enum tm_err signature_log_open(struct signature_log *log, const char *path, struct tm_error *e);

/*
 * Appends the signatures of a certificate in one write, before any of them is used; not synced: it
 * need not outlive the machine. TM_ERR_CONFIG: the log would have a gap.
 */
enum tm_err signature_log_append(struct signature_log *log, const struct certificate *c,
                                 const struct hash32 *header_hash, struct tm_error *e);

void signature_log_close(struct signature_log *log);

#endif
