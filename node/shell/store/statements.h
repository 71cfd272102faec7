/*
 * Every versioned pair of schema `ledger` as one row of a table of descriptors, the SQL generated
 * from it, and the two directions between its columns and `struct record`.
 */
#ifndef NODE_SHELL_STORE_STATEMENTS_H
#define NODE_SHELL_STORE_STATEMENTS_H

#include "node/shell/pg/pg_binary.h"
#include "protocol/ledger/ledger.h"
#include "protocol/smt/smt.h"

/* A kind of column, which decides its SQL type and its place in a record. */
enum column_kind {
    COLUMN_KEY,         /* bytea: record.key */
    COLUMN_NAME,        /* text: record.key */
    COLUMN_PATH,        /* bytea: SHA-256 of record.key */
    COLUMN_BALANCE,     /* numeric */
    COLUMN_PUBLIC_KEY,  /* bytea */
    COLUMN_OUTPUT,      /* bytea */
    COLUMN_STAKE,       /* numeric */
    COLUMN_STAKE_TEXT,  /* text, null where it is the canonical text of stake */
    COLUMN_URL,         /* text */
    COLUMN_CHAINS,      /* text[] */
    COLUMN_PAUSED,      /* bigint */
    COLUMN_UNSTAKING,   /* bigint */
    COLUMN_TEXT_VALUE,  /* text: record.value */
    COLUMN_FLAG_VALUE,  /* text: record.flag.value */
    COLUMN_ENABLED,     /* boolean */
    COLUMN_RAW_KEY,     /* bytea: record.key beside its path */
    COLUMN_RAW_VALUE,   /* bytea: record.value */
    COLUMN_NODE_TREE,   /* smallint, of a tree node like the next three */
    COLUMN_NODE_DEPTH,  /* smallint */
    COLUMN_NODE_PREFIX, /* bigint */
    COLUMN_NODE_DIGEST  /* bytea */
};

struct column {
    const char *name;
    enum column_kind kind;
};

enum { VERSIONED_COLUMNS_MAX = 9 };

struct versioned {
    enum tree_id tree;  /* TREES: the tree nodes */
    const char *table;  /* in schema ledger; <table>_history beside it */
    const char *digest; /* SQL for the digest over changed rows; `present` false: the row is gone */
    const char *path;   /* SQL for path64 of a row, as its index has it */
    struct column columns[VERSIONED_COLUMNS_MAX]; /* the primary key first */
    int column_count, key_count;
};

/* NULL for TREE_TRANSACTIONS, which is no versioned pair; TREES: ledger.tree_node. */
const struct versioned *versioned_of(enum tree_id tree);

/* Names of prepared statements, e.g. "apply_account". */
enum statement_kind {
    STATEMENT_APPLY,  /* one block: close, delete, upsert; height, digest of the rows as stored */
    STATEMENT_MERGE,  /* the same for several blocks: versions in between go straight to history */
    STATEMENT_FETCH,  /* rows of a list of primary keys */
    STATEMENT_BASE,   /* rows every block may need */
    STATEMENT_LEAVES, /* rows within ranges of path64 */
    /* The last three as of a height, their last parameter (statements_at.c). */
    STATEMENT_FETCH_AT,
    STATEMENT_BASE_AT,
    STATEMENT_LEAVES_AT,
    STATEMENT_KINDS
};

/* Name and SQL of a generated statement, in the arena; NULL where the pair has none. */
const char *statement_name(struct arena *a, const struct versioned *v, enum statement_kind kind);
const char *statement_sql(struct arena *a, const struct versioned *v, enum statement_kind kind);

/* SQL for `columns` of the rows `v` of ledger.<table> that were true after block `at` and meet
 * `condition`; both are SQL, and the condition may name `v`. */
char *versioned_rows_at(struct arena *a, const char *table, const char *columns,
                        const char *condition, const char *at);
/* The statements STATEMENT_…_AT; NULL where the pair has none. */
const char *statement_at_sql(struct arena *a, const struct versioned *v, enum statement_kind kind);

/* A rows-every-block-needs condition of a tree (" WHERE …" or ""); NULL: it has none such. */
const char *versioned_base_condition(enum tree_id tree);
/* The type a column's values are sent as: its own, or, for a list, the text of it. */
enum pg_type column_type(enum column_kind kind);

/* A change of one row by the block of a height: a leaf, or (write NULL) a node of a tree. */
struct versioned_change {
    height_t height;
    const struct ledger_write *write;
    const struct smt_node_change *node;
    enum tree_id node_tree;
};

/*
 * Parameters of STATEMENT_APPLY (changes of one height) or STATEMENT_MERGE (of several, from
 * `first` on). TM_ERR_MISMATCH: a value that no column can hold.
 */
enum tm_err versioned_params(struct pg_params *p, const struct versioned *v,
                             enum statement_kind kind, height_t first,
                             const struct versioned_change *changes, size_t count,
                             struct tm_error *e);

/* Reads the row (columns from `first` on: the descriptor's columns, then valid_from) into a record
 * in the arena. */
enum tm_err versioned_record(struct arena *a, const struct versioned *v, const PGresult *r, int row,
                             int first, struct record *out, struct tm_error *e);

/* Columns of a row as versioned_record reads them: "v.address, v.balance, v.valid_from". */
char *versioned_select(struct arena *a, const struct versioned *v);

#endif
