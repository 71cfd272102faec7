#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard_file.h"

static char directory[] = "/tmp/guard-file-test-XXXXXX";

static char *slot_path(int i)
{
    static char path[2][100];

    snprintf(path[i], sizeof path[i], "%s/vote_guard.%d", directory, i);
    return path[i];
}

static int fresh(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/guard-file-test-XXXXXX");
    return mkdtemp(directory) != NULL ? 0 : -1;
}

static int clean(void **state)
{
    (void)state;
    unlink(slot_path(0));
    unlink(slot_path(1));
    return rmdir(directory);
}

static void write_height(struct guard_file *f, uint64_t height)
{
    struct guard_record records[2] = {{.address = {{1}}, .height = height, .step = STEP_COMMIT},
                                      {.address = {{2}}, .height = height, .past_round = 7}};
    struct guard_content content = {
        .place = {.chain_id = "localnet", .system_identifier = 99, .timeline = 3},
        .records = records,
        .count = 2};
    struct tm_error e = {0};

    if (guard_file_write(f, &content, &e) != TM_OK)
        fail_msg("%s", e.text);
}

/* Opens and gives the height found, 0 for none. */
static uint64_t reopen(struct guard_file *f, struct arena *a)
{
    struct guard_content content;
    struct tm_error e = {0};
    bool found;

    if (guard_file_open(f, directory, a, &found, &content, &e) != TM_OK)
        fail_msg("%s", e.text);
    if (!found)
        return 0;
    assert_string_equal(content.place.chain_id, "localnet");
    assert_int_equal(content.place.system_identifier, 99);
    assert_int_equal(content.place.timeline, 3);
    assert_int_equal(content.count, 2);
    assert_int_equal(content.records[1].address.b[0], 2);
    assert_int_equal(content.records[1].past_round, 7);
    assert_int_equal(content.records[0].step, STEP_COMMIT);
    return content.records[0].height;
}

static void the_newest_slot_counts(void **state)
{
    struct guard_file f;
    struct arena a;

    (void)state;
    arena_init(&a);
    assert_int_equal(reopen(&f, &a), 0);
    for (uint64_t h = 1; h <= 5; h++) {
        write_height(&f, h);
        guard_file_close(&f);
        assert_int_equal(reopen(&f, &a), h);
    }
    guard_file_close(&f);
    arena_free(&a);
}

/* Cuts or changes a slot at every length: the other one, one write older, counts. */
static void a_torn_slot_was_never_acted_on(void **state)
{
    struct guard_file f;
    struct arena a;
    struct stat st;

    (void)state;
    arena_init(&a);
    reopen(&f, &a);
    write_height(&f, 1);
    write_height(&f, 2); /* generation 2: slot 0 */
    guard_file_close(&f);
    assert_int_equal(stat(slot_path(0), &st), 0);
    for (off_t size = st.st_size - 1; size >= 0; size -= 7) {
        assert_int_equal(truncate(slot_path(0), size), 0);
        assert_int_equal(reopen(&f, &a), 1);
        guard_file_close(&f);
    }
    /* Writing goes on in the damaged slot. */
    assert_int_equal(reopen(&f, &a), 1);
    write_height(&f, 3);
    guard_file_close(&f);
    assert_int_equal(reopen(&f, &a), 3);
    guard_file_close(&f);
    arena_free(&a);
}

static void a_changed_bit_is_seen(void **state)
{
    struct guard_file f;
    struct arena a;
    struct stat st;
    int descriptor;

    (void)state;
    arena_init(&a);
    reopen(&f, &a);
    write_height(&f, 1);
    write_height(&f, 2);
    guard_file_close(&f);
    assert_int_equal(stat(slot_path(0), &st), 0);
    descriptor = open(slot_path(0), O_RDWR);
    for (off_t at = 0; at < st.st_size; at += 11) {
        uint8_t b;

        assert_int_equal(pread(descriptor, &b, 1, at), 1);
        b ^= 0x10;
        assert_int_equal(pwrite(descriptor, &b, 1, at), 1);
        assert_int_equal(reopen(&f, &a), 1);
        guard_file_close(&f);
        b ^= 0x10;
        assert_int_equal(pwrite(descriptor, &b, 1, at), 1);
    }
    close(descriptor);
    assert_int_equal(reopen(&f, &a), 2);
    guard_file_close(&f);
    arena_free(&a);
}

static void two_damaged_slots_are_refused(void **state)
{
    struct guard_file f;
    struct guard_content content;
    struct arena a;
    struct tm_error e = {0};
    bool found;

    (void)state;
    arena_init(&a);
    reopen(&f, &a);
    write_height(&f, 1);
    write_height(&f, 2);
    guard_file_close(&f);
    assert_int_equal(truncate(slot_path(0), 20), 0);
    assert_int_equal(truncate(slot_path(1), 20), 0);
    assert_int_equal(guard_file_open(&f, directory, &a, &found, &content, &e), TM_ERR_CONFIG);
    arena_free(&a);
}

static void a_second_node_is_refused(void **state)
{
    struct guard_file f, second;
    struct guard_content content;
    struct arena a;
    struct tm_error e = {0};
    bool found;

    (void)state;
    arena_init(&a);
    reopen(&f, &a);
    assert_int_equal(guard_file_open(&second, directory, &a, &found, &content, &e), TM_ERR_CONFIG);
    assert_non_null(strstr(e.text, "another node"));
    guard_file_close(&f);
    arena_free(&a);
}

static void a_failed_write_stops_signing(void **state)
{
    struct guard_file f;
    struct guard_content content = {.count = 0};
    struct arena a;
    struct tm_error e = {0};

    (void)state;
    arena_init(&a);
    reopen(&f, &a);
    write_height(&f, 1);
    close(f.descriptors[0]);
    f.descriptors[0] = open("/dev/null", O_RDONLY);
    assert_int_equal(guard_file_write(&f, &content, &e), TM_ERR_CONFIG);
    /* Even where the next slot could be written. */
    assert_int_equal(guard_file_write(&f, &content, &e), TM_ERR_CONFIG);
    guard_file_close(&f);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_newest_slot_counts, fresh, clean),
        cmocka_unit_test_setup_teardown(a_torn_slot_was_never_acted_on, fresh, clean),
        cmocka_unit_test_setup_teardown(a_changed_bit_is_seen, fresh, clean),
        cmocka_unit_test_setup_teardown(two_damaged_slots_are_refused, fresh, clean),
        cmocka_unit_test_setup_teardown(a_second_node_is_refused, fresh, clean),
        cmocka_unit_test_setup_teardown(a_failed_write_stops_signing, fresh, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
