#include "play.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include "../base/hex.h"

static uint64_t random_state = 88172645463325252u;

static uint64_t next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static struct hash32 random_hash(void)
{
    struct hash32 h;

    for (size_t i = 0; i < sizeof h.b; i++)
        h.b[i] = (uint8_t)(next() >> 32);
    return h;
}

static struct hash32 hash_of(const char *text)
{
    return sha256(bytes_of(text));
}

static void assert_root(const struct smt_version *v, const char *want)
{
    struct hash32 root = smt_root(v), h;

    assert_true(hex_decode(bytes_of(want), h.b));
    assert_memory_equal(root.b, h.b, sizeof h.b);
}

/* One change, committed. */
static void put(struct smt *t, const char *key, const struct hash32 *value_hash)
{
    struct smt_change c = {.path = hash_of(key), .present = value_hash != NULL};
    struct smt_version *v;

    if (value_hash != NULL)
        c.value_hash = *value_hash;
    assert_int_equal(smt_update(smt_base(t), &c, 1, &v, NULL), TM_OK);
    smt_commit(v);
}

static void put_text(struct smt *t, const char *key, const char *value)
{
    struct hash32 h = hash_of(value);

    put(t, key, &h);
}

/* state.md 10.1 and 10.2 */
static void golden_roots(void **state)
{
    static const char *const trees[] = {"app",  "val",          "fish",   "servicer", "account",
                                        "pool", "transactions", "params", "flags",    "ibc"};
    struct smt *t = smt_new(), *root = smt_new(), *one = smt_new();
    struct hash32 digest, of_digest;

    (void)state;
    assert_root(smt_base(t), "0000000000000000000000000000000000000000000000000000000000000000");
    put_text(t, "testKey", "testValue");
    assert_root(smt_base(t), "b3388e93a63f7d0b8ef1bc2fefd7ceb14ec34cc28e69c9c9ddad778bd21e35ff");
    put_text(t, "testKey2", "testValue");
    assert_root(smt_base(t), "c821022f44ec6d8c4806bf912733bed17e891b99be9864773670575609097f68");
    put_text(t, "foo", "testValue");
    assert_root(smt_base(t), "aa34fa4e6bfff5c2b7ef513f5f839fc4f4a864f446b3125fe9a8557e589cec85");
    put(t, "testKey2", NULL);
    assert_root(smt_base(t), "e5949c23bb96003638e80e231b43a34bda32766f09c096f9a385297d6fc4354d");
    put(t, "testKey", NULL);
    assert_root(smt_base(t), "3564e36167d84a06f3f4f9add1890bf3248c7f9915153be1982f13feedb5b3ab");
    put(t, "foo", NULL);
    assert_root(smt_base(t), "0000000000000000000000000000000000000000000000000000000000000000");
    put_text(t, "k", "");
    assert_root(smt_base(t), "68750883e0091bb15ba02a019f579c5d5d14029f24e896dee20f1aa9d1e2e596");
    put(t, "k", NULL);
    put_text(t, "test/key1", "value1");
    put_text(t, "test/key2", "");
    put_text(t, "test/key3", "value3");
    assert_root(smt_base(t), "91bdac23aa7a63a812a32f73b3ceb61d6128642dd7675bf34543fc3e771d0030");

    /* The state hash: a tree over the roots of the ten trees. */
    for (size_t i = 0; i < 10; i++) {
        memset(&digest, 0, sizeof digest);
        of_digest = sha256(bytes_hash(&digest));
        put(root, trees[i], &of_digest);
    }
    assert_root(smt_base(root), "302f2956c084cc3e0e760cf1b8c2da5de79c45fa542f68a660a5fc494b486972");
    put_text(one, "foo", "bar");
    digest = smt_root(smt_base(one));
    of_digest = sha256(bytes_hash(&digest));
    for (size_t i = 0; i < 10; i++)
        put(root, trees[i], &of_digest);
    assert_root(smt_base(root), "7d5712ea1507915c40e295845fa58773baa405b24b87e9d99761125d826ff915");
    smt_free(t);
    smt_free(root);
    smt_free(one);
}

