#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* build/test/node/shell/x_test is this far below the repository. */
enum { LEVELS_ABOVE_PROGRAM = 6 };

static enum tm_err fail_errno(struct tm_error *e, const char *what, const char *path)
{
    int reason = errno;

    return tm_fail(e, reason == ENOENT ? TM_ERR_NOT_FOUND : TM_ERR_IO, "cannot %s %s: %s", what,
                   path, strerror(reason));
}

static enum tm_err read_all(int fd, struct arena *a, const char *path, size_t max,
                            struct bytes *out, struct tm_error *e)
{
    struct stat st;
    struct buffer b;

    if (fstat(fd, &st) != 0)
        return fail_errno(e, "read", path);
    if (S_ISDIR(st.st_mode))
        return tm_fail(e, TM_ERR_IO, "%s is a directory, not a file", path);
    if (S_ISREG(st.st_mode) && (uintmax_t)st.st_size > max)
        return tm_fail(e, TM_ERR_LIMIT, "%s is larger than %zu bytes", path, max);
    buffer_init(&b, a, st.st_size > 0 && (size_t)st.st_size <= max ? (size_t)st.st_size + 1 : 4096);
    for (;;) {
        uint8_t part[16384];
        ssize_t n = read(fd, part, sizeof part);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(e, "read", path);
        if (n == 0)
            break;
        if (b.size + (size_t)n > max)
            return tm_fail(e, TM_ERR_LIMIT, "%s is larger than %zu bytes", path, max);
        buffer_append(&b, part, (size_t)n);
    }
    *out = buffer_bytes(&b);
    return TM_OK;
}

enum tm_err files_read(struct arena *a, const char *path, size_t max, struct bytes *out,
                       struct tm_error *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum tm_err err;

    if (fd < 0)
        return fail_errno(e, "open", path);
    err = read_all(fd, a, path, max, out, e);
    close(fd);
    return err;
}

