/*
 * The PostgreSQL store against a real server. Needs PGHOST, PGUSER (a superuser) and PGDATABASE
 * with the schema and no chain (tests/e2e/store_test.sh); without PGHOST the tests are skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "node/demo/traffic.h"
#include "node/executor/test_chain.h"
#include "node/recorded/recorded_block.h"
#include "protocol/base/hex.h"
#include "statements.h"
#include "store.h"
#include "node/shell/system/workers.h"

static const char LOCALNET[] = "tests/vectors/localnet/genesis.json";
static const char CHAIN_A[] = "tests/vectors/chain-a/genesis.json";

static void ignore_notice(void *ctx, const PGresult *r)
{
    (void)ctx;
    (void)r;
}

static PGconn *connect_to(const char *database)
{
    char text[200];
    PGconn *conn;

    snprintf(text, sizeof text, "dbname=%s", database);
    conn = PQconnectdb(text);
    if (PQstatus(conn) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(conn));
    PQsetNoticeReceiver(conn, ignore_notice, NULL);
    return conn;
}

static void run(PGconn *conn, const char *sql)
{
    PGresult *r = PQexec(conn, sql);

    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    PQclear(r);
}

/* The first column of the first row. */
static void ask(PGconn *conn, const char *sql, char *out, size_t room)
{
    PGresult *r = PQexec(conn, sql);

    if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) < 1)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    snprintf(out, room, "%s", PQgetvalue(r, 0, 0));
    PQclear(r);
}

/* A fresh copy of the prepared database with a genesis in it. */
struct chain {
    PGconn *conn, *other; /* the store's and the test's own */
    struct store_pg *pg;
    struct store store;
    struct executor *x;
    struct private_key keys[TEST_VALIDATORS];
    struct traffic traffic;
    struct arena arena;
};

static void open_store(struct chain *c, const struct executor_options *options)
{
    struct tm_error e = {0};

    if (store_open(c->conn, &c->pg, &e) != TM_OK)
        fail_msg("%s", e.text);
    c->store = store_of(c->pg);
    if (executor_open(&c->x, &c->store, NULL, options, &e) != TM_OK)
        fail_msg("%s", e.text);
}

static void close_store(struct chain *c)
{
    executor_close(c->x);
    store_close(c->pg);
}

static void chain_open(struct chain *c, const char *genesis_path, const struct rules *rules,
                       const struct executor_options *options)
{
    static unsigned number;
    char sql[200], name[64];
    struct genesis genesis;
    struct hash32 state_hash;
    struct bytes file;
    struct tm_error e = {0};
    PGconn *admin = connect_to("postgres");

    arena_init(&c->arena);
    snprintf(name, sizeof name, "store_test_%u", ++number);
    snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s WITH (FORCE)", name);
    run(admin, sql);
    snprintf(sql, sizeof sql, "CREATE DATABASE %s TEMPLATE %s", name, getenv("PGDATABASE"));
    run(admin, sql);
    PQfinish(admin);
    c->conn = connect_to(name);
    c->other = connect_to(name);
    file = test_file(&c->arena, genesis_path);
    if (genesis_load(&c->arena, file, rules, &genesis, &e) != TM_OK ||
        store_load_genesis(c->conn, &genesis, file, &state_hash, &e) != TM_OK)
        fail_msg("%s", e.text);
    assert_int_equal(store_load_genesis(c->conn, &genesis, file, &state_hash, &e), TM_ERR_EXISTS);
    test_validators(c->keys);
    traffic_init(&c->traffic, 7, 1, TRAFFIC_FUND_OWNER, c->keys, TEST_VALIDATORS);
    open_store(c, options);
}

static void chain_close(struct chain *c)
{
    char name[64], sql[200];
    PGconn *admin = connect_to("postgres");

    close_store(c);
    snprintf(name, sizeof name, "%s", PQdb(c->conn));
    PQfinish(c->conn);
    PQfinish(c->other);
    snprintf(sql, sizeof sql, "DROP DATABASE %s WITH (FORCE)", name);
    run(admin, sql);
    PQfinish(admin);
    arena_free(&c->arena);
}

