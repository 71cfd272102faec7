#include "block.h"

#include <stdlib.h>

#include "../codec/wire.h"
#include "../sha256/sha256.h"
#include "../sha3/sha3.h"
#include "../smt/smt.h"
#include "../codec/wire_writer.h"
#include "header.h"
#include "protocol/proto/block.pb-c.h"

enum { FIELD_HEADER = 1, FIELD_TRANSACTION = 2, ELEMENT_OVERHEAD = 6 };

/* The known fields of canonical block bytes, which come before all others. */
static bool next_part(struct bytes *rest, struct wire_field *f)
{
    return rest->size > 0 && wire_next(rest, f, NULL) == TM_OK && f->type == WIRE_LENGTH &&
           f->number <= FIELD_TRANSACTION;
}

static void take_parts(struct arena *a, struct bytes encoded, struct bytes *header,
                       struct block *out)
{
    struct bytes rest = encoded;
    struct wire_field f;
    size_t count = 0;

    *header = (struct bytes){NULL, 0};
    while (next_part(&rest, &f))
        if (f.number == FIELD_TRANSACTION)
            count++;
        else
            *header = f.content;
    out->transactions = arena_array(a, struct bytes, count);
    out->transaction_count = 0;
    rest = encoded;
    while (next_part(&rest, &f))
        if (f.number == FIELD_TRANSACTION)
            out->transactions[out->transaction_count++] = f.content;
}

enum tm_err block_decode(struct arena *a, struct bytes raw, struct block *out, bool *canonical,
                         struct tm_error *e)
{
    struct canonical c, header = {.type = &pocket__block_header__descriptor};
    enum tm_err err;

    if (raw.size > BLOCK_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "the block has %zu bytes, at most %d are decoded", raw.size,
                       BLOCK_MAX);
    err = codec_canonicalise(a, &pocket__block__descriptor, raw, BLOCK_TRANSACTIONS_MAX, &c, e);
    if (err != TM_OK)
        return err;
    take_parts(a, c.encoded, &header.encoded, out);
    if (header.encoded.data == NULL)
        return tm_fail(e, TM_ERR_MALFORMED, "Block: blockHeader is absent");
    header.has_unknown = c.has_unknown;
    /* A header has no room for unknown fields, so a block with some is not its own re-encoding. */
    *canonical = c.was_canonical && !c.has_unknown;
    return header_decode(a, &header, &out->header, e);
}

struct bytes block_encode(struct arena *a, const struct block *b)
{
    struct bytes header = header_encode(a, &b->header);
    size_t size = header.size + ELEMENT_OVERHEAD;
    struct buffer out;

    for (size_t i = 0; i < b->transaction_count; i++)
        size += b->transactions[i].size + ELEMENT_OVERHEAD;
    buffer_init(&out, a, size);
    wire_element(&out, FIELD_HEADER, header);
    for (size_t i = 0; i < b->transaction_count; i++)
        wire_element(&out, FIELD_TRANSACTION, b->transactions[i]);
    return buffer_bytes(&out);
}

struct hash32 transactions_hash(const struct bytes *transactions, size_t count)
{
    struct hash32 *hashes = malloc(count > 0 ? count * sizeof *hashes : 1);
    struct hash32 hash;

    if (hashes == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        hashes[i] = sha3_256(transactions[i]);
    hash = sha3_256(bytes_make(hashes, count * sizeof *hashes));
    free(hashes);
    return hash;
}

static int compare_paths(const void *x, const void *y)
{
    const struct smt_leaf *a = x, *b = y;

    return memcmp(a->path.b, b->path.b, sizeof a->path.b);
}

struct hash32 state_hash_of_roots(const struct hash32 roots[TREES])
{
    struct smt_leaf leaves[TREES];
    struct hash32 scratch[TREES], root = {{0}};

    for (int i = 0; i < TREES; i++) {
        leaves[i].path = sha256(bytes_of(tree_name((enum tree_id)i)));
        leaves[i].value_hash = sha256(bytes_hash(&roots[i]));
    }
    qsort(leaves, TREES, sizeof leaves[0], compare_paths);
    /* Ten different names: the leaves are sorted and each path is there once. */
    if (smt_root_of_sorted(leaves, TREES, scratch, &root, NULL) != TM_OK)
        abort();
    return root;
}