static bool write_all(int fd, struct bytes content)
{
    while (content.size > 0) {
        ssize_t n = write(fd, content.data, content.size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        content.data += n;
        content.size -= (size_t)n;
    }
    return true;
}

/* A rename is durable once the directory is synced. */
static void sync_parent(const char *path)
{
    char parent[FILES_PATH_MAX];
    const char *slash = strrchr(path, '/');
    int fd;

    if (slash == NULL)
        snprintf(parent, sizeof parent, ".");
    else
        snprintf(parent, sizeof parent, "%.*s", (int)(slash == path ? 1 : slash - path), path);
    fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

/* Writes beside the file and renames; `like` (may be NULL) lends its times. */
static enum tm_err replace(const char *path, struct bytes content, mode_t mode,
                           const struct stat *like, struct tm_error *e)
{
    char temporary[FILES_PATH_MAX];
    bool ok;
    int fd;

    if (snprintf(temporary, sizeof temporary, "%s.new-%ld", path, (long)getpid()) >=
        (int)sizeof temporary)
        return tm_fail(e, TM_ERR_LIMIT, "the path %s is too long", path);
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_errno(e, "create", temporary);
    ok = write_all(fd, content) && fchmod(fd, mode) == 0;
    if (ok && like != NULL)
        ok = futimens(fd, (const struct timespec[2]){like->st_atim, like->st_mtim}) == 0;
    ok = ok && fsync(fd) == 0;
    ok = (close(fd) == 0) && ok;
    if (!ok || rename(temporary, path) != 0) {
        enum tm_err err = fail_errno(e, "write", path);

        unlink(temporary);
        return err;
    }
    sync_parent(path);
    return TM_OK;
}

enum tm_err files_write(const char *path, struct bytes content, mode_t mode, struct tm_error *e)
{
    return replace(path, content, mode, NULL, e);
}

enum tm_err files_update(const char *path, struct bytes content, mode_t mode, bool *changed,
                         struct tm_error *e)
{
    struct arena a;
    struct bytes old = {NULL, 0};
    bool same;

    arena_init(&a);
    same = files_read(&a, path, content.size, &old, NULL) == TM_OK && bytes_equal(old, content);
    arena_free(&a);
    if (changed != NULL)
        *changed = !same;
    return same ? TM_OK : files_write(path, content, mode, e);
}

enum tm_err files_copy(const char *from, const char *to, struct tm_error *e)
{
    enum { FILE_MAX = 256 * 1024 * 1024 }; /* a server binary is 9 MB */
    struct stat source, target;
    struct arena a;
    struct bytes content;
    enum tm_err err;

    if (stat(from, &source) != 0)
        return fail_errno(e, "read", from);
    if (stat(to, &target) == 0 && target.st_size == source.st_size &&
        target.st_mtim.tv_sec == source.st_mtim.tv_sec &&
        target.st_mtim.tv_nsec == source.st_mtim.tv_nsec)
        return TM_OK;
    arena_init(&a);
    err = files_read(&a, from, FILE_MAX, &content, e);
    if (err == TM_OK)
        err = replace(to, content, source.st_mode & 0777, &source, e);
    arena_free(&a);
    return err;
}

enum tm_err files_link_entries(const char *from, const char *to, struct tm_error *e)
{
    DIR *d = opendir(from);
    enum tm_err err = TM_OK;
    struct dirent *entry;

    if (d == NULL)
        return fail_errno(e, "read directory", from);
    while (err == TM_OK && (entry = readdir(d)) != NULL) {
        char target[FILES_PATH_MAX], name[FILES_PATH_MAX];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (snprintf(target, sizeof target, "%s/%s", from, entry->d_name) >= (int)sizeof target ||
            snprintf(name, sizeof name, "%s/%s", to, entry->d_name) >= (int)sizeof name)
            err = tm_fail(e, TM_ERR_LIMIT, "the path %s is too long", to);
        else if (symlink(target, name) != 0 && errno != EEXIST)
            err = fail_errno(e, "link", name);
    }
    closedir(d);
    return err;
}

enum tm_err files_make_directory(const char *path, mode_t mode, struct tm_error *e)
{
    char part[FILES_PATH_MAX];
    size_t length = strlen(path);

    if (length == 0 || length >= sizeof part)
        return tm_fail(e, TM_ERR_USAGE, "\"%.60s\" is not a usable path", path);
    memcpy(part, path, length + 1);
    for (size_t i = 1; i <= length; i++) {
        struct stat st;

        if (part[i] != '/' && part[i] != '\0')
            continue;
        part[i] = '\0';
        if (mkdir(part, mode) != 0) {
            if (errno != EEXIST)
                return fail_errno(e, "create directory", part);
            if (stat(part, &st) != 0)
                return fail_errno(e, "use directory", part);
            if (!S_ISDIR(st.st_mode))
                return tm_fail(e, TM_ERR_IO, "%s is not a directory", part);
        }
        if (i < length)
            part[i] = '/';
    }
    return TM_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum tm_err files_list(struct arena *a, const char *directory, const char *suffix, char ***names,
                       size_t *count, struct tm_error *e)
{
    enum { NAMES_MAX = 10000 }; /* numbers of migrations have four digits */
    DIR *d = opendir(directory);
    struct dirent *entry;
    struct buffer found;
    size_t n = 0;

    if (d == NULL)
        return fail_errno(e, "read directory", directory);
    buffer_init(&found, a, 64 * sizeof(char *));
    while ((entry = readdir(d)) != NULL && n < NAMES_MAX) {
        size_t length = strlen(entry->d_name), tail = strlen(suffix);
        char *name;

        if (entry->d_name[0] == '.' || length < tail ||
            strcmp(entry->d_name + length - tail, suffix) != 0)
            continue;
        name = arena_text(a, bytes_of(entry->d_name));
        buffer_append(&found, &name, sizeof name);
        n++;
    }
    closedir(d);
    if (n == NAMES_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "%s holds more than %d files", directory, NAMES_MAX);
    *names = arena_array(a, char *, n + 1);
    if (n > 0)
        memcpy(*names, found.data, found.size);
    qsort(*names, n, sizeof **names, compare_names);
    *count = n;
    return TM_OK;
}

bool files_exist(const char *path)
{
    return access(path, F_OK) == 0;
}

char *files_program_directory(struct arena *a)
{
    char path[FILES_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    char *slash;

    path[n > 0 ? n : 0] = '\0';
    slash = strrchr(path, '/');
    if (slash == NULL)
        return arena_text(a, bytes_of("."));
    return arena_text(a, bytes_make(path, slash == path ? 1 : (size_t)(slash - path)));
}

char *files_find_shipped(struct arena *a, const char *name, const char *installed)
{
    char *directory = files_program_directory(a);
    char *path = arena_format(a, "%s/../%s", directory, installed);

    if (files_exist(path))
        return path;
    for (int level = 0; level <= LEVELS_ABOVE_PROGRAM; level++) {
        char *slash = strrchr(directory, '/');

        path = arena_format(a, "%s/%s", directory, name);
        if (files_exist(path))
            return path;
        if (slash == NULL || slash == directory)
            break;
        *slash = '\0';
    }
    return NULL;
}
