/*
 * The chain recorded from four reference nodes, executed in memory under `reference`: every tree
 * root, state hash, result code, validator set and every row of the recorded tables.
 */
#include "ledger_memory.h"

#include "../base/hex.h"
#include "../genesis/genesis.h"
#include "../params/params.h"
#include "../state/chains.h"
#include "../state/tree_roots.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define CHAIN "tests/vectors/chain-a/"

enum { HEIGHTS = 60, LINE_MAX_BYTES = 1 << 20, COLUMNS_MAX = 8 };

static struct arena arena; /* of the whole test */

static struct bytes unhex(const char *text)
{
    uint8_t *raw = arena_alloc(&arena, strlen(text) / 2);

    assert_true(hex_decode(bytes_of(text), raw));
    return bytes_make(raw, strlen(text) / 2);
}

static const char *text_of(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    assert_non_null(text);
    return text;
}

/* --- the recorded files ------------------------------------------------------------------------
 */

/* A JSON lines file as one array. */
static json_t *json_lines(const char *path)
{
    json_t *all = json_array();
    char *line = malloc(LINE_MAX_BYTES);
    FILE *f = fopen(path, "r");

    assert_non_null(f);
    while (fgets(line, LINE_MAX_BYTES, f) != NULL) {
        json_t *one = json_loads(line, 0, NULL);

        assert_non_null(one);
        json_array_append_new(all, one);
    }
    fclose(f);
    free(line);
    return all;
}

struct row {
    char *column[COLUMNS_MAX];
};

struct table {
    struct row *rows;
    size_t count;
};

/* Splits a CSV line in place. */
static void split(char *line, struct row *out)
{
    int n = 0;

    while (n < COLUMNS_MAX) {
        char *to = line;
        bool quoted = false;

        out->column[n++] = line;
        for (; *line != '\0' && (quoted || *line != ','); line++) {
            if (*line != '"')
                *to++ = *line;
            else if (quoted && line[1] == '"')
                *to++ = *line++;
            else
                quoted = !quoted;
        }
        if (*line == '\0') {
            *to = '\0';
            return;
        }
        line++;
        *to = '\0';
    }
}

static struct table read_table(const char *name)
{
    struct table t = {0};
    char *line = malloc(LINE_MAX_BYTES);
    FILE *f = fopen(arena_format(&arena, CHAIN "tables/%s.csv", name), "r");

