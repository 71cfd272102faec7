#include "query.h"

#include "chain_options.h"
#include "node/shell/cluster/database.h"
#include "node/shell/store/migrations.h"
#include "protocol/base/hex.h"
#include "query_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

enum {
    PER_PAGE_MAX = 1000, /* rpc.md 1.3 */
    NUMBER_MAX = 24,     /* decimal text of an int64_t */
    SUBJECT_MAX = 80,    /* of an argument, in a message */
    INT8_OID = 20,       /* PostgreSQL's numbers for types */
    TEXT_OID = 25,
    BYTEA_OID = 17
};

static const char help[] = "Asks the node's database and prints the answer as JSON: on a terminal "
                           "in lines, else in one.\n"
                           "Amounts are in upokt; a page of a list has its number and how many "
                           "there are.\n";

static const char options_text[] =
    "  --height H     the state after block H (0, or none: the tip)\n"
    "  --page N       page of a list, from 1 (default 1)\n"
    "  --per_page N   items on a page, up to 1000 (default 1000)\n"
    "  --sort ORDER   asc or desc\n"
    "  --pretty       in lines, wherever it goes\n"
    "\n" CHAIN_OPTIONS_TEXT;

struct query_options {
    struct chain_options chain;
    const char *height, *page, *per_page, *sort;
    bool pretty;
};

/* What was asked, as parameters of the SQL. */
struct request {
    const struct query *query;
    const char *name;               /* of the command, for messages */
    const char *subject;            /* first argument, or NULL */
    int64_t height, page, per_page; /* height 0: the tip */
    const char *values[QUERY_PARAMETERS];
    Oid types[QUERY_PARAMETERS];
};

static bool read_number(const char *name, const char *option, const char *text, int64_t min,
                        int64_t max, int64_t *out)
{
    if (text == NULL || cli_integer(text, min, max, out))
        return true;
    cli_usage(name, "%s is a number from %" PRId64 " to %" PRId64 ", not \"%.40s\"", option, min,
              max, text);
    return false;
}

static bool read_arguments(struct arena *a, struct request *r, const char *const *words,
                           size_t count)
{
    for (size_t i = 0; i < QUERY_ARGUMENTS_MAX; i++) {
        enum query_argument kind = r->query->arguments[i];
        size_t digits =
            kind == ARGUMENT_ADDRESS ? 2 * sizeof(struct address) : 2 * sizeof(struct hash32);
        uint8_t bytes[sizeof(struct hash32)];

        r->types[i] = kind == ARGUMENT_ADDRESS || kind == ARGUMENT_HASH ? BYTEA_OID : TEXT_OID;
        if (i >= count)
            continue;
        r->values[i] = words[i];
        if (r->types[i] == TEXT_OID)
            continue;
        if (strlen(words[i]) != digits || !hex_decode(bytes_of(words[i]), bytes)) {
            cli_usage(r->name, "\"%.80s\" is not %s (%zu hexadecimal characters)", words[i],
                      kind == ARGUMENT_ADDRESS ? "an address" : "a hash", digits);
            return false;
        }
        r->values[i] = arena_format(a, "\\x%s", words[i]);
    }
    return true;
}

static bool read_request(struct arena *a, const struct query_options *o, struct request *r)
{
    const char *sort = o->sort != NULL ? o->sort : r->query->sort;

    r->page = 1;
    r->per_page = PER_PAGE_MAX;
    if (!read_number(r->name, "--height", o->height, 0, INT64_MAX, &r->height) ||
        !read_number(r->name, "--page", o->page, 1, INT64_MAX / PER_PAGE_MAX, &r->page) ||
        !read_number(r->name, "--per_page", o->per_page, 1, PER_PAGE_MAX, &r->per_page))
        return false;
    if (sort != NULL && strcasecmp(sort, "asc") != 0 && strcasecmp(sort, "desc") != 0) {
        cli_usage(r->name, "--sort is asc or desc, not \"%.40s\"", sort);
        return false;
    }
    for (size_t i = QUERY_ARGUMENTS_MAX; i < QUERY_PARAMETERS; i++)
        r->types[i] = INT8_OID;
    if (r->height != 0)
        r->values[PARAMETER_HEIGHT] = arena_format(a, "%" PRId64, r->height);
    r->values[PARAMETER_LIMIT] = arena_format(a, "%" PRId64, r->per_page);
    r->values[PARAMETER_OFFSET] = arena_format(a, "%" PRId64, (r->page - 1) * r->per_page);
    r->values[PARAMETER_DIRECTION] = sort != NULL && strcasecmp(sort, "asc") == 0 ? "1" : "-1";
    return true;
}

