/*
 * Whether this server lets tidemark_reader and its members log in. A role's own LOGIN is the same
 * on a node and on all its replicas; this is each server's own: lines of pg_hba.conf, by a mark.
 */
#ifndef NODE_SHELL_CLUSTER_CLUSTER_READERS_H
#define NODE_SHELL_CLUSTER_CLUSTER_READERS_H

#include "cluster.h"

bool cluster_readers_denied(const struct cluster *c);

/* Lasts. A running server has to be told to reload. */
enum tm_err cluster_readers_set(const struct cluster *c, bool allow, struct tm_error *e);

/* Writes pg_hba.conf; runs as the cluster's user (process_call). */
enum tm_err cluster_readers_write(const struct cluster *c, struct tm_error *e);

#endif
