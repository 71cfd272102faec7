/* tidemark db: the embedded database itself. */
#include <stdio.h>

#include "cli.h"
#include "node/shell/cluster/cluster.h"
#include "node/shell/cluster/database.h"
#include "node/shell/cluster/listen.h"

static const struct cli_topic TOPICS[] = {
    {"start", "start the database and leave it running; make it if it is new\n"},
    {"stop", "stop it, whoever uses it (`tidemark up` would start it again)\n"},
    {"status", "is it running, and where; exit code 1 when it is not\n"},
    {"url [--role ROLE]", "print a libpq URL for it, for psql and other programs\n"},
    {"readers allow|deny",
     "let the role tidemark_reader log in, or refuse it: for a validator's own\n"
     "machine\n"},
    {"listen PORT|off",
     "let the role tidemark_reader connect to 127.0.0.1:PORT with a password, which is\n"
     "printed, for programs that need TCP (JDBC: DBeaver; Grafana); off: only the socket,\n"
     "as at first. In force when the database starts next\n"},
};

static const char help[] =
    "The database is a private PostgreSQL under DIR with a socket of its own that only root and "
    "the\n"
    "user it runs as can reach. Other commands start it when they need it and stop it again;\n"
    "after `db start` it stays.\n";

static const char options_text[] =
    "  --data DIR    directory of the database (default ./var)\n"
    "  --role ROLE   for url: reader (default), api, node, admin, owner or audit\n";

static const struct cli_topic *topic(size_t i)
{
    return i < sizeof TOPICS / sizeof TOPICS[0] ? &TOPICS[i] : NULL;
}

static int start(struct cluster *c, struct tm_error *e)
{
    bool kept = cluster_kept(c), started;
    enum tm_err err = cluster_acquire(c, &started, e);

    if (err != TM_OK)
        return cli_fail("db", e);
    err = cluster_keep(c, e);
    cluster_release(c);
    if (err != TM_OK)
        return cli_fail("db", e);
    printf(started ? "database started in %s\n"
           : kept  ? "database runs already in %s\n"
                   : "database runs in %s and stays\n",
           c->directory);
    return CLI_DONE;
}

static int stop(struct cluster *c, struct tm_error *e)
{
    bool stopped;

    if (cluster_stop(c, &stopped, e) != TM_OK)
        return cli_fail("db", e);
    printf(stopped ? "database stopped in %s\n" : "no database was running in %s\n", c->directory);
    return CLI_DONE;
}

static int status(struct cluster *c)
{
    pid_t pid = 0;
    bool running = cluster_running(c, &pid);
    int port;

    printf("directory  %s\n", c->directory);
    printf("running    %s", running ? "yes" : "no");
    if (running)
        printf(" (process %ld%s)", (long)pid, cluster_kept(c) ? ", until tidemark db stop" : "");
    printf("\nsocket     %s\ndata       %s\nlog        %s\nuser       %s\n", c->socket, c->data,
           c->log, c->user.name);
    if (listen_port(c, &port, NULL) == TM_OK && port != 0)
        printf("network    " LISTEN_ADDRESS ":%d for " LISTEN_ROLE "\n", port);
    return running ? CLI_DONE : CLI_REFUSED;
}

static int network(struct cluster *c, const char *word, struct tm_error *e)
{
    struct listen_offer offer;
    int64_t port;

    if (strcmp(word, "off") == 0) {
        if (listen_deny(c, e) != TM_OK)
            return cli_fail("db", e);
        printf("no TCP port%s\n", cluster_running(c, NULL) ? " when the database starts next" : "");
        return CLI_DONE;
    }
    if (!cli_integer(word, LISTEN_PORT_MIN, LISTEN_PORT_MAX, &port))
        return cli_usage("db", "listen: a port from %d to %d, or off", LISTEN_PORT_MIN,
                         LISTEN_PORT_MAX);
    if (listen_allow(c, (int)port, &offer, e) != TM_OK)
        return cli_fail("db", e);
    printf("libpq     postgresql://" LISTEN_ROLE "@" LISTEN_ADDRESS ":%d/" CLUSTER_DATABASE "\n"
           "JDBC      jdbc:postgresql://" LISTEN_ADDRESS ":%d/" CLUSTER_DATABASE "\n"
           "user      " LISTEN_ROLE "\n"
           "password  %s\n",
           (int)port, (int)port, offer.password);
    if (!offer.in_force && cluster_running(c, NULL))
        printf(
            "in force when the database starts next: tidemark db stop, then tidemark db start\n");
    if (!offer.log_in)
        printf("readers may not log in on this machine: tidemark db readers allow lets them in\n");
    return CLI_DONE;
}

static int url(const struct cluster *c, const char *role)
{
    struct arena a;

    arena_init(&a);
    printf("%s\n", cluster_url(c, &a, role));
    arena_free(&a);
    return CLI_DONE;
}

static int run(int argc, char **argv)
{
    const char *data = CLUSTER_DIRECTORY_DEFAULT, *role = "reader", *words[2] = {"", ""};
    const struct cli_option options[] = {
        {.name = "--data", .value = &data}, {.name = "--role", .value = &role}, {NULL}};
    struct tm_error e;
    struct cluster c;
    bool readers, listening;
    size_t count;

    if (!cli_options(argc, argv, options, words, 2, &count))
        return CLI_USAGE;
    readers = strcmp(words[0], "readers") == 0;
    listening = strcmp(words[0], "listen") == 0;
    if (strcmp(words[0], "start") != 0 && strcmp(words[0], "stop") != 0 &&
        strcmp(words[0], "status") != 0 && strcmp(words[0], "url") != 0 && !readers && !listening)
        return cli_usage("db", count == 0 ? "what to do is missing" : "cannot \"%.40s\"", words[0]);
    if (readers ? strcmp(words[1], "allow") != 0 && strcmp(words[1], "deny") != 0
                : count > 1 && !listening)
        return cli_usage("db", readers ? "readers: allow or deny" : "unexpected word \"%.80s\"",
                         words[1]);
    if (!cluster_role_known(role))
        return cli_usage("db", "there is no role \"%.40s\"", role);
    if (cluster_find(&c, data, strcmp(words[0], "start") == 0, &e) != TM_OK)
        return cli_fail("db", &e);
    if (strcmp(words[0], "start") == 0)
        return start(&c, &e);
    if (strcmp(words[0], "stop") == 0)
        return stop(&c, &e);
    if (strcmp(words[0], "status") == 0)
        return status(&c);
    if (strcmp(words[0], "url") == 0)
        return url(&c, role);
    if (listening)
        return network(&c, words[1], &e);
    if (database_readers(data, strcmp(words[1], "allow") == 0, &e) != TM_OK)
        return cli_fail("db", &e);
    printf("readers may %slog in\n", strcmp(words[1], "allow") == 0 ? "" : "not ");
    return CLI_DONE;
}

const struct cli_command cli_db_command = {
    .name = "db",
    .summary = "start, stop and reach the embedded database",
    .help = help,
    .run = run,
    .topic = topic,
    .options = options_text,
};
