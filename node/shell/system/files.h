/* Files and directories: whole files in and out, copies that appear at once or not at all. */
#ifndef NODE_SHELL_SYSTEM_FILES_H
#define NODE_SHELL_SYSTEM_FILES_H

#include <sys/types.h>

#include "protocol/base/arena.h"
#include "protocol/base/error.h"

enum { FILES_PATH_MAX = 4096 }; /* Linux's PATH_MAX */

/* The whole file, in the arena. TM_ERR_NOT_FOUND, TM_ERR_LIMIT (more than max bytes), TM_ERR_IO. */
enum tm_err files_read(struct arena *a, const char *path, size_t max, struct bytes *out,
                       struct tm_error *e);

/*
 * Replaces the file by one with these bytes and this mode, synced to disk: a reader, and a crash,
 * leave the old file or the new one.
 */
enum tm_err files_write(const char *path, struct bytes content, mode_t mode, struct tm_error *e);

/* files_write only where the file differs; *changed (may be NULL) tells. */
enum tm_err files_update(const char *path, struct bytes content, mode_t mode, bool *changed,
                         struct tm_error *e);

/* Copies mode, time and content, unless size and time say that this was done before. */
enum tm_err files_copy(const char *from, const char *to, struct tm_error *e);

/* In `to`, a link to every entry of `from` that `to` does not have. */
enum tm_err files_link_entries(const char *from, const char *to, struct tm_error *e);

/* The directory and those above it, as far as they are missing. */
enum tm_err files_make_directory(const char *path, mode_t mode, struct tm_error *e);

/* Names in a directory that end with suffix, ascending by byte, in the arena. */
enum tm_err files_list(struct arena *a, const char *directory, const char *suffix, char ***names,
                       size_t *count, struct tm_error *e);

/* True where something has this name (links are followed). */
bool files_exist(const char *path);

/* Directory of the running program. */
char *files_program_directory(struct arena *a);

/*
 * A file or directory that comes with the program: `name` in the program's directory or one above
 * it (the build tree and the repository), or `installed` from the directory above the program
 * (…/bin/../share/tidemark). NULL: not there.
 */
char *files_find_shipped(struct arena *a, const char *name, const char *installed);

#endif