static enum tm_err not_found(const struct request *r, struct tm_error *e)
{
    char subject[SUBJECT_MAX + 8] = "", height[NUMBER_MAX + 16] = "";

    if (r->subject != NULL)
        snprintf(subject, sizeof subject, " \"%.*s\"", SUBJECT_MAX, r->subject);
    if (r->height != 0)
        snprintf(height, sizeof height, " at height %" PRId64, r->height);
    return tm_fail(e, TM_ERR_NOT_FOUND, "there is no %s%s%s", r->query->thing, subject, height);
}

/* The SQL of an answer: one row, its last column the JSON; of a page the first is the number of all
 * rows, whose columns are made for those of the page alone. */
static const char *answer_sql(struct arena *a, const struct query *q)
{
    switch (q->answer) {
    case ANSWER_ONE:
        return arena_format(a, "SELECT row_to_json(x) FROM (%s) x", q->sql);
    case ANSWER_ALL:
        return arena_format(a, "SELECT coalesce(json_agg(x), '[]') FROM (%s) x", q->sql);
    case ANSWER_PAGE:
        return arena_format(a,
                            "WITH source AS NOT MATERIALIZED (%s)"
                            " SELECT (SELECT count(*) FROM source), (SELECT json_agg(x) FROM"
                            " (SELECT * FROM source ORDER BY %s LIMIT $5 OFFSET $6) x)",
                            q->sql, q->order);
    }
    return NULL;
}

static enum tm_err complete(const struct query *q, json_t *found, struct tm_error *e)
{
    enum tm_err err = TM_OK;
    json_t *item;
    size_t i;

    if (q->complete == NULL)
        return TM_OK;
    if (json_is_object(found))
        return q->complete(found, e);
    json_array_foreach(found, i, item) if (err == TM_OK) err = q->complete(item, e);
    return err;
}

/* rpc.md 1.3: of nothing at all, every page is page 0 and null. */
static enum tm_err make_page(const struct request *r, int64_t total, json_t *items, json_t **out,
                             struct tm_error *e)
{
    int64_t pages = (total + r->per_page - 1) / r->per_page;

    if (total > 0 && r->page > pages)
        return tm_fail(e, TM_ERR_NOT_FOUND, "there is no page %" PRId64 ", the last is %" PRId64,
                       r->page, pages);
    *out = json_pack("{s:O, s:I, s:I}", r->query->list, items, "page",
                     (json_int_t)(total > 0 ? r->page : 0), "total_pages", (json_int_t)pages);
    if (r->query->total != NULL)
        json_object_set_new(*out, r->query->total, json_integer(total));
    return TM_OK;
}

static enum tm_err read_answer(const struct request *r, const PGresult *result, json_t **out,
                               struct tm_error *e)
{
    int column = PQnfields(result) - 1;
    json_t *found = json_null();
    json_error_t at;
    enum tm_err err;

    if (PQntuples(result) == 0)
        return not_found(r, e);
    if (!PQgetisnull(result, 0, column))
        found = json_loadb(PQgetvalue(result, 0, column), (size_t)PQgetlength(result, 0, column), 0,
                           &at);
    if (found == NULL)
        return tm_fail(e, TM_ERR_MALFORMED, "the database's answer is no JSON: %s", at.text);
    err = complete(r->query, found, e);
    if (err == TM_OK && r->query->answer == ANSWER_PAGE)
        err = make_page(r, strtoimax(PQgetvalue(result, 0, 0), NULL, 10), found, out, e);
    else if (err == TM_OK)
        *out = json_incref(found);
    json_decref(found);
    return err;
}