static const struct executor_proposal *propose_these(struct chain *c, int64_t second,
                                                     const struct bytes *raw, size_t count)
{
    struct executor_candidate *candidates =
        arena_array(&c->arena, struct executor_candidate, count);
    const struct executor_proposal *p;
    struct tm_error e = {0};

    if (test_propose(c->x, &c->arena, second, raw, count, candidates, &p, &e) != TM_OK)
        fail_msg("%s", e.text);
    return p;
}

static const struct executor_proposal *propose(struct chain *c, int64_t second)
{
    struct bytes raw[TRAFFIC_BATCH_MAX];

    return propose_these(c, second, raw, traffic_next(&c->traffic, &c->arena, raw));
}

/* Sets (value) or prunes (NULL) an IBC entry. */
static struct bytes ibc(struct chain *c, const char *key, const char *value, unsigned nonce)
{
    struct public_key public = ed25519_public(&c->keys[0]);
    struct address signer = address_of_key(&public);
    struct message m = {.kind = value != NULL ? MESSAGE_UPDATE_IBC_STORE : MESSAGE_PRUNE_IBC_STORE,
                        .signer = bytes_address(&signer),
                        .key = bytes_of(key),
                        .value = bytes_of(value != NULL ? value : "")};

    return transaction_sign(&c->arena, &m, bytes_of(arena_format(&c->arena, "ibc %u", nonce)),
                            &c->keys[0]);
}

static enum tm_err decide(struct chain *c, const struct executor_proposal *p, struct tm_error *e)
{
    struct hash32 key = p->key;

    return executor_decide(c->x, &key,
                           test_certificate(&c->arena, p, 0, c->keys, TEST_VALIDATORS - 1), e);
}

static height_t stored_tip(struct chain *c)
{
    char text[32];

    ask(c->other, "SELECT height FROM ledger.tip", text, sizeof text);
    return strtoll(text, NULL, 10);
}

static double seconds_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void replays_the_recorded_chain(void **state)
{
    static const struct executor_options options[] = {
        {.tree_memory = 1, .cache_memory = 1, .batch = 1}, {.batch = 7}, {.batch = 100}};

    (void)state;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct chain c;
        struct executor_difference d;
        struct tm_error e = {0};
        char *line, text[65] = {0};
        double start;

        chain_open(&c, CHAIN_A, &RULES_REFERENCE, &options[i]);
        line = arena_text(&c.arena, test_file(&c.arena, "tests/vectors/chain-a/blocks.jsonl"));
        start = seconds_now();
        while (*line != '\0') {
            size_t size = strcspn(line, "\n");
            struct recorded_block b;

            assert_int_equal(recorded_block_parse(&c.arena, bytes_make(line, size), &b, &e), TM_OK);
            if (b.height > 0 && executor_replay(c.x, b.raw, &c.arena, &d, &e) != TM_OK)
                fail_msg("%s", e.text);
            line += size + (line[size] == '\n');
        }
        if (executor_flush(c.x, &e) != TM_OK)
            fail_msg("%s", e.text);
        print_message("59 blocks, batch %u: %.0f blocks/s\n", options[i].batch,
                      59 / (seconds_now() - start));
        assert_int_equal(stored_tip(&c), 59);
        ask(c.other, "SELECT encode(state_hash, 'hex') FROM ledger.tip", text, sizeof text);
        assert_string_equal(text,
                            "eb30e9853402b94ea874844db8df8a6ad2c5d7bbfa8cd2fe6213b6f5998844a5");
        ask(c.other, "SELECT bool_and(ok) FROM generate_series(0, 59) h, tidemark.verify_state(h)",
            text, sizeof text);
        assert_string_equal(text, "t");
        /* What is read back is what was recorded. */
        for (height_t h = 1; h <= 59; h++) {
            struct block b;

            assert_int_equal(c.store.block(c.store.ctx, &c.arena, h, &b, &e), TM_OK);
            assert_true(b.header.has_tree_roots);
        }
        chain_close(&c);
    }
}

