/*
 * The vote guard in the database. Needs PGHOST, PGUSER (a superuser) and PGDATABASE with the schema
 * and no chain (tests/e2e/store_test.sh); without PGHOST it is tested that one is missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store_guard.h"
#include "store_pg.h"

/* A node with a guard file of its own. */
struct node {
    char directory[40];
    struct guard_file file;
    uint64_t row;
};

static PGconn *conn;
static struct store_pg *pg;
static struct arena arena;

static void start(struct node *n)
{
    struct guard_content found;
    struct tm_error e = {0};
    bool any;

    *n = (struct node){.directory = "/tmp/store-guard-test-XXXXXX"};
    assert_non_null(mkdtemp(n->directory));
    if (guard_file_open(&n->file, n->directory, &arena, &any, &found, &e) != TM_OK)
        fail_msg("%s", e.text);
}

static void stop(struct node *n)
{
    char path[80];

    guard_file_close(&n->file);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/vote_guard.%d", n->directory, i);
        unlink(path);
    }
    rmdir(n->directory);
}

static enum tm_err persist(struct node *n, uint64_t height, uint8_t block)
{
    const struct hash32 hash = {{block}};
    struct guard_record record = {
        .height = height, .step = STEP_COMMIT, .header_hash = hash, .sequence = height};
    const struct guard_content all = {.records = &record, .count = 1};
    const bool marked = true;
    struct tm_error e = {0};

    return store_guard_persist(pg, &n->file, &all, &marked, &n->row, height, 0, &hash,
                               bytes_make(&block, 1), &e);
}

/* The bodies that may be signed after a restart. */
static void assert_bodies(const char *expected)
{
    PGresult *r = PQexec(conn, "SELECT string_agg(height || ':' || get_byte(body, 0), ' '"
                               " ORDER BY height, body) FROM ledger.proposal");

    assert_string_equal(PQgetvalue(r, 0, 0), expected);
    PQclear(r);
}

static int forget(void **state)
{
    (void)state;
    PQclear(PQexec(conn, "DELETE FROM ledger.vote_guard; DELETE FROM ledger.proposal"));
    return 0;
}

static void the_later_of_two_nodes_does_not_sign(void **state)
{
    struct node first, second;

    (void)state;
    start(&first);
    start(&second);
    assert_int_equal(persist(&first, 1, 11), TM_OK);
    assert_int_equal(first.row, 1);
    assert_int_equal(persist(&second, 1, 12), TM_ERR_CONFIG);
    assert_int_equal(persist(&second, 2, 12), TM_ERR_CONFIG);
    assert_int_equal(second.row, 0);
    assert_int_equal(persist(&first, 2, 21), TM_OK);
    assert_bodies("1:11 2:21");
    /* One that starts now knows the row as it is; then it is the other's turn to stop. */
    second.row = 2;
    assert_int_equal(persist(&second, 3, 32), TM_OK);
    assert_int_equal(persist(&first, 3, 31), TM_ERR_CONFIG);
    assert_bodies("1:11 2:21 3:32");
    stop(&first);
    stop(&second);
}

static void a_lost_answer_is_asked_for_again(void **state)
{
    struct node n;

    (void)state;
    start(&n);
    assert_int_equal(persist(&n, 1, 11), TM_OK);
    n.row = 0;
    assert_int_equal(persist(&n, 1, 11), TM_OK);
    assert_int_equal(n.row, 1);
    assert_bodies("1:11");
    stop(&n);
}

static void the_rows_come_back(void **state)
{
    struct guard_content rows;
    struct tm_error e = {0};
    struct bytes body;
    struct node n;

    (void)state;
    start(&n);
    assert_int_equal(persist(&n, 5, 51), TM_OK);
    assert_int_equal(store_guard_read(pg, &arena, &rows, &e), TM_OK);
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.records[0].height, 5);
    assert_int_equal(rows.records[0].sequence, 5);
    assert_int_equal(rows.records[0].step, STEP_COMMIT);
    assert_int_equal(store_guard_body(pg, &arena, 5, &rows.records[0].header_hash, &body, &e),
                     TM_OK);
    assert_int_equal(body.size, 1);
    assert_int_equal(body.data[0], 51);
    assert_int_equal(store_guard_body(pg, &arena, 6, &rows.records[0].header_hash, &body, &e),
                     TM_ERR_NOT_FOUND);
    stop(&n);
}

static int open_database(void **state)
{
    struct tm_error e = {0};

    (void)state;
    arena_init(&arena);
    conn = PQconnectdb("");
    if (PQstatus(conn) == CONNECTION_OK && store_open(conn, &pg, &e) == TM_OK)
        return 0;
    fprintf(stderr, "%s%s\n", PQerrorMessage(conn), e.text);
    return -1;
}

static int close_database(void **state)
{
    (void)state;
    store_close(pg);
    PQfinish(conn);
    arena_free(&arena);
    return 0;
}

/* The file alone is not enough, and is ahead of the row at the next try. */
static void without_a_server_nothing_may_be_signed(void **state)
{
    struct store_pg unreachable = {.conn = PQconnectdb("host=/nowhere"), .at = HEIGHT_NONE};
    struct node n;

    (void)state;
    arena_init(&arena);
    pg = &unreachable;
    start(&n);
    assert_int_equal(persist(&n, 1, 11), TM_ERR_IO);
    assert_int_equal(n.row, 0);
    assert_int_equal(n.file.generation, 1);
    stop(&n);
    PQfinish(unreachable.conn);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_later_of_two_nodes_does_not_sign, forget),
        cmocka_unit_test_setup(a_lost_answer_is_asked_for_again, forget),
        cmocka_unit_test_setup(the_rows_come_back, forget),
    };
    const struct CMUnitTest none[] = {cmocka_unit_test(without_a_server_nothing_may_be_signed)};

    if (getenv("PGHOST") == NULL)
        return cmocka_run_group_tests(none, NULL, NULL);
    return cmocka_run_group_tests(tests, open_database, close_database);
}
