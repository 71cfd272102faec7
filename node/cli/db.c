/* tidemark db: the embedded database itself. */
#include <stdio.h>

#include "cli.h"
#include "db_readers.h"
#include "node/shell/cluster/cluster.h"
#include "node/shell/cluster/database.h"
#include "node/shell/cluster/listen.h"

static const struct cli_topic TOPICS[] = {
    {"start", "start the database and leave it running; make it if it is new\n"},
    {"stop", "stop it, whoever uses it (`tidemark up` would start it again)\n"},
    {"status", "is it running, and where; exit code 1 when it is not\n"},
    {"url [--role ROLE]", "print a libpq URL for it, for psql and other programs\n"},
    {"readers allow|deny",
     "let the role tidemark_reader and its members log in, or refuse them: for a\n"
     "validator's own machine\n"},
    {"readers add NAME [--connections N] [--password-file FILE]",
     "add: a login role of one's own for a person or a program that reads, with the\n"
     "limits of tidemark_reader; prints how to connect. For a role that is there: what\n"
     "it lacks, or another password or number of connections\n"},
    {"readers remove NAME", "remove: such a role, once it has no sessions\n"},
    {"readers list",
     "list: every role that logs in as a reader, its limits and what it lacks of them;\n"
     "exit code 1 when one lacks something\n"},
    {"listen PORT|off",
     "let the role tidemark_reader connect to 127.0.0.1:PORT with a password, which is\n"
     "printed, for programs that need TCP (JDBC: DBeaver; Grafana), and roles of `readers\n"
     "add` with theirs; off: only the socket, as at first. In force when the database\n"
     "starts next\n"},
};

static const char help[] =
    "The database is a private PostgreSQL under DIR with a socket of its own that only root and "
    "the\n"
    "user it runs as can reach. Other commands start it when they need it and stop it again;\n"
    "after `db start` it stays.\n";

static const char options_text[] =
    "  --data DIR    directory of the database (default ./var)\n"
    "  --role ROLE   for url: reader (default), api, node, admin, owner or audit\n"
    "  --connections N\n"
    "                for readers add: most sessions at once (2 for a new role); such roles have\n"
    "                at most 32 together\n"
    "  --password-file FILE\n"
    "                for readers add: the password is the first line of FILE; without it a new\n"
    "                role gets one made for it, which is printed this once\n";

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

/* The words behind `db` make sense; otherwise the message is printed. */
static bool check_words(const char *const words[3], size_t count)
{
    static const char *const verbs[] = {"start",   "stop",   "status", "url",
                                        "readers", "listen", NULL};
    size_t most = strcmp(words[0], "readers") == 0  ? (db_readers_verb(words[1]) ? 3 : 2)
                  : strcmp(words[0], "listen") == 0 ? 2
                                                    : 1;

    for (int i = 0; count > 0 && verbs[i] != NULL; i++) {
        if (strcmp(words[0], verbs[i]) != 0)
            continue;
        if (strcmp(words[0], "readers") == 0 && strcmp(words[1], "allow") != 0 &&
            strcmp(words[1], "deny") != 0 && !db_readers_verb(words[1]))
            cli_usage("db", "readers: allow, deny, add, remove or list");
        else if (count > most)
            cli_usage("db", "unexpected word \"%.80s\"", words[most]);
        else
            return true;
        return false;
    }
    cli_usage("db", count == 0 ? "what to do is missing" : "cannot \"%.40s\"", words[0]);
    return false;
}

static int run(int argc, char **argv)
{
    const char *data = CLUSTER_DIRECTORY_DEFAULT, *role = "reader", *words[3] = {"", "", ""};
    struct db_readers_options person = {.name = ""};
    const struct cli_option options[] = {
        {.name = "--data", .value = &data},
        {.name = "--role", .value = &role},
        {.name = "--connections", .value = &person.connections},
        {.name = "--password-file", .value = &person.password_file},
        {NULL}};
    struct tm_error e;
    struct cluster c;
    size_t count;

    if (!cli_options(argc, argv, options, words, 3, &count) || !check_words(words, count))
        return CLI_USAGE;
    if (!cluster_role_known(role))
        return cli_usage("db", "there is no role \"%.40s\"", role);
    if ((person.connections != NULL || person.password_file != NULL) &&
        strcmp(words[1], "add") != 0)
        return cli_usage("db", "--connections and --password-file are for readers add");
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
    if (strcmp(words[0], "listen") == 0)
        return network(&c, words[1], &e);
    if (db_readers_verb(words[1])) {
        person.name = words[2];
        return db_readers_run(&c, words[1], &person);
    }
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