static void grows_with_restarts(void **state)
{
    struct executor_options small = {.tree_memory = 1, .cache_memory = 1};
    struct chain c;
    struct store_memory *memory = test_store(LOCALNET, NULL);
    struct store other_store = store_memory_store(memory);
    struct executor *other;
    struct tm_error e = {0};
    char text[65] = {0};

    (void)state;
    assert_int_equal(executor_open(&other, &other_store, NULL, NULL, &e), TM_OK);
    chain_open(&c, LOCALNET, NULL, &small);
    for (int h = 1; h <= 40; h++) {
        struct executor_difference d;
        struct block b;

        if (decide(&c, propose(&c, 1800000000 + h), &e) != TM_OK)
            fail_msg("height %d: %s", h, e.text);
        assert_int_equal(c.store.block(c.store.ctx, &c.arena, h, &b, &e), TM_OK);
        /* Block by block the same as on the store in memory. */
        if (executor_replay(other, block_encode(&c.arena, &b), &c.arena, &d, &e) != TM_OK)
            fail_msg("height %d: %s", h, e.text);
        if (h % 10 == 0) {
            close_store(&c);
            open_store(&c, h % 20 == 0 ? &small : NULL);
        }
    }
    ask(c.other, "SELECT bool_and(ok) FROM generate_series(0, 40) h, tidemark.verify_state(h)",
        text, sizeof text);
    assert_string_equal(text, "t");
    ask(c.other, "SELECT count(*) FROM ledger.account_history", text, sizeof text);
    assert_true(strtol(text, NULL, 10) > 0);
    chain_close(&c);
    executor_close(other);
    store_memory_free(memory);
}

/* Every row of every ledger table that a block writes, as one digest. */
static void fingerprint(struct chain *c, char *out, size_t room)
{
    static const char *const tables[] = {"account",
                                         "application",
                                         "block",
                                         "change",
                                         "fisherman",
                                         "flag",
                                         "ibc_entry",
                                         "param",
                                         "pool",
                                         "servicer",
                                         "tip",
                                         "transaction",
                                         "tree_node",
                                         "validator",
                                         "account_history",
                                         "application_history",
                                         "fisherman_history",
                                         "ibc_entry_history",
                                         "param_history",
                                         "pool_history",
                                         "servicer_history",
                                         "tree_node_history"};
    size_t used = 0;

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char sql[200], digest[40];

        snprintf(sql, sizeof sql,
                 "SELECT left(coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '-'), 8)"
                 " FROM ledger.%s t",
                 tables[i]);
        ask(c->other, sql, digest, sizeof digest);
        used += (size_t)snprintf(out + used, room - used, "%s=%s ", tables[i], digest);
    }
}

enum { BATCHED = 82 };

/* Blocks written one by one or many at once leave the same rows, however often a key changed. */
static void batches_leave_the_same_rows(void **state)
{
    static const unsigned batches[] = {1, 5, BATCHED};
    struct chain c, source = {0};
    struct store_memory *memory = test_store(LOCALNET, NULL);
    struct tm_error e = {0};
    char first[1000], text[1000];

    (void)state;
    arena_init(&source.arena);
    source.store = store_memory_store(memory);
    assert_int_equal(executor_open(&source.x, &source.store, NULL, NULL, &e), TM_OK);
    test_validators(source.keys);
    traffic_init(&source.traffic, 3, 1, TRAFFIC_FUND_OWNER, source.keys, TEST_VALIDATORS);
    for (int h = 1; h <= 70; h++)
        if (decide(&source, propose(&source, 1800000000 + h), &e) != TM_OK)
            fail_msg("%s", e.text);
    /* Born and dead, dead and born again, several times within one transaction of the database. */
    for (int h = 71; h <= BATCHED; h++) {
        struct bytes raw[] = {ibc(&source, "a", h % 2 != 0 ? "x" : NULL, (unsigned)h * 2),
                              ibc(&source, "b", h % 3 != 0 ? "y" : NULL, (unsigned)h * 2 + 1)};

        if (decide(&source, propose_these(&source, 1800000000 + h, raw, 2), &e) != TM_OK)
            fail_msg("%s", e.text);
    }
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        struct executor_options options = {.batch = batches[i]};

        chain_open(&c, LOCALNET, NULL, &options);
        for (int h = 1; h <= BATCHED; h++) {
            struct executor_difference d;
            struct block b;

            assert_int_equal(source.store.block(source.store.ctx, &c.arena, h, &b, &e), TM_OK);
            if (executor_replay(c.x, block_encode(&c.arena, &b), &c.arena, &d, &e) != TM_OK)
                fail_msg("batch %u, height %d: %s", batches[i], h, e.text);
        }
        if (executor_flush(c.x, &e) != TM_OK)
            fail_msg("batch %u: %s", batches[i], e.text);
        fingerprint(&c, i == 0 ? first : text, sizeof text);
        if (i > 0)
            assert_string_equal(text, first);
        ask(c.other,
            "SELECT count(*) > 0 FROM ledger.ibc_entry_history h WHERE NOT EXISTS"
            " (SELECT FROM ledger.ibc_entry e WHERE e.path = h.path)",
            text, sizeof text);
        assert_string_equal(text, "t"); /* some were deleted */
        chain_close(&c);
    }
    executor_close(source.x);
    store_memory_free(memory);
    arena_free(&source.arena);
}

