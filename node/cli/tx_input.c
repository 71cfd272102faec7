#include "tx_input.h"

#include "node/shell/system/files.h"
#include "protocol/base/hex.h"
#include "protocol/transaction/transaction.h"

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* True where the text, blanks around it aside, is hexadecimal and not empty. */
static bool decode_text(struct arena *a, struct bytes text, struct bytes *out)
{
    uint8_t *data;

    while (text.size > 0 && is_blank(text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && is_blank(text.data[text.size - 1]))
        text.size--;
    if (text.size == 0)
        return false;
    data = arena_alloc(a, text.size / 2);
    if (!hex_decode(text, data))
        return false;
    *out = bytes_make(data, text.size / 2);
    return true;
}

static enum tm_err check_size(struct bytes tx, struct tm_error *e)
{
    if (tx.size > TRANSACTION_MAX)
        return tm_fail(e, TM_ERR_LIMIT, "the transaction has %zu bytes, at most %d may be", tx.size,
                       TRANSACTION_MAX);
    return TM_OK;
}

enum tm_err tx_input_file(struct arena *a, const char *path, struct bytes *out, struct tm_error *e)
{
    struct bytes content;
    enum tm_err err = files_read(a, strcmp(path, "-") == 0 ? "/dev/stdin" : path,
                                 2 * TRANSACTION_MAX + 2, &content, e);

    if (err != TM_OK)
        return err;
    if (content.size == 0)
        return tm_fail(e, TM_ERR_MALFORMED, "%s is empty", path);
    if (!decode_text(a, content, out))
        *out = content;
    return check_size(*out, e);
}

enum tm_err tx_input(struct arena *a, const char *word, struct bytes *out, struct tm_error *e)
{
    if (strcmp(word, "-") == 0 || files_exist(word))
        return tx_input_file(a, word, out, e);
    if (decode_text(a, bytes_of(word), out))
        return check_size(*out, e);
    return tm_fail(e, TM_ERR_USAGE, "\"%.80s\" is neither a file nor a hexadecimal transaction",
                   word);
}
