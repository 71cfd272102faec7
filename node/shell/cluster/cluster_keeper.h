/* The keeper: the parent of a cluster's server (see cluster.h). */
#ifndef NODE_SHELL_CLUSTER_CLUSTER_KEEPER_H
#define NODE_SHELL_CLUSTER_CLUSTER_KEEPER_H

#include "cluster.h"

/* Files in DIR. */
#define CLUSTER_STARTED_FILE "started"
#define CLUSTER_USE_LOCK     "use.lock"
#define CLUSTER_START_LOCK   "start.lock"

/*
 * Starts a keeper, which starts the server. *alive is the end of a pipe that closes when the server
 * has ended.
 */
enum tm_err cluster_keeper_start(const struct cluster *c, int *alive, struct tm_error *e);

#endif
