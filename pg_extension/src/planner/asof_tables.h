/*
 * At which height a scan reads, and which of the pair's tables, in which order: first those that
 * most likely have the row of a key.
 */
#ifndef PG_EXTENSION_ASOF_TABLES_H
#define PG_EXTENSION_ASOF_TABLES_H

#include "planner/asof_match.h"

#include "protocol/base/bytes.h"

#include "nodes/execnodes.h"

/* For a plan: the tables by number (asof.h), the current one first. Returns how many of a thousand
 * versions are current. */
int asof_tables_rank(const struct asof_match *m, int tables[ASOF_TABLES]);

/* For a run of that plan. */
struct asof_tables {
    ScanState *scan;
    ExprState *value;         /* of the height; of the argument where it is a call */
    bool is_call, is_setting; /* of tidemark.height; without an argument */
    bool is_fixed;            /* the height is that of the whole query */
    bool is_found;
    int current_share; /* as ranked */
    height_t height;
    int order[ASOF_TABLES]; /* places in the ranking */
    int count;              /* of these: no other can have a row */
};

/* height: the plan's expression. Raises where it is a call that the user may not make. */
void asof_tables_begin(struct asof_tables *t, ScanState *scan, Node *height, int current_share);

/* Finds the height, unless that of the query is known, and the tables for it; false where it is
 * NULL. */
bool asof_tables_find(struct asof_tables *t);

/* Whether no version has ended after the height: the current table is the only one that is read,
 * and each of its rows is true at the height. */
bool asof_tables_only_current(const struct asof_tables *t);

#endif