static void assert_hash(const struct hash32 *got, const char *want)
{
    struct hash32 h;

    assert_true(hex_decode(bytes_of(want), h.b));
    assert_memory_equal(got->b, h.b, sizeof h.b);
}

static void golden_proofs(void **state)
{
    struct smt *t = smt_new();
    struct hash32 path = hash_of("foo"), value = hash_of("testValue"), other = hash_of("other");
    struct hash32 root;
    struct smt_proof p;
    struct arena a;

    (void)state;
    arena_init(&a);
    put_text(t, "testKey", "testValue");
    put_text(t, "testKey2", "testValue");
    put_text(t, "foo", "testValue");
    root = smt_root(smt_base(t));
    assert_int_equal(smt_prove(smt_base(t), &path, &a, &p), TM_OK);
    assert_int_equal(p.side_count, 3);
    assert_hash(&p.sides[0], "b3388e93a63f7d0b8ef1bc2fefd7ceb14ec34cc28e69c9c9ddad778bd21e35ff");
    assert_hash(&p.sides[1], "0000000000000000000000000000000000000000000000000000000000000000");
    assert_hash(&p.sides[2], "00c979e476c198ce59c5a8ea06ef074d34beff975ba2325e6ffc3e34e2954ae4");
    assert_false(p.has_other_leaf);
    assert_true(smt_verify_member(&p, &root, &path, &value));
    assert_false(smt_verify_member(&p, &root, &path, &other));
    assert_false(smt_verify_member(&p, &root, &other, &value));
    assert_false(smt_verify_member(&p, &other, &path, &value));
    assert_false(smt_verify_absent(&p, &root, &path));
    p.side_count = 2;
    assert_false(smt_verify_member(&p, &root, &path, &value));

    path = hash_of("testKey3");
    assert_int_equal(smt_prove(smt_base(t), &path, &a, &p), TM_OK);
    assert_int_equal(p.side_count, 1);
    assert_hash(&p.sides[0], "998f292db235f6e76946de0dd83877ba9eee2304d5a7e4b54e044227d2f28322");
    assert_true(p.has_other_leaf);
    assert_hash(&p.other_leaf.path,
                "8d13809f932d0296b88c1913231ab4b403f05c88363575476204fef6930f22ae");
    assert_memory_equal(p.other_leaf.value_hash.b, value.b, sizeof value.b);
    assert_true(smt_verify_absent(&p, &root, &path));
    assert_false(smt_verify_absent(&p, &root, &p.other_leaf.path));
    assert_false(smt_verify_member(&p, &root, &path, &value));
    p.other_leaf.value_hash = other;
    assert_false(smt_verify_absent(&p, &root, &path));

    memset(&p, 0, sizeof p);
    assert_true(smt_verify_absent(&p, &(struct hash32){{0}}, &path));
    assert_false(smt_verify_absent(&p, &root, &path));
    p.side_count = SMT_DEPTH + 1; /* refused before a side is read */
    assert_false(smt_verify_absent(&p, &root, &path));
    arena_free(&a);
    smt_free(t);
}

static void last_bit(void **state)
{
    struct smt *t = smt_new();
    struct smt_change c[2] = {{.present = true}, {.present = true}};
    struct smt_leaf leaf[2];
    struct smt_version *v;
    struct hash32 root, want;
    struct smt_proof p;
    struct arena a;

    (void)state;
    arena_init(&a);
    for (uint8_t i = 0; i < 31; i++)
        c[0].path.b[i] = c[1].path.b[i] = i;
    c[1].path.b[31] = 1;
    c[0].value_hash = hash_of("x");
    c[1].value_hash = hash_of("y");
    assert_int_equal(smt_update(smt_base(t), c, 2, &v, NULL), TM_OK);
    for (int i = 0; i < 2; i++) {
        leaf[i] = (struct smt_leaf){c[i].path, c[i].value_hash};
        assert_int_equal(smt_prove(v, &c[i].path, &a, &p), TM_OK);
        assert_int_equal(p.side_count, 256);
        root = smt_root(v);
        assert_true(smt_verify_member(&p, &root, &c[i].path, &c[i].value_hash));
    }
    want = model_digest(leaf, 2, 0);
    assert_memory_equal(root.b, want.b, sizeof want.b);
    smt_commit(v);
    c[0].present = false;
    assert_int_equal(smt_update(smt_base(t), c, 1, &v, NULL), TM_OK);
    want = model_digest(leaf + 1, 1, 0);
    root = smt_root(v);
    assert_memory_equal(root.b, want.b, sizeof want.b);
    arena_free(&a);
    smt_free(t);
}