static enum tm_err ask(PGconn *conn, const struct request *r, json_t **out, struct tm_error *e)
{
    PGresult *result = NULL;
    struct arena a;
    enum tm_err err = migrations_check(conn, e);

    /* names without a schema are the server's own, whatever the database is set to */
    if (err == TM_OK)
        err = database_execute(conn, "SET search_path = pg_catalog, pg_temp", e);
    if (err != TM_OK)
        return err;
    arena_init(&a);
    result = PQexecParams(conn, answer_sql(&a, r->query), QUERY_PARAMETERS, r->types, r->values,
                          NULL, NULL, 0);
    arena_free(&a);
    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        err = read_answer(r, result, out, e);
    else
        err = database_fail(conn, result, "no answer", e);
    PQclear(result);
    return err;
}

/* Escaped to ASCII: texts of the chain are anybody's, and a terminal obeys some characters. */
static void print_answer(const json_t *answer, bool pretty)
{
    json_dumpf(answer, stdout,
               JSON_SORT_KEYS | JSON_ENSURE_ASCII | (pretty ? JSON_INDENT(2) : JSON_COMPACT));
    putchar('\n');
}

static int answer(const struct query_options *o, const struct request *r)
{
    PGconn *conn = chain_connect(r->name, &o->chain, "reader");
    json_t *document = NULL;
    struct tm_error e;
    enum tm_err err;

    if (conn == NULL)
        return CLI_REFUSED;
    err = ask(conn, r, &document, &e);
    chain_disconnect(conn);
    if (err == TM_OK)
        print_answer(document, o->pretty || isatty(STDOUT_FILENO));
    json_decref(document);
    return err == TM_OK ? CLI_DONE : cli_fail(r->name, &e);
}

static int run_query(const struct query *q, int argc, char **argv)
{
    struct query_options o = {0};
    struct cli_option options[8] = {CHAIN_OPTION_ROWS(o.chain),
                                    {.name = "--pretty", .flag = &o.pretty}};
    struct request r = {.query = q, .name = argv[0]};
    const char *words[QUERY_ARGUMENTS_MAX];
    size_t n = 3, most = 0, count;
    struct arena a;
    int status = CLI_USAGE;

    if (q->at_height)
        options[n++] = (struct cli_option){.name = "--height", .value = &o.height};
    if (q->answer == ANSWER_PAGE) {
        options[n++] = (struct cli_option){.name = "--page", .value = &o.page};
        options[n++] = (struct cli_option){.name = "--per_page", .value = &o.per_page};
    }
    if (q->sort != NULL)
        options[n++] = (struct cli_option){.name = "--sort", .value = &o.sort};
    while (most < QUERY_ARGUMENTS_MAX && q->arguments[most] != ARGUMENT_NONE)
        most++;
    if (!cli_options(argc, argv, options, words, most, &count))
        return CLI_USAGE;
    if (count < q->required)
        return cli_usage(r.name, "%zu argument%s missing", q->required - count,
                         q->required - count == 1 ? " is" : "s are");
    r.subject = count > 0 ? words[0] : NULL;
    arena_init(&a);
    if (read_arguments(&a, &r, words, count) && read_request(&a, &o, &r))
        status = answer(&o, &r);
    arena_free(&a);
    return status;
}

static int run(int argc, char **argv)
{
    char name[64];
    const struct query *q;

    if (argc < 2)
        return cli_usage("query", "what to ask is missing");
    q = query_find(argv[1]);
    if (q == NULL)
        return cli_usage("query", "cannot \"%.40s\"", argv[1]);
    snprintf(name, sizeof name, "query %s", argv[1]);
    argv[1] = name; /* what messages call the command */
    return run_query(q, argc - 1, argv + 1);
}

static const struct cli_topic *topic(size_t i)
{
    const struct query *q = query_at(i);

    return q != NULL ? &q->topic : NULL;
}

const struct cli_command cli_query_command = {
    .name = "query",
    .summary = "what stands in the chain and its state, as JSON",
    .help = help,
    .run = run,
    .topic = topic,
    .options = options_text,
};