    assert_non_null(f);
    t.rows = arena_array(&arena, struct row, 2000);
    assert_non_null(fgets(line, LINE_MAX_BYTES, f)); /* column names */
    while (fgets(line, LINE_MAX_BYTES, f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        assert_true(t.count < 2000);
        split(arena_text(&arena, bytes_of(line)), &t.rows[t.count++]);
    }
    fclose(f);
    free(line);
    return t;
}

static height_t number(const char *text)
{
    return strtoll(text, NULL, 10);
}

/* --- rows as of a height -----------------------------------------------------------------------
 */

/* The newest row of each key with a height <= h: visits them, returns their number. */
static size_t rows_as_of(const struct table *t, int key, int height, height_t h,
                         void (*visit)(const struct row *row, void *ctx), void *ctx)
{
    size_t count = 0;

    for (size_t i = 0; i < t->count; i++) {
        bool newest = number(t->rows[i].column[height]) <= h;

        for (size_t k = i + 1; newest && k < t->count; k++)
            if (number(t->rows[k].column[height]) <= h &&
                strcmp(t->rows[k].column[key], t->rows[i].column[key]) == 0)
                newest = false;
        if (newest) {
            visit(&t->rows[i], ctx);
            count++;
        }
    }
    return count;
}

struct expected {
    struct ledger_memory *memory;
    enum tree_id tree;
    const struct table *chains;
};

static const struct record *stored(const struct expected *x, struct bytes key)
{
    const struct state_entry *entry = state_map_find(&x->memory->state, x->tree, key);

    assert_non_null(entry);
    assert_non_null(entry->record);
    return entry->record;
}

static void same_text(struct bytes got, const char *expected)
{
    assert_string_equal(arena_text(&arena, got), expected);
}

static void balance_row(const struct row *row, void *ctx)
{
    same_text(stored(ctx, unhex(row->column[0]))->balance.text, row->column[1]);
}

static void param_row(const struct row *row, void *ctx)
{
    const struct record *r = stored(ctx, bytes_of(row->column[0]));

    same_text(r->value, row->column[3]);
    assert_int_equal(r->valid_from, number(row->column[1]));
}

static void ibc_row(const struct row *row, void *ctx)
{
    same_text(bytes_of(hex_text(&arena, stored(ctx, unhex(row->column[1]))->value)),
              row->column[2]);
}

static void actor_row(const struct row *row, void *ctx)
{
    const struct expected *x = ctx;
    const struct actor *actor = &stored(x, unhex(row->column[0]))->actor;
    struct bytes ids[16];
    struct chains chains;
    size_t count = 0;

    same_text(bytes_of(hex_text(&arena, actor->public_key)), row->column[1]);
    same_text(actor->stake_text, row->column[2]);
    same_text(actor->service_url, row->column[3]);
    same_text(bytes_of(hex_text(&arena, actor->output)), row->column[4]);
    assert_int_equal(actor->paused_height, number(row->column[5]));
    assert_int_equal(actor->unstaking_height, number(row->column[6]));
    for (size_t i = 0; x->chains != NULL && i < x->chains->count; i++) {
        const struct row *chain = &x->chains->rows[i];

        if (strcmp(chain->column[0], row->column[0]) == 0 &&
            strcmp(chain->column[2], row->column[7]) == 0)
            ids[count++] = bytes_of(chain->column[1]);
    }
    chains = chains_sorted(&arena, ids, count);
    assert_int_equal(actor->chain_count, chains.count);
    for (size_t i = 0; i < chains.count; i++)
        assert_true(bytes_equal(actor->chains[i], chains.ids[i]));
}

static size_t leaves(const struct ledger_memory *m, enum tree_id tree)
{
    size_t count = 0;

    for (size_t i = 0; i < m->state.count; i++)
        count += m->state.entries[i].record != NULL && m->state.entries[i].tree == tree;
    return count;
}

static const struct {
    enum tree_id tree;
    const char *table, *chains;
    int key, height;
    void (*visit)(const struct row *row, void *ctx);
} TABLE[] = {
    {TREE_ACCOUNT, "account", NULL, 0, 2, balance_row},
    {TREE_POOL, "pool", NULL, 0, 2, balance_row},
    {TREE_PARAMS, "params", NULL, 0, 1, param_row},
    {TREE_IBC, "ibc_entries", NULL, 1, 0, ibc_row},
    {TREE_VAL, "validator", NULL, 0, 7, actor_row},
    {TREE_APP, "app", "app_chains", 0, 7, actor_row},
    {TREE_SERVICER, "servicer", "servicer_chains", 0, 7, actor_row},
    {TREE_FISH, "fisherman", "fisherman_chains", 0, 7, actor_row},
};
enum { TABLES = sizeof TABLE / sizeof TABLE[0] };

struct recording {
    json_t *blocks, *results, *roots;
    struct table table[TABLES], chains[TABLES];
    size_t next_result;
};

static void compare_rows(struct recording *r, struct ledger_memory *m, height_t h)
{
    for (int i = 0; i < TABLES; i++) {
        struct expected x = {m, TABLE[i].tree, TABLE[i].chains == NULL ? NULL : &r->chains[i]};

        assert_int_equal(
            rows_as_of(&r->table[i], TABLE[i].key, TABLE[i].height, h, TABLE[i].visit, &x),
            leaves(m, TABLE[i].tree));
    }
}

static void compare_roots(struct recording *r, struct ledger_memory *m, height_t h)
{
    json_t *line = json_array_get(r->roots, (size_t)h);
    struct hash32 roots[TREES], hash;

    assert_int_equal(tree_roots(&arena, &m->state, roots, NULL), TM_OK);
    for (int i = 0; i < TREES; i++)
        assert_string_equal(hex_text(&arena, bytes_hash(&roots[i])),
                            text_of(json_object_get(line, "roots"), tree_name((enum tree_id)i)));
    hash = state_hash_of_roots((const struct hash32 *)roots);
    assert_string_equal(hex_text(&arena, bytes_hash(&hash)), text_of(line, "state_hash"));
    assert_string_equal(hex_text(&arena, bytes_hash(&hash)),
                        text_of(json_array_get(r->blocks, (size_t)h), "stateHash"));
}

static void compare_validators(struct recording *r, struct ledger_memory *m, height_t h)
{
    struct validator_set set = ledger_memory_validators(m, &RULES_REFERENCE, &arena);
    struct hash32 hash = validator_set_hash(&set);

    assert_string_equal(hex_text(&arena, bytes_hash(&hash)),
                        text_of(json_array_get(r->blocks, (size_t)h), "next_val_set_hash"));
}

static void compare_result(struct recording *r, const struct transaction *tx,
                           const struct ledger_result *result)
{
    json_t *line = json_array_get(r->results, r->next_result++);

    assert_non_null(line);
    assert_string_equal(hex_text(&arena, bytes_hash(&tx->hash)), text_of(line, "hash"));
    assert_int_equal(result->code, json_integer_value(json_object_get(line, "result_code")));
    assert_string_equal(hex_text(&arena, bytes_address(&result->signer)), text_of(line, "signer"));
    assert_string_equal(hex_text(&arena, transaction_recipient(tx)), text_of(line, "recipient"));
    assert_string_equal(message_name(tx->message.kind), text_of(line, "message_type"));
    if (result->code == 0)
        assert_int_equal(result->error.size, 0);
    else
        assert_memory_equal(result->error.data, text_of(line, "error"), strlen("CODE: 4"));
}

static void apply_block(struct recording *r, struct ledger_memory *m, height_t h)
{
    json_t *block = json_array_get(r->blocks, (size_t)h), *raw;
    struct ledger_view view = ledger_memory_view(m);
    const struct ledger_write *writes;
    const struct ledger_touch *touches;
    struct arena block_arena;
    struct ledger *l;
    struct tm_error e = {0};
    size_t i, count, touched;

    arena_init(&block_arena);
    assert_int_equal(ledger_begin(&block_arena, &RULES_REFERENCE, &view, h,
                                  unhex(text_of(block, "proposerAddress")), &l, &e),
                     TM_OK);
    json_array_foreach(json_object_get(block, "transactions"), i, raw)
    {
        struct transaction tx;
        struct ledger_result result;

        assert_int_equal(transaction_decode(&block_arena, unhex(json_string_value(raw)), &tx, &e),
                         TM_OK);
        assert_int_equal(transaction_check(&tx, &RULES_REFERENCE, &e), TM_OK);
        assert_int_equal(transaction_verify(&tx, &RULES_REFERENCE, &e), TM_OK);
        assert_int_equal(ledger_apply(l, &tx, &result, &e), TM_OK);
        compare_result(r, &tx, &result);
    }
    assert_int_equal(ledger_end(l, &e), TM_OK);
    count = ledger_writes(l, &writes);
    touched = ledger_touches(l, &touches);
    assert_true(touched >= count);
    ledger_memory_apply(m, writes, count);
    arena_free(&block_arena);
}

static void load_genesis(struct ledger_memory *m)
{
    char *text = malloc(LINE_MAX_BYTES);
    FILE *f = fopen(CHAIN "genesis.json", "r");
    struct genesis g;
    struct tm_error e = {0};
    size_t size;

    assert_non_null(f);
    size = fread(text, 1, LINE_MAX_BYTES, f);
    fclose(f);
    assert_int_equal(genesis_load(&arena, bytes_make(text, size), &RULES_REFERENCE, &g, &e), TM_OK);
    ledger_memory_load(m, g.records, g.record_count);
    free(text);
}

static void replay(void **state)
{
    struct recording r = {.blocks = json_lines(CHAIN "blocks.jsonl"),
                          .results = json_lines(CHAIN "txresults.jsonl"),
                          .roots = json_lines(CHAIN "tree_roots.jsonl")};
    struct ledger_memory memory;

    (void)state;
    arena_init(&arena);
    for (int i = 0; i < TABLES; i++) {
        r.table[i] = read_table(TABLE[i].table);
        if (TABLE[i].chains != NULL)
            r.chains[i] = read_table(TABLE[i].chains);
    }
    ledger_memory_init(&memory);
    load_genesis(&memory);
    for (height_t h = 0; h < HEIGHTS; h++) {
        if (h > 0)
            apply_block(&r, &memory, h);
        compare_roots(&r, &memory, h);
        compare_validators(&r, &memory, h);
        compare_rows(&r, &memory, h);
    }
    assert_int_equal(r.next_result, json_array_size(r.results));
    ledger_memory_free(&memory);
    arena_free(&arena);
    json_decref(r.blocks);
    json_decref(r.results);
    json_decref(r.roots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(replay)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