static void a_changed_row_is_not_sealed(void **state)
{
    struct chain c;
    struct tm_error e = {0};

    (void)state;
    chain_open(&c, LOCALNET, NULL, NULL);
    run(c.other, "CREATE FUNCTION public.one_more() RETURNS trigger LANGUAGE plpgsql AS $$"
                 "BEGIN NEW.balance := NEW.balance + 1; RETURN NEW; END $$");
    run(c.other, "CREATE TRIGGER t BEFORE INSERT ON ledger.account FOR EACH ROW"
                 " EXECUTE FUNCTION public.one_more()");
    assert_int_equal(decide(&c, propose(&c, 1800000000), &e), TM_ERR_MISMATCH);
    assert_non_null(strstr(e.text, "account"));
    assert_int_equal(stored_tip(&c), 0);
    /* Nothing of it stays, and a start is refused with the reason. */
    close_store(&c);
    assert_int_equal(store_open(c.conn, &c.pg, &e), TM_ERR_CONFIG);
    assert_non_null(strstr(e.text, "trigger t on ledger.account"));
    run(c.other, "DROP TRIGGER t ON ledger.account");
    open_store(&c, NULL);
    assert_int_equal(decide(&c, propose(&c, 1800000000), &e), TM_OK);
    chain_close(&c);
}

static void a_second_writer_is_noticed(void **state)
{
    struct chain c;
    struct tm_error e = {0};

    (void)state;
    chain_open(&c, LOCALNET, NULL, NULL);
    assert_int_equal(decide(&c, propose(&c, 1800000000), &e), TM_OK);
    run(c.other, "UPDATE ledger.tip SET state_hash = sha256('x')");
    assert_int_equal(decide(&c, propose(&c, 1800000001), &e), TM_ERR_MISMATCH);
    assert_non_null(strstr(e.text, "second node"));
    chain_close(&c);
}

static void a_lost_connection_loses_nothing(void **state)
{
    struct chain c;
    struct tm_error e = {0};
    const struct executor_proposal *p;

    (void)state;
    chain_open(&c, LOCALNET, NULL, NULL);
    for (int i = 0; i < 5; i++) {
        p = propose(&c, 1800000000 + i);
        run(c.other, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                     " WHERE datname = current_database() AND pid <> pg_backend_pid()");
        if (decide(&c, p, &e) != TM_OK) {
            assert_int_equal(e.err, TM_ERR_IO);
            assert_int_equal(executor_queued(c.x), 1);
            if (executor_flush(c.x, &e) != TM_OK)
                fail_msg("%s", e.text);
        }
        assert_int_equal(stored_tip(&c), i + 1);
    }
    chain_close(&c);
}

/* The answer to COMMIT is lost: the block is there, writing it again says so. */
static void a_block_that_is_there_is_not_written_twice(void **state)
{
    struct chain c;
    struct tm_error e = {0};
    struct executor *late;

    (void)state;
    chain_open(&c, LOCALNET, NULL, NULL);
    if (executor_open(&late, &c.store, NULL, NULL, &e) != TM_OK)
        fail_msg("%s", e.text);
    {
        const struct executor_proposal *p = propose(&c, 1800000000), *same;
        struct hash32 key;
        struct bytes certificate;

        assert_int_equal(executor_apply(late, p->body, &same, &e), TM_OK);
        key = p->key;
        certificate = test_certificate(&c.arena, p, 0, c.keys, TEST_VALIDATORS);
        assert_int_equal(executor_decide(c.x, &key, certificate, &e), TM_OK);
        if (executor_decide(late, &key, certificate, &e) != TM_OK)
            fail_msg("%s", e.text);
    }
    assert_int_equal(stored_tip(&c), 1);
    executor_close(late);
    chain_close(&c);
}

