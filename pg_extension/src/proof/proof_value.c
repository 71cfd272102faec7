/* The SQL type tidemark.proof: its forms, and what can be asked of one without any table. */
#include "proof/proof_value.h"

#include "value/argument.h"
#include "value/memory.h"
#include "value/raise.h"
#include "value/result.h"

#include "funcapi.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "utils/fmgrprotos.h"
#include "utils/tuplestore.h"

#include "protocol/base/hex.h"

PG_FUNCTION_INFO_V1(tidemark_proof_in);
PG_FUNCTION_INFO_V1(tidemark_proof_out);
PG_FUNCTION_INFO_V1(tidemark_proof_recv);
PG_FUNCTION_INFO_V1(tidemark_proof_send);
PG_FUNCTION_INFO_V1(tidemark_proof_of_bytes);
PG_FUNCTION_INFO_V1(tidemark_proof_check);
PG_FUNCTION_INFO_V1(tidemark_proof_root);
PG_FUNCTION_INFO_V1(tidemark_proof_items);
PG_FUNCTION_INFO_V1(tidemark_proof_json);
PG_FUNCTION_INFO_V1(tidemark_proof_ics23);

/* The value for bytes that decode. */
static Datum accept(struct bytes raw)
{
    struct tm_error e = {0};
    struct proof p;
    struct arena a;

    memory_arena(&a, CurrentMemoryContext);
    if (proof_decode(&a, raw, &p, &e) != TM_OK)
        raise_failure(&e);
    arena_free(&a);
    return result_bytes(raw);
}

void proof_value_read(struct arena *a, Datum value, struct proof *out)
{
    struct tm_error e = {0};

    if (proof_decode(a, argument_bytes(value, PROOF_BYTES_MAX, "proof"), out, &e) != TM_OK)
        raise_failure(&e);
}

Datum proof_value_make(struct arena *a, const struct proof *p)
{
    struct bytes raw = proof_encode(a, p);

    if (raw.size > PROOF_BYTES_MAX)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("the proof has more than %d bytes", PROOF_BYTES_MAX),
                        errhint("Prove fewer keys at a time.")));
    return result_bytes(raw);
}

Datum tidemark_proof_in(PG_FUNCTION_ARGS)
{
    struct bytes text = bytes_of(PG_GETARG_CSTRING(0));
    uint8_t *raw;

    if (text.size >= 2 && text.data[0] == '\\' && text.data[1] == 'x')
        text = bytes_make(text.data + 2, text.size - 2);
    if (text.size / 2 > PROOF_BYTES_MAX)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("the proof has more than %d bytes", PROOF_BYTES_MAX)));
    raw = palloc(text.size / 2 + 1);
    if (text.size == 0 || !hex_decode(text, raw))
        ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                        errmsg("this is no proof: \"%.40s\"", PG_GETARG_CSTRING(0)),
                        errhint("A proof is written as hexadecimal digits, with or without \\x.")));
    return accept(bytes_make(raw, text.size / 2));
}

Datum tidemark_proof_out(PG_FUNCTION_ARGS)
{
    struct bytes raw = argument_bytes(PG_GETARG_DATUM(0), PROOF_BYTES_MAX, "proof");
    char *text = palloc(2 * raw.size + 3);

    text[0] = '\\';
    text[1] = 'x';
    hex_encode(raw, text + 2);
    text[2 * raw.size + 2] = '\0';
    PG_RETURN_CSTRING(text);
}

Datum tidemark_proof_recv(PG_FUNCTION_ARGS)
{
    StringInfo message = (StringInfo)PG_GETARG_POINTER(0);
    int size = message->len - message->cursor;

    return accept(bytes_make(pq_getmsgbytes(message, size), (size_t)size));
}

/* Also the cast to bytea. */
Datum tidemark_proof_send(PG_FUNCTION_ARGS)
{
    return result_bytes(argument_bytes(PG_GETARG_DATUM(0), PROOF_BYTES_MAX, "proof"));
}

Datum tidemark_proof_of_bytes(PG_FUNCTION_ARGS)
{
    return accept(argument_bytes(PG_GETARG_DATUM(0), PROOF_BYTES_MAX, "proof"));
}

Datum tidemark_proof_check(PG_FUNCTION_ARGS)
{
    struct hash32 root = argument_hash(PG_GETARG_DATUM(1), "root");
    struct proof p;
    struct arena a;
    bool holds;

    memory_arena(&a, CurrentMemoryContext);
    proof_value_read(&a, PG_GETARG_DATUM(0), &p);
    holds = proof_verify(&p, &root);
    arena_free(&a);
    PG_RETURN_BOOL(holds);
}

Datum tidemark_proof_root(PG_FUNCTION_ARGS)
{
    struct proof p;
    struct arena a;

    memory_arena(&a, CurrentMemoryContext);
    proof_value_read(&a, PG_GETARG_DATUM(0), &p);
    arena_free(&a);
    return result_hash(&p.root);
}

Datum tidemark_proof_items(PG_FUNCTION_ARGS)
{
    ReturnSetInfo *set = (ReturnSetInfo *)fcinfo->resultinfo;
    struct proof p;
    struct arena a;

    InitMaterializedSRF(fcinfo, 0);
    memory_arena(&a, CurrentMemoryContext);
    proof_value_read(&a, PG_GETARG_DATUM(0), &p);
    for (size_t i = 0; i < p.item_count; i++) {
        const struct proof_item *item = &p.items[i];
        Datum values[2] = {result_bytes(item->key), 0};
        bool nulls[2] = {false, !item->present};

        if (item->present)
            values[1] = result_bytes(item->value);
        tuplestore_putvalues(set->setResult, set->setDesc, values, nulls);
    }
    PG_RETURN_VOID();
}

Datum tidemark_proof_json(PG_FUNCTION_ARGS)
{
    struct tm_error e = {0};
    struct proof p;
    struct arena a;
    char *json;

    memory_arena(&a, CurrentMemoryContext);
    proof_value_read(&a, PG_GETARG_DATUM(0), &p);
    if (proof_json(&a, &p, &json, &e) != TM_OK)
        raise_failure(&e);
    return DirectFunctionCall1(jsonb_in, CStringGetDatum(json));
}

Datum tidemark_proof_ics23(PG_FUNCTION_ARGS)
{
    struct tm_error e = {0};
    struct bytes message;
    struct proof p;
    struct arena a;

    memory_arena(&a, CurrentMemoryContext);
    proof_value_read(&a, PG_GETARG_DATUM(0), &p);
    if (proof_ics23(&a, &p, &message, &e) != TM_OK)
        raise_failure(&e);
    return result_bytes(message);
}
