/* Chains that an independent program made from the specification (tests/vectors/made). */
#include "test_chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "node/recorded/recorded_block.h"
#include "protocol/base/hex.h"

/* One of the chains while it is replayed. */
struct made {
    const char *name;
    struct arena arena;
    struct executor *executor;
    struct bytes results, admissions; /* what is left of the files */
};

/* The next line without its end; false when there is none. */
static bool next_line(struct bytes *rest, struct bytes *line)
{
    const uint8_t *end;

    if (rest->size == 0)
        return false;
    end = memchr(rest->data, '\n', rest->size);
    *line = bytes_make(rest->data, end != NULL ? (size_t)(end - rest->data) : rest->size);
    *rest = end == NULL ? bytes_make(NULL, 0)
                        : bytes_make(end + 1, (size_t)(rest->data + rest->size - (end + 1)));
    return true;
}

static struct bytes file_of(struct made *m, const char *name)
{
    return test_file(&m->arena, arena_format(&m->arena, "tests/vectors/made/%s/%s", m->name, name));
}

/* What admission says to a transaction on the state of the tip. */
static int admission(struct made *m, const char *hex)
{
    struct bytes text = bytes_of(hex);
    uint8_t *raw = arena_alloc(&m->arena, text.size / 2);
    struct transaction tx;
    struct executor_candidate candidate = {.tx = &tx};
    struct tm_error e = {0};

    assert_true(hex_decode(text, raw));
    if (transaction_decode(&m->arena, bytes_make(raw, text.size / 2), &tx, &e) != TM_OK)
        return e.code;
    assert_int_equal(executor_admit(m->executor, &candidate, 1, &e), TM_OK);
    return candidate.included ? 0 : candidate.code;
}

/* Asks for the transactions that the file names at this height. */
static void compare_admissions(struct made *m, height_t height)
{
    struct bytes rest = m->admissions, line;

    while (next_line(&rest, &line)) {
        char *text = arena_text(&m->arena, line), *hex = strchr(text, '|') + 1;
        char *code = strchr(hex, '|');
        int found;

        if (strtoll(text, NULL, 10) != height)
            break;
        *code++ = '\0';
        found = admission(m, hex);
        if (found != (int)strtol(code, NULL, 10))
            fail_msg("%s, admission before height %lld: %d instead of %s: %s", m->name,
                     (long long)height, found, code, hex);
        m->admissions = rest;
    }
}

static void compare_results(struct made *m)
{
    const struct executor_proposal *p = executor_last(m->executor);

    for (size_t i = 0; i < p->transaction_count; i++) {
        const char *found =
            arena_format(&m->arena, "%lld|%zu|%d", (long long)executor_height(m->executor), i,
                         p->transactions[i].code);
        struct bytes line;

        assert_true(next_line(&m->results, &line));
        assert_string_equal(found, arena_text(&m->arena, line));
    }
}

static void replay(struct made *m)
{
    struct bytes blocks = file_of(m, "blocks.jsonl"), line;

    while (next_line(&blocks, &line)) {
        struct recorded_block block;
        struct executor_difference difference;
        struct tm_error e = {0};

        compare_admissions(m, executor_height(m->executor) + 1);
        if (recorded_block_parse(&m->arena, line, &block, &e) != TM_OK ||
            executor_replay(m->executor, block.raw, &m->arena, &difference, &e) != TM_OK)
            fail_msg("%s: %s", m->name, e.text);
        compare_results(m);
    }
    assert_int_equal(m->results.size, 0);
    assert_int_equal(m->admissions.size, 0);
}

static void check(const char *name, const struct rules *rules, height_t height)
{
    struct made m = {.name = name};
    struct store_memory *memory;
    struct store store;
    struct tm_error e = {0};

    arena_init(&m.arena);
    memory = test_store(arena_format(&m.arena, "tests/vectors/made/%s/genesis.json", name), rules);
    store = store_memory_store(memory);
    assert_int_equal(executor_open(&m.executor, &store, NULL, NULL, &e), TM_OK);
    m.results = file_of(&m, "results.txt");
    if (rules == &RULES_STANDARD)
        m.admissions = file_of(&m, "admissions.txt");
    replay(&m);
    assert_int_equal(executor_height(m.executor), height);
    executor_close(m.executor);
    store_memory_free(memory);
    arena_free(&m.arena);
}

static void odd(void **state)
{
    (void)state;
    check("odd", &RULES_REFERENCE, 25);
}

static void sessions(void **state)
{
    (void)state;
    check("sessions", &RULES_REFERENCE, 20);
}

static void stored(void **state)
{
    (void)state;
    check("stored", &RULES_REFERENCE, 20);
}

static void standard(void **state)
{
    (void)state;
    check("standard", &RULES_STANDARD, 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd),
        cmocka_unit_test(sessions),
        cmocka_unit_test(stored),
        cmocka_unit_test(standard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
