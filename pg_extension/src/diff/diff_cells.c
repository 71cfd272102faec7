#include "diff/diff_cells.h"

#include "value/stored_number.h"

#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"

#define PUBLIC_KEY                                                                                 \
    {                                                                                              \
        "public_key", "public_key", CELL_BYTES                                                     \
    }
#define OUTPUT                                                                                     \
    {                                                                                              \
        "output_address", "output_address", CELL_BYTES                                             \
    }
#define STAKE                                                                                      \
    {                                                                                              \
        "stake_upokt", "stake", CELL_NUMERIC                                                       \
    }
#define STAKE_TEXT                                                                                 \
    {                                                                                              \
        "stake_text", "stake_text", CELL_TEXT                                                      \
    }
#define SERVICE_URL                                                                                \
    {                                                                                              \
        "service_url", "service_url", CELL_URL                                                     \
    }
#define CHAINS                                                                                     \
    {                                                                                              \
        "chains", "chains", CELL_TEXTS                                                             \
    }
#define PAUSED                                                                                     \
    {                                                                                              \
        "paused_height", "paused_height", CELL_HEIGHT                                              \
    }
#define UNSTAKING                                                                                  \
    {                                                                                              \
        "unstaking_height", "unstaking_height", CELL_HEIGHT                                        \
    }
#define CHANGED                                                                                    \
    {                                                                                              \
        "changed_height", "valid_from", CELL_NUMBER                                                \
    }

static const struct diff_cell BALANCE[] = {{"balance_upokt", "balance", CELL_NUMERIC}};
static const struct diff_cell APPLICATION[] = {PUBLIC_KEY, OUTPUT, STAKE,    STAKE_TEXT,
                                               CHAINS,     PAUSED, UNSTAKING};
static const struct diff_cell VALIDATOR[] = {PUBLIC_KEY,  OUTPUT, STAKE,    STAKE_TEXT,
                                             SERVICE_URL, PAUSED, UNSTAKING};
static const struct diff_cell ACTOR[] = {PUBLIC_KEY,  OUTPUT, STAKE,  STAKE_TEXT,
                                         SERVICE_URL, CHAINS, PAUSED, UNSTAKING};
static const struct diff_cell PARAM[] = {{"value", "value", CELL_TEXT}, CHANGED};
static const struct diff_cell FLAG[] = {
    {"value", "value", CELL_TEXT}, {"enabled", "enabled", CELL_FLAG}, CHANGED};
static const struct diff_cell IBC[] = {{"value", "value", CELL_BYTES}};

#define CELLS(list) (list), (int)lengthof(list)

static const struct diff_view VIEW[TREES] = {
    [TREE_APP] = {"application", "address", BYTEAOID, CELLS(APPLICATION)},
    [TREE_VAL] = {"validator", "address", BYTEAOID, CELLS(VALIDATOR)},
    [TREE_FISH] = {"fisherman", "address", BYTEAOID, CELLS(ACTOR)},
    [TREE_SERVICER] = {"servicer", "address", BYTEAOID, CELLS(ACTOR)},
    [TREE_ACCOUNT] = {"account", "address", BYTEAOID, CELLS(BALANCE)},
    [TREE_POOL] = {"pool", "address", BYTEAOID, CELLS(BALANCE)},
    [TREE_PARAMS] = {"param", "name", TEXTOID, CELLS(PARAM)},
    [TREE_FLAGS] = {"flag", "name", TEXTOID, CELLS(FLAG)},
    [TREE_IBC] = {"ibc_entry", "path", BYTEAOID, CELLS(IBC)},
};

const struct diff_view *diff_view(enum tree_id tree)
{
    return &VIEW[tree];
}

static bool by_value(const struct diff_cell *cell)
{
    return cell->kind == CELL_HEIGHT || cell->kind == CELL_NUMBER || cell->kind == CELL_FLAG;
}

bool diff_cell_same(const struct diff_cell *cell, Datum a, Datum b)
{
    const struct varlena *x, *y;

    if (by_value(cell))
        return a == b;
    x = (const struct varlena *)DatumGetPointer(a);
    y = (const struct varlena *)DatumGetPointer(b);
    return !VARATT_IS_EXTERNAL(x) && !VARATT_IS_EXTERNAL(y) && VARSIZE_ANY(x) == VARSIZE_ANY(y) &&
           memcmp(x, y, VARSIZE_ANY(x)) == 0;
}

static Datum hexadecimal(Datum value)
{
    struct varlena *v = PG_DETOAST_DATUM_PACKED(value);
    size_t size = VARSIZE_ANY_EXHDR(v);
    text *out = palloc(VARHDRSZ + 2 + 2 * size + 1);

    memcpy(VARDATA(out), "\\x", 2);
    hex_encode(VARDATA_ANY(v), size, VARDATA(out) + 2);
    SET_VARSIZE(out, VARHDRSZ + 2 + 2 * size);
    return PointerGetDatum(out);
}

static Datum number(int64 n)
{
    char digits[32];

    snprintf(digits, sizeof digits, INT64_FORMAT, n);
    return CStringGetTextDatum(digits);
}

static Datum array_text(Datum value)
{
    FmgrInfo output;

    fmgr_info(F_ARRAY_OUT, &output);
    return CStringGetTextDatum(OutputFunctionCall(&output, value));
}

bool diff_cell_text(const struct diff_cell *cell, Datum value, Datum *out)
{
    switch (cell->kind) {
    case CELL_NUMERIC:
        *out = stored_number_datum(value);
        return true;
    case CELL_BYTES:
        *out = hexadecimal(value);
        return true;
    case CELL_URL:
    case CELL_TEXT:
        *out = PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
        return cell->kind == CELL_TEXT || VARSIZE_ANY_EXHDR(DatumGetPointer(*out)) > 0;
    case CELL_TEXTS:
        *out = array_text(value);
        return true;
    case CELL_HEIGHT:
        *out = number(DatumGetInt64(value));
        return DatumGetInt64(value) != HEIGHT_NONE;
    case CELL_NUMBER:
        *out = number(DatumGetInt64(value));
        return true;
    case CELL_FLAG:
        *out = CStringGetTextDatum(DatumGetBool(value) ? "true" : "false");
        return true;
    }
    return false;
}
