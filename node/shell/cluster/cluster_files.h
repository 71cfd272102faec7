/* What lies under a cluster's home: the private server programs, the data directory, its settings.
 */
#ifndef NODE_SHELL_CLUSTER_CLUSTER_FILES_H
#define NODE_SHELL_CLUSTER_CLUSTER_FILES_H

#include "cluster.h"

/* The server this program is made for, as Debian lays it out. */
#define CLUSTER_PG_MAJOR "15"

/* Where the server programs stand below a prefix (and below /usr). */
#define CLUSTER_BIN "lib/postgresql/" CLUSTER_PG_MAJOR "/bin"

/*
 * Roles that root and the cluster's user may log in as over the socket, without a password; ended
 * by NULL.
 */
extern const char *const CLUSTER_LOGIN_ROLES[];

/* Our extension as it comes with this program. */
struct cluster_extension {
    struct {
        const char *name;
        struct bytes content;
    } * files;
    size_t count;
};

/* Reads the extension's files; none (an extension installed with the server counts) is no error. */
enum tm_err cluster_extension_load(struct arena *a, struct cluster_extension *out,
                                   struct tm_error *e);

/* The following run as the cluster's user (process_call). */

/* Puts the extension's files where the private server looks for them, if they differ. */
enum tm_err cluster_extension_install(const struct cluster *c,
                                      const struct cluster_extension *extension,
                                      struct tm_error *e);

/* The private copy of the server's programs, with the extension beside them. */
enum tm_err cluster_prefix_prepare(const struct cluster *c,
                                   const struct cluster_extension *extension, struct tm_error *e);

/*
 * Brings everything a start needs up to date: programs, data directory (made the first time),
 * settings, socket directory.
 */
enum tm_err cluster_prepare(const struct cluster *c, const struct cluster_extension *extension,
                            struct tm_error *e);

/* Removes the socket directory with what a crash left in it. */
void cluster_socket_remove(const struct cluster *c);

#endif
