/*
 * One query, one height. A cursor that is open while tidemark.height changes would return rows of
 * two heights, so changes are refused while one is open, and a query that was opened under another
 * setting (a cursor that outlives the function whose SET clause gave the height) is stopped.
 */
#ifndef PG_EXTENSION_HEIGHT_GUARD_H
#define PG_EXTENSION_HEIGHT_GUARD_H

#include "height/height_setting.h"

#include "nodes/execnodes.h"

#define HEIGHT_GUARD_MESSAGE "tidemark.height cannot change while a cursor is open"
#define HEIGHT_GUARD_HINT                                                                          \
    "Close the cursor first, or read another height with the functions state.<view>_at(h)."

/* Installs its hook; once, when the library is loaded. */
void height_guard_init(void);

/* May the setting become this now? */
bool height_guard_allows(const struct height_setting *wanted);

/* Raises for a utility statement that resets the setting where it may not change. */
void height_guard_check_statement(const Node *statement);

/* Raises when the query that makes this call was opened under another setting. */
void height_guard_check(FunctionCallInfo fcinfo);

/* The same of a query that calls height() otherwise than in FROM. */
void height_guard_check_query(const EState *query);

#endif
