/* The records a genesis file makes: accounts, pools, actors, parameters (state.md 5.2). */
#ifndef PROTOCOL_GENESIS_GENESIS_STATE_H
#define PROTOCOL_GENESIS_GENESIS_STATE_H

#include "field.h"
#include "genesis.h"

/* Fills g->records; g->rules is set. */
enum tm_err genesis_state_read(struct arena *a, const struct field_object *top, struct genesis *g,
                               struct tm_error *e);

#endif
