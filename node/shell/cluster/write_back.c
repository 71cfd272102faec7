#include "write_back.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct write_back_file {
    ino_t number;
    off_t size; /* up to here it was written, or left to the kernel */
};

enum { FILES_USUAL = 1024 }; /* room that most clusters do not outgrow */

void write_back_init(struct write_back *w, const char *directory)
{
    memset(w, 0, sizeof *w);
    w->directory = directory;
    for (int i = 0; i < 2; i++)
        arena_init(&w->seen[i].arena);
}

void write_back_free(struct write_back *w)
{
    for (int i = 0; i < 2; i++)
        arena_free(&w->seen[i].arena);
}

static int compare_numbers(const void *a, const void *b)
{
    const struct write_back_file *x = a, *y = b;

    return (x->number > y->number) - (x->number < y->number);
}

/* Where the last step left a file; the beginning of one that is new. */
static off_t left_at(const struct write_back_files *f, ino_t number)
{
    struct write_back_file key = {.number = number};
    const struct write_back_file *found =
        bsearch(&key, f->list.data, f->list.size / sizeof key, sizeof key, compare_numbers);

    return found != NULL ? found->size : 0;
}

/* Files of relations have numbers for names; those of temporary tables begin with a t. */
static bool is_number(const char *name)
{
    return name[0] >= '0' && name[0] <= '9';
}

static void begin_to_write(int directory, const char *name, off_t from, off_t size)
{
    /* Whatever it has become meanwhile: not through a link, not waiting for a pipe's other end. */
    int file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (file < 0)
        return;
    /* It does not wait for the disk, so no error is taken from the server's own fsync. */
    (void)sync_file_range(file, from, size, SYNC_FILE_RANGE_WRITE);
    close(file);
}

static off_t step_database(struct write_back *w, int directory, off_t most)
{
    const struct write_back_files *before = &w->seen[w->last];
    struct write_back_files *after = &w->seen[!w->last];
    DIR *entries = fdopendir(directory);
    off_t begun = 0;
    struct dirent *d;

    if (entries == NULL) {
        close(directory);
        return 0;
    }
    while ((d = readdir(entries)) != NULL) {
        struct write_back_file file;
        struct stat st;
        off_t from, size;

        if (!is_number(d->d_name) || fstatat(directory, d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(st.st_mode))
            continue;
        from = w->begun ? left_at(before, st.st_ino) : st.st_size;
        size = st.st_size > from ? st.st_size - from : 0;
        if (size > most - begun)
            size = most - begun;
        if (size > 0)
            begin_to_write(directory, d->d_name, from, size);
        begun += size;
        file = (struct write_back_file){.number = st.st_ino,
                                        .size = from < st.st_size ? from + size : st.st_size};
        buffer_append(&after->list, &file, sizeof file);
    }
    closedir(entries);
    return begun;
}

off_t write_back_step(struct write_back *w)
{
    struct write_back_files *after = &w->seen[!w->last];
    DIR *databases = opendir(w->directory);
    off_t begun = 0;
    struct dirent *d;

    if (databases == NULL)
        return 0;
    arena_reset(&after->arena);
    buffer_init(&after->list, &after->arena, FILES_USUAL * sizeof(struct write_back_file));
    while ((d = readdir(databases)) != NULL) {
        int directory = is_number(d->d_name)
                            ? openat(dirfd(databases), d->d_name,
                                     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                            : -1;

        if (directory >= 0)
            begun += step_database(w, directory, WRITE_BACK_STEP_MAX - begun);
    }
    closedir(databases);
    qsort(after->list.data, after->list.size / sizeof(struct write_back_file),
          sizeof(struct write_back_file), compare_numbers);
    w->last = !w->last;
    w->begun = true;
    return begun;
}
