/*
 * What a block has written so far, over a view of the state before it. Every write is journalled,
 * so that a transaction or only its handler can be taken back, and noted with the step that made
 * it.
 */
#ifndef PROTOCOL_LEDGER_WRITE_LAYER_H
#define PROTOCOL_LEDGER_WRITE_LAYER_H

#include "ledger.h"

struct layer_undo {
    enum tree_id tree;
    struct bytes key;
    const struct record *record; /* what the layer said before the write */
};

struct write_layer {
    struct arena *arena;
    const struct ledger_view *view;
    struct state_map map;
    const struct record **before; /* parallel to map.entries: the record of the view */
    size_t before_capacity;
    struct layer_undo *undo;
    size_t undo_count, undo_capacity;
    struct ledger_touch *touches;
    size_t touch_count, touch_capacity;
    int32_t step;           /* noted with each write */
    long active_validators; /* difference that the layer makes to their number */
};

struct layer_mark {
    size_t undo_count, touch_count;
};

void layer_init(struct write_layer *l, struct arena *a, const struct ledger_view *view);

/* The record before the block / with the block's writes so far; NULL in *out: there is none. */
enum tm_err layer_committed(struct write_layer *l, enum tree_id tree, struct bytes key,
                            const struct record **out, struct tm_error *e);
enum tm_err layer_current(struct write_layer *l, enum tree_id tree, struct bytes key,
                          const struct record **out, struct tm_error *e);

/* Does the layer itself say something about (tree, key)? */
bool layer_has(const struct write_layer *l, enum tree_id tree, struct bytes key);

/* Writes a record, which lives in the layer's arena, or removes the one there is. */
enum tm_err layer_put(struct write_layer *l, const struct record *record, struct tm_error *e);
enum tm_err layer_remove(struct write_layer *l, enum tree_id tree, struct bytes key,
                         struct tm_error *e);

/* Takes back everything written since the mark. Marks older than layer_settle are void. */
struct layer_mark layer_mark(const struct write_layer *l);
void layer_rollback(struct write_layer *l, struct layer_mark mark);
void layer_settle(struct write_layer *l);

/* Net effect and provenance (ledger_writes, ledger_touches), in the layer's arena. */
size_t layer_writes(struct write_layer *l, const struct ledger_write **out);
size_t layer_touches(struct write_layer *l, const struct ledger_write *writes, size_t write_count,
                     const struct ledger_touch **out);

/* Is this record that of a validator that is neither paused nor unstaking? NULL: no. */
bool is_active_validator(const struct record *r);

#endif