static void refuses_what_is_not_sorted(void **state)
{
    struct smt *t = smt_new();
    struct smt_change c[2] = {{.present = true}, {.present = true}};
    struct smt_leaf leaf[2] = {{.path = {{1}}}, {.path = {{1}}}};
    struct smt_version *v;
    struct hash32 scratch[2], root;
    struct tm_error e;

    (void)state;
    assert_int_equal(smt_update(smt_base(t), c, 2, &v, &e), TM_ERR_MALFORMED);
    c[0].path.b[0] = 1;
    assert_int_equal(smt_update(smt_base(t), c, 2, &v, &e), TM_ERR_MALFORMED);
    assert_int_equal(smt_build(t, leaf, 2, &e), TM_ERR_MALFORMED);
    leaf[1].path.b[0] = 0;
    assert_int_equal(smt_build(t, leaf, 2, &e), TM_ERR_MALFORMED);
    assert_int_equal(smt_root_of_sorted(leaf, 2, scratch, &root, &e), TM_ERR_MALFORMED);
    assert_int_equal(smt_build(t, leaf, 0, &e), TM_OK);
    assert_root(smt_base(t), "0000000000000000000000000000000000000000000000000000000000000000");
    assert_int_equal(smt_root_of_sorted(leaf, 0, scratch, &root, &e), TM_OK);
    assert_memory_equal(root.b, smt_zero.b, sizeof root.b);
    smt_free(t);
    smt_free(NULL);
}

/* A path that leaves the run above a page that is not in memory needs nothing of that page. */
static void divides_above_a_stub(void **state)
{
    struct smt_leaf leaf[24];
    struct model m = {leaf, 20}, none = {NULL, 0};

    (void)state;
    for (size_t i = 0; i < 20; i++) {
        leaf[i] = (struct smt_leaf){random_hash(), random_hash()};
        leaf[i].path.b[0] = 0xa5;
        leaf[i].path.b[1] = 0x3c;
        leaf[i].path.b[2] = (uint8_t)(0x60 + i);
    }
    for (unsigned bit = 0; bit < 12; bit++) {
        struct smt *t = smt_new();
        struct hash32 root = model_root(&m), got, want;
        struct smt_change c = {.path = leaf[0].path, .value_hash = hash_of("new"), .present = true};
        struct smt_page_id page = {0};
        struct smt_version *v, *gone;
        struct smt_node_change *rows, want_rows[200];
        struct smt_node_row row[20];
        struct smt_leaf below[20], more_leaf[24];
        struct model more = {more_leaf, m.count};
        size_t row_count, leaf_count, n;
        struct smt_proof p;
        struct arena a;

        arena_init(&a);
        c.path.b[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        smt_open(t, &root);
        assert_int_equal(smt_update(smt_base(t), &c, 1, &v, NULL), TM_ERR_AGAIN);
        while (smt_want(smt_base(t), &c.path, 1, &page, 1) == 1) {
            assert_true(page.depth <= bit);
            model_page(&m, page, row, &row_count, below, &leaf_count);
            assert_int_equal(smt_install(t, page, row, row_count, below, leaf_count, NULL), TM_OK);
        }
        memcpy(more_leaf, leaf, sizeof leaf);
        model_apply(&more, &c);
        assert_int_equal(smt_prove(smt_base(t), &c.path, &a, &p), TM_OK);
        assert_true(smt_verify_absent(&p, &root, &c.path));
        assert_int_equal(smt_update(smt_base(t), &c, 1, &v, NULL), TM_OK);
        got = smt_root(v);
        want = model_root(&more);
        assert_memory_equal(got.b, want.b, sizeof want.b);
        n = smt_node_changes(v, &a, &rows);
        assert_int_equal(n, model_changes(&m, &more, want_rows));
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(rows[i].row.prefix, want_rows[i].row.prefix);
            assert_memory_equal(rows[i].row.digest.b, want_rows[i].row.digest.b, 32);
        }
        c.present = false;
        assert_int_equal(smt_update(v, &c, 1, &gone, NULL), TM_OK);
        got = smt_root(gone);
        assert_memory_equal(got.b, root.b, sizeof root.b);
        assert_int_equal(smt_node_changes(gone, &a, &rows), n);
        smt_commit(v);
        smt_commit(gone);
        assert_int_equal(smt_node_changes(smt_base(t), &a, &rows), 0);
        smt_open(t, &(struct hash32){{0}});
        got = smt_root(smt_base(t));
        want = model_root(&none);
        assert_memory_equal(got.b, want.b, sizeof want.b);
        arena_free(&a);
        smt_free(t);
    }
}

