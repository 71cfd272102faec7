#include "db_readers.h"

#include <stdio.h>

#include "cli.h"
#include "node/shell/cluster/cluster_readers.h"
#include "node/shell/cluster/database.h"
#include "node/shell/cluster/listen.h"
#include "node/shell/cluster/reader_roles.h"
#include "node/shell/keys/passphrase.h"
#include "node/shell/store/migrations.h"

static const char NAME[] = "db";

bool db_readers_verb(const char *word)
{
    return strcmp(word, "add") == 0 || strcmp(word, "remove") == 0 || strcmp(word, "list") == 0;
}

/* The first line of the file, in the arena. */
static enum tm_err read_password(const char *file, struct arena *a, const char **out,
                                 struct tm_error *e)
{
    struct passphrase p = {.file = file};
    struct bytes text;
    enum tm_err err = passphrase_get(&p, &text, e);

    if (err == TM_OK &&
        (text.size < READER_PASSWORD_MIN || memchr(text.data, 0, text.size) != NULL))
        err = tm_fail(e, TM_ERR_CONFIG,
                      "the first line of %.200s is no password: at least %d characters", file,
                      READER_PASSWORD_MIN);
    if (err == TM_OK)
        *out = arena_text(a, text);
    passphrase_forget(&p);
    return err;
}

/* As the superuser, on a schema that knows readers. */
static enum tm_err open_database(const struct cluster *c, PGconn **conn, struct tm_error *e)
{
    enum tm_err err = cli_database_open(c->directory, NULL, NULL, conn, e);

    if (err == TM_OK)
        err = migrations_check(*conn, e);
    return err;
}

static void print_connection(const struct cluster *c, const struct reader_wish *wish,
                             const struct reader_added *added)
{
    int port;

    printf("user      %s\n"
           "password  %s\n"
           "socket    postgresql://%s@/" CLUSTER_DATABASE "?host=%s\n",
           wish->name,
           wish->password != NULL       ? "as in the file"
           : added->password[0] != '\0' ? added->password
                                        : "as before",
           wish->name, c->socket);
    if (listen_port(c, &port, NULL) == TM_OK && port != 0)
        printf("network   postgresql://%s@" LISTEN_ADDRESS ":%d/" CLUSTER_DATABASE "\n", wish->name,
               port);
    else
        printf("network   none; tidemark db listen PORT opens a port of this machine\n");
    if (cluster_readers_denied(c))
        printf("readers may not log in on this machine: tidemark db readers allow lets them in\n");
}

/* A server that runs since before an upgrade has lines of pg_hba.conf that know no members. */
static enum tm_err refresh(const struct cluster *c, PGconn *conn, struct tm_error *e)
{
    enum tm_err err = cluster_readers_set(c, !cluster_readers_denied(c), e);

    return err == TM_OK ? database_execute(conn, "SELECT pg_catalog.pg_reload_conf()", e) : err;
}

static enum tm_err add(const struct cluster *c, const struct reader_wish *wish, struct tm_error *e)
{
    struct reader_added added;
    PGconn *conn;
    enum tm_err err = open_database(c, &conn, e);

    if (err == TM_OK)
        err = reader_role_add(conn, wish, &added, e);
    if (err == TM_OK)
        err = refresh(c, conn, e);
    cli_database_close(conn);
    if (err != TM_OK)
        return err;
    printf("reader %s %s: %d connection%s, the limits of tidemark_reader\n", wish->name,
           added.created ? "made" : "was there", added.connections,
           added.connections == 1 ? "" : "s");
    print_connection(c, wish, &added);
    return TM_OK;
}

static enum tm_err discard(const struct cluster *c, const char *name, struct tm_error *e)
{
    PGconn *conn;
    enum tm_err err = open_database(c, &conn, e);

    if (err == TM_OK)
        err = reader_role_remove(conn, name, e);
    cli_database_close(conn);
    if (err == TM_OK)
        printf("reader %s removed\n", name);
    return err;
}

/* *complete: none of them lacks anything. */
static enum tm_err list(const struct cluster *c, bool *complete, struct tm_error *e)
{
    struct reader_row *rows;
    struct arena a;
    PGconn *conn;
    size_t count = 0;
    enum tm_err err = open_database(c, &conn, e);

    *complete = true;
    arena_init(&a);
    if (err == TM_OK)
        err = reader_roles_list(conn, &a, &rows, &count, e);
    cli_database_close(conn);
    for (size_t i = 0; err == TM_OK && i < count; i++) {
        if (rows[i].connections < 0)
            printf("%s: connections without limit, %d now\n", rows[i].name, rows[i].sessions);
        else
            printf("%s: %d connections, %d now\n", rows[i].name, rows[i].connections,
                   rows[i].sessions);
        printf("  %s\n", rows[i].limits);
        if (rows[i].missing[0] == '\0')
            continue;
        printf("  MISSING: %s\n", rows[i].missing);
        *complete = false;
    }
    arena_free(&a);
    if (err == TM_OK && !*complete)
        printf(
            "tidemark migrate sets limits that are missing; what a role may beyond them is yours "
            "to take back\n");
    return err;
}

int db_readers_run(const struct cluster *c, const char *verb, const struct db_readers_options *o)
{
    struct reader_wish wish = {.name = o->name};
    int64_t connections = 0;
    bool adds = strcmp(verb, "add") == 0, complete = true;
    struct tm_error e;
    struct arena a;
    enum tm_err err = TM_OK;

    if (strcmp(verb, "list") == 0) {
        if (o->name[0] != '\0')
            return cli_usage(NAME, "unexpected word \"%.80s\"", o->name);
        err = list(c, &complete, &e);
    } else if (!adds) {
        err = discard(c, o->name, &e);
    } else {
        if (o->connections != NULL &&
            !cli_integer(o->connections, 1, READER_PLACES_MAX, &connections))
            return cli_usage(NAME, "--connections: a number from 1 to %d", READER_PLACES_MAX);
        arena_init(&a);
        wish.connections = (int)connections;
        err = reader_name_check(o->name, &e);
        if (err == TM_OK && o->password_file != NULL)
            err = read_password(o->password_file, &a, &wish.password, &e);
        if (err == TM_OK)
            err = add(c, &wish, &e);
        arena_free(&a);
    }
    if (err != TM_OK)
        return cli_fail(NAME, &e);
    return complete ? CLI_DONE : CLI_REFUSED;
}
