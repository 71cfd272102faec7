#include "proof.h"

#include "node/shell/system/files.h"
#include "protocol/base/hex.h"
#include "protocol/proof/follow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char NAME[] = "proof";

enum {
    VALIDATORS_FILE_MAX = 256 * 1024 * 1024, /* a set of 10,000 takes 2 MB; a file may hold many */
    BUNDLE_FILE_MAX = 2 * BUNDLE_BYTES_MAX - 1 /* as hexadecimal text; 2^30 fits an int */
};

/* The bundle's bytes: the file as it is, or as psql prints them. */
static enum tm_err read_bundle(struct arena *a, const char *path, struct proof_bundle *out,
                               struct tm_error *e)
{
    struct bytes file;
    uint8_t *raw;
    enum tm_err err = files_read(a, path, BUNDLE_FILE_MAX, &file, e);

    if (err != TM_OK)
        return err;
    if (file.size > 0 && file.data[0] == 'T')
        return bundle_decode(a, file, out, e);
    while (file.size > 0 && file.data[file.size - 1] <= ' ')
        file.size--;
    if (file.size >= 2 && file.data[0] == '\\' && file.data[1] == 'x')
        file = bytes_make(file.data + 2, file.size - 2);
    raw = arena_alloc(a, file.size / 2 + 1);
    if (!hex_decode(file, raw))
        return tm_fail(e, TM_ERR_MALFORMED,
                       "%s is no proof bundle: neither its bytes nor hexadecimal text", path);
    return bundle_decode(a, bytes_make(raw, file.size / 2), out, e);
}

static enum tm_err trust(struct arena *a, const char *path, uint64_t height, struct follow *f,
                         struct tm_error *e)
{
    struct validator_set set;
    struct bytes file;
    struct tm_error why;
    enum tm_err err = files_read(a, path, VALIDATORS_FILE_MAX, &file, e);

    if (err != TM_OK)
        return err;
    err = follow_find_set(a, file, height, &set, &why);
    if (err != TM_OK)
        return tm_fail(e, err, "%s: %s", path, why.text);
    follow_begin(f, &set);
    return TM_OK;
}

/* The headers below the bundle's, from the first of the file; the trusted set signed that one. */
static enum tm_err follow_file(struct arena *a, FILE *file, const char *validators, uint64_t height,
                               struct follow *f, struct tm_error *e)
{
    struct arena scratch;
    char *text = NULL;
    size_t room = 0;
    ssize_t n;
    enum tm_err err = TM_OK;

    arena_init(&scratch);
    while (err == TM_OK && (n = getline(&text, &room, file)) > 0) {
        struct follow_line line;

        while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
            n--;
        if (n == 0)
            continue;
        arena_reset(&scratch);
        err = follow_read_line(&scratch, bytes_make(text, (size_t)n), &line, e);
        if (err == TM_OK && line.header.height == 0) /* genesis: nobody signed it */
            continue;
        if (err == TM_OK && line.header.height >= height)
            break;
        if (err == TM_OK && f->set.count == 0)
            err = trust(a, validators, line.header.height, f, e);
        if (err == TM_OK)
            err = follow_add(f, &scratch, &line, e);
    }
    arena_free(&scratch);
    free(text);
    if (err == TM_OK && ferror(file))
        return tm_fail(e, TM_ERR_IO, "reading the headers: %s", strerror(errno));
    return err;
}

static enum tm_err reach(struct arena *a, const char *validators, const char *headers,
                         const struct proof_bundle *b, struct follow *f, struct tm_error *e)
{
    enum tm_err err = TM_OK;

    if (headers != NULL) {
        FILE *file = fopen(headers, "r");
        struct tm_error why;

        if (file == NULL)
            return tm_fail(e, TM_ERR_IO, "%s: %s", headers, strerror(errno));
        err = follow_file(a, file, validators, b->header.height, f, &why);
        fclose(file);
        if (err != TM_OK)
            return tm_fail(e, err, "%s: %s", headers, why.text);
    }
    if (f->set.count == 0)
        err = trust(a, validators, b->header.height, f, e);
    return err == TM_OK ? follow_link(f, &b->header, e) : err;
}

static void print_bundle(struct arena *a, const struct proof_bundle *b)
{
    printf("verified: height %" PRIu64 ", state hash %s\n", b->header.height,
           hex_text(a, bytes_hash(&b->header.state_hash)));
    printf("tree %s, root %s\n", tree_name(b->tree), hex_text(a, bytes_hash(&b->proof.root)));
    for (size_t i = 0; i < b->proof.item_count; i++) {
        const struct proof_item *item = &b->proof.items[i];

        printf("key %s: %s%s\n", hex_text(a, item->key), item->present ? "" : "absent",
               item->present ? hex_text(a, item->value) : "");
    }
}

static int verify(const char *path, const char *validators, const char *headers)
{
    struct proof_bundle b;
    struct follow f = {0};
    struct tm_error e;
    struct arena a;
    enum tm_err err;

    arena_init(&a);
    err = read_bundle(&a, path, &b, &e);
    if (err == TM_OK)
        err = reach(&a, validators, headers, &b, &f, &e);
    if (err == TM_OK)
        err = bundle_verify(&a, &b, &f.set, &e);
    if (err == TM_OK)
        print_bundle(&a, &b);
    if (f.set.count > 0)
        follow_free(&f);
    arena_free(&a);
    if (err == TM_OK)
        return CLI_DONE;
    fprintf(stderr, "tidemark %s: %s\n", NAME, e.text);
    return CLI_REFUSED;
}

static int run(int argc, char **argv)
{
    const char *validators = NULL, *headers = NULL, *words[2];
    const struct cli_option table[] = {{.name = "--validators", .value = &validators},
                                       {.name = "--headers", .value = &headers},
                                       {0}};
    size_t count;

    if (!cli_options(argc, argv, table, words, 2, &count))
        return CLI_USAGE;
    if (count != 2 || strcmp(words[0], "verify") != 0)
        return cli_usage(NAME, "verify FILE is wanted");
    if (validators == NULL)
        return cli_usage(NAME, "--validators FILE is needed: without a trusted set, any signature "
                               "would do");
    return verify(words[1], validators, headers);
}

const struct cli_command cli_proof_command = {
    .name = NAME,
    .summary = "check a proof without a database or a network",
    .help =
        "usage: tidemark proof verify FILE --validators FILE [--headers FILE]\n"
        "       tidemark-proof verify FILE --validators FILE [--headers FILE]\n"
        "\n"
        "Checks a bundle made by tidemark.proof_bundle(tree, key, height): proof, tree roots, "
        "state\n"
        "hash, header and certificate. FILE holds its bytes, or the hexadecimal text psql prints.\n"
        "Prints what is proven: the leaf's bytes under the key, or that the key is absent. "
        "Nothing\n"
        "but the validator set is trusted; exit code 1 where something does not hold.\n"
        "\n"
        "  --validators FILE   the set that signed the bundle's block, or the first of the "
        "headers:\n"
        "                      a line made by tidemark.validator_set_json(height - 1)\n"
        "  --headers FILE      headers before the bundle's, each one above the last, as\n"
        "                      tidemark.proof_headers(first, last) gives them: follows the "
        "validator\n"
        "                      set from the first of them to the bundle's. Not under the rules\n"
        "                      `reference`, whose certificates do not cover the next set\n",
    .run = run,
};
