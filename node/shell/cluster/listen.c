#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cluster_readers.h"
#include "database.h"

enum { FILE_MAX = 64 };

static char *listen_path(const struct cluster *c, struct arena *a)
{
    return arena_format(a, "%s/listen", c->directory);
}

enum tm_err listen_port(const struct cluster *c, int *port, struct tm_error *e)
{
    struct arena a;
    struct bytes text;
    const char *path;
    enum tm_err err;
    long number;
    char *end;

    *port = 0;
    arena_init(&a);
    path = listen_path(c, &a);
    err = files_read(&a, path, FILE_MAX, &text, e);
    if (err == TM_ERR_NOT_FOUND) {
        err = TM_OK;
    } else if (err == TM_OK) {
        number =
            strtol(arena_format(&a, "%.*s", (int)text.size, (const char *)text.data), &end, 10);
        if (number < LISTEN_PORT_MIN || number > LISTEN_PORT_MAX || (*end != '\n' && *end != '\0'))
            err = tm_fail(e, TM_ERR_CONFIG,
                          "%s does not hold a port: tidemark db listen PORT writes it, "
                          "tidemark db listen off removes it",
                          path);
        else
            *port = (int)number;
    }
    arena_free(&a);
    return err;
}

/* Fails where the server could not listen: it would not start at all. */
static enum tm_err check_free(int port, struct tm_error *e)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    enum tm_err err = TM_OK;

    if (fd < 0)
        return tm_fail(e, TM_ERR_IO, "cannot make a socket: %s", strerror(errno));
    inet_pton(AF_INET, LISTEN_ADDRESS, &address.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        err = tm_fail(e, TM_ERR_CONFIG, "cannot listen on " LISTEN_ADDRESS ":%d: %s", port,
                      strerror(errno));
    close(fd);
    return err;
}

/* How things stand: does the server listen on the port, and may readers log in? */
static enum tm_err look(const struct cluster *c, PGconn *superuser, int port,
                        struct listen_offer *out, struct tm_error *e)
{
    PGresult *result =
        PQexec(superuser,
               "SELECT CASE WHEN current_setting('listen_addresses') <> ''"
               " THEN current_setting('port') ELSE '' END,"
               " (SELECT rolcanlogin FROM pg_catalog.pg_roles WHERE rolname = '" LISTEN_ROLE "')");
    enum tm_err err = TM_OK;

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        err = database_fail(superuser, result, "cannot read the readers' role", e);
    else if (PQgetisnull(result, 0, 1))
        err = tm_fail(e, TM_ERR_NOT_FOUND,
                      "there is no chain here yet; tidemark init --genesis FILE makes one");
    else {
        out->in_force = strtol(PQgetvalue(result, 0, 0), NULL, 10) == port;
        out->log_in = PQgetvalue(result, 0, 1)[0] == 't' && !cluster_readers_denied(c);
    }
    PQclear(result);
    return err;
}

enum tm_err listen_allow(const struct cluster *c, int port, struct listen_offer *out,
                         struct tm_error *e)
{
    struct arena a;
    PGconn *superuser;
    enum tm_err err;

    memset(out, 0, sizeof *out);
    err = cli_database_open(c->directory, NULL, NULL, &superuser, e);
    if (err != TM_OK)
        return err;
    err = look(c, superuser, port, out, e);
    if (err == TM_OK && !out->in_force)
        err = check_free(port, e);
    if (err == TM_OK) {
        reader_password_make(out->password);
        err = reader_password_set(superuser, LISTEN_ROLE, out->password, e);
    }
    if (err == TM_OK) {
        arena_init(&a);
        err = files_write(listen_path(c, &a), bytes_of(arena_format(&a, "%d\n", port)), 0644, e);
        arena_free(&a);
    }
    cli_database_close(superuser);
    return err;
}

enum tm_err listen_deny(const struct cluster *c, struct tm_error *e)
{
    struct arena a;
    enum tm_err err = TM_OK;
    const char *path;

    arena_init(&a);
    path = listen_path(c, &a);
    if (unlink(path) != 0 && errno != ENOENT)
        err = tm_fail(e, TM_ERR_IO, "cannot remove %s: %s", path, strerror(errno));
    arena_free(&a);
    return err;
}
