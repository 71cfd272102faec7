#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "signature_log.h"

static struct certificate certificate_of(struct partial_signature signatures[2])
{
    static const uint8_t zeros[64];

    for (int i = 0; i < 2; i++)
        signatures[i] = (struct partial_signature){.address = bytes_make(zeros, 20),
                                                   .signature = bytes_make(zeros, 64)};
    return (struct certificate){.height = 7,
                                .round = 2,
                                .step = STEP_COMMIT,
                                .signatures = signatures,
                                .signature_count = 2};
}

static void appends_a_line_for_each_signature(void **state)
{
    const struct hash32 hash = {{0xab}};
    char path[] = "/tmp/signature-log-test-XXXXXX", line[400];
    struct partial_signature signatures[2];
    struct certificate c = certificate_of(signatures);
    struct tm_error e = {0};
    FILE *f = fdopen(mkstemp(path), "r");
    size_t lines = 0;

    (void)state;
    for (int i = 0; i < 2; i++) { /* as two runs of a node */
        struct signature_log log;

        assert_int_equal(signature_log_open(&log, path, &e), TM_OK);
        assert_int_equal(signature_log_append(&log, &c, &hash, &e), TM_OK);
        signature_log_close(&log);
    }
    while (fgets(line, sizeof line, f) != NULL) {
        assert_memory_equal(line, "7 2 4 ab00", strlen("7 2 4 ab00"));
        assert_int_equal(strlen(line), strlen("7 2 4 ") + 64 + 1 + 40 + 1 + 128 + 1);
        lines++;
    }
    assert_int_equal(lines, 4);
    fclose(f);
    unlink(path);
}

static void a_gap_is_an_error(void **state)
{
    const struct hash32 hash = {{0}};
    struct partial_signature signatures[2];
    struct certificate c = certificate_of(signatures);
    struct signature_log log;
    struct tm_error e = {0};

    (void)state;
    assert_int_equal(signature_log_open(&log, "/dev/full", &e), TM_OK);
    assert_int_equal(signature_log_append(&log, &c, &hash, &e), TM_ERR_CONFIG);
    signature_log_close(&log);
    assert_int_equal(signature_log_open(&log, "/nowhere/at/all", &e), TM_ERR_CONFIG);
    assert_non_null(strstr(e.text, "/nowhere/at/all"));
}

static void it_is_off_without_a_file(void **state)
{
    const struct hash32 hash = {{0}};
    struct partial_signature signatures[2];
    struct certificate c = certificate_of(signatures);
    struct signature_log log;
    struct tm_error e = {0};

    (void)state;
    assert_int_equal(signature_log_open(&log, NULL, &e), TM_OK);
    assert_int_equal(signature_log_append(&log, &c, &hash, &e), TM_OK);
    signature_log_close(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_a_line_for_each_signature),
        cmocka_unit_test(a_gap_is_an_error),
        cmocka_unit_test(it_is_off_without_a_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