static void settings_are_asserted(void **state)
{
    static const struct {
        const char *make, *undo, *word;
    } cases[] = {
        {"CREATE RULE r AS ON UPDATE TO ledger.pool DO ALSO NOTHING", "DROP RULE r ON ledger.pool",
         "rule r on ledger.pool"},
        {"CREATE POLICY p ON ledger.param", "DROP POLICY p ON ledger.param", "policy p"},
        {"ALTER TABLE ledger.flag ENABLE ROW LEVEL SECURITY",
         "ALTER TABLE ledger.flag DISABLE ROW LEVEL SECURITY", "row security on ledger.flag"},
        {"CREATE FUNCTION public.f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
         "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION public.f()",
         "DROP EVENT TRIGGER e", "event trigger e"},
    };
    struct chain c;
    struct tm_error e = {0};
    PGconn *wrong;

    (void)state;
    chain_open(&c, LOCALNET, NULL, NULL);
    close_store(&c);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run(c.other, cases[i].make);
        assert_int_equal(store_open(c.conn, &c.pg, &e), TM_ERR_CONFIG);
        if (strstr(e.text, cases[i].word) == NULL)
            fail_msg("%s", e.text);
        run(c.other, cases[i].undo);
    }
    open_store(&c, NULL);
    run(c.other, "DROP DATABASE IF EXISTS store_test_latin WITH (FORCE)");
    run(c.other,
        "CREATE DATABASE store_test_latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    wrong = connect_to("store_test_latin");
    assert_int_equal(store_check(wrong, &e), TM_ERR_CONFIG);
    assert_non_null(strstr(e.text, "UTF8"));
    PQfinish(wrong);
    run(c.other, "DROP DATABASE store_test_latin");
    wrong = connect_to("postgres");
    assert_int_equal(store_check(wrong, &e), TM_ERR_CONFIG);
    assert_non_null(strstr(e.text, "tidemark init"));
    PQfinish(wrong);
    chain_close(&c);
}

/* Needs no server: which statements there are, and that their names do not collide. */
static void every_pair_has_its_statements(void **state)
{
    struct arena a;
    size_t count = 0;

    (void)state;
    arena_init(&a);
    for (int tree = 0; tree <= TREES; tree++) {
        const struct versioned *v = versioned_of((enum tree_id)tree);

        assert_int_equal(v == NULL, tree == TREE_TRANSACTIONS);
        for (int kind = 0; v != NULL && kind < STATEMENT_KINDS; kind++) {
            const char *sql = statement_sql(&a, v, (enum statement_kind)kind);
            bool reads = kind == STATEMENT_FETCH || kind == STATEMENT_LEAVES;

            if (kind == STATEMENT_APPLY || kind == STATEMENT_MERGE || reads)
                assert_int_equal(sql == NULL, reads && tree == TREES);
            if (sql == NULL)
                continue;
            assert_non_null(strstr(sql, arena_format(&a, "ledger.%s", v->table)));
            assert_non_null(strstr(statement_name(&a, v, (enum statement_kind)kind), v->table));
            count++;
        }
    }
    assert_int_equal(count, 10 * 2 + 9 * 2 + 7);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replays_the_recorded_chain),
        cmocka_unit_test(grows_with_restarts),
        cmocka_unit_test(batches_leave_the_same_rows),
        cmocka_unit_test(a_changed_row_is_not_sealed),
        cmocka_unit_test(a_second_writer_is_noticed),
        cmocka_unit_test(a_lost_connection_loses_nothing),
        cmocka_unit_test(a_block_that_is_there_is_not_written_twice),
        cmocka_unit_test(settings_are_asserted),
    };
    const struct CMUnitTest none[] = {cmocka_unit_test(every_pair_has_its_statements)};

    if (getenv("PGHOST") == NULL)
        return cmocka_run_group_tests(none, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
