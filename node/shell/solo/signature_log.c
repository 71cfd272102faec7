#include "signature_log.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "protocol/base/hex.h"

enum tm_err signature_log_open(struct signature_log *log, const char *path, struct tm_error *e)
{
    log->descriptor = -1;
    if (path == NULL)
        return TM_OK;
    log->descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log->descriptor < 0)
        return tm_fail(e, TM_ERR_CONFIG, "cannot open the signature log %s: %s", path,
                       strerror(errno));
    return TM_OK;
}

enum tm_err signature_log_append(struct signature_log *log, const struct certificate *c,
                                 const struct hash32 *header_hash, struct tm_error *e)
{
    struct arena a;
    struct buffer lines;
    struct bytes text;
    enum tm_err err = TM_OK;
    ssize_t written;

    if (log->descriptor < 0)
        return TM_OK;
    arena_init(&a);
    buffer_init(&lines, &a, 2048);
    for (size_t i = 0; i < c->signature_count; i++) {
        const struct partial_signature *s = &c->signatures[i];
        struct bytes line = bytes_of(arena_format(
            &a, "%llu %llu %d %s %s %s\n", (unsigned long long)c->height,
            (unsigned long long)c->round, (int)c->step, hex_text(&a, bytes_hash(header_hash)),
            hex_text(&a, s->address), hex_text(&a, s->signature)));

        buffer_append(&lines, line.data, line.size);
    }
    text = buffer_bytes(&lines);
    written = write(log->descriptor, text.data, text.size);
    if (written < 0 || (size_t)written < text.size)
        err = tm_fail(e, TM_ERR_CONFIG, "cannot write the signature log: %s",
                      written < 0 ? strerror(errno) : "no room");
    arena_free(&a);
    return err;
}

void signature_log_close(struct signature_log *log)
{
    if (log->descriptor >= 0)
        close(log->descriptor);
    log->descriptor = -1;
}