static void refuses_foreign_pages(void **state)
{
    struct smt *t = smt_new();
    struct smt_leaf leaf = {random_hash(), random_hash()};
    struct model m = {&leaf, 1};
    struct hash32 root = model_root(&m), value;
    struct smt_node_row row = {.depth = 66};
    struct tm_error e;

    (void)state;
    smt_open(t, &root);
    assert_int_equal(smt_get(smt_base(t), &leaf.path, &value), TM_ERR_AGAIN);
    assert_int_equal(smt_install(t, (struct smt_page_id){7, 0}, NULL, 0, &leaf, 1, &e),
                     TM_ERR_USAGE);
    assert_int_equal(smt_install(t, (struct smt_page_id){66, 0}, NULL, 0, &leaf, 1, &e),
                     TM_ERR_USAGE);
    assert_int_equal(smt_install(t, (struct smt_page_id){0, 0}, NULL, 0, NULL, 0, &e),
                     TM_ERR_MISMATCH);
    assert_int_equal(smt_install(t, (struct smt_page_id){0, 0}, &row, 1, NULL, 0, &e),
                     TM_ERR_MISMATCH);
    assert_int_equal(smt_install(t, (struct smt_page_id){6, 0}, NULL, 0, NULL, 0, &e), TM_OK);
    assert_int_equal(smt_install(t, (struct smt_page_id){0, 0}, NULL, 0, &leaf, 1, &e), TM_OK);
    assert_int_equal(smt_get(smt_base(t), &leaf.path, &value), TM_OK);
    assert_memory_equal(value.b, leaf.value_hash.b, sizeof value.b);

    /* A row stands for two leaves or more: one leaf under it is refused, whatever it hashes to. */
    smt_open(t, &root);
    row = (struct smt_node_row){
        .depth = 6, .prefix = model_prefix(&leaf.path, 6), .digest = smt_hash_leaf(&leaf)};
    assert_int_equal(smt_install(t, (struct smt_page_id){0, 0}, &row, 1, NULL, 0, &e),
                     TM_ERR_MISMATCH);
    smt_free(t);
}

