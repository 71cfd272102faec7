/* tidemark replica: a streaming replica of a node, the place for analysts. */
#include <inttypes.h>
#include <stdio.h>

#include "cli.h"
#include "node/shell/cluster/database.h"
#include "node/shell/replica/replica.h"

static const char NAME[] = "replica";

static const struct cli_topic TOPICS[] = {
    {"create --from DIR|URL --data DIR",
     "copy a running node's database, follow it, and check that the roots agree;\n"
     "the replica stays running until `tidemark db stop --data DIR`\n"},
    {"status --data DIR",
     "how far behind it is in heights, bytes and seconds of block time; exit code 1\n"
     "when it does not stream\n"},
    {"check --data DIR [--height H]",
     "recompute all trees at a height (default: its last) from the replica's rows and\n"
     "compare them with the node's header\n"},
    {"remove --data DIR [--force]",
     "stop it, give its replication slot back and remove its files; with --force also\n"
     "when the node cannot be reached\n"},
};

static const char help[] =
    "A replica is a copy of a node's database that follows it and takes no writes. `tidemark db\n"
    "start|stop`, `psql`, `query` and `verify` work on it with --data; readers may log in.\n";

static const char options_text[] =
    "  --from DIR|URL  the node's directory; or a libpq URL of its database, with a role that may\n"
    "                  replicate and read\n"
    "  --data DIR      directory of the replica (needed)\n"
    "  --height H      a height that both have\n";

static const struct cli_topic *topic(size_t i)
{
    return i < sizeof TOPICS / sizeof TOPICS[0] ? &TOPICS[i] : NULL;
}

/* Connections to both; the replica has to run. */
static enum tm_err connect_both(const struct replica *r, PGconn **primary, PGconn **replica,
                                struct tm_error *e)
{
    struct arena a;
    enum tm_err err;

    *primary = *replica = NULL;
    if (!replica_follows(r))
        return tm_fail(e, TM_ERR_CONFIG,
                       "%s was promoted: it is a database of its own and follows no other",
                       r->cluster.directory);
    if (!cluster_running(&r->cluster, NULL))
        return tm_fail(e, TM_ERR_IO, "the replica does not run: tidemark db start --data %s",
                       r->cluster.directory);
    err = replica_primary(r, primary, e);
    arena_init(&a);
    if (err == TM_OK)
        err = database_connect(cluster_url(&r->cluster, &a, NULL), replica, e);
    arena_free(&a);
    return err;
}

static enum tm_err check_roots(const struct replica *r, const char *height_text, struct tm_error *e)
{
    struct replica_state state = {0};
    PGconn *primary, *replica;
    int64_t height = 0;
    enum tm_err err;

    if (height_text != NULL && !cli_integer(height_text, 0, INT64_MAX, &height))
        return tm_fail(e, TM_ERR_USAGE, "--height %.40s is no height", height_text);
    err = connect_both(r, &primary, &replica, e);
    if (err == TM_OK)
        err = replica_state_read(primary, replica, &state, e);
    if (err == TM_OK && height_text == NULL)
        height = state.height < state.primary_height ? state.height : state.primary_height;
    if (err == TM_OK)
        err = replica_check_roots(primary, replica, height, e);
    PQfinish(primary);
    PQfinish(replica);
    if (err == TM_OK)
        printf("height %" PRId64 ": ten roots recomputed, equal to the node's header\n", height);
    return err;
}

static enum tm_err create(struct replica *r, const char *from, const char *data, struct tm_error *e)
{
    enum tm_err err = replica_create(r, from, data, e);

    if (err != TM_OK)
        return err;
    printf("replica of %s in %s, slot %s\n", r->from, r->cluster.directory, r->slot);
    fflush(stdout);
    return check_roots(r, NULL, e);
}

static enum tm_err status(const struct replica *r, struct tm_error *e)
{
    struct replica_state s = {0};
    PGconn *primary, *replica;
    enum tm_err err;

    printf("replica of   %s\nslot         %s\n", r->from, r->slot);
    fflush(stdout);
    err = connect_both(r, &primary, &replica, e);
    if (err == TM_OK)
        err = replica_state_read(primary, replica, &s, e);
    PQfinish(primary);
    PQfinish(replica);
    if (err != TM_OK)
        return err;
    printf("streaming    %s\n"
           "height       %" PRId64 " of %" PRId64 "\n"
           "behind       %" PRId64 " heights, %" PRId64 " bytes of log, %.1f s of block time\n",
           strcmp(s.status, "streaming") == 0 ? "yes" : "no", s.height, s.primary_height,
           s.primary_height > s.height ? s.primary_height - s.height : 0, s.bytes_behind,
           s.seconds_behind);
    fflush(stdout);
    if (strcmp(s.status, "streaming") != 0)
        return tm_fail(e, TM_ERR_IO,
                       "it does not stream; why stands in %.200s. Where the node no longer has the "
                       "log it needs (ops.replica: lost), remove it and create it again",
                       r->cluster.log);
    return TM_OK;
}

static enum tm_err discard(struct replica *r, bool force, struct tm_error *e)
{
    bool slot_left;
    enum tm_err err = replica_remove(r, force, &slot_left, e);

    if (err != TM_OK)
        return err;
    printf("replica in %s removed\n", r->cluster.directory);
    if (slot_left)
        printf("its slot stays on the node; there, as a superuser:\n"
               "  SELECT pg_drop_replication_slot('%s');\n",
               r->slot);
    return TM_OK;
}

static int run(int argc, char **argv)
{
    const char *data = NULL, *from = NULL, *height = NULL, *words[1] = {""};
    bool force = false;
    const struct cli_option options[] = {{.name = "--data", .value = &data},
                                         {.name = "--from", .value = &from},
                                         {.name = "--height", .value = &height},
                                         {.name = "--force", .flag = &force},
                                         {NULL}};
    struct replica r;
    struct tm_error e;
    enum tm_err err;
    size_t count;
    bool creates;

    if (!cli_options(argc, argv, options, words, 1, &count))
        return CLI_USAGE;
    creates = strcmp(words[0], "create") == 0;
    if (!creates && strcmp(words[0], "status") != 0 && strcmp(words[0], "check") != 0 &&
        strcmp(words[0], "remove") != 0)
        return cli_usage(NAME, count == 0 ? "what to do is missing" : "cannot \"%.40s\"", words[0]);
    if (data == NULL)
        return cli_usage(NAME, "--data DIR is missing: the replica's directory");
    if (creates != (from != NULL))
        return cli_usage(NAME,
                         creates ? "--from DIR|URL is missing: the node" : "--from is for create");
    if ((height != NULL && strcmp(words[0], "check") != 0) ||
        (force && strcmp(words[0], "remove") != 0))
        return cli_usage(NAME, "%s does not belong to %s", force ? "--force" : "--height",
                         words[0]);
    if (creates) {
        err = create(&r, from, data, &e);
    } else {
        err = replica_find(&r, data, &e);
        if (err == TM_OK && strcmp(words[0], "status") == 0)
            err = status(&r, &e);
        else if (err == TM_OK && strcmp(words[0], "check") == 0)
            err = check_roots(&r, height, &e);
        else if (err == TM_OK)
            err = discard(&r, force, &e);
    }
    return err == TM_OK ? CLI_DONE : cli_fail(NAME, &e);
}

const struct cli_command cli_replica_command = {
    .name = NAME,
    .summary = "make and watch a streaming replica of a node",
    .help = help,
    .run = run,
    .topic = topic,
    .options = options_text,
};
