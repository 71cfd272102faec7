#include "rollback/versioned_pair.h"

#include "table/rows.h"

static bool is_named(struct bytes name, const char *table)
{
    return name.size == strlen(table) && memcmp(name.data, table, name.size) == 0;
}

bool versioned_pair_find(struct bytes name, struct versioned_pair *out)
{
    for (int tree = 0; tree < TREES; tree++) {
        const struct tree_table *t = rows_table((enum tree_id)tree);

        if (tree != TREE_TRANSACTIONS && is_named(name, t->table)) {
            *out = (struct versioned_pair){t->table, (enum tree_id)tree, {1, {t->key}, 0}};
            return true;
        }
    }
    *out = (struct versioned_pair){"tree_node", TREES, {3, {"tree", "depth", "prefix"}, 0}};
    return is_named(name, out->table);
}

struct pair_columns versioned_pair_columns(const struct versioned_pair *pair, Relation table)
{
    struct pair_columns columns = {.count = pair->key.count};

    for (int i = 0; i < columns.count; i++)
        columns.at[i] = row_scan_attribute(table, pair->key.columns[i]);
    return columns;
}

struct bytes versioned_pair_key(struct pair_columns columns, TupleTableSlot *row,
                                int64 numbers[PAIR_KEY_COLUMNS_MAX])
{
    bool is_null; /* no column of a key is */

    if (columns.count == 1) {
        Datum value = slot_getattr(row, columns.at[0], &is_null);
        struct varlena *v = pg_detoast_datum_packed((struct varlena *)DatumGetPointer(value));

        return bytes_make(VARDATA_ANY(v), VARSIZE_ANY_EXHDR(v));
    }
    for (int i = 0; i < columns.count; i++) {
        Datum value = slot_getattr(row, columns.at[i], &is_null);
        int size = TupleDescAttr(row->tts_tupleDescriptor, columns.at[i] - 1)->attlen;

        numbers[i] = size == sizeof(int16) ? DatumGetInt16(value) : DatumGetInt64(value);
    }
    return bytes_make(numbers, columns.count * sizeof *numbers);
}