/* Large enough for every batch size inside: sets grown, changed and emptied in large steps. */
static void incremental_equals_rebuilt(void **state)
{
    enum { ALL = 30000, STEPS = 8 };
    struct smt_leaf *leaf = calloc(ALL, sizeof *leaf), *there = calloc(ALL, sizeof *there);
    struct smt_change *change = calloc(ALL, sizeof *change);
    struct hash32 *scratch = calloc(ALL, sizeof *scratch);
    struct smt *t = smt_new(), *built = smt_new();
    bool *present = calloc(ALL, sizeof *present);

    (void)state;
    for (size_t i = 0; i < ALL; i++) {
        leaf[i].path = random_hash();
        if (i % 16 == 15) /* some that share most of their bits with another */
            memcpy(leaf[i].path.b, leaf[i - 1].path.b, i % 32);
        if (i % 32 == 31)
            leaf[i].path.b[31] = leaf[i - 1].path.b[31] ^ 1;
    }
    qsort(leaf, ALL, sizeof *leaf, play_by_path);
    for (int step = 0; step < STEPS; step++) {
        size_t count = 0, n = 0;
        struct smt_version *v;
        struct hash32 root, want;

        for (size_t i = 0; i < ALL; i++) {
            bool touch = step < 2 || step == STEPS - 1 || next() % 5 == 0;

            if (!touch || (step == 0 && i % 3 != 0))
                continue;
            change[count].path = leaf[i].path;
            change[count].present = step == 0 || (step < STEPS - 1 && next() % 3 != 0);
            change[count].value_hash = random_hash();
            present[i] = change[count].present;
            leaf[i].value_hash = change[count++].value_hash;
        }
        for (size_t i = 0; i < ALL; i++)
            if (present[i])
                there[n++] = leaf[i];
        assert_int_equal(smt_update(smt_base(t), change, count, &v, NULL), TM_OK);
        assert_int_equal(smt_build(built, there, n, NULL), TM_OK);
        assert_int_equal(smt_root_of_sorted(there, n, scratch, &want, NULL), TM_OK);
        root = smt_root(v);
        assert_memory_equal(root.b, want.b, sizeof want.b);
        root = smt_root(smt_base(built));
        assert_memory_equal(root.b, want.b, sizeof want.b);
        if (step == 3) { /* once also against the definition, and proposal after proposal */
            struct model m = {there, n};

            want = model_root(&m);
            assert_memory_equal(root.b, want.b, sizeof want.b);
            smt_drop(v);
            assert_int_equal(smt_update(smt_base(t), change, count, &v, NULL), TM_OK);
        }
        smt_commit(v);
        assert_int_equal(t->pool[SMT_LEAF].in_use, n);
        assert_int_equal(t->pool[SMT_BRANCH].in_use, n == 0 ? 0 : n - 1);
    }
    smt_free(t);
    smt_free(built);
    free(leaf);
    free(there);
    free(change);
    free(scratch);
    free(present);
}

/* A tree of which only what is needed is in memory, under a limit, gives the same roots as one that
 * is there as a whole. */
static void partial_equals_full(void **state)
{
    enum { ALL = 3000, BATCH = 150, ROUNDS = 20, LIMIT = 60000 };
    struct smt_leaf *leaf = calloc(ALL + ROUNDS * BATCH, sizeof *leaf);
    struct smt_node_row row[64];
    struct smt_leaf *below = calloc(ALL + ROUNDS * BATCH, sizeof *below);
    struct hash32 *scratch = calloc(ALL + ROUNDS * BATCH, sizeof *scratch);
    struct smt *part = smt_new(), *full = smt_new();
    struct model m = {leaf, ALL};
    struct hash32 root;

    (void)state;
    for (size_t i = 0; i < ALL; i++)
        leaf[i] = (struct smt_leaf){random_hash(), random_hash()};
    qsort(leaf, ALL, sizeof *leaf, play_by_path);
    assert_int_equal(smt_build(full, leaf, ALL, NULL), TM_OK);
    root = smt_root(smt_base(full));
    smt_open(part, &root);
    for (int r = 0; r < ROUNDS; r++) {
        struct smt_change change[BATCH];
        struct hash32 path[BATCH], want;
        struct smt_page_id page[7];
        struct smt_version *v;
        size_t n, count;

        for (size_t i = 0; i < BATCH; i++)
            change[i] = (struct smt_change){.path = next() % 2 == 0 ? random_hash()
                                                                    : leaf[next() % m.count].path,
                                            .value_hash = random_hash(),
                                            .present = next() % 3 != 0};
        count = play_sort(change, BATCH);
        for (size_t i = 0; i < count; i++)
            path[i] = change[i].path;
        while ((n = smt_want(smt_base(part), path, count, page, 7)) > 0)
            for (size_t i = 0; i < n; i++) {
                size_t row_count, leaf_count;

                model_page(&m, page[i], row, &row_count, below, &leaf_count);
                assert_int_equal(
                    smt_install(part, page[i], row, row_count, below, leaf_count, NULL), TM_OK);
            }
        assert_int_equal(smt_update(smt_base(part), change, count, &v, NULL), TM_OK);
        smt_commit(v);
        assert_int_equal(smt_update(smt_base(full), change, count, &v, NULL), TM_OK);
        smt_commit(v);
        for (size_t i = 0; i < count; i++)
            model_apply(&m, &change[i]);
        root = smt_root(smt_base(part));
        want = smt_root(smt_base(full));
        assert_memory_equal(root.b, want.b, sizeof want.b);
        assert_int_equal(smt_root_of_sorted(leaf, m.count, scratch, &want, NULL), TM_OK);
        assert_memory_equal(root.b, want.b, sizeof want.b);
        if (smt_memory(part) > LIMIT)
            assert_true(smt_evict(part, LIMIT) <= LIMIT);
        assert_true(smt_memory(part) < smt_memory(full));
    }
    smt_free(part);
    smt_free(full);
    free(leaf);
    free(below);
    free(scratch);
}

