#include "memory_size.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A container's limit in bytes, in both versions of the kernel's interface; "max" is none. */
static const char *const limits[] = {"/sys/fs/cgroup/memory.max",
                                     "/sys/fs/cgroup/memory/memory.limit_in_bytes", NULL};

enum { BYTES_IN_MB = 1024 * 1024 };

/* 0 where there is none. */
static unsigned long long read_limit(const char *path)
{
    FILE *file = fopen(path, "re");
    char text[32] = "";

    if (file == NULL)
        return 0;
    if (fgets(text, sizeof text, file) == NULL)
        text[0] = '\0';
    fclose(file);
    return strtoull(text, NULL, 10);
}

long memory_size(void)
{
    long megabytes = sysconf(_SC_PHYS_PAGES) / 1024 * (sysconf(_SC_PAGESIZE) / 1024);

    for (int i = 0; limits[i] != NULL; i++) {
        unsigned long long limit = read_limit(limits[i]) / BYTES_IN_MB;

        if (limit > 0 && limit < (unsigned long long)megabytes)
            megabytes = (long)limit;
    }
    return megabytes;
}
