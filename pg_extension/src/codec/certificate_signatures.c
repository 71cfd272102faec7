/* certificate_signatures(certificate, validators, public_keys, rules): who signed a block. */
#include "value/argument.h"
#include "value/memory.h"
#include "value/raise.h"
#include "value/result.h"

#include "protocol/certificate/certificate.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/tuplestore.h"

enum {
    COLUMNS = 9,
    /* Under `reference` a certificate holds its whole block; LocalNet's have at most 4,000,000
     * bytes of transactions. */
    CERTIFICATE_BYTES_MAX = 64 * 1024 * 1024
};

PG_FUNCTION_INFO_V1(tidemark_certificate_signatures);

static int by_address(const void *x, const void *y)
{
    const struct validator *a = x, *b = y;

    return bytes_compare(a->address, b->address);
}

/* The set that may sign, out of two parallel arrays. */
static struct validator_set set_arguments(FunctionCallInfo fcinfo)
{
    struct argument_array addresses = argument_bytea_array(
        PG_GETARG_DATUM(1), CERTIFICATE_SIGNATURES_MAX, "the list of validators");
    struct argument_array keys = argument_bytea_array(
        PG_GETARG_DATUM(2), CERTIFICATE_SIGNATURES_MAX, "the list of public keys");
    struct validator_set set = {palloc(sizeof *set.members * (addresses.count + 1)),
                                (size_t)addresses.count};

    if (addresses.count != keys.count)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("there are %d validators, but %d public keys", addresses.count,
                               keys.count)));
    for (int i = 0; i < addresses.count; i++) {
        if (addresses.nulls[i] || keys.nulls[i])
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                            errmsg("an address or public key of a validator is NULL")));
        set.members[i].address = argument_bytes(addresses.values[i], KEY_BYTES_MAX, "an address");
        set.members[i].public_key = argument_bytes(keys.values[i], KEY_BYTES_MAX, "a public key");
    }
    qsort(set.members, set.count, sizeof *set.members, by_address);
    return set;
}

static const struct rules *rules_argument(FunctionCallInfo fcinfo)
{
    const struct rules *rules = rules_by_name(
        argument_text(argument_present(fcinfo, 3, "the rule set"), NAME_BYTES_MAX, "the rule set"));

    if (rules == NULL)
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("there is no such rule set"),
                 errhint("Rule sets are standard and reference.")));
    return rules;
}

/* The first valid signature of each member counts (consensus.md 9), so a second one is not valid.
 */
static bool is_valid(const struct partial_signature *s, const struct validator_set *set,
                     struct bytes vote, enum ed25519_rule rule, bool *counted)
{
    long index = validator_set_find(set, s->address);

    if (index < 0 || counted[index] ||
        !partial_signature_holds(s, &set->members[index], vote, rule))
        return false;
    counted[index] = true;
    return true;
}

Datum tidemark_certificate_signatures(PG_FUNCTION_ARGS)
{
    struct bytes raw = argument_bytes(argument_present(fcinfo, 0, "the certificate"),
                                      CERTIFICATE_BYTES_MAX, "the certificate");
    bool has_set = !PG_ARGISNULL(1) && !PG_ARGISNULL(2), canonical, *counted = NULL;
    const struct rules *rules = rules_argument(fcinfo);
    struct validator_set set = {0};
    ReturnSetInfo *result;
    struct certificate c;
    struct tm_error e = {0};
    struct hash32 hash;
    struct bytes vote;
    struct arena a;

    if (has_set) {
        set = set_arguments(fcinfo);
        counted = palloc0(sizeof *counted * (set.count + 1));
    }
    InitMaterializedSRF(fcinfo, 0);
    result = (ReturnSetInfo *)fcinfo->resultinfo;
    memory_arena(&a, CurrentMemoryContext);
    if (certificate_decode(&a, raw, &c, &canonical, &e) != TM_OK)
        raise_failure(&e);
    if (c.height > PG_INT64_MAX || c.round > PG_INT64_MAX)
        ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
                        errmsg("height or round of the certificate is no bigint")));
    vote = vote_bytes(&a, c.height, c.step, c.round, c.block_raw);
    hash = header_hash(&c.block.header);
    for (size_t i = 0; i < c.signature_count; i++) {
        const struct partial_signature *s = &c.signatures[i];
        Datum values[COLUMNS] = {Int64GetDatum((int64)c.height),
                                 Int64GetDatum((int64)c.round),
                                 Int32GetDatum((int32)c.step),
                                 result_hash(&c.block.header.state_hash),
                                 result_hash(&hash),
                                 Int32GetDatum((int32)i),
                                 result_bytes(s->address),
                                 result_bytes(s->signature)};
        bool nulls[COLUMNS] = {[3] = !c.block.header.has_state_hash, [8] = !has_set};

        CHECK_FOR_INTERRUPTS();
        if (has_set)
            values[8] = BoolGetDatum(is_valid(s, &set, vote, rules->signatures, counted));
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
    PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(tidemark_certificate_signers);

/* certificate_signers(certificate): addresses in its signatures, each once, unchecked. */
Datum tidemark_certificate_signers(PG_FUNCTION_ARGS)
{
    struct bytes raw = argument_bytes(argument_present(fcinfo, 0, "the certificate"),
                                      CERTIFICATE_BYTES_MAX, "the certificate");
    struct certificate c;
    struct tm_error e = {0};
    struct validator *found;
    Datum *addresses;
    bool canonical;
    int count = 0;
    struct arena a;

    if (raw.size == 0) /* block 0 has none */
        PG_RETURN_ARRAYTYPE_P(construct_empty_array(BYTEAOID));
    memory_arena(&a, CurrentMemoryContext);
    if (certificate_decode(&a, raw, &c, &canonical, &e) != TM_OK)
        raise_failure(&e);
    found = palloc(sizeof *found * (c.signature_count + 1));
    addresses = palloc(sizeof *addresses * (c.signature_count + 1));
    for (size_t i = 0; i < c.signature_count; i++)
        found[i] = (struct validator){.address = c.signatures[i].address};
    qsort(found, c.signature_count, sizeof *found, by_address);
    for (size_t i = 0; i < c.signature_count; i++)
        if (i == 0 || !bytes_equal(found[i - 1].address, found[i].address))
            addresses[count++] = result_bytes(found[i].address);
    PG_RETURN_ARRAYTYPE_P(construct_array(addresses, count, BYTEAOID, -1, false, TYPALIGN_INT));
}