/* Called after every block, eviction takes what is too much and no more, and leaves alone what each
 * block changes. */
static void evicts_little_at_a_time(void **state)
{
    enum { LEAVES = 30000, HOT = 50, STEPS = 80, SLACK = 100000 };
    struct smt_leaf *leaf = calloc(LEAVES, sizeof *leaf);
    struct smt *t = smt_new();
    size_t full;

    (void)state;
    for (size_t i = 0; i < LEAVES; i++)
        leaf[i] = (struct smt_leaf){random_hash(), random_hash()};
    qsort(leaf, LEAVES, sizeof *leaf, play_by_path);
    assert_int_equal(smt_build(t, leaf, LEAVES, NULL), TM_OK);
    full = smt_memory(t);
    assert_true(smt_evict(t, full) == full);
    for (size_t step = 1; step <= STEPS; step++) {
        size_t limit = full / 100 * (100 - step), after;
        struct smt_change change[HOT];
        struct hash32 path[HOT], root;
        struct smt_page_id page[1];
        struct smt_version *v;

        for (size_t i = 0; i < HOT; i++) {
            path[i] = leaf[i * (LEAVES / HOT)].path;
            change[i] = (struct smt_change){path[i], random_hash(), true};
        }
        assert_int_equal(smt_want(smt_base(t), path, HOT, page, 1), 0);
        assert_int_equal(smt_update(smt_base(t), change, HOT, &v, NULL), TM_OK);
        smt_commit(v);
        root = smt_root(smt_base(t));
        after = smt_evict(t, limit);
        assert_true(after <= limit && after + SLACK > limit);
        assert_memory_equal(root.b, smt_root(smt_base(t)).b, sizeof root.b);
    }
    smt_free(t);
    free(leaf);
}

static void games(void **state)
{
    uint8_t moves[600];

    (void)state;
    for (int i = 0; i < 200; i++) {
        for (size_t k = 0; k < sizeof moves; k++)
            moves[k] = (uint8_t)(next() >> 32);
        play(moves, sizeof moves);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_roots),
        cmocka_unit_test(golden_proofs),
        cmocka_unit_test(last_bit),
        cmocka_unit_test(refuses_what_is_not_sorted),
        cmocka_unit_test(divides_above_a_stub),
        cmocka_unit_test(refuses_foreign_pages),
        cmocka_unit_test(incremental_equals_rebuilt),
        cmocka_unit_test(partial_equals_full),
        cmocka_unit_test(evicts_little_at_a_time),
        cmocka_unit_test(games),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
